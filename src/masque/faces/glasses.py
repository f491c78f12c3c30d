"""Glasses: whether a face wears them, by the lines that frames draw where a bare face has none."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.detect import Landmarks
from masque.faces.frame import similarity, transform, warp
from masque.faces.outlines import disc, hull_of
from masque.image import Picture

SIZE = (192, 160)
EYES = np.array([[64.0, 64.0], [128.0, 64.0]])
"""(width, height) of the upright piece of a face that is looked at, and where its eyes are."""

WEIGHTS, OFFSET = (1.15, 4.78, 2.1, 3.76, -3.65), -16.9
"""Logistic regression on the logarithms of what `_lines` measures."""

WORN = 0.7
"""Likelihood from which glasses count as worn. Of 62 people with glasses and 433 without, in pictures of CelebAMask-HQ
below number 750 and of SFHQ, in eight parts of which each was judged by what the others taught, 89 % and 3 % are said
to wear some."""

DARK, DARK_AROUND = 0.5, 0.06
"""Lightness of eyes over that of the nose below which lenses are dark, and how far around the eyes they are looked at,
in distances between the outer corners of the eyes."""

BAND = ((1.1, -0.42), (1.1, 0.12), (0.92, 0.5), (0.34, 0.54), (0.16, 0.24))
"""The left half of the outline of what glasses cover, brows included: to the side and down from the middle between the
eyes, in distances between them."""


def wears_glasses(photo: Picture, landmarks: Landmarks) -> float:
    """How likely a face wears glasses, in [0,1].

    photo: RGB uint8 (H,W,3). landmarks: (68,2) in it."""
    matrix = similarity(_eyes(landmarks), EYES)
    piece = warp(photo, matrix, SIZE)
    measured = np.log(np.array(_lines(piece, transform(landmarks, matrix))) + 0.3)
    return float(1 / (1 + math.exp(-float(measured @ np.array(WEIGHTS)) - OFFSET)))


def hides_eyes(light: NDArray[np.float32], landmarks: NDArray[np.float64]) -> bool:
    """Whether the lenses of a face with glasses are dark: eyes with their lids are less than half as light as the nose.

    light: CIELAB's lightness (h,w). landmarks: (68,2) in it."""
    size = (light.shape[1], light.shape[0])
    reach = DARK_AROUND * float(np.linalg.norm(landmarks[45] - landmarks[36]))
    eyes = np.max([hull_of(landmarks[first : first + 6], size) for first in (36, 42)], axis=0)
    around = cv2.dilate(eyes, disc(reach)) > 0
    nose = hull_of(landmarks[[28, 31, 33, 35]], size) > 0
    if not (around.any() and nose.any()):
        return False
    return float(np.median(light[around])) < DARK * float(np.median(light[nose]))


def glasses_zone(landmarks: NDArray[np.generic]) -> NDArray[np.float64]:
    """Corners (N,2) of what glasses and brows cover, in the landmarks' (68,2) pixels."""
    right, left = _eyes(landmarks)
    across = left - right
    down = np.array([-across[1], across[0]])
    outline = [*BAND, *((-aside, below) for aside, below in reversed(BAND))]
    return np.array([(right + left) / 2 + aside * across + below * down for aside, below in outline])


def _eyes(landmarks: NDArray[np.generic]) -> NDArray[np.float64]:
    """(2,2): the middles of both eyes."""
    points = np.asarray(landmarks, dtype=np.float64)
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0)])


def _lines(piece: Picture, landmarks: Landmarks) -> list[float]:
    """How strong lines are in an upright piece of a face, in CIELAB's lightness: across the ridge of the nose, by
    steps and by thin stripes; around and below the eyes, of the fainter eye; from the eyes to the ears; and on cheeks
    and mouth, where strong ones are those of age or harsh light."""
    lab = cv2.cvtColor(piece.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    light = np.asarray(cv2.GaussianBlur(lab[..., 0], (0, 0), 1.0), dtype=np.float32)
    steps = np.asarray(np.abs(cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=3)) / 8, dtype=np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    stripes = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, disc) + cv2.morphologyEx(light, cv2.MORPH_TOPHAT, disc)
    middle = round(float(landmarks[39, 0] + landmarks[42, 0]) / 2)
    ridge = slice(50, 86), slice(max(0, middle - 5), middle + 6)
    bridge = [float(np.median(lines[ridge], axis=1).max()) for lines in (steps, stripes)]
    temples = [_temple(steps, float(landmarks[36, 0]), -1), _temple(steps, float(landmarks[45, 0]), 1)]
    rim = min(_rim(light, eye) for eye in EYES)
    return [*bridge, rim, (temples[0] + temples[1]) / 2, float(np.quantile(steps[96:140, 50:142], 0.9))]


def _rim(light: NDArray[np.float32], eye: NDArray[np.float64]) -> float:
    """The mean step along the strongest line that runs around the lower half of an eye."""
    angles, radii = np.radians(np.arange(25, 156, 4)), np.arange(14, 38)
    x = (eye[0] + 1.15 * np.outer(radii, np.cos(angles))).astype(np.float32)
    y = (eye[1] + np.outer(radii, np.sin(angles))).astype(np.float32)
    steps = np.abs(np.diff(np.asarray(cv2.remap(light, x, y, cv2.INTER_LINEAR), np.float32), axis=0))
    best = steps[:, 0]
    for column in steps.T[1:]:  # a line goes on at the same radius or the next
        best = column + np.maximum(best, np.maximum(np.append(best[1:], -1), np.insert(best[:-1], 0, -1)))
    return float(best.max()) / steps.shape[1]


def _temple(steps: NDArray[np.float32], corner: float, side: int) -> float:
    """The strongest line beside the outer corner of an eye."""
    first, last = sorted(int(np.clip(corner + side * away, 0, SIZE[0] - 1)) for away in (8, 20))
    return float(np.median(steps[46:72, first : last + 1], axis=1).max())
