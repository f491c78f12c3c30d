"""Attribute editing of the face, the hair or both (RSGAN Section 4, Fig. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from masque.edits.grey import asked_colour, in_tones, said
from masque.edits.measures import inputs, measure
from masque.edits.person import Region, edited_mask
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, Subject, without_rivals
from masque.faces.paste import add_change, paste
from masque.given import check_choice, values_by_name
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
    """Give a face, its hair or both other attributes.

    photo: as `Photo` has it, of any size. attributes: values in [0,1] by name. detail: `keep` adds the network's change
    to the photo's own pixels, `network` shows the network's picture. A hair colour that is asked for takes the others
    back, which the record says under `also`. Returns the whole photo and its record. Raises PictureError, NoFaceError,
    UnknownAttributeError, ValueRangeError."""
    attributes = values_by_name(attributes)
    check_choice("region", region, get_args(Region))
    check_choice("detail", detail, get_args(Detail))
    subject = session.subject(photo, pick)
    names = session.attributes
    wanted, also = without_rivals(session.asked(session.estimate(subject), attributes), names, attributes, HAIR_ONLY)
    z = session.encode(
        subject, c_face=wanted if region != "hair" else None, c_hair=wanted if region != "face" else None
    )
    before, after = session.compose(session.encode(subject))[0], session.compose(z)[0]
    shares = session.shares(subject)
    mask, colour = edited_mask(subject, region, shares), asked_colour(attributes, shares)
    if detail == "keep":
        picture = add_change(subject.photo, before, after, subject.matrix, mask)
    else:
        picture = paste(subject.photo, after, subject.matrix, mask)
    picture = in_tones(subject, picture, colour)
    record = session.record("edit", region=region, detail=detail, attributes=attributes, also=also, inputs=inputs(photo=subject),
                            estimated=_named(session, subject), **said(subject, colour),
                            **measure(picture, subject, {"photo": subject}))  # fmt: skip
    return Result(picture, record)


def _named(session: RSGANSession, subject: Subject) -> dict[str, float]:
    values = session.estimate(subject)[0].tolist()
    return {name: round(value, 3) for name, value in zip(session.attributes, values, strict=True)}
