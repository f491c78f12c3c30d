"""The skin of one face made that of another: its smooth base of colour and light, its contrast, its grain, and the
colours along a rim. Texture stays whose it is.

Colours are CIELAB. A base is a polynomial of second order over the face, fitted to bare skin alone and blind to what is
no skin after all (iteratively reweighted, Holland and Welsch 1977)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.image import Picture

Maps = NDArray[np.float32]
"""(h,w) or (h,w,C) over a canvas."""

SAMPLES = 90
"""About how many pixels across the face a base is fitted on."""

FEWEST = 50
"""Pixels of skin that a base is fitted to; with fewer it is their mean."""

ROUNDS = 6

WIDE = 4.0
"""Deviation in pixels that a Gaussian keeps where its picture is shrunk first."""

BENDS = np.diag([0, 0.02, 0.02, 0.3, 0.3, 0.3]) * 0.05
"""How much each term of a base is held back, per pixel of skin."""

SHADOWS = 0.14
"""Deviation, in face widths, of the Gaussian by which shadows are taken into a base."""

LIGHTEST, DARKEST = 97.0, 5.0
"""Between which a base's lightness lies."""

COLOUR_KEPT = 0.7
"""How much of a pixel's colour apart from its base's it brings along onto skin as light as its own; less onto darker
skin, whose colours lie closer together."""

CONTRAST = (0.75, 1.5)
"""By what the contrast of skin is multiplied at least and at most to be that of the other."""

DARKER = 0.85
"""Onto a base that is so much darker contrast is never lowered, else never raised: light skin shows less of it."""


def to_lab(picture: Picture | Maps) -> Maps:
    """CIELAB (h,w,3) of a picture, which may hold fractions of levels."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), dtype=np.float32)


def to_rgb(lab: Maps) -> Picture:
    """A picture of CIELAB (h,w,3)."""
    return np.asarray(np.rint(255 * np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)), dtype=np.uint8)


def skin_base(lab: Maps, skin: Maps, centre: NDArray[np.float64], width: float) -> Maps:
    """The smooth base (h,w,3) of a face's colours and light.

    lab: CIELAB (h,w,3). skin: (h,w) in [0,1], how surely a pixel is bare skin. centre: (2,), the face's middle, and its
    width, in pixels."""
    height, across = skin.shape
    step = max(1, int(width / SAMPLES))
    y, x = np.mgrid[0:height:step, 0:across:step].astype(np.float64)
    weight = skin[::step, ::step].ravel().astype(np.float64)
    values = lab[::step, ::step].reshape(-1, 3).astype(np.float64)
    sure = weight > 0.3
    if sure.sum() < FEWEST:
        some = weight > 0
        return np.broadcast_to((values[some] if some.any() else values).mean(axis=0), lab.shape).astype(np.float32)
    terms = _terms((x.ravel()[sure] - centre[0]) / width, (y.ravel()[sure] - centre[1]) / width)
    values, own = values[sure], weight[sure]
    held = BENDS * own.sum()
    weight = own
    for _ in range(ROUNDS):
        weighted = terms.T * weight
        found = np.linalg.solve(weighted @ terms + held, weighted @ values)
        off = np.abs(values[:, 0] - terms @ found[:, 0])
        weight = own / (1 + np.square(off / (1.5 * float(np.median(off)) + 1e-3)))
    y, x = np.mgrid[0:height, 0:across].astype(np.float64)
    base = (_terms((x - centre[0]) / width, (y - centre[1]) / width) @ found).astype(np.float32)
    base += _uneven(lab - base, skin, width)
    base[..., 0] = np.clip(base[..., 0], DARKEST, LIGHTEST)
    return base


def _uneven(left: Maps, skin: Maps, width: float) -> Maps:
    """What of the light on a face is too uneven for the polynomial, such as a side in shadow, (h,w,3).

    left: (h,w,3), what the polynomial does not explain."""
    weight = blurred(skin, SHADOWS * width)
    spread = blurred(np.clip(left, -30, 30) * skin[..., None], SHADOWS * width)
    near = np.clip(3 * weight, 0, 1)
    return np.asarray(spread / np.maximum(weight, 0.05)[..., None] * near[..., None], dtype=np.float32)


def blurred(values: NDArray[np.generic], sigma: float) -> Maps:
    """A Gaussian of (h,w) or (h,w,C); sigma in pixels. A wide one is worked out small, which hardly shows."""
    whole = np.asarray(values, np.float32)
    shrink = int(sigma / WIDE)
    if shrink < 2 or min(whole.shape[:2]) < 4 * shrink:
        return np.asarray(cv2.GaussianBlur(whole, (0, 0), max(0.5, sigma)), dtype=np.float32)
    size = max(1, round(whole.shape[1] / shrink)), max(1, round(whole.shape[0] / shrink))
    small = cv2.GaussianBlur(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), (0, 0), sigma / shrink)
    return np.asarray(cv2.resize(small, whole.shape[1::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…,6): a polynomial's terms at points in face widths, which stop to grow beyond the face."""
    x, y = np.clip(x, -0.75, 0.75), np.clip(y, -0.9, 0.9)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


@dataclass(frozen=True)
class Match:
    """How colours of one face become those of another; maps are over a canvas."""

    own: Maps
    """(h,w,3): the base of the face."""
    other: Maps
    """(h,w,3): the base of the one that it is to look like."""
    eyes: Maps
    """(h,w) in [0,1]: eyes and teeth, which have no skin's colour."""
    contrast: float = 1.0
    """By what the contrast of light is multiplied."""
    shift: Maps | None = None
    """(h,w,3), added at the end."""

    def matched(self, lab: Maps, enlarged: Callable[[Maps], Maps]) -> Maps:
        """The face's CIELAB (H,W,3) with the other's base.

        enlarged: brings a map of the canvas to the size of `lab`."""
        own, other, eyes = enlarged(self.own), enlarged(self.other), enlarged(self.eyes)[..., None]
        light, shade = lab[..., :1], lab[..., :1] - own[..., :1]
        ratio = other[..., :1] / own[..., :1]
        # What is lighter than the base stays below white, and what is darker keeps its proportion.
        lighter = other[..., :1] + (100 - other[..., :1]) * shade / (100 - own[..., :1])
        darker = light * ratio
        skin = np.where(shade > 0, np.minimum(darker, np.maximum(lighter, other[..., :1] + 0.6 * shade)), darker)
        skin = other[..., :1] + self.contrast * (skin - other[..., :1])
        eye = np.where(shade > 0, lighter, darker)
        kept = COLOUR_KEPT * np.clip(ratio, 0.6, 1)
        colour = other[..., 1:] + kept * (lab[..., 1:] - own[..., 1:])
        eye_colour = lab[..., 1:] + 0.25 * (other[..., 1:] - own[..., 1:])
        result = np.concatenate([(1 - eyes) * skin + eyes * eye, (1 - eyes) * colour + eyes * eye_colour], axis=2)
        if self.shift is not None:
            result += enlarged(self.shift)
        return np.asarray(result, dtype=np.float32)


def contrast_between(own: Maps, own_base: Maps, other: Maps, other_base: Maps, skin: Maps, other_skin: Maps) -> float:
    """By what the contrast of a face's skin is to be multiplied to be another's. own, other: CIELAB (h,w,3)."""
    if min((skin > 0.5).sum(), (other_skin > 0.5).sum()) < 100:
        return 1.0

    def spread(lab: Maps, base: Maps, inside: Maps) -> float:
        values = (lab - base)[..., 0][inside > 0.5]
        return float(np.median(np.abs(values - np.median(values))))

    gain = spread(other, other_base, other_skin) / max(0.3, spread(own, own_base, skin))
    ratio = float((other_base[..., 0] / own_base[..., 0]).mean())
    return float(np.clip(gain, 1, CONTRAST[1]) if ratio < DARKER else np.clip(gain, CONTRAST[0], 1))


def rim_shift(difference: Maps, known: Maps, width: float) -> Maps:
    """A correction (h,w,3) that goes smoothly from what is known along a rim into what lies within.

    difference: (h,w,3), what colours lack there. known: (h,w), how far each pixel's is believed. width: of the face in
    pixels."""
    total = np.zeros_like(difference)
    weight = np.full(known.shape, 1e-6, np.float32)
    for sigma, share in ((0.05, 1.0), (0.12, 0.25), (0.3, 0.05)):
        total += share * blurred(difference * known[..., None], sigma * width)
        weight += share * blurred(known, sigma * width)
    return np.asarray(total / (weight + 0.002)[..., None], dtype=np.float32)


BANDS = (0.8, 1.6, 3.2)
"""Deviations in pixels of the Gaussians between which fine detail lies."""


GRAINY = 2
"""Bands that grain may be added to; coarser detail is no grain."""

GRAIN = 0.65
"""How much of the missing grain is added: even noise is more easily seen than skin's or a camera's."""

PATCH = 4.0
"""Deviation in pixels of the Gaussian over which the power of fine detail is averaged."""

SMOOTHEST = 0.3
"""The share of skin, the smoothest, by which grain is measured."""


def match_grain(light: Maps, other: Maps, skin: NDArray[np.bool_], other_skin: NDArray[np.bool_], softly: Maps) -> Maps:
    """Lightness (H,W) with the fine detail of another's: what is sharper is softened, what is smoother gets grain.

    skin, other_skin: (H,W), where both are measured. softly: (H,W) in [0,1], how much of the grain each pixel takes."""
    if min(skin.sum(), other_skin.sum()) < 200:
        return light
    result = light.copy()
    noise = np.random.default_rng(0).standard_normal(light.shape).astype(np.float32)
    before = [light, other, noise]
    for number, sigma in enumerate(BANDS):
        after = [blurred(values, sigma) for values in before]
        own_band, other_band, noise_band = (a - b for a, b in zip(before, after, strict=True))
        own, wanted = _amplitude(own_band, skin), _amplitude(other_band, other_skin)
        if own > 1.05 * wanted:
            result += own_band * (wanted / own - 1)
        elif wanted > 1.05 * own and number < GRAINY:
            missing = GRAIN * math.sqrt(wanted**2 - own**2)
            result += softly * noise_band * (missing / max(1e-6, float(noise_band.std())))
        before = after
    return np.asarray(result, dtype=np.float32)


def _amplitude(band: Maps, skin: NDArray[np.bool_]) -> float:
    """The deviation of fine detail where skin is smooth: folds and hairs are no grain."""
    # Powers are averaged over some pixels anyway, so half the size is enough.
    size = max(1, skin.shape[1] // 2), max(1, skin.shape[0] // 2)
    known = skin.astype(np.float32)
    squares, inside = (
        np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
        for values in (np.square(band) * known, known)
    )
    power = blurred(squares, PATCH / 2) / np.maximum(blurred(inside, PATCH / 2), 0.3)
    return math.sqrt(max(0.0, float(np.quantile(power[inside > 0.5], SMOOTHEST)))) if (inside > 0.5).any() else 0.0
