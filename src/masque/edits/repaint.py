"""Portraits by label map (portrait thesis, Section 4.4.2): an edited shape, or another's, in the photo's own style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import cv2
import numpy as np
from torch import Tensor

from masque.edits.grey import in_tones, said
from masque.edits.measures import inputs, measure
from masque.edits.portrait import PortraitSession
from masque.edits.result import Result
from masque.edits.shapes import PARTS, check_face_left, check_upright, in_crop, with_part
from masque.edits.subject import Detail, Photo, Subject
from masque.errors import ValueRangeError
from masque.faces.labels import Labels, Source, read_labels
from masque.faces.masks import newly_background, soft_mask, square_weight, widened_mask
from masque.faces.paste import paste
from masque.faces.tones import correct_tones, smooth_colours
from masque.given import check_choice
from masque.image import Picture, to_pictures, to_tensor


def repaint(
    session: PortraitSession,
    photo: Photo,
    *,
    labels: Source | None = None,
    shape_from: Photo | None = None,
    part: str = "all",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """The photo in an edited shape: that of a label map as large as the photo, or of (a part of) another portrait
    (Section 4.4.2).

    labels: (H,W) as the photo, or a file that `masque.faces.labels.read_labels` reads; another size of the same shape
    is enlarged or reduced to it. What had to be put right is in the record's notes. shape_from: a portrait whose `part`
    (eyes, mouth, skin, hair or all) is taken. Style and background are the photo's own. detail: `keep` adds the change
    to the photo's own pixels where the parts stay what they were, and shows the network's picture where they do not;
    `network` shows it everywhere. Returns the whole photo and its record. Raises PictureError, NoFaceError,
    ValueRangeError, CheckpointError."""
    if (labels is None) == (shape_from is None):
        raise ValueRangeError("Name either a label map or a portrait to take the shape from.")
    check_choice("part", part, tuple(PARTS))
    check_choice("detail", detail, get_args(Detail))
    given, notes = read_labels(labels) if labels is not None else (None, [])
    subject = session.subject(photo, pick)
    own, references = session.parts(subject), {"photo": subject}
    if given is not None:
        wanted, more = in_crop(given, subject, session.shares(subject), session.written(subject))
        notes = [*notes, *more]
        check_face_left(own, wanted)
        check_upright(own, wanted)
    else:
        assert shape_from is not None
        references["shape"] = session.subject(shape_from)
        wanted = with_part(own, session.parts(references["shape"]), part)
    latents = session.latents(subject, own)
    picture = in_tones(subject, reshaped(session, subject, own, wanted, latents, detail))
    changed = round(100 * float((own != wanted).mean()), 2)
    record = session.record("repaint", part=part, detail=detail, inputs=inputs(**references), notes=notes, changed_labels_percent=changed,
                            **said(subject), **measure(picture, subject, {"photo": subject}))  # fmt: skip
    return Result(picture, record)


def reshaped(
    session: PortraitSession,
    subject: Subject,
    own: Labels,
    wanted: Labels,
    latents: Sequence[Tensor],
    detail: Detail = "keep",
) -> Picture:
    """The subject's whole photo in the wanted shape. own, wanted: label maps (S,S)."""
    target = uncovered(subject, own, wanted).to(session.device)
    after, filled = session.paint(latents, target, wanted), to_pictures(target)[0]
    changed = (own != wanted) | newly_background(own, wanted)
    if detail == "keep":
        after = correct_tones(
            smooth_colours(after, wanted),
            session.paint(latents, subject.image, own),
            to_pictures(subject.image)[0],
            changed,
        )
    # Beside the person there is what was there; what the network adds to it is noise.
    person = soft_mask(wanted > 0)[..., None]
    shown = np.rint(filled + person * (after.astype(np.float32) - filled)).astype(np.uint8)
    where = widened_mask(changed if detail == "keep" else (own > 0) | (wanted > 0))
    return paste(
        subject.photo, shown, subject.matrix, np.rint(255 * square_weight(subject.size) * where).astype(np.uint8)
    )


def uncovered(subject: Subject, own: Labels, wanted: Labels) -> Tensor:
    """The subject's picture (1,3,S,S) in which what the new shape no longer covers is filled from the background around
    it."""
    gone = newly_background(own, wanted)
    if not gone.any():
        return subject.image
    # All of the person is unknown to the filling, or it would smear skin over the wall.
    person = cv2.dilate(((own > 0) | gone).astype(np.uint8), np.ones((5, 5), np.uint8))
    filled = cv2.inpaint(to_pictures(subject.image)[0], person, 3, cv2.INPAINT_TELEA)
    return to_tensor(np.where(gone[..., None], filled, to_pictures(subject.image)[0]).astype(np.uint8))
