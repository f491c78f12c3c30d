"""Portraits in another's style (portrait thesis, Section 4.4.3): colour and texture of a part of another portrait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from masque.edits.grey import grey_note, keep_grey
from masque.edits.measures import inputs, measure
from masque.edits.portrait import PARTS, Part, PortraitSession
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, Subject
from masque.errors import PictureError
from masque.faces.change import change_between
from masque.faces.label_edits import HAIR, PART_LABELS, SKIN
from masque.faces.labels import LABELS, Labels
from masque.faces.masks import soft_mask, square_weight, widened_mask
from masque.faces.paste import add_change, paste
from masque.faces.tones import match_mean_colour, smooth_change
from masque.given import check_choice
from masque.image import Picture, to_pictures
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
any. Brows, which are a few pixels of hair on skin, become lighter or darker with the skin."""

BROWS = (LABELS.index("left brow"), LABELS.index("right brow"))

FEWEST_PIXELS = 12
"""Pixels that a part must have for a mean colour to be taken of it."""


def transfer(
    session: PortraitSession,
    photo: Photo,
    style_from: Photo,
    *,
    part: Part = "all",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """The photo's shape with the style (colour, texture) of a part of another portrait (portrait thesis, Section
    4.4.3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    style_from: the portrait whose style is taken, in any of these ways.
    part: whose style: eyes, mouth, skin, hair or all.
    detail: `keep` adds the change of colour to the photo's own pixels; `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

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
    picture = keep_grey(subject, restyle_face(session, subject, own, other, others, part, detail), colour)
    values: dict[str, JSON] = {
        "part": part,
        "detail": detail,
        "inputs": inputs(photo=subject, style=other),
        **grey_note(subject, colour),
        **measure(picture, subject, {"photo": subject, "style": other}),
    }
    change = subject.whole(change_between(subject.photo, picture, session.family))
    return Result(picture, session.record("transfer", values), change, subject.original)


def restyle_face(
    session: PortraitSession,
    subject: Subject,
    own: Labels,
    other: Subject,
    others: Labels,
    part: Part,
    detail: Detail = "keep",
) -> Picture:
    """The subject's whole photo (H,W,3) with a part in the style of the other's.

    own, others: the label maps (S,S) of the subject and of the other. part, detail: as `transfer` has them."""
    before, styles = session.latents(subject, own), session.latents(other, others)
    after = [styles[i] if component in PARTS[part] else before[i] for i, component in enumerate(COMPONENTS)]
    restyled = session.paint(after, subject.image, own)
    regions = [np.isin(own, LABELS_OF[component]) for component in PARTS[part]]
    weight = square_weight(subject.size) * soft_mask(np.any(regions, axis=0))
    if detail == "network":
        return paste(subject.photo, restyled, subject.matrix, np.rint(255 * weight).astype(np.uint8))
    # Eyes and lips are as small as the soft edge of the skin around them is wide.
    small = [label for p in ("eyes", "mouth") for label in PART_LABELS[p] if not _within(label, part)]
    spared = np.isin(own, small)
    weight[spared] = 0
    plain, photo = session.paint(before, subject.image, own), to_pictures(subject.image)[0]
    change = smooth_change(plain, restyled, regions).astype(np.float32) - plain
    picture = np.asarray(np.clip(photo + weight[..., None] * change, 0, 255) / 255, dtype=np.float32)
    style = to_pictures(other.image)[0].astype(np.float32) / 255
    picture = _match_colours(picture, own, style, others, part, weight)
    toned = np.rint(255 * picture).astype(np.uint8)
    shown_in = 255 * (weight > 1 / 255).astype(np.uint8)
    return add_change(subject.photo, photo, toned, subject.matrix, shown_in, spared=255 * spared.astype(np.uint8))


def _within(label: int, part: Part) -> bool:
    return any(label in LABELS_OF[component] for component in PARTS[part])


def _match_colours(
    picture: NDArray[np.float32],
    own: Labels,
    style: NDArray[np.float32],
    others: Labels,
    part: Part,
    weight: NDArray[np.float32],
) -> NDArray[np.float32]:
    """A picture (S,S,3) in [0,1] whose part has the mean colours that `style` (S,S,3) has in it: how a style varies
    over a part is the network's to say, its mean colours can be read off the photo.

    own, others: the label maps (S,S) of the two. weight: (S,S) in [0,1], how far the change may show."""
    inside_part = np.isin(own, [label for component in PARTS[part] for label in LABELS_OF[component]])
    for group in (group for component in PARTS[part] for group in COLOUR_GROUPS[component]):
        inside, like_inside = np.isin(own, group), np.isin(others, group)
        if min(inside.sum(), like_inside.sum()) < FEWEST_PIXELS:
            continue
        along = inside | np.isin(own, BROWS) if SKIN in group else inside
        # Around it, but not over what has a colour of its own: lips around teeth.
        shown = weight * widened_mask(along) * (along | ~inside_part)
        picture = match_mean_colour(picture, inside, shown, style, like_inside, glossy=HAIR in group)
    return picture
