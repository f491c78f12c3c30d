"""What a file holds beside its pixels: chunks of PNG and WebP, segments of JPEG, comments of GIF and MP4.

A viewer shows more than the pixels that a decoder hands over: it turns, tints, animates and lays over by what stands in
other chunks. What Masque writes is listed here for each format, exactly; whatever else a file holds is named. Each byte
is read once."""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from masque.decodable import HEIF_BRANDS, HEIF_OR_AVIF
from masque.errors import printable

LARGEST_FILE = 256 * 2**20
"""Bytes of a picture above which it is not looked into: 50 megapixels that cannot be compressed take 151 million."""
LARGEST_TEXT = 1_000_000
"""Bytes above which a comment or an XMP packet is not read: Masque's own are a few thousand."""
MOST_PARTS = 50_000
"""Chunks, segments or boxes of a file: the largest picture has some 2,400."""

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
GIF = b"GIF8"
"""The first bytes of a file of each kind."""

JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"
"""The content of a JPEG's first segment whose pixels are square, and that has no thumbnail."""
XMP_OF_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
"""What stands before the XMP packet in its segment of a JPEG."""
XMP_OF_PNG = b"XML:com.adobe.xmp\0"
"""What stands before the XMP packet in its chunk of a PNG."""
ONLY_XMP = b"\x04\0\0\0"
"""The flags of a WebP with an XMP packet, and without alpha, animation, colour profile and EXIF."""

MARKER = re.compile(rb"\xff[^\x00]", re.DOTALL)
"""What ends the compressed pixels of a JPEG: in them, \\xff is followed by \\x00."""
WRITTEN = {
    "PNG": re.compile("IHDR (iTXt (IDAT )+|(IDAT )+iTXt )IEND |LABELS iTXt COLOURS (IDAT )+IEND "),
    "JPEG": re.compile("APP0 APP1 (DQT ){1,2}SOF0 (DHT ){1,4}SOS EOI "),
    "WEBP": re.compile("VP8X (VP8 |VP8L) XMP  "),
}
"""The parts of a picture with a record, in the order that Masque writes them in; in a PNG the record may come after the
pixels, too."""
LABEL_COLOURS = 0x54F1128F
"""The checksum of a label map's palette, the only one that Masque writes with a record. A palette picture's header is
called LABELS here, and that palette COLOURS."""
ALL_AT_ONCE = b"\3\1\0\2\x11\3\x11\0\x3f\0"
"""What the header of a JPEG's only scan says: all three channels, each with all its frequencies in full."""
BITS_OF_FRAME = 0x1F
"""The first five bits of a lossy WebP's pixels, which say what kind of frame it is."""
KEY_FRAME = 0x10
"""Their value for a whole picture, that is shown, of VP8's version 0. Other versions are decoded with simpler filters
by some viewers and not by others."""
LARGEST_LOSSY = 16_384
"""From this number of pixels on, the bits of a side ask a viewer to enlarge a lossy WebP, which some viewers do."""

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The passes of an interlaced PNG: first column and row of each, and steps between its columns and between its rows."""

SEGMENTS = {0xC0: "SOF0", 0xC2: "SOF2", 0xC4: "DHT", 0xD9: "EOI", 0xDA: "SOS", 0xDB: "DQT", 0xDD: "DRI", 0xFE: "COM"}
"""Marker of a JPEG's segment -> the name that the standard gives it."""


@dataclass(frozen=True)
class Contents:
    """What a picture holds beside its pixels."""

    packets: tuple[bytes, ...]
    """The file's XMP packets, in their order."""
    foreign: str | None
    """The first thing that Masque never writes, as a noun; None if there is none."""


class Part(NamedTuple):
    """A chunk or segment."""

    name: str
    packet: bytes | None = None
    """The XMP packet that it holds; None if it holds none."""
    foreign: str | None = None
    """What it holds that Masque never writes, as a noun; None if nothing."""


class UnreadableError(Exception):
    """A place in a file from which on it is no picture any more. The text is a noun."""


def opened(source: Path | BytesIO) -> AbstractContextManager[BinaryIO]:
    """A file, or its content, from its beginning. Raises OSError."""
    if isinstance(source, Path):
        return source.open("rb")
    source.seek(0)
    return nullcontext(source)


def kind_of(source: Path | BytesIO) -> str | None:
    """PNG, JPEG, WEBP, GIF or MP4, by the first bytes of a file or of its content and not by its name; None for another
    or one that cannot be read."""
    if isinstance(source, Path) and not os.path.isfile(source):  # a pipe that nobody writes to would be waited for
        return None
    try:
        with opened(source) as file:
            head = file.read(12)
    except OSError:
        return None
    for kind, start in (("PNG", PNG), ("JPEG", JPEG), ("GIF", GIF)):
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    # AVIF and HEIC are of the same family of files, and pictures.
    pictures = {b"avif", b"avis", *HEIF_OR_AVIF, *HEIF_BRANDS}
    return "MP4" if head[4:8] == b"ftyp" and head[8:12] not in pictures else None


def contents(source: Path | BytesIO, kind: str) -> Contents:
    """What a PNG, JPEG or WEBP, a file or its content, holds beside its pixels. Raises OSError."""
    with opened(source) as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        return Contents((), "more bytes than any picture of Masque")
    parts: list[Part] = []
    readers: dict[str, Callable[[bytes], Iterator[Part]]] = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp}
    end = None
    try:
        for part in readers[kind](data):
            parts.append(part)
            if len(parts) > MOST_PARTS:
                raise UnreadableError("more parts than any picture of Masque")
    except UnreadableError as error:
        end = str(error)
    except (struct.error, IndexError):
        end = "an end that is cut off"
    foreign = next((part.foreign for part in parts if part.foreign), None)
    return Contents(
        tuple(p.packet for p in parts if p.packet is not None),
        foreign or end or _not_written(kind, [p.name for p in parts]),
    )


def _not_written(kind: str, parts: list[str]) -> str | None:
    """What differs from the parts that Masque writes, as a noun; None if nothing does."""
    if WRITTEN[kind].fullmatch("".join(f"{part} " for part in parts)):
        return None
    written = re.findall(r"\w+", WRITTEN[kind].pattern)
    others = [part for part in parts if part.strip() not in written]
    return f"a part called {printable(others[0].strip())}" if others else "its parts in another order or number"


def _png(data: bytes) -> Iterator[Part]:
    at, pixels = len(PNG), _Pixels()
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = memoryview(data)[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", data, at + 8 + length)
        at += 12 + length
        packet = _packet_of_png(bytes(body)) if name == b"iTXt" and length <= LARGEST_TEXT else None
        foreign, called = None, _text(name)
        if name == b"IHDR" and bytes(body[8:12]) == b"\x08\x03\0\0":
            called = "LABELS"
        elif name == b"PLTE" and zlib.crc32(body) == LABEL_COLOURS:
            called = "COLOURS"
        if check != zlib.crc32(body, zlib.crc32(name)):
            foreign = "a damaged chunk"
        elif called == "IHDR" and bytes(body[8:12]) != b"\x08\x02\0\0":
            foreign = "pixels that are not 8-bit RGB"
        elif called in ("IHDR", "LABELS"):
            pixels.begin(body)
        elif name == b"iTXt" and packet is None:
            foreign = "a text that is no record"
        elif name == b"IDAT" and not pixels.go_on(body):
            foreign = "something after its pixels"
        elif name == b"IEND" and not pixels.whole:
            foreign = "pixels that are cut off"
        yield Part(called, packet, foreign)
        if name == b"IEND" and at != len(data):
            raise UnreadableError("something after its end")


class _Pixels:
    """The compressed pixels of a PNG, of which a decoder reads only what it needs."""

    def __init__(self) -> None:
        self.stream = zlib.decompressobj()
        self.bytes_left = 0

    def begin(self, header: memoryview) -> None:
        """Look for as many bytes as a picture with this header has: rows that each begin with one byte, in seven passes
        if interlaced."""
        width, height, _, kind, *_, passes = struct.unpack(">II5B", header)
        for left, top, across, down in PASSES if passes else ((0, 0, 1, 1),):
            columns, rows = -(-(width - left) // across), -(-(height - top) // down)
            self.bytes_left += rows * (1 + columns * (3 if kind == 2 else 1)) if columns > 0 and rows > 0 else 0

    def go_on(self, body: memoryview) -> bool:
        """Read the next part; False where it is empty, or holds more than the pixels."""
        if self.stream.eof or not body:
            return False
        rest: bytes | memoryview = body
        try:
            while not self.stream.eof and self.bytes_left >= 0:
                length = len(self.stream.decompress(rest, 2**20))
                rest = self.stream.unconsumed_tail
                self.bytes_left -= length
                if length < 2**20 and not rest:
                    break
        except zlib.error:  # a decoder may show what comes before
            return False
        return self.bytes_left >= 0 and not self.stream.unused_data

    @property
    def whole(self) -> bool:
        """Whether all of them have been read."""
        return self.stream.eof and self.bytes_left == 0


def _packet_of_png(body: bytes) -> bytes | None:
    """An uncompressed packet in no language, which is how XMP has to stand in a PNG."""
    before = XMP_OF_PNG + b"\0\0\0\0"
    return body.removeprefix(before) if body.startswith(before) else None


def _jpeg(data: bytes) -> Iterator[Part]:
    at = 2
    while True:
        mark, code = data[at], data[at + 1]
        if mark != 0xFF:
            raise UnreadableError("bytes between its segments")
        if code == 0xD9:
            yield Part("EOI")
            if at + 2 != len(data):
                raise UnreadableError("something after its end")
            return
        if 0xD0 <= code < 0xD8:
            raise UnreadableError("marks between its pixels")
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield _segment(code, data[at + 4 : at + 2 + length])
        at += 2 + length
        if code == 0xDA:
            end = MARKER.search(data, at)
            if end is None:
                raise UnreadableError("an end that is cut off")
            at = end.start()


def _segment(code: int, body: bytes) -> Part:
    name = SEGMENTS.get(code) or (f"APP{code - 0xE0}" if 0xE0 <= code < 0xF0 else f"segment {code:02X}")
    if name == "APP1" and body.startswith(XMP_OF_JPEG):
        return Part(name, body.removeprefix(XMP_OF_JPEG))
    if name == "APP1":
        return Part(name, foreign="EXIF")
    if name == "APP0" and body != JFIF:
        return Part(name, foreign="pixels that are not square, or a thumbnail")
    if name == "SOF0" and (body[:1], body[5:6], body[6::3]) != (b"\x08", b"\x03", b"\1\2\3"):
        return Part(name, foreign="pixels that are not 8-bit colours")
    if name == "SOS" and body != ALL_AT_ONCE:
        return Part(name, foreign="pixels in several scans")
    return Part(name)


def _webp(data: bytes) -> Iterator[Part]:
    (size,) = struct.unpack_from("<I", data, 4)
    at = 12
    while at < len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        body = memoryview(data)[at + 8 : at + 8 + length]
        if len(body) < length:
            raise UnreadableError("an end that is cut off")
        at += 8 + length
        if length % 2 and data[at : (at := at + 1)] != b"\0":
            raise UnreadableError("bytes between its parts")
        foreign = None
        if name == b"VP8X" and (body[:4] != ONLY_XMP or length != 10):
            foreign = "alpha, an animation, a colour profile or EXIF"
        elif name == b"VP8L" and body[4] & 0x10:
            foreign = "alpha"
        elif name == b"VP8 " and _unusual(body):
            foreign = "pixels that viewers may decode in different ways"
        yield Part(_text(name), bytes(body) if name == b"XMP " and length <= LARGEST_TEXT else None, foreign)
    if size + 8 != len(data):
        raise UnreadableError("something after its end")


def _unusual(vp8: memoryview) -> bool:
    """Whether the pixels of a lossy WebP are of another kind than any encoder of WebP writes; see RFC 6386, 9.1 and
    9.2."""
    width, height = struct.unpack_from("<HH", vp8, 6)
    odd_colours = vp8[10] >= 0x40  # its first two bits: other colours than YUV, and values that need no clamping
    return vp8[0] & BITS_OF_FRAME != KEY_FRAME or width >= LARGEST_LOSSY or height >= LARGEST_LOSSY or odd_colours


def _text(name: bytes) -> str:
    return name.decode("latin-1")


def gif_comment(source: Path | BytesIO) -> str | None:
    """The comments before the first picture of a GIF, one after the other; empty if they are far longer than any of
    Masque's.

    None where no picture follows. Raises OSError.
    """
    with opened(source) as file:
        data = file.read(2 * LARGEST_TEXT)
    comments: list[bytes] = []
    try:
        at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
        while data[at] == 0x21:
            label, at = data[at + 1], at + 2
            while length := data[at]:
                comments += [data[at + 1 : at + 1 + length]] if label == 0xFE else []
                at += 1 + length
            at += 1
        return b"".join(comments).decode(errors="replace") if data[at] == 0x2C else None
    except IndexError:
        return "" if len(data) == 2 * LARGEST_TEXT else None


def mp4_comment(source: Path | BytesIO) -> str:
    """The comment of an MP4, empty if it has none. Raises OSError, and ValueError for a file that is damaged, cut
    short, or no film."""
    with opened(source) as file:
        size = file.seek(0, os.SEEK_END)
        outer = list(_boxes(file, 0, size))
        moov = [box for box in outer if box[0] == b"moov"]
        inner = list(_boxes(file, *moov[0][1:])) if len(moov) == 1 else []
        if not any(name == b"trak" for name, *_ in inner) or not any(name == b"mdat" for name, *_ in outer):
            raise ValueError("there is no film in it")
        for name, start, end in inner:
            if name == b"udta":
                return _comment(file, start, end)
    return ""


def _comment(file: BinaryIO, start: int, end: int) -> str:
    """The comment of a film as iTunes keeps it, below `udta`; empty where there is none in that form, and so none of
    Masque's.

    start, end: where the content of `udta` lies in the file."""
    try:
        for name, skipped in ((b"meta", 4), (b"ilst", 0), (b"\xa9cmt", 0), (b"data", 8)):
            start, end = next((at + skipped, to) for box, at, to in _boxes(file, start, end) if box == name)
    except (StopIteration, ValueError):
        return ""
    if not 0 <= end - start <= LARGEST_TEXT:
        return ""
    file.seek(start)
    return file.read(end - start).decode(errors="replace")


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each box between two places. Raises ValueError where they do not fill the
    room between."""
    for _ in range(MOST_PARTS):
        if start == end:
            return
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            raise ValueError("it is cut short")
        size, name = struct.unpack_from(">I4s", head)
        header = 8
        if size == 1 and len(head) == 16:
            (size,), header = struct.unpack_from(">Q", head, 8), 16
        size = size or end - start
        if size < header or start + size > end:
            raise ValueError("it is cut short")
        yield name, start + header, start + size
        start += size
    raise ValueError("it has too many parts")
