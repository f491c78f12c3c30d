"""Pictures and films of every format, read as photos and by `masque verify`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import mutations
import numpy as np
from harness import Reader, write_input
from PIL import Image, ImageCms, features

from masque import provenance
from masque.data.puppets import draw_puppet, render
from masque.edits.result import Result
from masque.film import write_film
from masque.image import read_picture

SIDE = 64


def picture(mode: str = "RGB") -> Image.Image:
    """A small picture of a puppet in a Pillow mode."""
    pixels = cv2.resize(render(draw_puppet(3), 0.5).picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    image = Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode == "F":
        return image.convert("F")
    if mode == "P":
        return image.quantize(32)
    return image.convert(mode)


def saved(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """The bytes of a picture file of a format and mode."""
    stream = io.BytesIO()
    picture(mode).save(stream, kind, **options)
    return stream.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    return exif.tobytes()


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


PICTURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "png": ("PNG", "RGB", {}),
    "png, alpha": ("PNG", "RGBA", {}),
    "png, palette": ("PNG", "P", {"transparency": 3}),
    "png, 16 bit": ("PNG", "I;16", {}),
    "png, animated": ("PNG", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "red")]}),
    "png, profile": ("PNG", "RGB", {"icc_profile": _profile()}),
    "jpeg": ("JPEG", "RGB", {"exif": _exif(), "icc_profile": _profile()}),
    "jpeg, progressive": ("JPEG", "RGB", {"progressive": True}),
    "jpeg, cmyk": ("JPEG", "CMYK", {}),
    "jpeg, grey": ("JPEG", "L", {}),
    "webp": ("WEBP", "RGB", {"exif": _exif()}),
    "webp, lossless": ("WEBP", "RGBA", {"lossless": True}),
    "tiff, lzw": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "tiff, deflate": ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    "tiff, jpeg": ("TIFF", "RGB", {"compression": "jpeg"}),
    "tiff, plain float": ("TIFF", "F", {}),
    "tiff, fax": ("TIFF", "1", {"compression": "group4"}),
    "bmp": ("BMP", "RGB", {}),
    "gif": ("GIF", "P", {}),
    "ppm": ("PPM", "RGB", {}),
    "jpeg 2000": ("JPEG2000", "RGB", {}),
    "png, palette with alphas": ("PNG", "P", {"transparency": bytes(range(0, 256, 8))}),
    "jpeg, cmyk with profile": ("JPEG", "CMYK", {"icc_profile": _profile()}),
    "mpo": ("MPO", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "red")]}),
    "webp, animated": ("WEBP", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "red")]}),
    "tiff, 16 bit": ("TIFF", "I;16", {"compression": "tiff_lzw"}),
    "tiff, cmyk": ("TIFF", "CMYK", {"compression": "tiff_lzw"}),
    "tiff, big": ("TIFF", "RGB", {"big_tiff": True}),
    "tiff, tiled": ("TIFF", "RGB", {"tile": (16, 16), "compression": "tiff_lzw", "tiffinfo": {322: 16, 323: 16}}),
} | ({"avif": ("AVIF", "RGB", {})} if features.check("avif") else {})


def picture_readers() -> Iterator[Reader]:
    """Every kind of picture file, as a photo."""
    for name, (kind, mode, options) in PICTURES.items():
        content = partial(saved, kind, mode, **options)
        build = lambda folder, c=content: write_input("photo.png", c(), folder)  # noqa: E731
        yield Reader(f"photo: {name}", "photo.png", build, _as_photo, mutations.of_png if kind == "PNG" else None)


def _as_photo(folder: Path) -> None:
    photo = read_picture(folder / "photo.png")
    assert photo.dtype == np.uint8
    assert photo.ndim == 3
    assert photo.shape[2] == 3


def _verify(file: str, folder: Path) -> None:
    provenance.verify(folder / file)


def _edited(file: str, folder: Path) -> None:
    Result(np.asarray(picture()), {"edit": "swap", "model": "rsgan", "inputs": {"a": "0" * 64}}).save(folder / file)


def _film(file: str, folder: Path) -> None:
    frames = [np.asarray(picture()), np.asarray(picture())[:, ::-1]]
    write_film(folder / file, frames, 2, 1.0, note=provenance.note({"edit": "morph"}))


def verify_readers() -> Iterator[Reader]:
    """Everything that `masque verify` looks at."""
    for file in ("out.png", "out.jpg", "out.webp"):
        yield Reader(
            f"verify: {file[4:]}",
            file,
            partial(_edited, file),
            partial(_verify, file),
            mutations.of_png if file == "out.png" else None,
        )
    for file in ("out.mp4", "out.gif"):
        yield Reader(f"verify: {file[4:]}", file, partial(_film, file), partial(_verify, file))
