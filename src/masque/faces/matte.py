"""Mattes: how much of each pixel is hair, or skin, as fine as the photo is.

A face parser sees a face about 130 pixels wide and gives soft, smooth shares. The photo itself is sharper: at the rim
of hair the colour of a pixel tells how much of it is hair. Both are weighed against each other as in Bayesian matting
(Chuang et al. 2001), with Gaussians around the mean colours of what is surely inside and surely outside nearby. Along
the line between the two means the answer has a closed form, linear in the pixel's colour, so that all but the last step
is done small and enlarged, as in the fast guided filter (He and Sun 2015).

Mattes are float32 (H,W) in [0,1]; pictures are RGB in [0,1]; distances are pixels of the array at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SMOOTHNESS = 0.003
"""Variance of light from which an edge is one, for the guided filter."""

SURE = 0.9
"""The share from which a pixel counts as surely inside; below 1 − SURE it is surely outside."""

REACH = ((0.04, 1.0), (0.12, 0.05), (0.4, 0.002))
"""Over what distances, in face widths, colours nearby are averaged, and with what weights: far ones count where there
are none near."""

GRAIN = 0.02
"""Standard deviation of a pixel's colour that is expected of any photo."""

FAINT, FULL = 0.24, 0.85
"""From which to which share a pixel goes from wholly outside to wholly inside: less is grain, and nobody sees the last
tenth of a wall through hair."""

HEAD = 0.9
"""How far from between the eyes, in face widths, the hair of a head begins at the latest."""

LINKED = 0.4
"""The share from which neighbouring pixels hang together."""

LEAST_SPREAD = (10.0, 4.0, 4.0)
"""Standard deviations in L, a, b that hair's colour has at least from roots to ends."""

SAME_COLOUR = 3.0
"""Standard deviations from the mean colour of the hair at which a colour is no longer its own."""

PARSER_ERROR = 0.5
"""Standard deviation of a parser's share on a rim; far from any it is 0."""

FEW = 30
"""Pixels below which nothing is told from colours."""

WAVERING, MOST_EVIDENCE = 0.1, 2.5
"""The share of hair from which a colour may decide for it, and by how much at most, as a logarithm of odds."""

SPREAD = 0.03
"""Over what distance, in face widths, a rim found by the parser may lie elsewhere."""

CLUES_ACROSS = 80
"""Pixels across the face at which colours nearby are averaged: they are smooth."""


@dataclass(frozen=True)
class Nearby:
    """The colours of one side of a rim, around each pixel."""

    mean: Floats
    """(h,w,3)."""
    covariance: Floats
    """(h,w,6): of red with itself, green and blue, of green with itself and blue, of blue with itself."""


def resized(values: Floats, size: tuple[int, int]) -> Floats:
    """(H,W), or (H,W,C) of up to four channels, at `size` (width, height): areas averaged where it shrinks, smooth
    where it grows."""
    if values.shape[1::-1] == size:
        return values
    how = cv2.INTER_AREA if size[0] < values.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size, interpolation=how), dtype=np.float32)


def mean_nearby(values: Floats, weight: Floats, face_width: float) -> Floats:
    """The weighted mean of values (H,W,C) around each pixel: of those within a few hundredths of the face's width, and
    of ever farther ones where there are none.

    weight: (H,W), 0 where a value does not count. face_width: pixels."""
    shares = _sum_nearby(weight, face_width) + np.float32(1e-9)
    sums = [_sum_nearby(values[..., i] * weight, face_width) for i in range(values.shape[2])]
    return np.stack([total / shares for total in sums], axis=-1)


def _sum_nearby(values: Floats, face_width: float) -> Floats:
    """The weighted sum of values (H,W) at the distances of `REACH`."""
    soft = [importance * _blurred(values, max(0.5, reach * face_width)) for reach, importance in REACH]
    return np.asarray(np.add.reduce(soft), dtype=np.float32)


def _blurred(values: Floats, sigma: float) -> Floats:
    """A Gaussian of (H,W); wide ones are computed at a smaller size."""
    height, width = values.shape
    shrink = sigma / 3 if sigma > 4.5 else 1.0
    small = resized(values, (max(2, round(width / shrink)), max(2, round(height / shrink))))
    soft = cv2.GaussianBlur(small, (0, 0), sigma * small.shape[1] / width)
    return resized(np.asarray(soft, dtype=np.float32), (width, height))


def colours_nearby(picture: Floats, weight: Floats, face_width: float) -> Nearby:
    """Mean and covariance of the colours around each pixel of a picture (H,W,3), of those pixels that `weight` (H,W)
    counts."""
    moments = mean_nearby(np.concatenate([picture, _products(picture)], axis=2), weight, face_width)
    mean = moments[..., :3]
    return Nearby(mean, moments[..., 3:] - _products(mean))


def _products(values: Floats) -> Floats:
    """(H,W,6): of three channels (H,W,3) the products of each with itself and those behind it."""
    first, second = [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]
    return np.stack([values[..., i] * values[..., j] for i, j in zip(first, second, strict=True)], axis=-1)


def refine_along_strands(picture: Floats, share: Floats, face_width: float) -> Floats:
    """A matte (H,W) as fine as a picture (H,W,3), from a parser's share (h,w) of the same part of the photo.

    face_width: of the face, in pixels of the picture. Where inside and outside have nearly the same colour, or many
    colours, the share is kept; where it is very sure it is kept, too."""
    height, width = picture.shape[:2]
    wanted = min(1.0, CLUES_ACROSS / face_width)
    small = (max(8, round(width * wanted)), max(8, round(height * wanted)))
    clues = _clues(resized(picture, small), resized(share, small), face_width * small[0] / width)
    slope, offset, precision = (resized(clue, share.shape[1::-1]) for clue in clues)
    spread = SPREAD * face_width * share.shape[1] / width
    rim = 4 * cv2.GaussianBlur(share, (0, 0), spread) * (1 - cv2.GaussianBlur(share, (0, 0), spread))
    error = PARSER_ERROR * np.minimum(1, 1.5 * rim)
    trust = np.square(error) / (np.square(error) + 1 / precision)
    slope, offset, trust, share = (resized(field, (width, height)) for field in (slope, offset, trust, share))
    matte = _summed(cv2.multiply(picture, slope))
    matte += offset
    np.clip(matte, 0, 1, out=matte)
    matte += (1 - trust) * (share - matte)
    matte -= np.float32(FAINT)
    matte /= np.float32(FULL - FAINT)
    return np.clip(matte, 0, 1, out=matte)


def _summed(values: NDArray[np.integer | np.floating]) -> Floats:
    """The sum (H,W) over three channels (H,W,3)."""
    return np.asarray(cv2.transform(values, np.ones((1, 3))), dtype=np.float32)


def without_haze(share: Floats, face_width: float) -> Floats:
    """A share (H,W) less what a parser only guesses at: low shares far from where it is sure become 0.

    face_width: pixels of the face in `share`."""
    near = cv2.GaussianBlur((share > 0.5).astype(np.float32), (0, 0), max(0.5, 0.05 * face_width))
    return np.asarray(share * np.clip(8 * near - 0.1, 0, 1), dtype=np.float32)


def one_head(share: Floats, middle: NDArray[np.floating], face_width: float) -> Floats:
    """A share of hair (H,W) less what does not hang together with the head: other people, fur, boards.

    middle: (x,y) between the eyes. face_width: pixels of the face in `share`."""
    near = np.zeros(share.shape, np.uint8)
    cv2.circle(near, np.rint(middle).astype(int).tolist(), round(HEAD * face_width), 1, -1)
    _, parts = cv2.connectedComponents((share > LINKED).astype(np.uint8))
    counts = np.bincount(parts[near > 0], minlength=int(parts.max()) + 1)
    kept = counts > 0.002 * face_width**2
    kept[0] = False
    # Softly: what is sure keeps the faint rim around it.
    soft = cv2.GaussianBlur(kept[parts].astype(np.float32), (0, 0), max(0.5, 0.03 * face_width))
    return np.asarray(share * np.where(kept[parts], 1, np.clip(4 * soft, 0, 1)), dtype=np.float32)


def of_the_same_colour(lab: Floats, share: Floats, known: Floats) -> Floats:
    """How far each pixel of CIELAB (H,W,3) may be hair by its colour, (H,W): 0 where no hair of `share` (H,W) that is
    known looks like it.

    known: (H,W), how far a share can be relied on. Far from the face a parser takes jackets for hair."""
    sure = (share > 0.8) & (known > 0.5)
    if sure.sum() < FEW:
        return np.ones(share.shape, np.float32)
    distance = np.sqrt(_distance_squared(lab, sure))
    return np.clip((SAME_COLOUR - distance) / (0.4 * SAME_COLOUR), 0, 1, dtype=np.float32)


def taken_from_skin(lab: Floats, hair: Floats, skin: Floats) -> Floats:
    """A share of hair (H,W), raised where the parser wavers between hair and skin and the colour (H,W,3), in CIELAB, is
    clearly that of hair: white hair over a forehead.

    hair, skin: shares (H,W)."""
    sure = [(hair > 0.8), (skin > 0.95)]
    if min(int(one.sum()) for one in sure) < FEW:
        return hair
    of_hair, of_skin = (_distance_squared(lab, one) for one in sure)
    both = hair + skin
    odds = hair / np.maximum(skin, 1e-4) * np.exp(np.clip(0.5 * (of_skin - of_hair), 0, MOST_EVIDENCE))
    wavering = (hair > WAVERING) & (both > 0.7)
    return np.where(wavering, both * odds / (1 + odds), hair).astype(np.float32)


def _distance_squared(lab: Floats, sure: NDArray[np.bool_]) -> Floats:
    """Squared distance (H,W) of each colour (H,W,3) from those where `sure` (H,W), in their own standard deviations
    (Mahalanobis 1936)."""
    mean, covariance = _spread_of(lab, sure)
    # With the inverse as W·Wᵀ, the distance is the length of Wᵀ·(lab − mean): one pass over the picture.
    whitening = np.linalg.cholesky(np.linalg.inv(covariance)).T
    white = cv2.transform(lab, np.column_stack([whitening, -whitening @ mean]))
    return _summed(cv2.multiply(white, white))


def _spread_of(lab: Floats, sure: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (3,) and covariance (3,3) of the colours (H,W,3) where `sure` (H,W); at least that of one head's hair."""
    seen = lab[sure].astype(np.float64)
    covariance = np.cov(seen, rowvar=False) + np.diag(np.square(LEAST_SPREAD))
    return seen.mean(axis=0), covariance


def _clues(picture: Floats, share: Floats, face_width: float) -> tuple[Floats, Floats, Floats]:
    """How a pixel's colour I tells its share: slope (h,w,3) and offset (h,w) of slope·I + offset, which is 0 at the
    mean colour outside and 1 at that inside; and the precision (h,w) of that, 1 / variance."""
    inside = colours_nearby(picture, np.clip((share - SURE) / (1 - SURE), 0, 1), face_width)
    outside = colours_nearby(picture, np.clip((1 - SURE - share) / (1 - SURE), 0, 1), face_width)
    between = inside.mean - outside.mean
    squared = np.square(between).sum(axis=2) + np.float32(1e-4)
    slope = between / squared[..., None]
    offset = -(slope * outside.mean).sum(axis=2)
    mixed = outside.covariance + share[..., None] * (inside.covariance - outside.covariance)
    # Products of two different channels stand for both orders.
    variance = (_products(slope) * mixed) @ np.array([1, 2, 2, 1, 2, 1], np.float32) + GRAIN**2 / squared
    return slope, offset, (1 / np.maximum(variance, 1e-6)).astype(np.float32)


def refine_along_edges(light: Floats, share: Floats, face_width: float) -> Floats:
    """A matte (H,W) whose edges are those of the photo's light (H,W), from a parser's share (h,w) of the same part: the
    fast guided filter of He and Sun 2015.

    face_width: of the face, in pixels of `light`."""
    height, width = light.shape
    size = share.shape[1::-1]
    guide = resized(light, size)
    side = 2 * max(1, round(0.015 * face_width * size[0] / width)) + 1

    def mean(values: NDArray[np.floating]) -> Floats:
        return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)

    slope: Floats = mean(guide * share) - mean(guide) * mean(share)
    slope /= mean(guide * guide) - np.square(mean(guide)) + SMOOTHNESS
    offset = mean(mean(share) - slope * mean(guide))
    slope = mean(slope)
    whole = resized(slope, (width, height)) * light + resized(offset, (width, height))
    return np.clip(whole, 0, 1, dtype=np.float32)
