"""How the colours and the fine detail of a part of a picture changed. Colours are CIELAB float32 (H,W,3), L in
[0,100]; differences are those of CIE 1976."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

VISIBLE = 6.0
"""Difference (ΔE) from which a change of one pixel is seen: two or three are grain and rounding."""

COLOURED = 6.0
"""Chroma from which a pixel has a hue; what has less is grey."""

FINE = 1.5
"""Standard deviation in pixels of the blur that fine detail is the rest of."""

Lab = NDArray[np.float32]
Region = NDArray[np.bool_]
"""(H,W): which pixels count."""


def lab_of(picture: NDArray[np.uint8]) -> Lab:
    """The CIELAB colours of a picture, RGB uint8 (H,W,3)."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def visible_share(before: Lab, after: Lab, region: Region) -> float:
    """Share in [0,1] of a region's pixels that changed visibly; NaN for a region of none."""
    if not region.any():
        return float("nan")
    return float((np.linalg.norm(after[region] - before[region], axis=1) > VISIBLE).mean())


def coloured_share(lab: Lab, region: Region) -> float:
    """Share in [0,1] of a region's pixels that have a hue; NaN for a region of none."""
    return float((_chroma(lab[region]) > COLOURED).mean()) if region.any() else float("nan")


def hue_spread(lab: Lab, region: Region, fewest: int = 50) -> float:
    """Circular standard deviation in degrees of the hues of a region's pixels that have one: √(−2 ln R), R the length
    of their mean direction (Mardia & Jupp 2000, Section 2.3).

    fewest: NaN is returned where fewer pixels have a hue."""
    pixels = lab[region]
    pixels = pixels[_chroma(pixels) > COLOURED]
    if len(pixels) < fewest:
        return float("nan")
    hues = np.arctan2(pixels[:, 2].astype(np.float64), pixels[:, 1])
    length = float(np.abs(np.exp(1j * hues).mean()))
    return float(np.degrees(np.sqrt(-2 * np.log(np.clip(length, 1e-12, 1)))))


def detail_ratio(before: Lab, after: Lab, region: Region) -> float:
    """Fine detail of a region after an edit over that before: mean difference of lightness from its own blur. 1 is the
    photo's sharpness, less is softer, more is grain; NaN for a region of no pixels or without detail."""
    if not region.any():
        return float("nan")
    one, other = (float(np.abs(_fine(lab[..., 0])[region]).mean()) for lab in (before, after))
    return other / one if one > 1e-3 else float("nan")  # less is rounding


def smoothed(lab: NDArray[np.float32], region: Region, sigma: float) -> NDArray[np.float32]:
    """A picture (H,W,C) averaged by a Gaussian of `sigma` pixels over a region's own pixels, so that what lies beside
    the region does not run into it; meaningless outside."""
    weight = region.astype(np.float32)
    total = cv2.GaussianBlur(lab * weight[..., None], (0, 0), sigma).reshape(lab.shape)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)[..., None], np.float32)


def _chroma(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.hypot(pixels[:, 1], pixels[:, 2])


def _fine(light: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(light - cv2.GaussianBlur(light, (0, 0), FINE), np.float32)
