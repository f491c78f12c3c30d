"""Hair that grows on a photo: its own strands, stretched from roots to the new outline, with their own soft edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.matte import mean_nearby

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LONGEST = 3.0
"""How many times as deep as it grows hair is drawn upon, where it is as thick."""

STRETCH = 2.2
"""How many times as long strands become at most; where hair grows more, it repeats, mirrored."""

THINNEST = 0.03
"""The thickness of hair, in face widths, below which none can be drawn upon."""

EDGE = 0.012
"""Width of the edge of hair that repeats, in face widths."""


@dataclass(frozen=True)
class Growth:
    """Where grown hair is taken from."""

    source: Floats
    """(h,w,2): where the hair at each pixel comes from, minus where it is."""
    where: Floats
    """(h,w) in [0,1]: where that is to be shown, with a soft rim far from what grows."""
    edge: Floats
    """(h,w) in [0,1]: how far the asked outline covers each pixel, where hair repeats; 1 elsewhere."""
    thin: bool
    """Whether much of it has no hair near enough to be drawn from."""


def grow_hair(own: Mask, asked: Mask, face_width: float) -> Growth | None:
    """The growth from the hair (h,w) that there is to that which is asked for; None where none grows, or there is none
    to grow.

    face_width: pixels of the maps."""
    grown = asked & ~own
    if not grown.any() or own.sum() < (THINNEST * face_width) ** 2:
        return None
    outward = _signed_distance(own, face_width)
    beyond = _signed_distance(asked, face_width)
    growth = _carried(np.maximum(0, outward - beyond), grown, face_width)
    thick = _thickness(own, face_width)
    depth = np.minimum(LONGEST * growth, thick) + np.float32(1e-3)
    stretched = (growth + depth) / depth
    place = np.clip(outward + depth, 0, None) / np.clip(stretched, 1, STRETCH)
    repeated = stretched > STRETCH
    folded = np.abs(np.mod(place - depth, 2 * depth) - depth)
    inner = np.where(repeated, np.minimum(folded, depth), place)
    # Beyond the asked outline lies what lies beyond one's own: strands that stand off, and then the wall.
    inner = np.where((outward > growth) & ~repeated, depth + outward - growth, inner)
    back = np.where(outward > -depth, outward - (inner - depth), 0)
    normal = _normal(outward, face_width)
    near = cv2.dilate(grown.astype(np.uint8), _disc(0.05 * face_width)).astype(np.float32)
    where = cv2.GaussianBlur(near, (0, 0), 0.015 * face_width)
    soft = np.clip(0.5 - beyond / np.float32(2 * EDGE * face_width), 0, 1)
    edge = np.where(cv2.GaussianBlur(repeated.astype(np.float32), (0, 0), 0.02 * face_width) > 0.5, soft, 1)
    return Growth(
        (-normal * back[..., None]).astype(np.float32),
        where.astype(np.float32),
        edge.astype(np.float32),
        bool((repeated & grown).mean() > 0.5 * grown.mean()),
    )


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dtype=np.uint8)


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
    around = cv2.dilate(inside, _disc(0.15 * face_width))
    return np.asarray(cv2.GaussianBlur(2 * around, (0, 0), 0.05 * face_width), dtype=np.float32)


def _normal(distance: Floats, face_width: float) -> Floats:
    """Directions (h,w,2) in which a distance (h,w) rises, of length 1 at most."""
    soft = cv2.GaussianBlur(distance, (0, 0), 0.03 * face_width)
    slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, *axis, scale=0.125) for axis in ((1, 0), (0, 1))], axis=2)
    return np.asarray(slope / np.maximum(np.linalg.norm(slope, axis=2, keepdims=True), 0.5), dtype=np.float32)
