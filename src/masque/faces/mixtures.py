"""Colours as mixtures of two or three colours of a palette, in RGB."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
"""Colours as one number each: red + 256 green + 65536 blue."""

SHARPER = 4.0
"""How much more the light of a noisy picture's pixel says of its label than its hue does, which it shares with its
neighbours."""


@dataclass(frozen=True)
class Mixtures:
    """How U colours can be made of a palette of K: of two of its colours, P pairs, or of one."""

    rgb: NDArray[np.float32]
    """(U,3): the colours."""
    first: NDArray[np.int64]
    """(P,): one label of each pair."""
    second: NDArray[np.int64]
    """(P,): the other one, or the same."""
    residuals: NDArray[np.float32]
    """(U,P): how far each colour is from all that the two mix to."""
    nearer: NDArray[np.uint8]
    """(U,P): which of the two it has more of."""
    distances: NDArray[np.float32]
    """(U,K): how far it is from each colour of the palette."""


def mixtures(colours: NDArray[np.float32], palette: NDArray[np.float32], noisy: bool) -> Mixtures:
    """How colours (U,3) can be made of a palette (K,3).

    noisy: as JPEG and WebP leave a picture, which keep the light of each pixel but one hue for four of them: then a
    pixel may have another share of the two in its hue than in its light."""
    first, second = np.array(list(combinations_with_replacement(range(len(palette)), 2))).T
    residuals = np.empty((len(colours), len(first)), np.float32)
    nearer = np.empty((len(colours), len(first)), np.uint8)
    light, lights = _light(colours), _light(palette)
    for pair, (a, b) in enumerate(zip(first, second, strict=True)):
        share, residuals[:, pair], _ = _along(colours, palette[a], palette[b])
        if noisy:
            bright, off_light, apart = _along(light, lights[a], lights[b])
            hue, off_hue, between = _along(colours - light, palette[a] - lights[a], palette[b] - lights[b])
            residuals[:, pair] = np.hypot(off_light, off_hue)
            mean = (between * hue + SHARPER * apart * bright) / max(between + SHARPER * apart, 1.0)
            share = mean.astype(np.float32)
        nearer[:, pair] = np.where(share > 0.5, b, a)
    return Mixtures(colours, first, second, residuals, nearer, distances(colours, palette))


def mixtures_of_three(
    colours: NDArray[np.float32], palette: NDArray[np.float32], beside: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Which label colours (n,3) have most of, where they are mixtures of three colours of a palette (K,3), as where
    three areas meet: labels (n,), and how far the colours are from such mixtures (n,), infinite where none of three
    fits.

    beside: (n,K) which labels may have a part in each colour."""
    label, least = np.zeros(len(colours), np.uint8), np.full(len(colours), np.inf, np.float32)
    for three in combinations(range(len(palette)), 3):
        there = np.flatnonzero(beside[:, three].all(axis=1))
        if not len(there):
            continue
        sides = palette[list(three[1:])] - palette[three[0]]
        shares = (colours[there] - palette[three[0]]) @ np.linalg.pinv(sides)
        residual = np.linalg.norm(colours[there] - palette[three[0]] - shares @ sides, axis=1)
        shares = np.column_stack([1 - shares.sum(axis=1), shares])
        better = (shares.min(axis=1) > -0.05) & (residual < least[there])
        label[there[better]] = np.array(three, np.uint8)[shares[better].argmax(axis=1)]
        least[there[better]] = residual[better]
    return label, least


def _light(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """The greys (n,3) that are as light as colours (n,3)."""
    return np.repeat(colours @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=1)


def _along(
    colours: NDArray[np.float32], start: NDArray[np.float32], end: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Where colours (U,3) lie along the straight line from one colour to another, from 0 to 1; how far beside it; and
    the square of its length."""
    line = end - start
    length = float(line @ line)
    share = np.clip((colours - start) @ line / max(length, 1.0), 0, 1)
    beside = np.linalg.norm(colours - start - share[:, None] * line, axis=1)
    return share.astype(np.float32), beside.astype(np.float32), length


def rgb_of(codes: Codes) -> NDArray[np.float32]:
    """Colours (n,3) of their codes (n,)."""
    return np.stack([codes & 255, codes >> 8 & 255, codes >> 16], axis=1).astype(np.float32)


def distances(colours: NDArray[np.float32], palette: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far colours (U,3) are from each colour of a palette (K,3), (U,K)."""
    return np.linalg.norm(colours[:, None] - palette[None], axis=2)
