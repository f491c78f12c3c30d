"""The smoothest way to carry values from around a region into it: Laplace's equation, by multigrid (Briggs et al. 2000,
chapters 3-4).

Gradient-domain composition (Levin et al. 2004, Pérez et al. 2003) asks for the picture whose gradients inside the mask
are the source's and whose values around it are the target's. With source + c in its place, c solves Laplace's equation
and equals target − source around the mask, so only the smooth c has to be computed. cv2.seamlessClone solves over the
mask's whole bounding box instead, which leaves a seam along the mask, and in 8 bits, which darkens by up to one level.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SOLVED_AT = 400
"""Longer side in pixels up to which the equation is solved to about a tenth of a level; beyond, a smaller solution is
enlarged and only its edge is worked over."""

CYCLES = 6
"""Multigrid cycles: each makes the error about five times smaller."""

SWEEPS = 4
"""Relaxations before and after each visit to the next coarser grid."""

NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def fill_smoothly(values: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Values (H,W,C), of which those where `inside` (H,W) is true are replaced by harmonic ones: each the mean of its
    four neighbours.

    The region may touch the border; nothing flows over it there. Where all is inside, the answer is the mean of
    all values."""
    filled = values.astype(np.float32)
    if inside.all():
        return np.broadcast_to(filled.mean(axis=(0, 1)), filled.shape).copy()
    mask = inside.astype(np.uint8)
    height, width = mask.shape
    shrink = SOLVED_AT / max(height, width)
    if shrink < 1:
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        outside = (1 - mask).astype(np.float32)
        share = cv2.resize(outside, size, interpolation=cv2.INTER_AREA)
        shrunk = _resized(filled * outside[..., None], size, cv2.INTER_AREA)
        small = fill_smoothly((shrunk / np.maximum(share, 1e-3)[..., None]).astype(np.float32), share < 0.5)
        _put(_resized(small, (width, height), cv2.INTER_LINEAR), mask, filled)
        return _relax(filled, None, mask, 2 * SWEEPS)
    filled[inside] = filled[~inside].mean(axis=0)
    for _ in range(CYCLES):
        filled = _cycle(filled, None, mask)
    return filled


def _resized(values: Floats, size: tuple[int, int], interpolation: int) -> Floats:
    """(H,W,C) at `size` (width, height); cv2.resize alone would drop an only channel."""
    return np.asarray(cv2.resize(values, size, interpolation=interpolation), dtype=np.float32).reshape(
        size[1], size[0], -1
    )


def _put(values: NDArray[np.float32], mask: NDArray[np.uint8], into: Floats) -> None:
    cv2.copyTo(values, mask, into)


def _mean_of_neighbours(x: Floats) -> Floats:
    return np.asarray(cv2.filter2D(x, -1, NEIGHBOURS, borderType=cv2.BORDER_REPLICATE), dtype=np.float32).reshape(
        x.shape
    )


def _relax(x: Floats, rest: Floats | None, mask: NDArray[np.uint8], sweeps: int) -> Floats:
    """Towards x = mean of neighbours + rest where the mask is 1, in place."""
    for _ in range(sweeps):
        better = _mean_of_neighbours(x)
        _put(better if rest is None else better + rest, mask, x)
    return x


def _cycle(x: Floats, rest: Floats | None, mask: NDArray[np.uint8]) -> Floats:
    """One V-cycle: relax, correct by the error as a grid of half the size sees it, relax."""
    x = _relax(x, rest, mask, SWEEPS)
    height, width = mask.shape
    half = ((width + 1) // 2, (height + 1) // 2)
    coarse = (cv2.resize(mask.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    if min(height, width) > 4 and coarse.any():
        residual = _mean_of_neighbours(x) - x
        residual = (residual if rest is None else residual + rest) * mask[..., None]
        # Twice the distance between pixels makes the equation's right side four times as large.
        coarse_rest = 4 * _resized(residual, half, cv2.INTER_AREA)
        error = _cycle(np.zeros_like(coarse_rest), coarse_rest, coarse)
        x += _resized(error, (width, height), cv2.INTER_LINEAR) * mask[..., None]
    return _relax(x, rest, mask, SWEEPS)
