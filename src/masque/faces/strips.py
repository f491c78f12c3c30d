"""Strips of a photo while it is changed: pixels brought from where they come from, fields sampled where they lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.image import Picture

Box: TypeAlias = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the photo; right and bottom are the first that do not belong to it. A box may
reach beyond the photo."""

Field: TypeAlias = NDArray[np.float32] | NDArray[np.int16] | NDArray[np.uint8]
"""(h,w) or (h,w,C) over a box, at any size; uint8 is a matte, of which 255 is all."""

Points: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""x and y of points in pixels of the photo, each (h,w)."""

Sources: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32]], Points]
"""Where pixels at (x, y) come from."""

STILL = 0.02
"""Pixels by which a pixel must move to be resampled: less cannot be seen, and resampling blurs."""


class Strip:
    """Some rows of the photo while a change is applied to them: their pixels, and where they lie."""

    def __init__(self, photo: Picture, box: Box, moves: Sequence[Sources]) -> None:
        """photo: (H,W,3), the whole. box: what the strip covers, within the photo. moves: where each
        movement takes pixels from, in order."""
        left, top, right, bottom = box
        x, y = np.meshgrid(np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32))
        self.box = box
        self.positions: list[Points] = [(x, y)]
        for move in reversed(moves):
            self.positions.insert(0, move(*self.positions[0]))
        self.pixels = _resampled(photo, box, *self.positions[0]) if moves else photo[top:bottom, left:right].copy()
        """RGB uint8 (h,w,3), moved."""
        self.stage = 0
        self._lab: NDArray[np.float32] | None = None
        self._before: NDArray[np.float32] | None = None

    @property
    def lab(self) -> NDArray[np.float32]:
        """CIELAB (h,w,3) of the strip, lightness in [0,100], to be changed in place."""
        if self._lab is None:
            lab = cv2.cvtColor(self.pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
            self._lab = np.asarray(lab, dtype=np.float32)
            self._before = self._lab.copy()
        return self._lab

    @property
    def before(self) -> NDArray[np.float32]:
        """CIELAB (h,w,3) of the strip before any layer tinted it."""
        assert self.lab is not None
        assert self._before is not None
        return self._before

    def sample(self, field: Field, box: Box) -> NDArray[np.float32]:
        """A field over a box at each pixel of the strip: float32 (h,w) or (h,w,C), a matte in [0,1].

        Beyond the box it is 0. Where a later layer moves pixels, the field moves along."""
        x, y = self.positions[self.stage]
        return sampled(field, box, x, y)

    def finish(self) -> Picture:
        """The strip's pixels with what was changed in CIELAB; others are as they were, bit for bit."""
        if self._lab is not None and self._before is not None:
            differs = self._lab != self._before
            changed = differs[..., 0] | differs[..., 1] | differs[..., 2]
            if changed.any():
                rgb = cv2.cvtColor(self._lab, cv2.COLOR_LAB2RGB)
                shown = np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)
                lightened = changed & ~differs[..., 1] & ~differs[..., 2]
                if lightened.any():  # grey has no colour, and rounding must give it none
                    own = self.pixels
                    neutral = lightened & (own[..., 0] == own[..., 1]) & (own[..., 1] == own[..., 2])
                    np.copyto(shown, shown[..., 1:2], where=neutral[..., None])
                np.copyto(self.pixels, shown, where=changed[..., None])
        self._lab = self._before = None
        return self.pixels


def sampled(field: Field, box: Box, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """A field over a box at points (x, y) of the photo, each float32 (h,w): (h,w) or (h,w,C); 0 beyond the box.

    Mattes are interpolated linearly, so that they stay within [0,1], and fields by cubic splines, since linear pieces
    of a displacement show as creases."""
    left, top, right, bottom = box
    to_x, to_y = field.shape[1] / (right - left), field.shape[0] / (bottom - top)
    at = ((x - left + 0.5) * np.float32(to_x) - 0.5, (y - top + 0.5) * np.float32(to_y) - 0.5)
    matte = field.dtype == np.uint8
    found = cv2.remap(
        field,
        at[0].astype(np.float32),
        at[1].astype(np.float32),
        cv2.INTER_LINEAR if matte or min(to_x, to_y) >= 1 else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    outside = (x < left - 0.5) | (x > right - 0.5) | (y < top - 0.5) | (y > bottom - 0.5)
    found[outside] = 0
    return found / np.float32(255) if matte else found


def enlarged_box(box: Box, factor: float) -> Box:
    """The box around the same part of a photo that is `factor` times as large."""
    left, top, right, bottom = (round(edge * factor) for edge in box)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _resampled(photo: Picture, box: Box, x: NDArray[np.float32], y: NDArray[np.float32]) -> Picture:
    """The pixels of a strip that come from (x, y); those that stay are the photo's own."""
    left, top, right, bottom = box
    own = photo[top:bottom, left:right]
    far = np.abs(x - np.arange(left, right, dtype=np.float32)) > STILL
    far |= np.abs(y - np.arange(top, bottom, dtype=np.float32)[:, None]) > STILL
    result = own.copy()
    if far.any():
        # Only the part of the photo that is seen is handed on: OpenCV's maps end at 32,767 pixels.
        x0, x1 = _seen(x, photo.shape[1])
        y0, y1 = _seen(y, photo.shape[0])
        part = np.ascontiguousarray(photo[y0:y1, x0:x1])
        moved = cv2.remap(part, x - x0, y - y0, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
        result[far] = moved[far]
    return result


def _seen(positions: NDArray[np.float32], length: int) -> tuple[int, int]:
    """The first and the end of the pixels, of `length`, that are needed to sample positions; one pixel at least."""
    first, last = math.floor(float(positions.min())) - 4, math.ceil(float(positions.max())) + 5
    first = min(max(0, first), length - 1)
    return first, min(max(first + 1, last), length)
