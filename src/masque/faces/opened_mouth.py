"""Where lips meet, or part, in a label map, as the seam along which a line is drawn or teeth are shown."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.bend import face_axes
from masque.faces.lips import Points, Seam

SHARES = 28
"""Places along the gap at which its edges are read off."""

DEGREE = 6
"""Of the polynomials that follow its middle and its height."""

TEETH = 0.3
"""How high teeth are at most, in widths of the gap; below them a mouth is dark."""

DARK = 0.12
"""Lightness of the inside of a mouth, 1 for that of the front teeth."""

FEWEST = 5
"""Pixels of a gap's width and height below which it shows nothing."""


def seam_of_gap(points: Points, landmarks: NDArray[np.generic]) -> tuple[Seam, float] | None:
    """The seam of a gap and half its height in pixels, where it is highest; None of one that is too small.

    points: (N,2), all pixels of the photo in the gap. landmarks: (68,2), by which the face's axes are told."""
    across, down = face_axes(landmarks)
    along, depth = points @ across, points @ down
    left, right = float(along.min()) - 0.5, float(along.max()) + 0.5
    width = right - left
    if width < FEWEST or float(np.ptp(depth)) < FEWEST / 2:
        return None
    place = np.minimum(((along - left) / width * SHARES).astype(int), SHARES - 1)
    seen = [number for number in range(SHARES) if (place == number).any()]
    at = (np.array(seen) + 0.5) / SHARES
    top = np.array([float(depth[place == number].min()) for number in seen])
    bottom = np.array([float(depth[place == number].max()) for number in seen])
    middle, half = (top + bottom) / 2, (bottom - top + 1) / 2
    ends = np.concatenate([[0.0], at, [1.0]])
    degree = min(DEGREE, len(seen))
    curve = np.polyfit(at, (middle - middle[0]) / width, min(3, len(seen) - 1))
    heights = np.polyfit(ends, np.concatenate([[0.0], half / half.max(), [0.0]]), degree)
    origin = left * across + float(middle[0]) * down
    centre = float(np.clip((np.asarray(landmarks[51], np.float64) @ across - left) / width, 0.2, 0.8))
    return Seam(origin, across, width, curve, centre, heights), float(half.max())


def seam_between(points: Points, landmarks: NDArray[np.generic]) -> Seam | None:
    """The seam of closed lips; None where they hardly meet.

    points: (N,2), pixels of the photo at which one lip lies on the other. landmarks: (68,2), by which the face's axes
    are told."""
    across, down = face_axes(landmarks)
    along, depth = points @ across, points @ down
    left, width = float(along.min()), float(np.ptp(along))
    if width < FEWEST:
        return None
    curve = np.polyfit((along - left) / width, depth / width, min(5, len(points) - 1))
    first = width * float(curve[-1])
    curve[-1] = 0
    centre = float(np.clip((np.asarray(landmarks[51], np.float64) @ across - left) / width, 0.2, 0.8))
    return Seam(left * across + first * down, across, width, curve, centre)


def above_dark(teeth: NDArray[np.floating], height: float) -> NDArray[np.float32]:
    """A picture of teeth (48,192), as `show_teeth` takes them, for a gap that is higher than teeth are: they keep their
    height, and below them it is dark.

    height: of the gap, in its widths."""
    rows, columns = teeth.shape
    shown = max(2, round(rows * min(1.0, TEETH / max(height, 1e-6))))
    if shown >= rows:
        return np.asarray(teeth, dtype=np.float32)
    upper = cv2.resize(np.asarray(teeth, dtype=np.float32), (columns, shown), interpolation=cv2.INTER_AREA)
    below = np.full((rows - shown, columns), DARK, np.float32)
    whole = cv2.GaussianBlur(np.concatenate([upper, below]), (0, 0), sigmaX=0.1, sigmaY=1.0)
    return np.asarray(whole, dtype=np.float32)
