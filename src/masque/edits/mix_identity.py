"""From one person to another in steps, all else kept (FaceFeat-GAN, Fig. 4b)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import torch

from masque.edits.facefeat import FaceFeatSession
from masque.edits.grey import grey_note, keep_cells_grey
from masque.edits.mixing import GuidedMixture, checked_size, ingredient, size_for, tone_of, towards, turned_apart
from masque.edits.own import OwnSession
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, Subject
from masque.edits.swap_change import expressed
from masque.errors import ValueRangeError
from masque.faces.carried import carry
from masque.faces.crop import crop_matrix
from masque.faces.detect import Landmarks
from masque.faces.frame import transform
from masque.faces.head_mixture import FEATURES, Points
from masque.given import check_choice, whole
from masque.image import Picture, grid
from masque.jsonfile import JSON

AJAR = 0.08
"""By how much two mouths may differ in how far they are open, in their widths, for one to take on the other's
expression."""


def mix(
    session: FaceFeatSession,
    first: Photo,
    second: Photo,
    steps: int = 8,
    *,
    detail: Detail = "keep",
    size: int | None = None,
) -> Result:
    """A strip of pictures from one person to another, all else as the first photo has it (FaceFeat-GAN, Fig. 4b).

    first: the photo to start from: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3).
    second: a photo of the person to end at, in any of these ways.
    steps: how many pictures, at least 2, both ends included.
    detail: `keep` begins with the first photo itself and takes the second's pixels into its face, posed as that is and
        with its expression if its mouth is as open, in the light that the network says. `network` shows the network's
        pictures.
    size: side of each picture in pixels, from 64 to 2,048, with `keep`; as large as the larger face is in its photo if
        None, 512 at most.

    Returns the strip and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    ValueRangeError."""
    check_choice("detail", detail, get_args(Detail))
    steps, size = whole("steps", steps), checked_size(size, detail)
    if steps < 2:
        raise ValueRangeError(f"A strip of {steps} pictures has no two ends: ask for two at least.")
    a, b = session.subject(first), session.subject(second)
    f_id, f_1, f_2 = session.features(a)
    other = session.features(b)
    along = torch.cat([torch.lerp(f_id, other[0], i / (steps - 1)) for i in range(steps)])
    pictures = keep_cells_grey(a, session.pictures(along, f_1.expand(steps, -1), f_2.expand(steps, -1)))
    if detail == "keep":
        (again,) = keep_cells_grey(b, session.pictures(*other))
        pictures = _of_own_pixels(session, (a, b), pictures, again, size_for((a, b), size))
    values: dict[str, JSON] = {"faces": [a.name, b.name], "steps": steps, "detail": detail, **grey_note(a)}
    notes = turned_apart((a, b)) if detail == "keep" else []
    if notes:
        values["notes"] = notes
    return Result(grid(pictures, steps), session.record("mix-identity", values))


def _of_own_pixels(
    session: FaceFeatSession, subjects: tuple[Subject, Subject], guides: Sequence[Picture], again: Picture, size: int
) -> list[Picture]:
    """Pictures (size,size,3) of the photos' own pixels.

    guides: the network's pictures (S,S,3) of each step. again: what it makes of the second photo as it is."""
    a, b = subjects
    parser = session.own.parser if session.own is not None else None
    start = ingredient(a, parser, size)
    tone = tone_of(start, "face") if b.grey and not a.grey else None
    mixture = GuidedMixture([start, ingredient(b, parser, size, tone)], [guides[0], again])
    own = mixture.photos.points[0]
    other = _in_place_of(session.own, subjects, own, size)
    cells = [start.crop.picture]
    for share, guide in zip(np.linspace(0, 1, len(guides))[1:], guides[1:], strict=True):
        points = None if other is None else own + share * (other - own)
        cell = mixture.mixed(towards("face", float(share)), guide, points)
        cells.append(keep_cells_grey(a, [cell])[0])
    return cells


def _in_place_of(own: OwnSession | None, subjects: tuple[Subject, Subject], points: Points, size: int) -> Points | None:
    """A crop's points (106,2) with the features of the second face, posed as the first is and with its expression where
    its mouth is as open.

    own: knows how faces differ and move; None without it."""
    if own is None:
        return None
    a, b = subjects
    motion, _ = own.motion()
    alike = abs(_open(a.face.landmarks) - _open(b.face.landmarks)) < AJAR
    # Lips that are bent open show no teeth, and teeth that are bent shut show.
    moved = expressed(motion, b, a) if alike else None
    carried = carry(motion.shapes, b.face.landmarks, a.face.landmarks, moved)
    posed = points.copy()
    posed[FEATURES] = transform(carried.onto, crop_matrix(a.face.landmarks, size))[FEATURES]
    return posed


def _open(landmarks: Landmarks) -> float:
    """How far a mouth is open, in its own widths."""
    gap, width = landmarks[66] - landmarks[62], landmarks[54] - landmarks[48]
    return float(np.linalg.norm(gap)) / max(1e-6, float(np.linalg.norm(width)))
