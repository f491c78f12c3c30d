"""Attribute editing of the face, the hair or both (RSGAN Section 4, Fig. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.grey import asked_colour, in_tones, said
from masque.edits.measures import inputs, measure
from masque.edits.result import Result
from masque.edits.session import Session
from masque.edits.subject import Detail, Photo, Shares, Subject, region_mask, without_rivals
from masque.faces.labels import LABELS
from masque.faces.paste import add_change, feathered_square, paste, soften
from masque.faces.regions import HAIR_CROP, Mask, background_mask, cut_crop
from masque.given import check_choice, values_by_name
from masque.models.rsgan import HAIR_ONLY

Region = Literal["face", "hair", "both"]

HAIR = LABELS.index("hair")


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


def _named(session: Session, subject: Subject) -> dict[str, float]:
    values = session.estimate(subject)[0].tolist()
    return {name: round(value, 3) for name, value in zip(session.attributes, values, strict=True)}


def edited_mask(subject: Subject, region: Region, shares: Shares | None = None) -> Mask:
    """Where an edit may show, (S,S): within x, feathered; the face mask softened, all of the person but it, or both.

    The background is in x_h, so hair that is asked to be blond brightens the wall behind it: the change stops where the
    person does. shares: how sure each label is at each pixel of x (11,S,S), from a face parser: then an edit of the
    hair stops where the hair does, and clothes and hats are not the person's. Without, background is what GrabCut takes
    for it."""
    square = feathered_square(subject.size).astype(np.float32) / 255
    face = soften(region_mask(subject), subject.size / 16).astype(np.float32) / np.float32(255)
    if region == "face":
        share = face
    elif shares is not None and region == "hair":
        share = _softly(shares[HAIR], subject.size)
    else:
        person = np.maximum(person_mask(subject) if shares is None else _softly(1 - shares[0], subject.size), face)
        share = person if region == "both" else person * (1 - face)
    return np.rint(255 * square * share).astype(np.uint8)


def _softly(share: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """With an edge as soft as the network's pixels are coarse."""
    return np.asarray(cv2.GaussianBlur(share, (0, 0), size / 96), dtype=np.float32)


def person_mask(subject: Subject) -> NDArray[np.float32]:
    """How surely each pixel of x belongs to the person, (S,S) in [0,1], with an edge as soft as the mask is coarse."""
    frame = subject.frame
    background = background_mask(frame.picture, frame.landmarks, frame.valid)
    person = cut_crop((255 - background).astype(np.uint8), HAIR_CROP, subject.size, frame.scale)
    return np.asarray(cv2.GaussianBlur(person, (0, 0), subject.size / 48), dtype=np.float32) / np.float32(255)
