"""Whether a picture file can be decoded within 5 s and 1 GB on one core: told from how it is laid out, before any pixel
is decoded.

Files of cameras and programs are far from these limits. Beyond them are files that were made to keep a decoder busy,
damaged ones, and large pictures in formats that decode slowly."""

from __future__ import annotations

import re
import struct
from functools import cache
from importlib.util import find_spec
from typing import IO

from PIL import Image

MOST_CHUNKS = 100_000
"""Chunks of a PNG, at most; even so many of 4 kB each, the smallest in use, hold 400 MB."""
MOST_SEGMENTS, MOST_SCANS = 10_000, 64
"""Segments and scans of a JPEG, at most. A progressive one has about ten scans, each of which passes over the whole
picture."""
MOST_ENTRIES = 300_000
"""Numbers in one entry of a TIFF's directory: its pieces are listed there, for which Pillow makes a Python object
each."""
MOST_PIECES = 250_000

PIXELS_PER_BYTE = 2048
"""That a JPEG can have at most: one bit for each block of 8×8, of which the widest subsampling has a quarter as many in
each channel."""

SLOW = {
    "JPEG2000": (0.05, 0.14),
    "AVIF": (0.03, 0.07),
    "HEIF": (0.045, 0.06),
    "ppm": (0.35, 0.24),
    "ppm_plain": (0.0, 0.1),
    "bmp_rle": (0.003, 0.35),
}
"""Seconds of one core for each megapixel and for each megabyte of the file, in formats that take long, and by decoders
that Pillow has in Python: of a PPM in text or of other than 8 bits a colour, and of a BMP of run lengths."""
LARGEST = {"JPEG2000": 36}
"""Megapixels, of a format that takes more memory than the others: 20 bytes a pixel."""
LONGEST = 4.5
"""Seconds that such a picture may be expected to take."""

HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
"""What a HEIF file, of pictures encoded as HEVC, says first of itself. One of `mif1` may be AVIF as well."""
HEIF_OR_AVIF = frozenset({b"mif1", b"msf1"})

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""What ends a JPEG's compressed data."""


def trouble_in(file: IO[bytes]) -> str | None:
    """What is wrong with the layout of an open file, as the rest of a sentence that begins with its name; None where
    nothing is.

    The file is left at its beginning.
    """
    start = file.read(8)
    try:
        if start[4:] == b"ftyp":
            return _in_heif(file.read(4))
        if start == b"\x89PNG\r\n\x1a\n":
            return _in_png(file)
        if start.startswith(b"\xff\xd8"):
            file.seek(0)
            return _in_jpeg(file.read())
        if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            file.seek(0)
            return _in_tiff(file)
        return None
    finally:
        file.seek(0)


def has_heif() -> bool:
    """Whether pillow-heif is installed."""
    return find_spec("pillow_heif") is not None


@cache
def _reads_heif() -> bool:
    """Have Pillow read HEIF from now on; False where pillow-heif is not installed."""
    if not has_heif():
        return False
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
    return True


def trouble_with(opened: Image.Image, size: int) -> str | None:
    """Why a picture that Pillow has opened would take too long to decode, or cannot be whole: the end of a sentence
    that begins with its name; None where nothing speaks against it. size: bytes of its file."""
    pixels = opened.width * opened.height
    if opened.format in ("JPEG", "MPO") and size * PIXELS_PER_BYTE < pixels:
        return f"is damaged (its {size} bytes cannot hold {opened.width}×{opened.height} pixels): fetch it again"
    if len(getattr(opened, "tile", ())) > MOST_PIECES:
        pieces = len(getattr(opened, "tile", ()))
        return f"is cut into {pieces} pieces, which take too long to put together: save it anew"
    most = LARGEST.get(opened.format or "")
    if most is not None and pixels > most * 1e6:
        return f"has {pixels / 1e6:.0f} megapixels and the limit of {opened.format} is {most}: save it as PNG first"
    for name in sorted({opened.format, *(tile[0] for tile in getattr(opened, "tile", ()))} & set(SLOW)):
        per_megapixel, per_megabyte = SLOW[name]
        if per_megapixel * pixels / 1e6 + per_megabyte * size / 1e6 > LONGEST:
            what = f"{pixels / 1e6:.0f} megapixels in {size / 1e6:.0f} MB of {opened.format}"
            return f"takes too long to decode ({what}): save it as PNG first"
    return None


def _in_heif(brand: bytes) -> str | None:
    if brand in HEIF_BRANDS | HEIF_OR_AVIF and not _reads_heif() and brand in HEIF_BRANDS:
        return "is HEIC, which is read by another package: install pillow-heif, or save it as JPEG"
    return None


def _in_png(file: IO[bytes]) -> str | None:
    for _ in range(MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8 or header[4:] == b"IEND":
            return None
        file.seek(int.from_bytes(header[:4], "big") + 4, 1)
    return f"has more than {MOST_CHUNKS} chunks, and no picture needs so many: save it anew"


def _in_jpeg(data: bytes) -> str | None:
    place = 2
    scans = channels = 0
    for _ in range(MOST_SEGMENTS):
        found = _MARKER.search(data, place)
        if found is None or found[0] == b"\xff\xd9":
            return None
        place, kind = found.end(), found[0][1]
        length = int.from_bytes(data[place : place + 2], "big")
        if kind in (0xC0, 0xC1):
            channels = data[place + 7] if place + 7 < len(data) else 0
        if kind == 0xDA:
            scans += 1
            if scans > MOST_SCANS:
                return f"has more than {MOST_SCANS} scans, which take too long to decode: save it anew"
            if channels and place + 2 < len(data) and data[place + 2] == channels:
                return None  # a single scan that has it all
        place += length
    return f"has more than {MOST_SEGMENTS} segments, and no picture needs so many: save it anew"


def _in_tiff(file: IO[bytes]) -> str | None:
    start = file.read(16)
    order, big = "<" if start.startswith(b"I") else ">", b"+" in start[:4]
    place = struct.unpack_from(order + ("8xQ" if big else "4xI"), start)[0]
    file.seek(place)
    count = int.from_bytes(file.read(8 if big else 2), "little" if order == "<" else "big")
    entry = struct.Struct(order + ("2xHQ8x" if big else "2xHI4x"))
    table = file.read(entry.size * min(count, 65535))
    for kind, number in entry.iter_unpack(table[: len(table) // entry.size * entry.size]):
        if number > MOST_ENTRIES and kind not in (1, 2, 7):  # those are bytes or text, such as a profile
            return f"is damaged, or cut into {number} pieces, which take too long to put together: save it anew"
    return None
