"""What a painted picture means: of each pixel, which colour of a small palette was meant, edges that a program blurred
included.

A pixel of a palette's colour is sure. Any other lies on an edge: a brush, a scaled picture or a JPEG mixes the two
colours on either side of it, and a mixture can look like a third colour. So the labels around a pixel decide, and its
colour only between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Codes = NDArray[np.uint32]
"""Colours as one number each: red + 256 green + 65536 blue."""

CLEAR = 1 << 24
"""The code of a transparent pixel."""

UNSURE = 255
"""In a label map that is being made: not decided yet."""

EXACT = 3.0
"""Distances in RGB up to this are rounding: the palette's own colour was meant."""
NOISE, ROUGH = 16.0, 24.0
"""The same in a picture whose flat areas are noisy, as JPEG leaves them: there a colour must fill 2 × 2 pixels to be
sure, or 3 × 3."""
NEAR = 60.0
"""Colours farther than this from all of a palette, and from all that mixes two of its colours, were not meant to be one
of them."""
BESIDE = 30.0
"""An area of one colour that is at most this far from one of the palette is a colour that was picked a little wrong."""

CONVERTED = 90.0
"""How far a conversion from one colour space to another moves a colour, at most."""

ROWS = 64
"""Rows that are looked at together: their pixels stay in the processor's cache, which makes large maps several times
quicker to read."""
SAMPLED = 1_000_000
"""About as many pixels say what a picture's colours are like."""
CHUNK = 50_000
"""Pixels that are decided together, which bounds the memory."""
STRIDES = (1,) * 4 + (2,) * 4 + (4,) * 4 + (8,) * 4 + (16,) * 4 + (32,) * 4
"""Steps from an unsure pixel outwards to the sure ones around it, in pixels: over the softest brush, 250 pixels
wide."""
WAYS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))

LEAST_AREA, LEAST_SHARE = 15, 2e-5
"""Pixels of strange colours, and their share of a picture, up to which they are specks; those at an area's rim do not
count."""

FARTHEST = 12
"""Distances in pixels beyond which a label is not the less likely for being farther still."""
PER_PIXEL = 2.0
"""What a pixel of distance counts, in units of colour."""
FIT, WEIGHT = {False: 6.0, True: 30.0}, {False: 4.0, True: 1.0}
"""How far a mixture may lie from two labels' colours to be explained by them, without and with noise; and what that
distance counts."""
SHARPER = 4.0
"""How much more the light of a noisy picture's pixel says of its label than its hue does, which it shares with its
neighbours."""
UNSEEN = 60.0
"""What a label counts that no neighbour has, in the same: a thin stroke may have no pixel of its full colour."""


@dataclass(frozen=True)
class Meaning:
    """What the pixels of a picture mean."""

    labels: NDArray[np.uint8]
    """(H,W) indices into the palette."""
    moved: int
    """Pixels of other colours, which were taken for a label."""
    unknown: dict[int, int]
    """Colours that fill areas and are none of the palette, with their numbers of pixels, the most frequent first. What
    they are labelled says nothing then."""


def meaning(image: Image.Image, palette: NDArray[np.uint8]) -> Meaning:
    """What each pixel of a picture of any mode that Pillow turns into RGBA means. palette: (K,3) RGB, its first colour
    the background.

    Pixels are transparent, which is background, from half on, whatever the colour beneath.
    """
    colours = palette.astype(np.float32)
    labels = _scanned(image, _table(colours, EXACT))
    if not (labels == UNSURE).any():
        return Meaning(labels, 0, {})
    colours, noisy = _as_seen(image, colours)
    if noisy:
        labels, rough = _scanned(image, _table(colours, NOISE)), _scanned(image, _table(colours, ROUGH))
        labels = np.where(_solid(labels, 2), labels, np.where(_solid(rough, 3), rough, UNSURE)).astype(np.uint8)
    elif (colours != palette).any():
        labels = _scanned(image, _table(colours, EXACT))
    unsure = labels == UNSURE
    at, codes = np.flatnonzero(unsure), _codes_at(image, unsure)
    if len(at) > labels.size / 2:  # a photo, say: no map has so many edges
        return Meaning(labels, len(at), _counted(codes))
    flat = np.zeros(len(at), np.bool_)
    if not noisy:
        flat = np.isin(codes, _flat_codes(at, codes, labels.shape[1]))
    found, strange = _decided(labels, at, codes, colours, flat, noisy)
    labels.reshape(-1)[at] = found
    return Meaning(labels, len(at), _areas(labels.shape, at[strange], codes[strange]))


def unmixed(labels: NDArray[np.uint8], count: int) -> tuple[NDArray[np.uint8], int]:
    """Labels (H,W) from 0 to count − 1 that a program smoothed or scaled as if they were greys, put right; and how many
    pixels were.

    Between hair (10) and background (0) any number lies, and all are labels. In a map that was smoothed such numbers
    stand between most areas; in one that was not, areas mostly touch, and it stays as it is."""
    if min(labels.shape) < 3:
        return labels, 0
    solid, between, touching = _solid(labels, 2), np.zeros(labels.shape, np.bool_), 0
    height, width = labels.shape
    here = labels[1:-1, 1:-1]
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, other = (
            np.s_[1 + y : height - 1 + y, 1 + x : width - 1 + x] for y, x in ((-down, -across), (down, across))
        )
        a, b = labels[one], labels[other]
        between[1:-1, 1:-1] |= ((a < here) & (here < b)) | ((b < here) & (here < a))
        if not (down and across):
            # Nothing lies between labels that follow one another.
            touching += int((((a > here + 1) | (here > a + 1)) & solid[1:-1, 1:-1] & solid[one]).sum())
        if (down, across) == (1, 0) and between.sum() <= touching / 2:
            return labels, 0
    mixed = between & ~solid
    if solid.mean() < 0.5 or mixed.sum() <= max(LEAST_AREA, touching):
        return labels, 0
    greys = (np.arange(count) * (255 // count)).astype(np.uint8)
    sure = np.where(mixed, UNSURE, labels).astype(np.uint8)
    at = np.flatnonzero(mixed)
    codes = greys[labels.reshape(-1)[at]].astype(np.uint32) * np.uint32(0x010101)
    palette = np.repeat(greys[:, None], 3, axis=1).astype(np.float32)
    sure.reshape(-1)[at] = _decided(sure, at, codes, palette, np.zeros(len(at), np.bool_), False)[0]
    return sure, len(at)


def _bands(image: Image.Image) -> Iterator[tuple[slice, Codes]]:
    """Rows and their colours (h,W), CLEAR where they are transparent."""
    for top in range(0, image.height, ROWS):
        bottom = min(top + ROWS, image.height)
        pixels = np.asarray(image.crop((0, top, image.width, bottom)).convert("RGBA"))
        packed = pixels.view("<u4")[..., 0]
        codes = packed & np.uint32(CLEAR - 1)
        if pixels[..., 3].min() < 255:
            codes = np.where(pixels[..., 3] < 128, np.uint32(CLEAR), codes)
        yield slice(top, bottom), codes


def _table(colours: NDArray[np.float32], tolerance: float) -> NDArray[np.uint8]:
    """Of every colour there is, by its code: the label it is for sure, or UNSURE."""
    table = np.full(CLEAR + 1, UNSURE, np.uint8)
    table[CLEAR] = 0
    reach = np.arange(-int(tolerance) - 1, int(tolerance) + 2)
    around = np.stack(np.meshgrid(reach, reach, reach), axis=-1).reshape(-1, 3)
    for label, colour in enumerate(colours):
        near = np.rint(colour).astype(np.int64) + around
        near = near[((near >= 0) & (near <= 255)).all(axis=1)]
        near = near[np.linalg.norm(near - colour, axis=1) <= tolerance]
        table[near @ np.array([1, 1 << 8, 1 << 16])] = label
    return table


def _scanned(image: Image.Image, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    labels = np.empty((image.height, image.width), np.uint8)
    for rows, codes in _bands(image):
        labels[rows] = table[codes]
    return labels


def _codes_at(image: Image.Image, where: NDArray[np.bool_]) -> Codes:
    """The colours of some pixels, in reading order."""
    return np.concatenate([codes[where[rows]] for rows, codes in _bands(image)])


def _rgb(codes: Codes) -> NDArray[np.float32]:
    return np.stack([codes & 255, codes >> 8 & 255, codes >> 16], axis=1).astype(np.float32)


def _distances(colours: NDArray[np.float32], palette: NDArray[np.float32]) -> NDArray[np.float32]:
    """(U,K) in RGB."""
    return np.linalg.norm(colours[:, None] - palette[None], axis=2)


def _as_seen(image: Image.Image, palette: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """The palette (K,3) as the picture shows it, and whether its areas are noisy.

    A program that converts colours moves each of a palette's somewhere else: then most areas have another colour than
    the palette's, and the most frequent one near each is its own. Noise lies close around the palette's colours,
    mixtures lie anywhere between two of them."""
    apart = max(1, math.isqrt(image.width * image.height // SAMPLED))
    small = image.resize((-(-image.width // apart), -(-image.height // apart)), Image.Resampling.NEAREST)
    codes = np.concatenate([codes.reshape(-1) for _, codes in _bands(small)])
    codes, counts = np.unique(codes[codes != CLEAR], return_counts=True)
    if not len(codes):
        return palette, False
    colours = _rgb(codes)
    distance = _distances(colours, palette)
    nearest, least = distance.argmin(axis=1), distance.min(axis=1)
    near = (nearest > 0) & (least <= CONVERTED)
    # Without soft edges there is one colour to a label, and most labels' colours count, however few pixels have them.
    hard = len(np.unique(nearest)) == len(nearest) and bool((least <= NEAR).all())
    if counts[near & (least <= EXACT)].sum() < counts[near].sum() / 2 or (hard and (least[near] > EXACT).mean() > 0.5):
        palette = palette.copy()
        for label in range(len(palette)):
            there = np.flatnonzero((nearest == label) & (least <= CONVERTED))
            if len(there) and counts[there].max() > counts[there].sum() / 4:
                palette[label] = colours[there[counts[there].argmax()]]
        least = _distances(colours, palette).min(axis=1)
    noise = counts[(least > EXACT) & (least <= NOISE)].sum()
    return palette, bool(noise > max(counts.sum() / 100, counts[least > NOISE].sum()))


def _solid(labels: NDArray[np.uint8], side: int) -> NDArray[np.bool_]:
    """(H,W) whether a pixel is one of side × side that have its label."""
    kernel = np.ones((side, side), np.uint8)
    # Where all of a square are one label, its least is its greatest; UNSURE is the greatest of all.
    uniform = (cv2.erode(labels, kernel) == cv2.dilate(labels, kernel)).astype(np.uint8)
    return cv2.dilate(uniform, kernel, anchor=(side - 1 - side // 2,) * 2) > 0


def _flat_codes(at: NDArray[np.int64], codes: Codes, width: int) -> Codes:
    """The colours that fill 3 × 3 pixels somewhere. at: places in reading order; codes: their colours."""
    colours, counts = np.unique(codes, return_counts=True)
    flat = []
    for code in colours[counts >= 9]:
        there = at[codes == code]
        corners = there
        for step in (1, 2, width, width + 1, width + 2, 2 * width, 2 * width + 1, 2 * width + 2):
            found = np.searchsorted(there, corners + step).clip(max=len(there) - 1)
            corners = corners[there[found] == corners + step]
        if len(corners):
            flat.append(code)
    return np.array(flat, dtype=np.uint32)


def _decided(
    labels: NDArray[np.uint8],
    at: NDArray[np.int64],
    codes: Codes,
    palette: NDArray[np.float32],
    flat: NDArray[np.bool_],
    noisy: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """For unsure pixels (n) their labels, and whether their colours are none of the palette's nor a mixture of two.

    at: where they are, in reading order. flat: whether their colour fills an area. Two of the labels beside a pixel
    explain it where their colours mix to its own, three where they meet, and else one of them with a label that is too
    thin to be sure anywhere near. What none explains becomes the label beside it whose colour is nearest."""
    colours, which = np.unique(codes, return_inverse=True)
    rgb = _rgb(colours)
    one, other = np.array(list(combinations_with_replacement(range(len(palette)), 2))).T
    residuals, nearer = _mixtures(rgb, palette, one, other, noisy)
    alone = _distances(rgb, palette)
    fit, weight = FIT[noisy], WEIGHT[noisy]
    found, strange = np.empty(len(at), np.uint8), np.empty(len(at), np.bool_)
    for start in range(0, len(at), CHUNK):
        colour = which[start : start + CHUNK]
        away = _away(labels, at[start : start + CHUNK], len(palette))
        # Beside an edge, what lies far beyond both of its sides has no part in it.
        beside = np.isfinite(away) & (away <= 2 * np.sort(away, axis=1)[:, 1:2] + 1)
        far = PER_PIXEL * np.minimum(away, FARTHEST) + 0.01 * np.minimum(away, 999)
        unlikely = np.where(beside, far, np.where(np.isfinite(away), UNSEEN / 2, UNSEEN)).astype(np.float32)
        cost = weight * residuals[colour] + np.maximum(unlikely[:, one], unlikely[:, other])
        best = np.where(beside[:, one] & beside[:, other], cost, np.inf).argmin(axis=1)
        least = np.where(beside.any(axis=1), residuals[colour, best], np.inf)
        label = nearer[colour, best]
        left = np.flatnonzero(least > fit)
        if len(left) and not noisy:
            meeting, residual = _meeting(rgb[colour[left]], palette, beside[left])
            label[left] = np.where(residual <= fit, meeting, label[left])
            left = left[residual > fit]
        if len(left):
            thin = np.where(beside[left][:, one] | beside[left][:, other] | (one == other), cost[left], np.inf).argmin(
                axis=1
            )
            explained = residuals[colour[left], thin] <= min(fit, BESIDE)
            closest = np.where(beside[left], alone[colour[left]], np.inf).argmin(axis=1)
            label[left] = np.where(explained, nearer[colour[left], thin], closest)
        # An area of a colour near one of the palette's was painted in that one, whatever it lies between.
        picked = flat[start : start + CHUNK] & (alone[colour].min(axis=1) <= BESIDE) & (least > 2 * EXACT)
        label[picked] = alone[colour[picked]].argmin(axis=1)
        found[start : start + CHUNK] = label
        area = flat[start : start + CHUNK] & (least > 2 * EXACT)
        strange[start : start + CHUNK] = (residuals[colour].min(axis=1) > NEAR) | (
            area & (alone[colour].min(axis=1) > NEAR)
        )
    return found, strange


def _meeting(
    colours: NDArray[np.float32], palette: NDArray[np.float32], beside: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Of colours (n,3) the most of which of three labels beside them (n,K) they are mixed of, and how far (n) they are
    from such mixtures.

    Infinite where no three explain a colour.
    """
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


def _mixtures(
    colours: NDArray[np.float32],
    palette: NDArray[np.float32],
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    noisy: bool,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """For colours (U,3) and pairs of labels (P): distances (U,P) from what the two mix to, and which of them is nearer
    (U,P).

    noisy: as JPEG and WebP leave a picture, which keep the light of each pixel but one hue for four of them: then a
    pixel may have another share of the two in its hue than in its light."""
    residuals, nearer = np.empty((len(colours), len(one)), np.float32), np.empty((len(colours), len(one)), np.uint8)
    light, lights = _light(colours), _light(palette)
    for pair, (a, b) in enumerate(zip(one, other, strict=True)):
        share, residuals[:, pair], _ = _on_the_way(colours, palette[a], palette[b])
        if noisy:
            bright, off_light, apart = _on_the_way(light, lights[a], lights[b])
            hue, off_hue, between = _on_the_way(colours - light, palette[a] - lights[a], palette[b] - lights[b])
            residuals[:, pair] = np.hypot(off_light, off_hue)
            share = ((between * hue + SHARPER * apart * bright) / max(between + SHARPER * apart, 1.0)).astype(
                np.float32
            )
        nearer[:, pair] = np.where(share > 0.5, b, a)
    return residuals, nearer


def _light(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of colours (n,3) the greys (n,3) that are as light."""
    return np.repeat(colours @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=1)


def _on_the_way(
    colours: NDArray[np.float32], start: NDArray[np.float32], end: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Where on the way from one colour to another colours (U,3) lie, from 0 to 1; how far beside it; and the square of
    its length."""
    way = end - start
    length = float(way @ way)
    share = np.clip((colours - start) @ way / max(length, 1.0), 0, 1)
    beside = np.linalg.norm(colours - start - share[:, None] * way, axis=1)
    return share.astype(np.float32), beside.astype(np.float32), length


def _away(labels: NDArray[np.uint8], at: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """How far the nearest sure pixel of each label is from each place (n,K), as seen in eight directions; infinite
    where none is."""
    height, width = labels.shape
    away = np.full((len(at), count), np.inf, np.float32)
    for down, across in WAYS:
        left, gone, (y, x) = np.arange(len(at)), 0, np.divmod(at, width)
        for stride in STRIDES:
            gone += stride
            y, x = y + stride * down, x + stride * across
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            left, y, x = left[inside], y[inside], x[inside]
            label = labels[y, x]
            hit = label != UNSURE
            away[left[hit], label[hit]] = np.minimum(away[left[hit], label[hit]], gone * math.hypot(down, across))
            left, y, x = left[~hit], y[~hit], x[~hit]
            if not len(left):
                break
    return away


def _areas(shape: tuple[int, ...], at: NDArray[np.int64], codes: Codes) -> dict[int, int]:
    """The colours of pixels that fill areas, with their numbers; none where they are but scattered."""
    marked = np.zeros(shape, np.uint8)
    marked.reshape(-1)[at] = 1
    solid = int(cv2.erode(marked, np.ones((3, 3), np.uint8)).sum())
    return _counted(codes) if solid > max(LEAST_AREA, marked.size * LEAST_SHARE) else {}


def _counted(codes: Codes) -> dict[int, int]:
    """The colours with their numbers of pixels, the most frequent first."""
    colours, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {int(colours[i]): int(counts[i]) for i in order}
