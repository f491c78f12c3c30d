"""Hair on a curve of lightness: what is coarse goes through the curve, the finest detail beside it.

A steep curve would blow up the photo's grain, so detail is passed on with a bounded slope, and with a factor that keeps
the hair as sharp as it was."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.matte import Floats

STEEPEST, FLATTEST = 1.5, 0.75
"""Bounds of the slope with which detail is passed on."""

SHARPNESS = (0.94, 0.99)
"""Fine detail of the dyed hair over that of the photo."""

FINER = 64
"""Steps per whole lightness at which curves are tabulated."""

DETAIL = (0.6, 1.5)
"""Bounds of the factor that reaches that."""


def dyed(lab: Floats, curve: Floats, own: Floats, kept: float, blur: float, detail: float = 1.0) -> Floats:
    """CIELAB (h,w,3) of hair on a curve (101,3) of lightness, everywhere.

    own: (1,2), the hair's mean a and b. kept: how much of each pixel's deviation from that stays. blur: pixels over
    which lightness is averaged before it goes through the curve. detail: a factor of finer detail than that."""
    light = np.ascontiguousarray(lab[..., 0])
    base = _blurred(light, blur)
    start = curve - np.float32(kept) * np.append(np.float32(0), own)
    new = looked_up(start, base)
    lightened = _with_detail(np.ascontiguousarray(new[..., 0]), _slopes(curve, base), light - base, detail)
    new = np.asarray(cv2.scaleAdd(lab, kept, new), dtype=np.float32)
    new[..., 0] = lightened
    return new


def _blurred(light: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma), dtype=np.float32)


def _with_detail(light: Floats, slope: Floats, finer: Floats, detail: float) -> Floats:
    """New lightness with the detail that is finer, passed on with a slope; each (h,w)."""
    return np.clip(light + np.float32(detail) * slope * finer, 0, 100)


def _slopes(curve: Floats, base: Floats) -> Floats:
    """How steeply a curve (101,3) of lightness rises at each of `base` (h,w), within bounds."""
    return looked_up(np.clip(np.gradient(curve[:, 0]), FLATTEST, STEEPEST)[:, None], base)[..., 0]


def looked_up(curve: NDArray[np.floating], base: Floats) -> Floats:
    """A curve (101,C) at each lightness (h,w): (h,w,C).

    Read off a finer table, whose steps nobody can see: interpolating for each pixel takes ten times as long."""
    fine = np.linspace(0, len(curve) - 1, (len(curve) - 1) * FINER + 1)
    table = [np.interp(fine, np.arange(len(curve), dtype=np.float64), values) for values in curve.T]
    place = (np.clip(base, 0, len(curve) - 1) * np.float32(FINER) + np.float32(0.5)).astype(np.int32)
    return np.take(np.stack(table, axis=-1).astype(np.float32), place, axis=0)


def sharp_detail(light: Floats, inside: NDArray[np.bool_], curve: Floats, blur: float) -> float:
    """The factor of fine detail with which hair stays as sharp as it is on a curve (101,3).

    light: lightness (H,W). inside: (H,W), where the hair is. blur: pixels over which lightness is averaged."""
    base = _blurred(light, blur)
    new, slope, finer = looked_up(curve[:, :1], base)[..., 0], _slopes(curve, base), light - base
    before, detail = max(1e-3, _fineness(light, inside)), 1.0
    for _ in range(3):
        sharper = _fineness(_with_detail(new, slope, finer, detail), inside) / before
        detail = float(np.clip(detail * np.clip(sharper, *SHARPNESS) / max(1e-3, sharper), *DETAIL))
    return detail


def _fineness(light: Floats, inside: NDArray[np.bool_]) -> float:
    """How much fine detail lightness (H,W) has within a mask: the deviation of a pixel from those around it."""
    return float((light - _blurred(light, 1.5))[inside].std())
