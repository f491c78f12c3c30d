"""Portraits in another's style (portrait thesis, Section 4.4.3): colour and texture of a part of another portrait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np

from masque.edits.grey import grey_note, keep_grey
from masque.edits.measures import described, inputs, measure
from masque.edits.portrait import PARTS, Part, PortraitSession
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, Subject
from masque.edits.transfer_own import Portrayed, restyle_own
from masque.errors import PictureError
from masque.faces.change import change_between
from masque.faces.labels import Labels
from masque.faces.masks import soft_mask, square_weight
from masque.faces.paste import paste
from masque.given import check_choice
from masque.image import Picture
from masque.jsonfile import JSON
from masque.models.portrait import COMPONENTS, LABELS_OF, Component

COLOUR_GROUPS: Mapping[Component, tuple[tuple[int, ...], ...]] = {
    "left eye": ((4,),),
    "right eye": ((5,),),
    "mouth": ((7, 9), (8,)),
    "skin": ((1, 6),),
    "hair": ((10,),),
}
"""Labels of a component that have one colour between them: lips take that of lips, teeth that of teeth, if there are
any."""


def transfer(
    session: PortraitSession,
    photo: Photo,
    style_from: Photo,
    *,
    part: Part = "all",
    detail: Detail = "keep",
    pick: int | None = None,
    measured: bool = True,
) -> Result:
    """The photo's shape with the style (colour, texture) of a part of another portrait (portrait thesis, Section
    4.4.3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    style_from: the portrait whose style is taken, in any of these ways.
    part: whose style: eyes, mouth, skin, hair or all.
    detail: `keep` dyes and tints the photo's own pixels; `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    measured: whether the record says how near the result is to the photo and which layer made how much of it. A preview
        is quicker without; its pixels are the same.

    Returns the whole photo in the new style and its record. Raises PictureError for a photo that cannot be read or does
    not show the part, NoFaceError, ValueRangeError for a part or detail that does not exist, CheckpointError without a
    face parser."""
    check_choice("part", part, get_args(Part))
    check_choice("detail", detail, get_args(Detail))
    subject, other = session.subject(photo, pick), session.subject(style_from)
    own, others = session.crop_labels(subject), session.crop_labels(other)
    if part != "all":
        for component in PARTS[part]:
            for name, labels in ((other.name, others), (subject.name, own)):
                if not np.isin(labels, LABELS_OF[component]).any():
                    raise PictureError(f"No {component} can be seen in {name}: choose another photo or another part.")
    colour = float(not other.grey)  # the style of a coloured portrait is its colours
    values: dict[str, JSON] = {
        "part": part,
        "detail": detail,
        "inputs": inputs(photo=subject, style=other),
        **grey_note(subject, colour),
    }
    likeness = {"photo": subject, "style": other}
    if detail == "network":
        picture = keep_grey(subject, restyle_face(session, subject, own, other, others, part), colour)
        change = subject.whole(change_between(subject.photo, picture, session.family))
        values |= measure(picture, subject, likeness) if measured else {}
    else:
        one, like = (Portrayed(face, session.mattes(face)) for face in (subject, other))
        picture, change = subject.changed(restyle_own(one, like, STYLED[part]))
        values |= {"notes": [*one.notes], **described(picture, change, subject, likeness, measured)}
    return Result(picture, session.record("transfer", values), change, subject.original)


STYLED: Mapping[Part, tuple[str, ...]] = {
    "eyes": ("eyes",),
    "mouth": ("mouth",),
    "skin": ("skin",),
    "hair": ("hair",),
    "all": ("hair", "skin", "mouth", "eyes"),
}
"""What `restyle_own` is asked for, by the part that users name."""


def restyle_face(
    session: PortraitSession, subject: Subject, own: Labels, other: Subject, others: Labels, part: Part
) -> Picture:
    """The subject's whole photo (H,W,3) with a part as the network paints it in the style of the other's.

    own, others: the label maps (S,S) of the subject and of the other. part: as `transfer` has it."""
    before, styles = session.latents(subject, own), session.latents(other, others)
    after = [styles[i] if component in PARTS[part] else before[i] for i, component in enumerate(COMPONENTS)]
    restyled = session.paint(after, subject.image, own)
    regions = [np.isin(own, LABELS_OF[component]) for component in PARTS[part]]
    weight = square_weight(subject.size) * soft_mask(np.any(regions, axis=0))
    return paste(subject.photo, restyled, subject.matrix, np.rint(255 * weight).astype(np.uint8))
