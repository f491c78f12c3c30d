"""A hole in a picture filled with pieces of the rest: texture that goes on, such as a wall behind a head.

Completion by coherent patches (Wexler et al. 2007), whose nearest patches are searched at random and handed on between
neighbours (PatchMatch; Barnes et al. 2009), here to neighbours at halving distances so that all pixels are worked at
once. It is solved small; what is handed back says for each pixel from where it is copied, so that the photo's own
pixels fill the hole at full size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.harmonic import fill_smoothly

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Places = NDArray[np.int32]

PATCH = 3
"""Pixels from the middle of a patch to its edge."""

LEVELS = 3
"""Sizes at which the hole is filled, each twice as large as the one before."""

ROUNDS = (6, 4, 3)
"""Searches at each size, from the smallest on."""

JUMPS = (8, 4, 2, 1)
"""Distances of the neighbours that hand on what they have found."""

FEWEST = 60
"""Patches without a hole that are needed to copy from."""


def places_to_copy(picture: Floats, hole: Mask, source: Mask, seed: int = 0) -> Floats | None:
    """For each pixel of a hole where in the picture (h,w,3) it is copied from, minus where it is: (h,w,2), x and y;
    None where too little may be copied.

    hole: (h,w). source: (h,w), what may be copied; the hole itself is left out."""
    rng = np.random.default_rng(seed)
    pyramid = [(picture, hole, source & ~hole)]
    for _ in range(LEVELS - 1):
        above = pyramid[-1]
        if min(above[0].shape[:2]) < 24:
            break
        pyramid.append(_halved(*above))
    places: Places | None = None
    guess: Floats | None = None
    for level, (small, empty, usable) in reversed(list(enumerate(pyramid))):
        allowed = _whole_patches(usable)
        if allowed.sum() < FEWEST or not empty.any():
            continue
        at = np.argwhere(empty).astype(np.int32)
        start = fill_smoothly(small, empty) if guess is None else _with(small, guess, empty)
        found = _started(places, at, allowed, rng)
        for _ in range(ROUNDS[min(len(pyramid) - 1 - level, len(ROUNDS) - 1)]):
            found = _searched(start, empty, at, found, allowed, rng)
            start = _voted(start, small, at, found)
        whole = np.zeros((*empty.shape, 2), np.int32)
        whole[at[:, 0], at[:, 1]] = found
        places, guess = whole, start
    if places is None or places.shape[:2] != picture.shape[:2]:
        return None
    y, x = np.mgrid[0 : hole.shape[0], 0 : hole.shape[1]]
    shift = np.stack([places[..., 1] - x, places[..., 0] - y], axis=-1)
    return np.where(hole[..., None], shift, 0).astype(np.float32)


def copied(photo: NDArray[np.uint8] | Floats, shift: Floats) -> Floats:
    """A photo (H,W,3) of which each pixel is copied from elsewhere, float32 (H,W,3).

    shift: (h,w,2) of `places_to_copy` of a smaller copy of the photo. Where neighbours are copied from different
    places, both are blended over a cell of the small copy."""
    height, width = photo.shape[:2]
    rows, columns = shift.shape[:2]
    up = np.array([width / columns, height / rows], np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cell_x, cell_y = (x + 0.5) / up[0] - 0.5, (y + 0.5) / up[1] - 0.5
    left, top = np.floor(cell_x), np.floor(cell_y)
    result = np.zeros(photo.shape, np.float32)
    for down in (0, 1):
        for across in (0, 1):
            share = (1 - np.abs(cell_x - left - across)) * (1 - np.abs(cell_y - top - down))
            i = np.clip(top + down, 0, rows - 1).astype(int)
            j = np.clip(left + across, 0, columns - 1).astype(int)
            move = shift[i, j] * up
            part = cv2.remap(
                photo, x + move[..., 0], y + move[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            result += share[..., None] * part
    return result


def _halved(picture: Floats, hole: Mask, source: Mask) -> tuple[Floats, Mask, Mask]:
    size = ((picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
    known = (~hole).astype(np.float32)
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    usable = cv2.resize(source.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    small = (total / np.maximum(share, 1e-3)[..., None]).astype(np.float32)
    return small, np.asarray(share < 0.5), np.asarray(usable)


def _whole_patches(usable: Mask) -> Mask:
    """Middles of patches that are usable throughout."""
    side = 2 * PATCH + 1
    inner = cv2.erode(
        usable.astype(np.uint8), np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return np.asarray(inner > 0)


def _started(coarser: Places | None, at: Places, allowed: Mask, rng: np.random.Generator) -> Places:
    """First guesses: what the smaller size has found, else anything."""
    choices = np.argwhere(allowed).astype(np.int32)
    anything = choices[rng.integers(len(choices), size=len(at))]
    if coarser is None:
        return anything
    half = np.minimum(at // 2, np.array(coarser.shape[:2]) - 1)
    guess = 2 * coarser[half[:, 0], half[:, 1]] + at % 2
    return np.where(_inside(guess, allowed)[:, None], guess, anything).astype(np.int32)


def _inside(places: Places, allowed: Mask) -> Mask:
    height, width = allowed.shape
    y, x = places[:, 0], places[:, 1]
    there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return np.asarray(there & allowed[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)])


def _with(small: Floats, coarser: Floats, empty: Mask) -> Floats:
    """A picture whose hole is filled from a smaller one."""
    up = cv2.resize(coarser, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.where(empty[..., None], up, small).astype(np.float32)


def _patches(picture: Floats, at: Places) -> Floats:
    """Patches (N,P) around places (N,2) of a picture; mirrored at its edge."""
    side = 2 * PATCH + 1
    padded = cv2.copyMakeBorder(picture, PATCH, PATCH, PATCH, PATCH, cv2.BORDER_REFLECT_101)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))  # (h,w,3,side,side)
    return np.asarray(windows[at[:, 0], at[:, 1]].reshape(len(at), -1), dtype=np.float32)


def _searched(
    filled: Floats, empty: Mask, at: Places, found: Places, allowed: Mask, rng: np.random.Generator
) -> Places:
    """Better places for each pixel: those of its neighbours, moved along, and some at random around its own."""
    mine = _patches(filled, at)
    best = np.square(mine - _patches(filled, found)).sum(axis=1)
    number = np.full(empty.shape, -1, np.int32)
    number[at[:, 0], at[:, 1]] = np.arange(len(at))
    height, width = empty.shape
    result = found.copy()

    def tried(candidates: Places, which: NDArray[np.int64]) -> None:
        good = _inside(candidates, allowed)
        places, rows = candidates[good], which[good]
        if not len(rows):
            return
        cost = np.square(mine[rows] - _patches(filled, places)).sum(axis=1)
        better = cost < best[rows]
        best[rows[better]], result[rows[better]] = cost[better], places[better]

    everywhere = np.arange(len(at))
    for jump in JUMPS:
        for down, across in ((0, jump), (0, -jump), (jump, 0), (-jump, 0)):
            y, x = at[:, 0] + down, at[:, 1] + across
            there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            neighbour = np.where(there, number[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], -1)
            which = everywhere[neighbour >= 0]
            tried((result[neighbour[which]] - np.array([down, across])).astype(np.int32), which)
    radius = max(height, width) / 2
    while radius >= 1:
        step = rng.uniform(-radius, radius, (len(at), 2))
        tried((result + np.rint(step)).astype(np.int32), everywhere)
        radius /= 3
    return result


def _voted(filled: Floats, small: Floats, at: Places, found: Places) -> Floats:
    """The picture that the patches found make of the hole: each pixel the mean of what those around it say."""
    height, width = filled.shape[:2]
    total, count = np.zeros_like(filled), np.zeros((height, width, 1), np.float32)
    for down in range(-PATCH, PATCH + 1):
        for across in range(-PATCH, PATCH + 1):
            step = np.array([down, across], np.int32)
            to, source = at + step, found + step
            there = (to[:, 0] >= 0) & (to[:, 0] < height) & (to[:, 1] >= 0) & (to[:, 1] < width)
            y, x = to[there].T
            total[y, x] += small[source[there, 0], source[there, 1]]
            count[y, x] += 1
    result = filled.copy()
    voted = total / np.maximum(count, 1)
    result[at[:, 0], at[:, 1]] = voted[at[:, 0], at[:, 1]]
    return result
