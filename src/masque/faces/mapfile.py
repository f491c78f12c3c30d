"""A label map's file: whether a program saved the labels themselves, as numbers, or their colours; and which numbers.

Programs save numbers as a palette, as grey of 1 to 32 bits, or as grey in three channels, each with transparency or
without. Colours come as a palette or in three channels."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masque.container import opened
from masque.faces.painted import BESIDE, EXACT, NEAR, ROWS

Numbers = NDArray[np.integer | np.floating]
"""(H,W) of any kind of number."""

LOSSY = ("JPEG", "MPO")
"""Formats that change every pixel a little: colours bear it, numbers do not."""

SCALES: dict[float, int] = {257: 1, 256: 1, 17: 3, 4369: 3, 25: 3, 25.5: 3, 6553: 3, 6553.5: 3}
"""What programs multiply grey levels by when they change their bits (8 to 16, 4 to 8 or 16) or stretch ten levels over
8 or 16 bits; and how many levels besides 0 there must be, or a mask in black and white would be taken for a label
map."""


def read_numbers(image: Image.Image, palette: NDArray[np.uint8], file: Path | BytesIO | None = None) -> Numbers | None:
    """The numbers (H,W) that a picture holds, 0 where it is transparent; None where it holds colours.

    palette: (K,3) RGB, the colours of the labels 0 to K−1. file: the picture's file or its content, for what Pillow
    does not say: it has 8 bits of the 16 in a channel of several."""
    if image.mode in ("P", "PA"):
        return _of_palette(image, palette)
    if image.mode in ("LA", "La"):
        deep = _sixteen_bits(image, file)
        pixels = np.asarray(image.convert("LA") if image.mode == "La" else image)
        return _zero_where(pixels[..., 0], pixels[..., 1] < 128) if deep is None else deep
    if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16"):
        numbers = np.asarray(image)
        clear = image.info.get("transparency")
        numbers = numbers.astype(np.uint8) if numbers.dtype == np.bool_ else numbers
        return _zero_where(numbers, numbers == clear) if isinstance(clear, int) else numbers
    if not _is_grey(
        image.resize((-(-image.width // 8), -(-image.height // 8)), Image.Resampling.NEAREST)
    ) or not _is_grey(image):
        return None
    deep = _sixteen_bits(image, file)
    if deep is not None:
        return deep
    pixels = np.asarray(image.convert("RGBA"))
    return _zero_where(pixels[..., 0], pixels[..., 3] < 128)


def _zero_where(numbers: Numbers, clear: NDArray[np.bool_]) -> Numbers:
    return np.where(clear, numbers.dtype.type(0), numbers) if clear.any() else numbers


def _is_grey(image: Image.Image) -> bool:
    """Whether all of a picture that is not transparent is grey."""
    for top in range(0, image.height, ROWS):
        pixels = np.asarray(image.crop((0, top, image.width, min(top + ROWS, image.height))).convert("RGBA"))
        red, green, blue, alpha = (pixels[..., channel] for channel in range(4))
        if (((red != green) | (green != blue)) & (alpha >= 128)).any():
            return False
    return True


def _sixteen_bits(image: Image.Image, file: Path | BytesIO | None) -> Numbers | None:
    """The numbers of a grey picture that has several channels of 16 bits each, as uint16 (H,W); None when it has fewer
    bits."""
    if file is None or image.format not in ("PNG", "TIFF"):
        return None
    with opened(file) as source:
        if image.format == "PNG":
            deep = source.read(25)[24:] == b"\x10"
            source.seek(0)
        else:
            deep = 16 in getattr(image, "tag_v2", {}).get(258, ())
        pixels = cv2.imdecode(np.frombuffer(source.read(), np.uint8), cv2.IMREAD_UNCHANGED) if deep else None
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        return None
    grey = pixels[..., 0]
    clear = pixels[..., -1] < 1 << 15 if pixels.shape[2] in (2, 4) else np.zeros(grey.shape, np.bool_)
    coloured = (
        (pixels[..., 1] != grey) | (pixels[..., 2] != grey) if pixels.shape[2] > 2 else np.zeros(grey.shape, np.bool_)
    )
    return None if (coloured & ~clear).any() else _zero_where(grey, clear)


def _of_palette(image: Image.Image, palette: NDArray[np.uint8]) -> Numbers | None:
    indices = np.asarray(image)
    table, clear = np.zeros((256, 3), np.int64), np.zeros(256, np.bool_)
    given = np.array(image.getpalette("RGB") or [], dtype=np.int64).reshape(-1, 3)[:256]
    table[: len(given)] = given
    transparency = image.info.get("transparency")
    if isinstance(transparency, int):
        clear[transparency] = True
    elif transparency is not None:
        clear[: len(transparency)] = np.frombuffer(bytes(transparency), np.uint8)[:256] < 128
    if image.mode == "PA":
        indices = _zero_where(indices[..., 0], indices[..., 1] < 128)
        clear[:] = False
    used = np.flatnonzero((np.bincount(indices.reshape(-1), minlength=256) > 0) & ~clear)
    numbers = _indices_meant(used, table[used], palette)
    if numbers is None:
        return None
    meant = np.zeros(256, np.uint8)
    meant[used] = numbers
    return meant[indices]


def _indices_meant(
    used: NDArray[np.int64], colours: NDArray[np.int64], palette: NDArray[np.uint8]
) -> NDArray[np.int64] | None:
    """What the used indices (U) of a picture stand for, by their colours (U,3); None where the colours say it."""
    apart = np.linalg.norm(colours[:, None] - palette[None].astype(np.int64), axis=2)
    known, grey = bool((used < len(palette)).all()), bool((colours == colours[:, :1]).all())
    if known and (apart[np.arange(len(used)), used] <= NEAR).all():
        return used
    if grey and (colours < len(palette)).all():
        return colours[:, 0]
    nearest, least = apart.argmin(axis=1), apart.min(axis=1)
    exact = np.unique(nearest[(least <= EXACT) & (nearest > 0)])
    if (
        len(exact) > 1
        or (least <= EXACT).all()
        or ((least <= BESIDE).all() and len(np.unique(nearest)) == len(nearest))
    ):
        return None
    if known:
        return used
    return colours[:, 0] if grey else None


def undo_scaling(numbers: Numbers, count: int) -> tuple[Numbers, float]:
    """Numbers that a program multiplied, divided again, and by what; by 1 where they are labels already, or no scale
    makes them such.

    count: the labels are 0 to count − 1.
    """
    if (
        not np.issubdtype(numbers.dtype, np.integer)
        or not numbers.size
        or numbers.min() < 0
        or not count <= numbers.max() < 1 << 16
    ):
        return numbers, 1
    there = np.flatnonzero(np.bincount(numbers.reshape(-1)))
    for scale, least in SCALES.items():
        label = np.rint(there / scale)
        # A program rounds half a level up, down, or to even.
        fits = (label < count) & (abs(label * scale - there) <= (0.5 if scale % 1 else 0))
        if fits.all() and (there > 0).sum() >= least:
            return np.rint(numbers / scale).astype(np.uint8), scale
    return numbers, 1
