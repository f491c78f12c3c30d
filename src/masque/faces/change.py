"""How an edit changes a photo: layers that move and tint the photo's own pixels, applied once, at the photo's size.

An edit hands back no picture of its own. It says, layer by layer, where pixels come from and how colours change, on
fields that are solved small; `Change.apply` enlarges them and works through the photo in strips, so that a photo of 12
million pixels needs no more memory than a small one. Displacements of all layers are added up first, and the photo is
resampled once, however many edits were put one after another."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.errors import PictureError
from masque.faces.strips import Box, Points, Strip, enlarged_box, sampled
from masque.given import share
from masque.image import Picture

STRIP = 1 << 18
"""Pixels of a strip, about: its float pictures stay in the processor's cache."""

L = TypeVar("L", bound="Layer")


@runtime_checkable
class Layer(Protocol):
    """One step of a change. A frozen dataclass of arrays, numbers and texts, so that it can be stored."""

    @property
    def name(self) -> str:
        """What it is for, such as "hair" or "smile"."""

    @property
    def box(self) -> Box:
        """The part of the photo outside of which it changes nothing."""

    @property
    def reach(self) -> int:
        """Pixels around a pixel that its new colour depends on; 0 for one that looks at no neighbour."""

    def scaled(self: L, strength: float) -> L:
        """The same at a strength of its own: 1 is as it is, 0 changes nothing."""

    def enlarged(self: L, factor: float) -> L:
        """The same for a photo that is `factor` times as large."""

    def apply(self, strip: Strip) -> None:
        """Change a strip's colours in place."""


@dataclass(frozen=True)
class Move:
    """Moves pixels: says of each pixel of the result where it comes from."""

    reach: ClassVar[int] = 0
    name: str
    box: Box
    field: NDArray[np.float32]
    """(h,w,2) over the box, in photo pixels: where a pixel comes from, minus where it is. 0 at the box's rim."""

    def scaled(self, strength: float) -> Move:
        """The same with displacements `strength` times as long."""
        return replace(self, field=(self.field * np.float32(strength)).astype(np.float32))

    def enlarged(self, factor: float) -> Move:
        """The same for a photo that is `factor` times as large."""
        return replace(self, box=enlarged_box(self.box, factor), field=(self.field * factor).astype(np.float32))

    def source_of(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> Points:
        """Where pixels at (x, y) come from: their coordinates, float32 of the same shape."""
        shift = sampled(self.field, self.box, x, y)
        return x + shift[..., 0], y + shift[..., 1]

    def apply(self, strip: Strip) -> None:
        """Nothing: pixels are moved before any layer tints them."""


@dataclass(frozen=True)
class Shift:
    """Shifts colours smoothly where a matte says, in the logarithm of lightness and in the two colours of CIELAB."""

    reach: ClassVar[int] = 0
    name: str
    box: Box
    matte: NDArray[np.uint8]
    """(h,w) over the box."""
    field: NDArray[np.float32]
    """(h',w',3) over the box, added to ln(L + 8), a and b."""

    def scaled(self, strength: float) -> Shift:
        """The same with shifts `strength` times as large."""
        return replace(self, field=(self.field * np.float32(strength)).astype(np.float32))

    def enlarged(self, factor: float) -> Shift:
        """The same for a photo that is `factor` times as large."""
        return replace(self, box=enlarged_box(self.box, factor))

    def apply(self, strip: Strip) -> None:
        """Shift the strip's colours."""
        shift = strip.sample(self.matte, self.box)[..., None] * strip.sample(self.field, self.box)
        inside = shift.any(axis=2)
        lab = strip.lab
        light = (lab[..., 0] + 8) * np.exp(shift[..., 0]) - 8
        lab[..., 0] = np.where(inside, np.clip(light, 0, 100), lab[..., 0])
        lab[..., 1:] += shift[..., 1:]


@dataclass(frozen=True)
class Grey:
    """Takes from what earlier layers changed every colour that the photo had not: a black-and-white photo stays one."""

    reach: ClassVar[int] = 0
    name: str
    box: Box

    def scaled(self, strength: float) -> Grey:  # noqa: ARG002
        """The same: a photo is grey at any strength."""
        return self

    def enlarged(self, factor: float) -> Grey:
        """The same for a photo that is `factor` times as large."""
        return replace(self, box=enlarged_box(self.box, factor))

    def apply(self, strip: Strip) -> None:
        """Bring back the colours that the strip had before it was tinted."""
        strip.lab[..., 1:] = strip.before[..., 1:]


@dataclass(frozen=True)
class Pixels:
    """Puts other pixels in place of the photo's: what an edit painted that says nothing finer of itself."""

    reach: ClassVar[int] = 0
    name: str
    box: Box
    picture: Picture
    """RGB uint8 (h,w,3) over the box."""
    matte: NDArray[np.uint8]
    """(h,w) over the box: how much of `picture` shows."""

    def scaled(self, strength: float) -> Pixels:
        """The same, `strength` times as opaque."""
        return replace(self, matte=np.rint(self.matte * strength).astype(np.uint8))

    def enlarged(self, factor: float) -> Pixels:
        """The same for a photo that is `factor` times as large."""
        return replace(self, box=enlarged_box(self.box, factor))

    def apply(self, strip: Strip) -> None:
        """Lay the pixels over the strip's."""
        strip.finish()
        shown = strip.sample(self.matte, self.box)[..., None]
        over = strip.sample(self.picture, self.box) * 255
        inside = shown[..., 0] > 0
        blended = np.rint(strip.pixels + shown * (over - strip.pixels))
        strip.pixels[inside] = np.clip(blended, 0, 255).astype(np.uint8)[inside]


@dataclass(frozen=True)
class Change:
    """How a photo changes: layers in order, in the photo's own pixels."""

    size: tuple[int, int]
    """(width, height) of the photo."""
    layers: tuple[Layer, ...] = ()

    def apply(self, photo: Picture) -> Picture:
        """The photo (H,W,3), changed. Pixels that no layer reaches are the photo's own, bit for bit.

        Raises PictureError for a photo of another size than the change was made for."""
        self._check(photo)
        result = photo.copy()
        region = self._region()
        if region is None:
            return result
        left, top, right, bottom = region
        rows = max(16, STRIP // (right - left))
        edges = [*range(top, bottom, rows), bottom]
        halo = sum(layer.reach for layer in self.layers)
        moves = [layer.source_of for layer in self.layers if isinstance(layer, Move)]

        def one(first: int, last: int) -> None:
            above, below = max(0, first - halo), min(photo.shape[0], last + halo)
            sides = max(0, left - halo), min(photo.shape[1], right + halo)
            strip = Strip(photo, (sides[0], above, sides[1], below), moves)
            for layer in self.layers:
                strip.stage += isinstance(layer, Move)
                layer.apply(strip)
            done = strip.finish()
            result[first:last, left:right] = done[first - above : last - above, left - sides[0] : right - sides[0]]

        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            list(pool.map(one, edges[:-1], edges[1:]))
        return result

    def scaled(self, strength: float) -> Change:
        """The same change at a strength from 0, the photo as it is, to 1, the whole change. Raises ValueRangeError."""
        strength = share("strength", strength)
        return replace(self, layers=tuple(layer.scaled(strength) for layer in self.layers))

    def then(self, other: Change) -> Change:
        """This change and after it another, that was found on the photo as this one leaves it. The photo is still
        resampled only once. Raises PictureError where they are for photos of different sizes."""
        if self.size != other.size:
            raise PictureError(
                f"One change is for a photo of {_pixels(self.size)}, the other for one of {_pixels(other.size)}: "
                "only changes of the same photo go together."
            )
        return replace(self, layers=self.layers + other.layers)

    def enlarged(self, width: int, height: int) -> Change:
        """The same change for a larger or smaller copy of the photo. Raises PictureError where its proportions are
        others."""
        longer = int(self.size[1] > self.size[0])  # by which sizes that were rounded say best how large a copy is
        factor = (width, height)[longer] / self.size[longer]
        if abs((width, height)[1 - longer] - factor * self.size[1 - longer]) > max(1.0, factor):
            raise PictureError(
                f"The change is for a photo of {_pixels(self.size)}, and {_pixels((width, height))} are other "
                "proportions: give the photo that it was made for."
            )
        return Change((width, height), tuple(layer.enlarged(factor) for layer in self.layers))

    def move_points(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Where points (N,2) of the photo, such as landmarks, lie once it is changed, float32 (N,2)."""
        moved = np.asarray(points, dtype=np.float32)
        for layer in self.layers:
            if isinstance(layer, Move):
                # The field says where pixels come from. Its inverse is found step by step, each only half as long as it
                # seems, since beside what moves far the field changes by more than a pixel per pixel.
                at = moved
                for _ in range(40):
                    shift = sampled(layer.field, layer.box, at[None, :, 0], at[None, :, 1])[0]
                    at = at + np.float32(0.5) * (moved - shift - at)
                moved = at
        return moved

    def _check(self, photo: Picture) -> None:
        size = (photo.shape[1], photo.shape[0])
        if size != self.size:
            raise PictureError(
                f"The change is for a photo of {_pixels(self.size)}, and this one has {_pixels(size)}: "
                "give the photo that it was made for."
            )

    def _region(self) -> Box | None:
        """What of the photo any layer may change; None where nothing is."""
        drift = sum(float(np.abs(m.field).max(initial=0)) for m in self.layers if isinstance(m, Move))
        margin = math.ceil(drift)
        if not self.layers:
            return None
        boxes = np.array([layer.box for layer in self.layers])
        left, top = np.maximum(boxes[:, :2].min(axis=0) - margin, 0).tolist()
        right, bottom = np.minimum(boxes[:, 2:].max(axis=0) + margin, self.size).tolist()
        return (left, top, right, bottom) if right > left and bottom > top else None


def change_between(photo: Picture, edited: Picture, name: str) -> Change:
    """The change from a photo (H,W,3) to an edited one of the same size, that puts the edited pixels in their place.

    name: what the edit is called."""
    differs = (photo != edited).any(axis=2)
    size = (photo.shape[1], photo.shape[0])
    if not differs.any():
        return Change(size)
    x, y, width, height = cv2.boundingRect(differs.astype(np.uint8))
    rows, columns = slice(y, y + height), slice(x, x + width)
    matte = np.where(differs[rows, columns], 255, 0).astype(np.uint8)
    return Change(size, (Pixels(name, (x, y, x + width, y + height), edited[rows, columns].copy(), matte),))


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]} pixels"
