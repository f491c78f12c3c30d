"""What a painted picture means: of each pixel, which colour of a small palette was meant, edges that a program blurred
included.

A pixel of a palette's colour is sure. Any other lies on an edge: a brush, a scaled picture or a JPEG mixes the two
colours on either side of it, and a mixture can look like a third colour. So the labels around a pixel decide, and its
colour only between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masque.faces.mixtures import Codes, Mixtures, distances, mixtures, mixtures_of_three, rgb_of

TRANSPARENT = 1 << 24
"""The code of a transparent pixel."""

UNSURE = 255
"""In a label map that is being made: not decided yet."""

EXACT = 3.0
"""Distances in RGB up to this are rounding: the palette's own colour was meant."""
NOISE = 16.0
"""Distances in RGB up to this are noise, in a picture whose flat areas are noisy as JPEG leaves them: there a colour
must fill 2 × 2 pixels to be sure."""
STRONG_NOISE = 24.0
"""Distances in RGB up to this are noise there where a colour fills 3 × 3 pixels."""
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
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""Steps down and across in which the surroundings of a pixel are searched."""

LEAST_AREA = 15
"""Pixels of strange colours up to which they are specks; those at an area's rim do not count."""
LEAST_SHARE = 2e-5
"""Share of a picture up to which strange colours are specks."""

FARTHEST = 12
"""Distances in pixels beyond which a label is not the less likely for being farther still."""
PER_PIXEL = 2.0
"""What a pixel of distance counts, in units of colour."""
FIT = {False: 6.0, True: 30.0}
"""How far a colour may lie from all that two labels' colours mix to and still be explained by them: in RGB, without and
with noise."""
RESIDUAL_WEIGHT = {False: 4.0, True: 1.0}
"""What that distance counts, without and with noise."""
ABSENT = 60.0
"""What a label counts that no neighbour has, in units of colour: a thin stroke may have no pixel of its full colour."""


@dataclass(frozen=True)
class PaintedLabels:
    """The label map that a painted picture means."""

    labels: NDArray[np.uint8]
    """(H,W) indices into the palette."""
    moved: int
    """How many pixels of other colours were taken for a label."""
    unknown: dict[int, int]
    """Colours that fill areas and are none of the palette, with their numbers of pixels, the most frequent first. What
    they are labelled says nothing then."""


def labels_by_colour(image: Image.Image, palette: NDArray[np.uint8]) -> PaintedLabels:
    """Which colour of a palette each pixel of a picture was painted in.

    image: of any mode that Pillow turns into RGBA. palette: (K,3) RGB, its first colour the background. Pixels that are
    transparent by half or more are background, whatever the colour beneath."""
    colours = palette.astype(np.float32)
    labels = _look_up(image, _sure_labels(colours, EXACT))
    if not (labels == UNSURE).any():
        return PaintedLabels(labels, 0, {})
    colours, noisy = _palette_in_picture(image, colours)
    if noisy:
        labels = _look_up(image, _sure_labels(colours, NOISE))
        rough = _look_up(image, _sure_labels(colours, STRONG_NOISE))
        labels = np.where(_solid(labels, 2), labels, np.where(_solid(rough, 3), rough, UNSURE)).astype(np.uint8)
    elif (colours != palette).any():
        labels = _look_up(image, _sure_labels(colours, EXACT))
    unsure = labels == UNSURE
    at, codes = np.flatnonzero(unsure), _codes_at(image, unsure)
    if len(at) > labels.size / 2:  # a photo, say: no map has so many edges
        return PaintedLabels(labels, len(at), _count_colours(codes))
    flat = np.zeros(len(at), np.bool_)
    if not noisy:
        flat = np.isin(codes, _flat_codes(at, codes, labels.shape[1]))
    found, strange = _decide(labels, _Unsure(at, codes, flat), colours, noisy)
    labels.reshape(-1)[at] = found
    return PaintedLabels(labels, len(at), _areas(labels.shape, at[strange], codes[strange]))


def undo_smoothing(labels: NDArray[np.uint8], count: int) -> tuple[NDArray[np.uint8], int]:
    """Labels (H,W) that a program smoothed or scaled as if they were greys, put right; and how many pixels were.

    count: the labels are 0 to count − 1.

    Between hair (10) and background (0) any number lies, and all are labels. In a map that was smoothed such numbers
    stand between most areas; in one that was not, areas mostly touch, and it stays as it is."""
    if min(labels.shape) < 3:
        return labels, 0
    solid = _solid(labels, 2)
    between = np.zeros(labels.shape, np.bool_)
    touching = 0
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
    sure.reshape(-1)[at] = _decide(sure, _Unsure(at, codes, np.zeros(len(at), np.bool_)), palette, False)[0]
    return sure, len(at)


def _bands(image: Image.Image) -> Iterator[tuple[slice, Codes]]:
    """Rows and their colours (h,W), TRANSPARENT where they are transparent."""
    for top in range(0, image.height, ROWS):
        bottom = min(top + ROWS, image.height)
        pixels = np.asarray(image.crop((0, top, image.width, bottom)).convert("RGBA"))
        packed = pixels.view("<u4")[..., 0]
        codes = packed & np.uint32(TRANSPARENT - 1)
        if pixels[..., 3].min() < 255:
            codes = np.where(pixels[..., 3] < 128, np.uint32(TRANSPARENT), codes)
        yield slice(top, bottom), codes


def _sure_labels(colours: NDArray[np.float32], tolerance: float) -> NDArray[np.uint8]:
    """For every colour there is, by its code: the label that it surely means, or UNSURE."""
    table = np.full(TRANSPARENT + 1, UNSURE, np.uint8)
    table[TRANSPARENT] = 0
    reach = np.arange(-int(tolerance) - 1, int(tolerance) + 2)
    around = np.stack(np.meshgrid(reach, reach, reach), axis=-1).reshape(-1, 3)
    for label, colour in enumerate(colours):
        near = np.rint(colour).astype(np.int64) + around
        near = near[((near >= 0) & (near <= 255)).all(axis=1)]
        near = near[np.linalg.norm(near - colour, axis=1) <= tolerance]
        table[near @ np.array([1, 1 << 8, 1 << 16])] = label
    return table


def _look_up(image: Image.Image, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    labels = np.empty((image.height, image.width), np.uint8)
    for rows, codes in _bands(image):
        labels[rows] = table[codes]
    return labels


def _codes_at(image: Image.Image, where: NDArray[np.bool_]) -> Codes:
    """The colours of some pixels, in reading order."""
    return np.concatenate([codes[where[rows]] for rows, codes in _bands(image)])


def _palette_in_picture(image: Image.Image, palette: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """The palette (K,3) as the picture shows it, and whether its areas are noisy.

    A program that converts colours moves each of a palette's somewhere else: then most areas have another colour than
    the palette's, and the most frequent one near each is its own. Noise lies close around the palette's colours,
    mixtures lie anywhere between two of them."""
    step = max(1, math.isqrt(image.width * image.height // SAMPLED))
    small = image.resize((-(-image.width // step), -(-image.height // step)), Image.Resampling.NEAREST)
    codes = np.concatenate([codes.reshape(-1) for _, codes in _bands(small)])
    codes, counts = np.unique(codes[codes != TRANSPARENT], return_counts=True)
    if not len(codes):
        return palette, False
    colours = rgb_of(codes)
    to_palette = distances(colours, palette)
    nearest, least = to_palette.argmin(axis=1), to_palette.min(axis=1)
    near = (nearest > 0) & (least <= CONVERTED)
    # Without soft edges there is one colour to a label, and most labels' colours count, however few pixels have them.
    hard = len(np.unique(nearest)) == len(nearest) and bool((least <= NEAR).all())
    if counts[near & (least <= EXACT)].sum() < counts[near].sum() / 2 or (hard and (least[near] > EXACT).mean() > 0.5):
        palette = palette.copy()
        for label in range(len(palette)):
            there = np.flatnonzero((nearest == label) & (least <= CONVERTED))
            if len(there) and counts[there].max() > counts[there].sum() / 4:
                palette[label] = colours[there[counts[there].argmax()]]
        least = distances(colours, palette).min(axis=1)
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


@dataclass(frozen=True)
class _Unsure:
    """The n pixels of a label map that are not decided yet."""

    at: NDArray[np.int64]
    """(n,): where they are, in reading order."""
    codes: Codes
    """(n,): the colours of these pixels, each as one number."""
    flat: NDArray[np.bool_]
    """(n,): whether their colour fills an area."""


def _decide(
    labels: NDArray[np.uint8], unsure: _Unsure, palette: NDArray[np.float32], noisy: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The labels (n,) of unsure pixels, and whether their colours are none of the palette's nor a mixture of two
    (n,)."""
    colours, which = np.unique(unsure.codes, return_inverse=True)
    mixed = mixtures(rgb_of(colours), palette, noisy)
    count = len(unsure.at)
    found, strange = np.empty(count, np.uint8), np.empty(count, np.bool_)
    for start in range(0, count, CHUNK):
        some = slice(start, start + CHUNK)
        away = _distances_to_labels(labels, unsure.at[some], len(palette))
        found[some], strange[some] = _decide_some(mixed, which[some], away, unsure.flat[some], palette, noisy)
    return found, strange


def _decide_some(
    mixed: Mixtures,
    colour: NDArray[np.int64],
    away: NDArray[np.float32],
    flat: NDArray[np.bool_],
    palette: NDArray[np.float32],
    noisy: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """As `_decide`, for n pixels of the colours `colour` (n,) of U, from which each label is `away` (n,K) pixels.

    Two of the labels beside a pixel explain it where their colours mix to its own, three where they meet, and else one
    of them with a label that is too thin to be sure anywhere near. What none explains becomes the label beside it whose
    colour is nearest."""
    fit, one, other = FIT[noisy], mixed.first, mixed.second
    # Beside an edge, what lies far beyond both of its sides has no part in it.
    beside = np.isfinite(away) & (away <= 2 * np.sort(away, axis=1)[:, 1:2] + 1)
    cost = _cost(mixed, colour, away, beside, noisy)
    best = np.where(beside[:, one] & beside[:, other], cost, np.inf).argmin(axis=1)
    least = np.where(beside.any(axis=1), mixed.residuals[colour, best], np.inf)
    label = mixed.nearer[colour, best]
    left = np.flatnonzero(least > fit)
    if len(left) and not noisy:
        meeting, residual = mixtures_of_three(mixed.rgb[colour[left]], palette, beside[left])
        label[left] = np.where(residual <= fit, meeting, label[left])
        left = left[residual > fit]
    if len(left):
        with_thin = beside[left][:, one] | beside[left][:, other] | (one == other)
        thin = np.where(with_thin, cost[left], np.inf).argmin(axis=1)
        explained = mixed.residuals[colour[left], thin] <= min(fit, BESIDE)
        closest = np.where(beside[left], mixed.distances[colour[left]], np.inf).argmin(axis=1)
        label[left] = np.where(explained, mixed.nearer[colour[left], thin], closest)
    # An area of a colour near one of the palette's was painted in that one, whatever it lies between.
    area, nearest = flat & (least > 2 * EXACT), mixed.distances[colour].min(axis=1)
    picked = area & (nearest <= BESIDE)
    label[picked] = mixed.distances[colour[picked]].argmin(axis=1)
    strange = (mixed.residuals[colour].min(axis=1) > NEAR) | (area & (nearest > NEAR))
    return label, strange


def _cost(
    mixed: Mixtures,
    colour: NDArray[np.int64],
    away: NDArray[np.float32],
    beside: NDArray[np.bool_],
    noisy: bool,
) -> NDArray[np.float32]:
    """How unlikely it is that each pair of labels made the colour of each pixel, (n,P)."""
    far = PER_PIXEL * np.minimum(away, FARTHEST) + 0.01 * np.minimum(away, 999)
    unlikely = np.where(beside, far, np.where(np.isfinite(away), ABSENT / 2, ABSENT)).astype(np.float32)
    both = np.maximum(unlikely[:, mixed.first], unlikely[:, mixed.second])
    return np.asarray(RESIDUAL_WEIGHT[noisy] * mixed.residuals[colour] + both)


def _distances_to_labels(labels: NDArray[np.uint8], at: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """How far the nearest sure pixel of each label is from each place (n,K), as seen in eight directions; infinite
    where none is."""
    height, width = labels.shape
    away = np.full((len(at), count), np.inf, np.float32)
    for down, across in DIRECTIONS:
        searching, steps = np.arange(len(at)), 0
        y, x = np.divmod(at, width)
        for stride in STRIDES:
            steps += stride
            y, x = y + stride * down, x + stride * across
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            searching, y, x = searching[inside], y[inside], x[inside]
            label = labels[y, x]
            hit = label != UNSURE
            found = searching[hit], label[hit]
            away[found] = np.minimum(away[found], steps * math.hypot(down, across))
            searching, y, x = searching[~hit], y[~hit], x[~hit]
            if not len(searching):
                break
    return away


def _areas(shape: tuple[int, ...], at: NDArray[np.int64], codes: Codes) -> dict[int, int]:
    """The colours of pixels that fill areas, with their numbers; none where they are but scattered."""
    marked = np.zeros(shape, np.uint8)
    marked.reshape(-1)[at] = 1
    solid = int(cv2.erode(marked, np.ones((3, 3), np.uint8)).sum())
    return _count_colours(codes) if solid > max(LEAST_AREA, marked.size * LEAST_SHARE) else {}


def _count_colours(codes: Codes) -> dict[int, int]:
    """How many pixels each colour has, the most frequent first."""
    colours, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {int(colours[i]): int(counts[i]) for i in order}
