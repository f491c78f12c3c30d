"""Outlines filled on a canvas."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Size = tuple[int, int]
"""(width, height)"""


def filled(points: Floats, size: Size) -> NDArray[np.float32]:
    """1 within a polygon (N,2) of a canvas of `size`, 0 outside, (h,w)."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], (1,), shift=4)
    return mask.astype(np.float32)


def hull_of(points: Floats, size: Size) -> NDArray[np.float32]:
    """1 within the convex hull of points (N,2) on a canvas of `size`, 0 outside, (h,w)."""
    return filled(cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64), size)


def disc(radius: float) -> NDArray[np.uint8]:
    """A round neighbourhood of some pixels for dilating and eroding."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dtype=np.uint8)


def smoothstep(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """From 0 to 1 with level ends: 0 below 0, and 1 above 1."""
    clipped = np.clip(np.asarray(values, np.float32), 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), dtype=np.float32)
