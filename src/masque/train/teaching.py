"""Whether data can teach what a recipe has to learn from it: found out before anything is trained."""

from __future__ import annotations

import numpy as np

from masque.data.frames import FrameSet
from masque.errors import DataError
from masque.faces.labels import UNKNOWN
from masque.train.phase import Needs, NeedsData


def check_attributes(frames: FrameSet) -> None:
    """Raise DataError when an attribute is unknown in all pictures to train on, or on the same side of ½ in all in
    which it is known."""
    values = frames.attributes[frames.indices("train")]
    for name, column in zip(frames.attribute_names, values.T, strict=True):
        known = column[~np.isnan(column)]
        if not len(known):
            reason = "is unknown in all of them"
        elif (known > 0.5).all():
            reason = "is above ½ in all of them"
        elif (known <= 0.5).all():
            reason = "is not above ½ in all of them"
        else:
            continue
        raise DataError(
            f"The pictures to train on cannot teach {name}, which {reason}: add others with --data, or name the "
            "attributes to learn with --set attributes=NAME,NAME."
        )


def check_terms_teach(recipe: NeedsData, frames: FrameSet) -> None:
    """Raise DataError when a term of a recipe, whose weight is not 0, can teach nothing: fewer than two people are
    known, no attribute of any picture, or no part of any face."""
    train = frames.indices("train")
    people = len(set(frames.people()[train].tolist()) - {-1})
    maps = frames.labels
    given = {
        "people": people > 1,
        "attributes": bool((~np.isnan(frames.attributes[train])).any()),
        "labels": maps is not None and any(bool((maps[i] != UNKNOWN).any()) for i in train),
    }
    for phase in recipe.phases():
        for name, weight in phase.weights.items():
            needs = recipe.needs.get(name)
            if needs is not None and weight and not given[needs.of]:
                raise DataError(_teaches_nothing(name, needs, people, frames.attribute_names))


def _teaches_nothing(term: str, needs: Needs, people: int, attributes: tuple[str, ...]) -> str:
    """The sentence for a term that lacks what it needs. people: how many are known."""
    if needs.of == "people":
        why = f"which know {'one person alone' if people else 'nobody'}"
        mend = "prepare a set of two people or more, with a folder for each"
    elif needs.of == "labels":
        why = "whose label maps know no part of a face"
        mend = "add a set that has label maps with --data"
    else:
        why = f"which know none of {', '.join(attributes) or 'no attributes'}"
        mend = "add a set that knows some with --data"
    without = f", or leave it out with --set {needs.weight}=0" if needs.weight else ""
    return f"The term {term} can teach nothing on the pictures to train on, {why}: {mend}{without}."
