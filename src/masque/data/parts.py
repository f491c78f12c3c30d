"""Label maps from CelebAMask-HQ's masks of parts (Lee et al. 2020): nineteen of theirs become the eleven of Table 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.errors import DataError, PictureError
from masque.faces.frame import Frame, chain, zoom
from masque.faces.labels import Labels
from masque.image import decoded

LABEL_OF_PART: Mapping[str, int] = {
    "skin": 1, "nose": 6, "eye_g": 1, "l_eye": 5, "r_eye": 4, "l_brow": 3, "r_brow": 2, "l_ear": 1, "r_ear": 1,
    "mouth": 8, "u_lip": 7, "l_lip": 9, "hair": 10, "hat": 0, "ear_r": 0, "neck_l": 1, "neck": 1, "cloth": 0,
}  # fmt: skip
"""In the order in which the data set's own tools paint them, so that later ones lie over earlier ones.

Their l_ and r_ are the person's left and right, ours the picture's. Ears, neck and necklace are skin, since a changed skin that ended at
the jaw would look like a mask; glasses are skin, the eyes behind them are not labelled. Hat, cloth and earrings are background: they stay
as they are.
"""


def read_parts(parts: Mapping[str, Path]) -> tuple[Labels, NDArray[np.bool_]]:
    """The label map (H,W) and where there is a person or clothes (H,W), from masks of one size.

    Parts that the table does not know are left out. Raises DataError for a mask that cannot be read or has another size.
    """
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


def in_frame(labels: NDArray[np.uint8], frame: Frame, photo: tuple[int, int], beyond: int) -> NDArray[np.uint8]:
    """A map (H,W) of a photo of (height, width) `photo`, as the face frame shows it; `beyond` where the frame reaches past the photo.

    The map may have another size than the photo, as CelebAMask-HQ's 512² masks of smaller pictures do.
    """
    height, width = frame.valid.shape
    matrix = chain(zoom(photo[0] / labels.shape[0]), frame.matrix)
    seen = cv2.warpAffine(labels, matrix, (width, height), flags=cv2.INTER_NEAREST)
    return np.where(frame.valid, seen, beyond).astype(np.uint8)
