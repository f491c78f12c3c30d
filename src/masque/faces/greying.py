"""Hair that turns grey strand by strand, the lightest ones and the temples first: between dark and grey hair lies hair
with strands of both, not hair of a colour in between."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.matte import resized
from masque.faces.strand_curve import looked_up
from masque.faces.strips import Box, Strip, enlarged_box

STEEPEST, FLATTEST = 1.7, 0.4
"""Bounds of the slope with which detail is passed on to grey hair."""
MOST_LIFTED = 38.0
"""By how much a strand may become lighter."""
BASE, WIDEST = 0.008, 6.0
"""Over what distance, in face widths and at most in pixels, lightness is averaged before it goes through the curve."""
AROUND = 0.02
"""Over what distance, in face widths, strands are compared with those around."""
UNEVEN = 0.7
"""How much sooner light strands turn than those around."""
RIM_LIFTED = 0.35
"""How much of that is left at the rim of the hair, which wall and skin shine through."""
SURE = 0.8
"""Matte from which a pixel is taken for hair alone when colours are measured."""


@dataclass(frozen=True)
class Greying:
    """Turns some strands of hair grey."""

    name: str
    box: Box
    matte: NDArray[np.uint8]
    """(h,w) over the box: how much of each pixel is hair."""
    sure: NDArray[np.uint8]
    """(h,w) over the box: where a pixel is hair alone."""
    temples: NDArray[np.uint8]
    """(h,w) over the box: how near the temples are, where hair is grey first."""
    around: NDArray[np.float32]
    """(h',w') over the box: mean lightness around each pixel."""
    curve: NDArray[np.float32]
    """(101,1): for each whole lightness of a strand that of the same strand in grey."""
    spread: float
    """By how much, in L, strands differ from those around, usually."""
    blur: float
    """Pixels over which lightness is averaged before it goes through the curve."""
    amount: float
    """How much of the hair is grey, from 0 to 1."""

    @property
    def reach(self) -> int:
        """As far as lightness is averaged."""
        return int(np.ceil(3.5 * self.blur))

    def scaled(self, strength: float) -> Greying:
        """The same with less of the hair grey."""
        return replace(self, amount=self.amount * strength)

    def enlarged(self, factor: float) -> Greying:
        """The same for a photo that is `factor` times as large."""
        return replace(self, box=enlarged_box(self.box, factor), blur=self.blur * factor)

    def apply(self, strip: Strip) -> None:
        """Turn the strip's strands grey."""
        alpha = strip.sample(self.matte, self.box)
        if self.amount <= 0 or not alpha.any():
            return
        light, a, b = cv2.split(strip.lab)
        base = np.asarray(cv2.GaussianBlur(light, (0, 0), self.blur), dtype=np.float32)
        slope = np.clip(np.gradient(self.curve[:, 0]), FLATTEST, STEEPEST)
        grey, steep = cv2.split(looked_up(np.stack([self.curve[:, 0], slope], axis=1), base))
        grey += steep * (light - base)
        beyond = np.clip((light - strip.sample(self.around, self.box)) / np.float32(self.spread), -1.5, 1.5)
        temples = strip.sample(self.temples, self.box)
        uneven = np.float32(UNEVEN * self.amount * (1 - self.amount))
        turned = np.clip(np.float32(self.amount) * (0.75 + 0.5 * temples) + uneven * beyond, 0, 1)
        lift = alpha * turned * np.minimum(grey - light, MOST_LIFTED)
        lift *= RIM_LIFTED + (1 - RIM_LIFTED) * strip.sample(self.sure, self.box)
        lifted = np.where(alpha > 0, np.clip(light + lift, 0, 100), light)
        kept = 1 - np.float32(0.9) * alpha * np.minimum(1, np.float32(1.15) * turned)
        strip.lab[:] = cv2.merge([lifted, a * kept, b * kept])


def greying(
    name: str,
    light: NDArray[np.float32],
    box: Box,
    matte: NDArray[np.uint8],
    face_width: float,
    ears: NDArray[np.floating],
    amount: float,
) -> Greying | None:
    """The layer that turns a share of hair grey; None where too little hair is seen.

    light: (h,w), lightness of the photo within the box at any size. matte: (h',w') over the box. face_width: pixels of
    the photo. ears: (2,2), the landmarks beside both, in photo pixels. amount: the share, from 0 to 1."""
    size = (light.shape[1], light.shape[0])
    scale = size[0] / (box[2] - box[0])
    across = face_width * scale
    alpha = resized(matte.astype(np.float32) / np.float32(255), size)
    inside = alpha > SURE
    if amount <= 0 or inside.sum() < max(80, 0.004 * across**2):
        return None
    around = cv2.GaussianBlur(light, (0, 0), max(0.5, AROUND * across))
    spread = 1.48 * float(np.median(np.abs(light - around)[inside])) + 0.5
    sure = cv2.GaussianBlur((alpha > 0.9).astype(np.float32), (0, 0), max(0.5, 0.01 * across))
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    at = np.stack([x, y], axis=-1) / scale + np.array(box[:2])
    nearest = np.min([np.linalg.norm(at - ear, axis=2) for ear in ears], axis=0)
    coarse = (max(2, size[0] // 4), max(2, size[1] // 4))
    return Greying(
        name=name,
        box=box,
        matte=matte,
        sure=_bytes(sure),
        temples=_bytes(resized(np.exp(-nearest / (0.35 * face_width)).astype(np.float32), coarse)),
        around=np.asarray(around, dtype=np.float32),
        curve=_grey_curve(light[inside]),
        spread=spread,
        blur=min(max(0.7, BASE * face_width), WIDEST),
        amount=amount,
    )


def _grey_curve(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """What becomes of each whole lightness: dark strands become middling, middling ones light."""
    dark, middle, bright = (float(v) for v in np.percentile(light, (4, 50, 97)))
    dark, bright = max(0.5, min(dark, middle - 4)), min(99.0, max(bright, middle + 10))
    middle = min(max(middle, dark + 1), bright - 1)
    to = (0.45 * dark + 8, max(0.62 * middle + 24, middle + 4), max(80.0, bright))
    curve = np.interp(np.arange(101), [0, dark, middle, bright, 100], [0, *to, min(100.0, to[2] + 8)])
    return np.asarray(curve[:, None], dtype=np.float32)


def _bytes(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.clip(values.astype(np.float32), 0, 1)), dtype=np.uint8)
