"""The square around a head that the networks see, cut out of its photo at any size: the photo's own pixels, resampled
once, as they are or bent."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.detect import Landmarks
from masque.faces.frame import Matrix, align, chain, extend_softly, inside_photo, invert, scale_of, transform
from masque.faces.regions import HAIR_CROP
from masque.image import Picture

Field = NDArray[np.float32]
"""(h,w,2) over a crop, in pixels of it: where each pixel comes from, minus where it is."""


def crop_matrix(landmarks: Landmarks, size: int) -> Matrix:
    """Photo pixels -> pixels of the hair crop (RSGAN, Section 3.2) of `size`.

    landmarks: (68,2), the face in the photo."""
    return chain(align(landmarks), HAIR_CROP.to_crop(size, 1.0))


def own_size(landmarks: Landmarks) -> int:
    """The size, in pixels, at which a face's hair crop has as many pixels as the photo has there.

    landmarks: (68,2), the face in the photo."""
    return round(1 / scale_of(crop_matrix(landmarks, 1)))


@dataclass(frozen=True)
class HeadCrop:
    """A photo's hair crop."""

    picture: Picture
    """(S,S,3): the photo resampled once, softly extended where it ends."""
    landmarks: Landmarks
    """(68,2) in pixels of the crop."""
    sheet: Picture
    """What is resampled: the photo, or its areas averaged where the crop is smaller."""
    matrix: Matrix
    """Pixels of the sheet -> pixels of the crop."""
    valid: NDArray[np.bool_]
    """(S,S): where the photo has pixels."""

    @property
    def size(self) -> int:
        """S, its side in pixels."""
        return len(self.picture)

    def bent(self, field: Field) -> NDArray[np.float32]:
        """The crop (S,S,3), 0 to 255, with its pixels moved: again the photo resampled once.

        field: (h,w,2) of any size."""
        x, y = moved_grid(field, self.size)
        back = invert(self.matrix)
        # To the sheet's pixels at once, so that pixels are interpolated once.
        u = back[0, 0] * x + back[0, 1] * y + back[0, 2]
        v = back[1, 0] * x + back[1, 1] * y + back[1, 2]
        bent = _looked_up(self.sheet, u.astype(np.float32), v.astype(np.float32))
        if self.valid.all():
            return bent
        inside = _looked_up(self.valid.astype(np.float32), x, y)[..., None]
        return np.asarray(inside * bent + (1 - inside) * _looked_up(self.picture, x, y), dtype=np.float32)


def cut_head(photo: Picture, landmarks: Landmarks, size: int) -> HeadCrop:
    """A photo's hair crop.

    photo: RGB uint8 (H,W,3). landmarks: (68,2), the face in it. size: side of the crop in pixels."""
    matrix = crop_matrix(landmarks, size)
    points, sheet, factor = transform(landmarks, matrix), photo, scale_of(matrix)
    if factor < 1:
        height, width = photo.shape[:2]
        small = max(1, round(width * factor)), max(1, round(height * factor))
        sheet = np.asarray(cv2.resize(photo, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        across, down = width / small[0], height / small[1]
        matrix = chain(np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5]]), matrix)
    picture = np.asarray(
        cv2.warpAffine(sheet, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    valid = inside_photo(sheet.shape[:2], matrix, (size, size))
    if not valid.all():
        picture = extend_softly(picture, valid, size / HAIR_CROP.side)
    return HeadCrop(picture, points, sheet, matrix, valid)


def moved_grid(field: Field, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel of a crop of `size` comes from, x and y (S,S), by a field of any size."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    step = np.float32(size / len(field))
    at_x, at_y = (x + 0.5) / step - 0.5, (y + 0.5) / step - 0.5
    shift = cv2.remap(field, at_x, at_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return x + shift[..., 0], y + shift[..., 1]


def _looked_up(
    values: Picture | NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32)
