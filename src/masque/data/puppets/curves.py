"""The few functions of which every shape and every paint of a puppet is made."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
"""float64 where the shared model is built, once; float32 where a puppet is drawn."""

STEPS_PER_KNOT = 32
"""Straight pieces in which `curve` approximates the spline between two knots."""


def curve(x: Floats, knots: Floats) -> Floats:
    """The K smooth curves through `knots`, at the places `x` (…), as (K,…).

    knots: (N,1+K), the place of each knot, rising, and the K curves' values there. Beyond the first and the last knot
    the curves are constant. Enlarging the table as if it were a picture makes the cubic spline."""
    rows = cv2.resize(knots, (knots.shape[1], STEPS_PER_KNOT * len(knots)), interpolation=cv2.INTER_CUBIC)
    half = STEPS_PER_KNOT // 2  # a resized picture begins and ends half a pixel beyond its outermost pixels' centres
    rows = rows[half : 1 - half]
    return np.stack([np.interp(x, rows[:, 0], column) for column in rows[:, 1:].T])


def smooth_step(x: Floats, start: float, end: float) -> Floats:
    """0 up to `start`, 1 from `end` on and 3u² − 2u³ between them; `end` may lie below `start`."""
    u = np.clip((x - start) / (end - start), 0, 1)
    return np.asarray(u * u * (3 - 2 * u))


def gaussian(x: Floats, width_x: float, y: Floats | float = 0.0, width_y: float = 1.0) -> Floats:
    """exp(−½(x²/width_x² + y²/width_y²)): 1 at the middle; the widths are standard deviations."""
    return np.exp(-0.5 * ((x / width_x) ** 2 + (y / width_y) ** 2))


def unit(vectors: Floats) -> Floats:
    """Vectors (3,…) or (2,…) made 1 long."""
    return np.asarray(vectors / np.sqrt((vectors * vectors).sum(axis=0) + 1e-12))


def mix(a: Floats | float, b: Floats, share: Floats | float) -> Floats:
    """`a` where `share` is 0, `b` where it is 1, and in proportion between."""
    return a + (b - a) * share


def column(numbers: Sequence[float] | Floats) -> Floats:
    """A colour or a point as float32 (3,1), so that it goes with N of them, (3,N)."""
    return np.array(numbers, np.float32).reshape(3, 1)
