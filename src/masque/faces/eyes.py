"""Iris and white of an eye, which a face parser sees as one part."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.detect import Landmarks

Floats = NDArray[np.float32]

EYES = (slice(36, 42), slice(42, 48))
"""Landmarks of the eye on the picture's left, and of the one on its right."""

IRIS = 0.2
"""Radius of an iris in widths of the eye's opening: 11.7 mm in 29 mm."""

PUPIL, LIMBUS = 0.42, 0.95
"""From and to which share of its radius the iris has its colour; the pupil is black, and its rim dark."""

OPEN = 0.14
"""Height of an eye's opening over its width from which on it shows an iris."""

DARKER = 6.0
"""Lightness by which an iris must be darker than what is beside it to be told."""

SEARCHED = 0.18
"""How far from the middle of the opening, in its widths, the middle of the iris is looked for."""


@dataclass(frozen=True)
class Eye:
    """Masks (h,w) in [0,1] of an open eye."""

    opening: Floats
    iris: Floats
    """The coloured ring, within the opening."""
    white: Floats
    """The rest of the opening, without its rim, where lashes are."""


def find_eye(light: Floats, landmarks: Landmarks, which: slice) -> Eye | None:
    """The parts of an eye in a picture's lightness (h,w), in [0,100]; None of one that is closed, or whose iris cannot
    be told from its white.

    landmarks: (68,2) in pixels of the picture. which: one of `EYES`."""
    points = np.asarray(landmarks[which], dtype=np.float64)
    width = float(np.linalg.norm(points[3] - points[0]))
    height = float(np.linalg.norm(points[1:3].mean(axis=0) - points[4:6].mean(axis=0)))
    if width < 6 or height < OPEN * width:
        return None
    opening = drawn_opening(light.shape, points)
    across = (points[3] - points[0]) / width
    middle = points.mean(axis=0)
    radius = IRIS * width
    y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]]
    inside = opening > 0.5
    calm = np.minimum(light, np.percentile(light[inside], 75)) if inside.any() else light  # but for reflections
    best, found = DARKER, None
    columns, rows, seen = x[inside], y[inside], calm[inside]
    for step in np.linspace(-SEARCHED, SEARCHED, 19):
        for drop in (-0.04, 0.0, 0.04):
            centre = middle + width * (step * across + drop * np.array([-across[1], across[0]]))
            away = np.hypot(columns - centre[0], rows - centre[1])
            disc, ring = away < radius, (away > 1.25 * radius) & (away < 2 * radius)
            if min(disc.sum(), ring.sum()) < 4:
                continue
            darker = float(seen[ring].mean() - seen[disc].mean())
            if darker > best:
                best, found = darker, centre
    if found is None:
        return None
    distance = np.hypot(x - found[0], y - found[1])
    soft = max(0.7, 0.12 * radius)
    disc = np.clip((radius * LIMBUS - distance) / soft + 0.5, 0, 1)
    pupil = np.clip((radius * PUPIL - distance) / soft + 0.5, 0, 1)
    inner = cv2.GaussianBlur(cv2.erode(opening, np.ones((3, 3), np.uint8)), (0, 0), soft / 2)
    iris = np.asarray(opening * disc * (1 - pupil), dtype=np.float32)
    white = inner * np.clip((distance - 1.1 * radius) / soft + 0.5, 0, 1)
    return Eye(opening, iris, np.asarray(white, dtype=np.float32))


def drawn_opening(shape: tuple[int, ...], points: NDArray[np.floating]) -> Floats:
    """The opening between the lids (h,w) in [0,1], antialiased. points: (6,2), the eye's landmarks."""
    mask, bits = np.zeros(shape[:2], np.uint8), 4
    corners = np.rint(points * 2**bits).astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(corners), 255, lineType=cv2.LINE_AA, shift=bits)
    return mask.astype(np.float32) / np.float32(255)
