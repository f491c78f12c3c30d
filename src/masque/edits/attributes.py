"""Attribute editing of the face, the hair or both (RSGAN Section 4, Fig. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from masque.edits.measures import inputs, measure
from masque.edits.result import Result
from masque.edits.session import Session
from masque.edits.subject import Detail, Photo, Subject, check_choice, region_mask, without_rivals
from masque.faces.paste import add_change, feathered_square, paste, soften
from masque.faces.regions import Mask
from masque.models.rsgan import HAIR_ONLY

Region = Literal["face", "hair", "both"]


def edit(
    session: Session,
    photo: Photo,
    attributes: Mapping[str, float],
    *,
    region: Region = "both",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """Give a face, its hair or both other attributes.

    photo: RGB uint8 (H,W,3) of any size, or a path. attributes: values in [0,1] by name. detail: `keep` adds the network's change to the
    photo's own pixels, `network` shows the network's picture. A hair colour that is asked for takes the others back, which the record says
    under `also`. Returns the whole photo and its record.
    Raises PictureError, NoFaceError, UnknownAttributeError, ValueRangeError.
    """
    check_choice("region", region, get_args(Region))
    check_choice("detail", detail, get_args(Detail))
    subject = session.subject(photo, pick)
    names = session.attributes
    wanted, also = without_rivals(session.asked(session.estimate(subject), attributes), names, attributes, HAIR_ONLY)
    z = session.encode(subject, c_face=wanted if region != "hair" else None, c_hair=wanted if region != "face" else None)
    before, after = session.compose(session.encode(subject))[0], session.compose(z)[0]
    mask = edited_mask(subject, region)
    if detail == "keep":
        picture = add_change(subject.photo, before, after, subject.matrix, mask)
    else:
        picture = paste(subject.photo, after, subject.matrix, mask)
    record = session.record("edit", region=region, detail=detail, attributes=dict(attributes), also=also, inputs=inputs(photo=subject),
                            estimated=_named(session, subject),
                            **measure(picture, subject, {"photo": subject}))  # fmt: skip
    return Result(picture, record)


def _named(session: Session, subject: Subject) -> dict[str, float]:
    values = session.estimate(subject)[0].tolist()
    return {name: round(value, 3) for name, value in zip(session.attributes, values, strict=True)}


def edited_mask(subject: Subject, region: Region) -> Mask:
    """Where an edit may show, (S,S): within x, feathered; the face mask softened, all but it, or both."""
    square = feathered_square(subject.size)
    if region == "both":
        return square
    face = soften(region_mask(subject), subject.size / 16)
    share = face if region == "face" else 255 - face
    return np.rint(square.astype(np.float32) * share / 255).astype(np.uint8)
