"""The colour and texture that a part of one picture has, given to the same part of another, in CIELAB.

Lightness is shifted as a logarithm, ln(L + 8), so that shadows stay shadows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.matte import mean_nearby

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

OFFSET = 8.0
"""Added to lightness before its logarithm is taken."""

SPREAD = (0.6, 1.2)
"""How much flatter or livelier the shading of a part may become."""

LIGHTEST = np.log(92 + OFFSET)
"""Lightness, as a logarithm, which smooth skin does not pass: above it is gloss."""

BANDS = ((0.004, 0.010), (0.010, 0.024))
"""Standard deviations, in face widths, of the Gaussians between which texture is compared: pores, and blotches."""

GAIN = (0.55, 1.5)
"""How much weaker or stronger a band of texture may become."""


@dataclass(frozen=True)
class Style:
    """What is taken of a part: of ln(L + 8), a and b."""

    mean: Floats
    """(3,)."""
    spread: Floats
    """(3,): how much they vary smoothly over the part, as standard deviations."""
    texture: Floats
    """(2,): standard deviations of lightness in the bands of `BANDS`."""


def logarithmic(lab: Floats) -> Floats:
    """CIELAB (h,w,3) with ln(L + 8) in place of L."""
    result = lab.copy()
    result[..., 0] = np.log(np.maximum(lab[..., 0], 0) + OFFSET)
    return result


def style_of(lab: Floats, inside: Mask, face_width: float) -> Style:
    """The style of a part of a picture (h,w,3) where `inside` (h,w), of some pixels at least.

    face_width: in its pixels. Means are of the middle half of the pixels by lightness, so that neither gloss nor a
    shadow over half a face decides them."""
    values = logarithmic(lab)
    seen = values[inside]
    low, high = np.percentile(seen[:, 0], (25, 75))
    middle = seen[(seen[:, 0] >= low) & (seen[:, 0] <= high)]
    base = smooth_base(values, inside, face_width)[inside]
    texture = [float(band[inside].std()) for band in _bands(lab[..., 0], face_width)]
    return Style(middle.mean(axis=0), base.std(axis=0), np.array(texture, np.float32))


def smooth_base(values: Floats, inside: Mask, face_width: float) -> Floats:
    """Values (h,w,3) of a part, smooth, and carried on beyond it."""
    return mean_nearby(values, inside.astype(np.float32), 1.0 * face_width)


def shift_to(lab: Floats, inside: Mask, wanted: Style, face_width: float) -> Floats:
    """How a part of a picture (h,w,3) has to be shifted, (h,w,3), to have another style's colour: smooth."""
    own = style_of(lab, inside, face_width)
    base = smooth_base(logarithmic(lab), inside, face_width)
    factor = np.clip(wanted.spread / np.maximum(own.spread, 1e-3), *SPREAD)
    target = wanted.mean + factor * (base - own.mean)
    light = target[..., 0]
    over = np.maximum(0, light - LIGHTEST)
    target[..., 0] = np.where(over > 0, np.maximum(np.minimum(light, LIGHTEST) + 0.2 * over, 0), light)
    return np.asarray(target - base, dtype=np.float32)


def texture_change(lab: Floats, inside: Mask, wanted: Style, face_width: float) -> Floats:
    """What of lightness (h,w) has to be added to a part of a picture for its texture to be as strong as another's."""
    own = style_of(lab, inside, face_width)
    change = np.zeros(lab.shape[:2], np.float32)
    for band, have, want in zip(_bands(lab[..., 0], face_width), own.texture, wanted.texture, strict=True):
        change += (np.clip(want / max(float(have), 1e-3), *GAIN) - 1) * band
    return change


def _bands(light: Floats, face_width: float) -> list[Floats]:
    """Lightness (h,w) in each band of `BANDS`."""

    def soft(sigma: float) -> Floats:
        return np.asarray(cv2.GaussianBlur(light, (0, 0), max(0.3, sigma * face_width)), dtype=np.float32)

    return [soft(fine) - soft(coarse) for fine, coarse in BANDS]
