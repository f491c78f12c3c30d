"""Attribute editing by image translation (CCA-GAN Section 4.4), of a whole photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from masque.edits.ccagan import CCAGANSession, paint_edits
from masque.edits.grey import grey_note, keep_grey, requested_colour
from masque.edits.measures import inputs, measure
from masque.edits.person import Region, apply_change, edited_mask
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, exclude_rivals, named_attributes, set_attributes
from masque.errors import ValueRangeError
from masque.given import check_choice, values_by_name
from masque.jsonfile import JSON
from masque.models.ccagan import HAIR_COLOURS


def edit(
    session: CCAGANSession,
    photo: Photo,
    attributes: Mapping[str, float],
    *,
    region: Region = "both",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """Give a face other attributes and leave the rest alone (CCA-GAN, Section 4.4).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    attributes: values in [0,1] by name, several at once. A hair colour takes the other hair colours back, which the
        record says under `also`.
    region: where the change may show: in the `face`, in the `hair` or in `both`.
    detail: `keep` adds the network's change to the photo's own pixels, `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the whole photo, edited, and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    UnknownAttributeError, ValueRangeError for a value outside [0,1], hair colours that exclude one another, or a choice
    that does not exist."""
    attributes = values_by_name(attributes)
    check_choice("region", region, get_args(Region))
    check_choice("detail", detail, get_args(Detail))
    check_hair_colours(attributes)
    subject, names = session.subject(photo, pick), session.attributes
    own = session.estimate(subject)
    wanted, also = exclude_rivals(set_attributes(own, names, attributes), names, attributes, HAIR_COLOURS)
    shares = session.shares(subject)
    before, after = paint_edits(session, subject, own, [wanted], shares)
    colour = requested_colour(attributes, shares)
    changed = apply_change(subject, before, after, edited_mask(subject, region, shares), detail)
    picture = keep_grey(subject, changed, colour)
    values: dict[str, JSON] = {
        "region": region,
        "detail": detail,
        "attributes": attributes,
        "also": also,
        "inputs": inputs(photo=subject),
        "estimated": named_attributes(own, names),
        **grey_note(subject, colour),
        **measure(picture, subject, {"photo": subject}),
    }
    return Result(picture, session.record("edit", values))


def check_hair_colours(attributes: Mapping[str, float]) -> None:
    """Raise ValueRangeError when the hair colours among attributes are together more than one head's."""
    colours = {name: value for name, value in attributes.items() if name in HAIR_COLOURS}
    if sum(colours.values()) > 1 + 1e-6:
        named = " and ".join(f"{name}={value:g}" for name, value in colours.items() if value > 0)
        raise ValueRangeError(
            f"{named} exclude one another: ask for one hair colour, or for shares that add up to 1 at most."
        )
