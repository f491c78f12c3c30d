"""Attribute editing of the face, the hair or both (RSGAN Section 4, Fig. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from masque.edits.grey import grey_note, keep_grey, requested_colour
from masque.edits.measures import inputs, measure
from masque.edits.person import Region, apply_change, edited_mask
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, exclude_rivals, named_attributes, set_attributes
from masque.given import check_choice, values_by_name
from masque.jsonfile import JSON
from masque.models.rsgan import HAIR_ONLY


def edit(
    session: RSGANSession,
    photo: Photo,
    attributes: Mapping[str, float],
    *,
    region: Region = "both",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """Give a face, its hair or both other attributes (RSGAN, Section 4).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    attributes: values in [0,1] by name. A hair colour takes the other hair colours back, which the record says under
        `also`.
    region: what gets them: `face`, `hair` or `both`.
    detail: `keep` adds the network's change to the photo's own pixels, `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the whole photo, edited, and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    UnknownAttributeError, ValueRangeError for a value outside [0,1] or a choice that does not exist."""
    attributes = values_by_name(attributes)
    check_choice("region", region, get_args(Region))
    check_choice("detail", detail, get_args(Detail))
    subject, names = session.subject(photo, pick), session.attributes
    own = session.estimate(subject)
    wanted, also = exclude_rivals(set_attributes(own, names, attributes), names, attributes, HAIR_ONLY)
    latents = session.encode(
        subject, c_face=wanted if region != "hair" else None, c_hair=wanted if region != "face" else None
    )
    before, after = session.compose(session.encode(subject))[0], session.compose(latents)[0]
    shares = session.shares(subject)
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
