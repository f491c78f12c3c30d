"""Portraits by label map (portrait thesis, Section 4.4.2): an edited shape, or another's, in the photo's own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import cv2
import numpy as np
from torch import Tensor

from masque.edits.grey import grey_note, keep_cells_grey, keep_grey
from masque.edits.measures import described, inputs, measure
from masque.edits.portrait import Part, PortraitSession
from masque.edits.repaint_hair import without_other_hair, worn_hair
from masque.edits.repaint_own import Canvas, canvas_of, repaint_own
from masque.edits.repaint_shape import shape_of
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, Subject
from masque.errors import ValueRangeError
from masque.faces.change import Change, change_between
from masque.faces.label_edits import (
    check_face_left,
    check_upright,
    edited_labels,
    edited_labels_in_crop,
    replace_part,
    resample_labels,
)
from masque.faces.labels import Labels, LabelSource, read_labels
from masque.faces.masks import newly_background, soft_mask, square_weight, widened_mask
from masque.faces.paste import paste
from masque.faces.tones import correct_tones, smooth_colours
from masque.given import check_choice
from masque.image import Picture, to_pictures, to_tensor
from masque.jsonfile import JSON


def repaint(
    session: PortraitSession,
    photo: Photo,
    *,
    labels: LabelSource | None = None,
    shape_from: Photo | None = None,
    part: Part = "all",
    detail: Detail = "keep",
    pick: int | None = None,
    measured: bool = True,
) -> Result:
    """The photo in an edited shape: that of a label map, or of (a part of) another portrait; in its own style and
    before its own background (portrait thesis, Section 4.4.2).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    labels: the wanted parts as uint8 (H,W) of Table 3.1's numbers, as large as the photo, or a file of them; a map of
        another size is enlarged or reduced to it. What had to be put right is in the record's `notes`.
    shape_from: in place of labels, a portrait whose shape is taken.
    part: which part of its shape: eyes, mouth, skin, hair or all.
    detail: `keep` bends the photo's own pixels, fills what is uncovered from them, lets its own hair grow, and has the
        network paint what the photo has nowhere; `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    measured: whether the record says how near the result is to the photo and which layer made how much of it. A preview
        is quicker without; its pixels are the same.

    Returns the whole photo, repainted, and its record. Raises PictureError for a photo that cannot be read and a map
    that is none of it, NoFaceError, ValueRangeError for a part or detail that does not exist and where not exactly one
    of labels and shape_from is given, CheckpointError without a face parser."""
    if (labels is None) == (shape_from is None):
        raise ValueRangeError("Name either a label map or a portrait to take the shape from.")
    check_choice("part", part, get_args(Part))
    check_choice("detail", detail, get_args(Detail))
    edited, notes = read_labels(labels) if labels is not None else (None, [])
    subject = session.subject(photo, pick)
    other = session.subject(shape_from) if shape_from is not None else None
    return _repainted(session, subject, edited, other, part, detail, notes, measured)


def repaint_subject(session: PortraitSession, subject: Subject, labels: Labels, detail: Detail = "keep") -> Result:
    """A face that has been found already, repainted by an edited label map.

    labels: the edited map, of the photo's size (H,W) or another of the same ratio of sides. detail: as `repaint` has
    it."""
    return _repainted(session, subject, labels, None, "all", detail, [])


def _repainted(
    session: PortraitSession,
    subject: Subject,
    edited: Labels | None,
    other: Subject | None,
    part: Part,
    detail: Detail,
    notes: Sequence[str],
    measured: bool = True,
) -> Result:
    """What `repaint` returns. edited: the map asked for; other: in its place a face whose shape is."""
    if detail == "network":
        return _by_network(session, subject, edited, other, part, notes, measured)
    own = session.labels(subject)
    if edited is not None:
        wanted, more = edited_labels(edited, own)
        notes = [*notes, *more]
    else:
        assert other is not None
        wanted, more = shape_of(session, subject, own, other, part)
        notes = [*notes, *more]
    hair = None
    if other is not None and part in ("hair", "all") and session.own is not None:
        hair = worn_hair(session.own, subject, other, subject.face.landmarks)
        wanted = wanted if hair is None else without_other_hair(wanted, own, hair)
    canvas = canvas_of(subject, own, wanted)
    if edited is not None:
        check_face_left(canvas.own, canvas.wanted)
        check_upright(canvas.own, canvas.wanted)
    shaped = reshape_own(session, canvas, own, wanted)
    picture, change = subject.changed(shaped if hair is None else replace(shaped, layers=(*shaped.layers, hair)))
    values: dict[str, JSON] = {
        **_named(subject, other, part, detail, [*notes, *canvas.notes], own, wanted),
        **described(picture, change, subject, {"photo": subject}, measured),
    }
    return Result(picture, session.record("repaint", values), change, subject.original)


def _named(
    subject: Subject,
    other: Subject | None,
    part: Part,
    detail: Detail,
    notes: Sequence[str],
    own: Labels,
    wanted: Labels,
) -> dict[str, JSON]:
    """What the record says of what was asked, and of whom. own, wanted: label maps of one size."""
    return {
        "part": part,
        "detail": detail,
        "inputs": inputs(photo=subject, **({} if other is None else {"shape": other})),
        "notes": list(notes),
        "changed_labels_percent": round(100 * float((own != wanted).mean()), 2),
        **grey_note(subject),
    }


def reshape_own(session: PortraitSession, canvas: Canvas, own: Labels, wanted: Labels) -> Change:
    """The change that gives a subject the shape of `wanted` on its photo's own pixels.

    own, wanted: the label maps (H,W) of the photo as it is and as it is to be, of which the canvas was made."""
    subject = canvas.subject

    def paint() -> Picture:
        before, after = (resample_labels(labels, subject.matrix, subject.size) for labels in (own, wanted))
        target = fill_background(subject, before, after).to(session.device)
        latents = session.latents(subject, before)
        plain, painted = session.paint(latents, subject.image, before), session.paint(latents, target, after)
        changed = (before != after) | newly_background(before, after)
        photo = to_pictures(subject.image)[0]
        return keep_cells_grey(subject, [correct_tones(smooth_colours(painted, after), plain, photo, changed)])[0]

    motion = session.own.motion()[0] if session.own is not None else None
    return repaint_own(canvas, paint, None if motion is None else motion.teeth.double().cpu().numpy())


def _by_network(
    session: PortraitSession,
    subject: Subject,
    edited: Labels | None,
    other: Subject | None,
    part: Part,
    notes: Sequence[str],
    measured: bool,
) -> Result:
    """The photo as the network paints it (see `repaint`)."""
    own = session.crop_labels(subject)
    if edited is not None:
        wanted, more = _edited_shape(session, subject, own, edited)
        notes = [*notes, *more]
    else:
        assert other is not None
        wanted = replace_part(own, session.crop_labels(other), part)
    picture = keep_grey(subject, reshape_face(session, subject, own, wanted, session.latents(subject, own)))
    values: dict[str, JSON] = {
        **_named(subject, other, part, "network", notes, own, wanted),
        **(measure(picture, subject, {"photo": subject}) if measured else {}),
    }
    change = subject.whole(change_between(subject.photo, picture, session.family))
    return Result(picture, session.record("repaint", values), change, subject.original)


def _edited_shape(session: PortraitSession, subject: Subject, own: Labels, edited: Labels) -> tuple[Labels, list[str]]:
    """The wanted label map (S,S) of a subject by the edited one of its photo, and what had to be put right.

    own: the label map (S,S) of the face as it is. Raises PictureError for a map that is none of the photo."""
    wanted, notes = edited_labels_in_crop(edited, session.labels(subject), session.shares(subject), subject.matrix)
    check_face_left(own, wanted)
    check_upright(own, wanted)
    return wanted, notes


def reshape_face(
    session: PortraitSession, subject: Subject, own: Labels, wanted: Labels, latents: Sequence[Tensor]
) -> Picture:
    """The subject's whole photo (H,W,3) with its face as the network paints it in the shape of `wanted`.

    own, wanted: the label maps (S,S) of the face as it is and as it is to be. latents: the five of its components."""
    target = fill_background(subject, own, wanted).to(session.device)
    after, filled = session.paint(latents, target, wanted), to_pictures(target)[0]
    # Beside the person there is what was there; what the network adds to it is noise.
    person = soft_mask(wanted > 0)[..., None]
    shown = np.rint(filled + person * (after.astype(np.float32) - filled)).astype(np.uint8)
    opacity = np.rint(255 * square_weight(subject.size) * widened_mask((own > 0) | (wanted > 0))).astype(np.uint8)
    return paste(subject.photo, shown, subject.matrix, opacity)


def fill_background(subject: Subject, own: Labels, wanted: Labels) -> Tensor:
    """The subject's picture (1,3,S,S) in which what the new shape no longer covers is filled from the background around
    it.

    own, wanted: the label maps (S,S) of the face as it is and as it is to be."""
    gone = newly_background(own, wanted)
    if not gone.any():
        return subject.image
    # All of the person is unknown to the filling, or it would smear skin over the wall.
    person = cv2.dilate(((own > 0) | gone).astype(np.uint8), np.ones((5, 5), np.uint8))
    filled = cv2.inpaint(to_pictures(subject.image)[0], person, 3, cv2.INPAINT_TELEA)
    return to_tensor(np.where(gone[..., None], filled, to_pictures(subject.image)[0]).astype(np.uint8))
