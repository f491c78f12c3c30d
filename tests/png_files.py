"""PNG files put together by hand: any header, any chunks, and check sums that are right."""

from __future__ import annotations

import struct
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of four letters' kind, with its length and check sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, packed: bytes, *more: bytes, depth: int = 8, colour: int = 2, interlaced: int = 0
) -> bytes:
    """A file that declares this size, and holds `packed` as its compressed rows. more: chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + b"".join([chunk(b"IHDR", header), *more, chunk(b"IDAT", packed), chunk(b"IEND", b"")])
