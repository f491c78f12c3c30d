"""Label maps from CelebAMask-HQ's masks of parts (Lee et al. 2020): nineteen of theirs become the eleven of Table
3.1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.errors import DataError, PictureError
from masque.faces.detect import Landmarks, eye_distance
from masque.faces.frame import Frame, chain, zoom
from masque.faces.labels import Labels
from masque.image import decoded

LABEL_OF_PART: Mapping[str, int] = {
    "skin": 1,
    "nose": 6,
    "eye_g": 1,
    "l_eye": 5,
    "r_eye": 4,
    "l_brow": 3,
    "r_brow": 2,
    "l_ear": 1,
    "r_ear": 1,
    "mouth": 8,
    "u_lip": 7,
    "l_lip": 9,
    "hair": 10,
    "hat": 0,
    "ear_r": 0,
    "neck_l": 1,
    "neck": 1,
    "cloth": 0,
}
"""For each part of CelebAMask-HQ the index into LABELS, in the order in which the data set's own tools paint the parts,
so that later ones lie over earlier ones.

Their l_ and r_ are the person's left and right, ours the picture's. Ears, neck and necklace are skin, since a changed
skin that ended at the jaw would look like a mask; glasses are skin, the eyes behind them are not labelled. Hat, cloth
and earrings are background: they stay as they are."""


def read_parts(parts: Mapping[str, Path]) -> tuple[Labels, NDArray[np.bool_]]:
    """The label map (H,W) and where there is a person or clothes (H,W), from masks of one size.

    Parts that the table does not know are left out. Raises DataError for a mask that cannot be read or has another
    size."""
    labels: Labels | None = None
    for part in (name for name in LABEL_OF_PART if name in parts):
        try:
            with decoded(parts[part]) as image:
                inside = np.array(image.convert("L")) > 127
        except PictureError as error:
            raise DataError(str(error)) from None
        if labels is None:
            labels, person = np.zeros(inside.shape, np.uint8), np.zeros(inside.shape, np.bool_)
        if inside.shape != labels.shape:
            raise DataError(f"{parts[part]} is not of the size of the picture's other masks: fetch it again.")
        labels[inside], person[inside] = LABEL_OF_PART[part], True
    if labels is None:
        raise DataError("None of the masks is of a part of a face: fetch CelebAMask-HQ again.")
    return labels, person


def warp_to_frame(labels: NDArray[np.uint8], frame: Frame, photo: tuple[int, int], beyond: int) -> NDArray[np.uint8]:
    """A map (H,W) of a photo of (height, width) `photo`, as the face frame shows it; `beyond` where the frame reaches
    past the photo.

    The map may have another size than the photo, as CelebAMask-HQ's 512² masks of smaller pictures do.
    """
    height, width = frame.valid.shape
    matrix = chain(zoom(photo[0] / labels.shape[0]), frame.matrix)
    seen = cv2.warpAffine(labels, matrix, (width, height), flags=cv2.INTER_NEAREST)
    return np.where(frame.valid, seen, beyond).astype(np.uint8)


FARTHEST = 0.5
"""Distances between the eyes by which a part's centre in its mask may miss that of its landmarks. Of 846 pictures of
CelebAMask-HQ two miss it by more, whose masks are wrong (an ear that is marked as nose, a missing mouth), and no other
by more than 0.31."""


def why_unusable(labels: Labels, landmarks: Landmarks) -> str | None:
    """Why a face frame's label map (218s,178s) is not one of its face (Section 4.2.1): a reason to drop the picture, or
    None.

    landmarks: (68,2) frame pixels. Eyes may be hidden, and a head may be bald; skin, nose and mouth are needed.
    """
    if not (labels == 1).any():
        return "masks without skin"
    apart = eye_distance(landmarks)
    for part, wanted, points in (("nose", (6,), landmarks[27:36]), ("mouth", (7, 8, 9), landmarks[48:60])):
        rows, columns = np.nonzero(np.isin(labels, wanted))
        if not len(rows):
            return f"masks without a {part}"
        if np.linalg.norm((columns.mean(), rows.mean()) - points.mean(axis=0)) > FARTHEST * apart:
            return "masks that do not fit the face"
    return None
