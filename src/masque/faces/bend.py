"""A face bent so that its landmarks come to lie elsewhere, smoothly in between."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from masque.faces.change import Move
from masque.faces.strips import Box

STIFFNESS = 2e-4
"""Smoothing of the thin plates: landmarks are found to within a pixel or two, and must not make bumps."""

ACROSS = 50
"""Cells of the grid on which the plates are evaluated, across the face."""

REACH, FADE = 1.0, 0.25
"""The distance from the face's middle, in face widths, from which nothing moves; and over which movement fades."""


def bend(
    name: str, points: NDArray[np.float64], shifts: NDArray[np.float64], centre: NDArray[np.float64], width: float
) -> Move:
    """The movement of pixels that takes points of a photo along, by thin plates (Bookstein 1989), and leaves everything
    farther than the face's width from its middle where it is.

    points: (N,2) in photo pixels, fixed ones included. shifts: (N,2), how far each goes. centre: (2,) and width: the
    middle and the width of the face, in photo pixels."""
    ring = centre + 1.1 * REACH * width * _circle(16)
    source = np.concatenate([points, ring])
    shift = np.concatenate([shifts, np.zeros_like(ring)])
    # Where a pixel of the result comes from, so the plates stand on the points where they go.
    plates = RBFInterpolator((source + shift) / width, -shift / width, kernel="thin_plate_spline", smoothing=STIFFNESS)
    reach = REACH * width
    box: Box = (*(math.floor(v) for v in centre - reach), *(math.ceil(v) for v in centre + reach))
    cells = 2 * ACROSS
    step = np.array([box[2] - box[0], box[3] - box[1]]) / cells
    y, x = np.mgrid[0:cells, 0:cells]
    at = np.stack([x, y], axis=-1) * step + 0.5 * step - 0.5 + np.array(box[:2])
    field = width * plates(at.reshape(-1, 2) / width).reshape(cells, cells, 2)
    distance = np.linalg.norm(at - centre, axis=2) / width
    fade = np.clip((REACH - 0.02 - distance) / FADE, 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    return Move(name, box, np.ascontiguousarray(field * fade[..., None], dtype=np.float32))


def face_axes(landmarks: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The directions of a face in its photo, each (2,) of length 1: from its right eye to its left one, and down.

    landmarks: (68,2)."""
    eyes = np.asarray(landmarks[45] - landmarks[36], dtype=np.float64)
    across = eyes / max(1e-6, float(np.linalg.norm(eyes)))
    return across, np.array([-across[1], across[0]])


def turned(landmarks: NDArray[np.generic]) -> float:
    """How far a face is turned: how far the tip of its nose lies from the middle of the jaw's sides, in half face
    widths; 0 from the front, 1 about in profile.

    landmarks: (68,2)."""
    across, _ = face_axes(landmarks)
    left, tip, right = (float(landmarks[number] @ across) for number in (0, 30, 16))
    return abs(2 * tip - left - right) / max(1e-6, right - left)


def _circle(count: int) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
