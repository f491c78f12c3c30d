"""Whether data can teach what a recipe wants to learn of it: asked before anything is trained."""

from __future__ import annotations

import numpy as np

from masque.data.frames import FrameSet
from masque.errors import DataError
from masque.faces.labels import UNKNOWN
from masque.train.phase import Asking


def check_attributes(frames: FrameSet) -> None:
    """Raise DataError when an attribute is unknown in all pictures to train on, or on the same side of ½ in all that
    know it."""
    values = frames.attributes[frames.indices("train")]
    for name, column in zip(frames.attribute_names, values.T, strict=True):
        known = column[~np.isnan(column)]
        if not len(known) or (known > 0.5).all() or (known <= 0.5).all():
            what = (
                f"is {'above' if known[0] > 0.5 else 'not above'} ½ in all of them"
                if len(known)
                else "is unknown in all of them"
            )
            raise DataError(
                f"The pictures to train on cannot teach {name}, which {what}: add others with --data, or name the attributes to learn with "
                "--set attributes=NAME,NAME."
            )


def check_terms_teach(recipe: Asking, frames: FrameSet) -> None:
    """Raise DataError when a term of a recipe, whose weight is not 0, can teach nothing: too few people are known, no
    attribute is, or no part of a face."""
    train = frames.indices("train")
    people = len(set(frames.people()[train].tolist()) - {-1})
    given = {
        "people": people > 1, "attributes": bool((~np.isnan(frames.attributes[train])).any()),
        "labels": frames.labels is not None and any(bool((frames.labels[i] != UNKNOWN).any()) for i in train),
    }  # fmt: skip
    for phase in recipe.phases():
        for name, weight in phase.weights.items():
            asks = recipe.asks.get(name)
            if asks is None or not (callable(weight) or weight) or given[asks.of]:
                continue
            if asks.of == "people":
                one = "one person alone" if people else "nobody"
                why, mend = f"which know {one}", "prepare a set of two people or more, with a folder for each"
            elif asks.of == "labels":
                why, mend = "whose label maps know no part of a face", "add a set that has label maps with --data"
            else:
                why = f"which know none of {', '.join(frames.attribute_names) or 'no attributes'}"
                mend = "add a set that knows some with --data"
            without = f", or leave it out with --set {asks.weight}=0" if asks.weight else ""
            raise DataError(f"The term {name} can teach nothing on the pictures to train on, {why}: {mend}{without}.")
