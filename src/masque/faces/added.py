"""What a network painted, as differences that are added to pixels which were moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.change import Change
from masque.faces.strips import Box, Strip, enlarged_box
from masque.image import Picture


@dataclass(frozen=True)
class Added:
    """Adds to pixels. At half its strength, on pixels that are moved half as far, an edit is half itself; pixels laid
    over half opaquely would show everything twice."""

    reach: ClassVar[int] = 0
    name: str
    box: Box
    strength: float
    difference: NDArray[np.int16]
    """(h,w,3) over the box, -255 to 255: added to R, G and B at full strength."""

    def scaled(self, strength: float) -> Added:
        """The same with differences `strength` times as large."""
        return replace(self, strength=self.strength * strength)

    def enlarged(self, factor: float) -> Added:
        """The same for a photo that is `factor` times as large."""
        return replace(self, box=enlarged_box(self.box, factor))

    def apply(self, strip: Strip) -> None:
        """Add to the strip's pixels."""
        pixels = strip.finish()
        added = np.float32(self.strength) * strip.sample(self.difference, self.box)
        differs = added.any(axis=2)
        shown = np.clip(np.rint(pixels + added), 0, 255).astype(np.uint8)
        pixels[differs] = shown[differs]


def difference_between(photo: Picture, edited: Picture, name: str) -> Change:
    """The change that adds to a photo (H,W,3) what an edited one of the same size has more or less.

    name: what the edit is called."""
    difference = np.subtract(edited, photo, dtype=np.int16)
    differs = difference.any(axis=2)
    size = (photo.shape[1], photo.shape[0])
    if not differs.any():
        return Change(size)
    x, y, width, height = cv2.boundingRect(np.asarray(differs, dtype=np.uint8))
    part = np.ascontiguousarray(difference[y : y + height, x : x + width])
    return Change(size, (Added(name, (x, y, x + width, y + height), 1.0, part),))
