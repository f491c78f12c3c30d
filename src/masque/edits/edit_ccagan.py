"""Attribute editing by image translation (CCA-GAN Section 4.4), of a whole photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from masque.edits.ccagan import CCAGANSession, painted
from masque.edits.grey import asked_colour, in_tones, said
from masque.edits.measures import inputs, measure
from masque.edits.person import Region, edited_mask
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, with_values, without_rivals
from masque.errors import ValueRangeError
from masque.faces.paste import add_change, paste
from masque.given import check_choice, values_by_name
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
    """Give a face other attributes and leave the rest alone.

    photo: as `Photo` has it, of any size. attributes: values in [0,1] by name, several at once; hair colours exclude
    one another, so one that is asked for takes the others back, which the record says under `also`. region: where the
    change may show. detail: `keep` adds the change to the photo's own pixels, `network` shows the network's picture.
    Returns the whole photo and its record. Raises PictureError, NoFaceError, UnknownAttributeError, ValueRangeError.
    """
    attributes = values_by_name(attributes)
    check_choice("region", region, get_args(Region))
    check_choice("detail", detail, get_args(Detail))
    check_rivals(attributes)
    subject = session.subject(photo, pick)
    own = session.estimate(subject)
    wanted, also = without_rivals(
        with_values(own, session.attributes, attributes), session.attributes, attributes, HAIR_COLOURS
    )
    shares = session.shares(subject)
    before, after = painted(session, subject, own, [wanted], shares)
    mask = edited_mask(subject, region, shares)
    if detail == "keep":
        picture = add_change(subject.photo, before, after, subject.matrix, mask)
    else:
        picture = paste(subject.photo, after, subject.matrix, mask)
    colour = asked_colour(attributes, shares)
    picture = in_tones(subject, picture, colour)
    estimated = {name: round(value, 3) for name, value in zip(session.attributes, own[0].tolist(), strict=True)}
    record = session.record("edit", region=region, detail=detail, attributes=attributes, also=also, inputs=inputs(photo=subject),
                               estimated=estimated, **said(subject, colour), **measure(picture, subject, {"photo": subject}))  # fmt: skip
    return Result(picture, record)


def check_rivals(attributes: Mapping[str, float]) -> None:
    """Raise ValueRangeError when hair colours are asked for that together are more than one head's."""
    asked = {name: value for name, value in attributes.items() if name in HAIR_COLOURS}
    if sum(asked.values()) > 1 + 1e-6:
        colours = " and ".join(f"{name}={value:g}" for name, value in asked.items() if value > 0)
        raise ValueRangeError(
            f"{colours} exclude one another: ask for one hair colour, or for shares that add up to 1 at most."
        )
