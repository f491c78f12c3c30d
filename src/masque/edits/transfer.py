"""Portraits in another's style (portrait thesis, Section 4.4.3): colour and texture of a part of another portrait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np

from masque.edits.grey import in_tones, said
from masque.edits.measures import inputs, measure
from masque.edits.portrait import PortraitSession
from masque.edits.result import Result
from masque.edits.shapes import HAIR, PARTS, SKIN
from masque.edits.subject import Detail, Photo, Subject
from masque.errors import PictureError
from masque.faces.labels import LABELS, Labels
from masque.faces.masks import soft_mask, square_weight, widened_mask
from masque.faces.paste import add_change, paste
from masque.faces.tones import match_mean_colour, smooth_change
from masque.given import check_choice
from masque.image import Picture, to_pictures
from masque.models.portrait import COMPONENTS, LABELS_OF, Component


def transfer(
    session: PortraitSession,
    photo: Photo,
    style_from: Photo,
    *,
    part: str = "all",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """The photo's shape with the style (colour, texture) of a part of another portrait (Section 4.4.3).

    part: eyes, mouth, skin, hair or all. detail: as in `repaint`. Returns the whole photo and its record. Raises
    PictureError (also where the other portrait does not show the part), NoFaceError, ValueRangeError, CheckpointError.
    """
    check_choice("part", part, tuple(PARTS))
    check_choice("detail", detail, get_args(Detail))
    subject, other = session.subject(photo, pick), session.subject(style_from)
    own, others = session.parts(subject), session.parts(other)
    for component in PARTS[part]:
        for name, labels in ((other.name, others), (subject.name, own)):
            if part != "all" and not np.isin(labels, LABELS_OF[component]).any():
                raise PictureError(f"No {component} can be seen in {name}: choose another photo, or another --part.")
    colour = float(not other.grey)  # the style of a coloured portrait is its colours
    picture = in_tones(subject, restyled(session, subject, own, other, others, part, detail), colour)
    record = session.record("transfer", part=part, detail=detail, inputs=inputs(photo=subject, style=other),
                            **said(subject, colour), **measure(picture, subject, {"photo": subject, "style": other}))  # fmt: skip
    return Result(picture, record)


def restyled(
    session: PortraitSession,
    subject: Subject,
    own: Labels,
    other: Subject,
    others: Labels,
    part: str,
    detail: Detail = "keep",
) -> Picture:
    """The subject's whole photo with a part in the style of the other's. own, others: their label maps (S,S)."""
    before, styles = session.latents(subject, own), session.latents(other, others)
    after = [styles[i] if component in PARTS[part] else before[i] for i, component in enumerate(COMPONENTS)]
    painted = session.paint(after, subject.image, own)
    regions = [np.isin(own, LABELS_OF[component]) for component in PARTS[part]]
    share = square_weight(subject.size) * soft_mask(np.any(regions, axis=0))
    if detail == "network":
        return paste(subject.photo, painted, subject.matrix, np.rint(255 * share).astype(np.uint8))
    # Eyes and lips are as small as the soft edge of the skin around them is wide.
    small = [label for c in PARTS["eyes"] + PARTS["mouth"] if c not in PARTS[part] for label in LABELS_OF[c]]
    spared = np.isin(own, small)
    share[spared] = 0
    plain, photo = session.paint(before, subject.image, own), to_pictures(subject.image)[0]
    change = smooth_change(plain, painted, regions).astype(np.float32) - plain
    picture = np.asarray(np.clip(photo + share[..., None] * change, 0, 255) / 255, dtype=np.float32)
    shown = to_pictures(other.image)[0].astype(np.float32) / 255
    for group in (group for component in PARTS[part] for group in LEVELS[component]):
        inside, wanted = np.isin(own, group), np.isin(others, group)
        if min(inside.sum(), wanted.sum()) >= FEWEST:
            along = inside | np.isin(own, BROWS) if SKIN in group else inside
            # Around it, but not over what has a level of its own: lips around teeth.
            weight = share * widened_mask(along) * (along | ~np.any(regions, axis=0))
            picture = match_mean_colour(picture, inside, weight, shown, wanted, glossy=HAIR in group)
    toned = np.rint(255 * picture).astype(np.uint8)
    shown_in = 255 * (share > 1 / 255).astype(np.uint8)
    return add_change(subject.photo, photo, toned, subject.matrix, shown_in, spared=255 * spared.astype(np.uint8))


LEVELS: Mapping[Component, tuple[tuple[int, ...], ...]] = {
    "left eye": ((4,),), "right eye": ((5,),), "mouth": ((7, 9), (8,)), "skin": ((1, 6),), "hair": ((10,),),
}  # fmt: skip
"""Labels of a component that have one colour between them: lips take that of lips, teeth that of teeth, if there are
any. Brows, which are a few pixels of hair on skin, become lighter or darker with the skin."""

BROWS = (LABELS.index("left brow"), LABELS.index("right brow"))

FEWEST = 12
"""Pixels that a mean colour can be taken from."""
