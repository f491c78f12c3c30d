"""Hair that grows on a photo: its own strands, stretched from roots to the new outline, with their own soft edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.matte import mean_nearby
from masque.faces.outlines import disc

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LONGEST = 3.0
"""How many times as deep as it grows hair is drawn upon, where it is as thick."""

FARTHEST = 0.75
"""How far hair grows at most, in thicknesses of the hair nearby: farther its strands would be streaks."""

LITTLE = 0.1
"""How far, in face widths, hair grows in any case."""

THINNEST = 0.03
"""The thickness of hair, in face widths, below which none can be drawn upon."""


@dataclass(frozen=True)
class Growth:
    """Where grown hair is taken from."""

    source: Floats
    """(h,w,2): where the hair at each pixel comes from, minus where it is."""
    where: Floats
    """(h,w) in [0,1]: where that is to be shown, with a soft rim far from what grows."""
    short: bool
    """Whether much of what was asked for is farther than hair can grow."""


def grow_hair(own: Mask, asked: Mask, face_width: float) -> Growth | None:
    """The growth from the hair (h,w) that there is to that which is asked for; None where none grows, or there is none
    to grow.

    face_width: pixels of the maps."""
    wanted = asked & ~own
    if not wanted.any() or own.sum() < (THINNEST * face_width) ** 2:
        return None
    outward = _signed_distance(own, face_width)
    thick = _thickness(own, face_width)
    grown = wanted & (outward < np.maximum(FARTHEST * thick, LITTLE * face_width))
    if not grown.any():
        return None
    beyond = _signed_distance(own | grown, face_width)
    growth = _carried(np.maximum(0, outward - beyond), grown, face_width)
    depth = np.minimum(LONGEST * growth, thick) + np.float32(1e-3)
    # Beyond the asked outline lies what lies beyond one's own: strands that stand off, and then the wall.
    inner = np.where(outward > growth, outward - growth, (outward + depth) * depth / (growth + depth) - depth)
    back = np.where(outward > -depth, outward - inner, 0)
    near = cv2.dilate(grown.astype(np.uint8), disc(0.05 * face_width)).astype(np.float32)
    where = cv2.GaussianBlur(near, (0, 0), 0.015 * face_width)
    source = -_normal(outward, face_width) * back[..., None]
    short = bool(grown.sum() < 0.7 * wanted.sum())
    return Growth(source.astype(np.float32), where.astype(np.float32), short)


def _signed_distance(mask: Mask, face_width: float) -> Floats:
    """Pixels to the outline of a mask (h,w), negative inside, smooth."""
    inside, outside = (cv2.distanceTransform(one.astype(np.uint8), cv2.DIST_L2, 5) for one in (mask, ~mask))
    return np.asarray(cv2.GaussianBlur(outside - inside, (0, 0), 0.015 * face_width), dtype=np.float32)


def _carried(values: Floats, inside: Mask, face_width: float) -> Floats:
    """Values (h,w) that are known inside a mask, smooth, and carried beyond it as far as they are needed."""
    carried = mean_nearby(values[..., None], inside.astype(np.float32), face_width)[..., 0]
    return np.asarray(carried, dtype=np.float32)


def _thickness(own: Mask, face_width: float) -> Floats:
    """How thick hair is around each pixel: twice the largest distance from its outline nearby."""
    inside = cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, 5)
    around = np.asarray(cv2.dilate(inside, disc(0.12 * face_width)), dtype=np.float32)
    return _carried(2 * around, own, face_width)


def _normal(distance: Floats, face_width: float) -> Floats:
    """Directions (h,w,2) in which a distance (h,w) rises, of length 1 at most."""
    soft = cv2.GaussianBlur(distance, (0, 0), 0.03 * face_width)
    slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, *axis, scale=0.125) for axis in ((1, 0), (0, 1))], axis=2)
    return np.asarray(slope / np.maximum(np.linalg.norm(slope, axis=2, keepdims=True), 0.5), dtype=np.float32)
