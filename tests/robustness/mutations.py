"""Damage for readers: seeded mutations of a valid file's bytes, of the members of an archive of arrays, and of values
as JSON has them.

Each function yields (name, mutated) pairs, the same ones for the same seed; the name says what was done.
"""

from __future__ import annotations

import copy
import io
import random
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

ODD_NUMBERS = (0, -1, 1, 2**31, -(2**63), 10**30, 1e308, float("nan"), float("inf"), -float("inf"), 0.5)
ODD_VALUES = (
    *ODD_NUMBERS,
    None,
    True,
    "",
    "x" * 10_000,
    "\x1b[2J\n\u202e",
    "\ud800",
    [],
    {},
    [[[[]]]],
    {"a": {"b": None}},
    "nan",
    "1e400",
    [0] * 1000,
)
"""What may stand in a JSON file in place of a value; the float ones as Python writes and reads them (NaN, Infinity)."""


def of_bytes(data: bytes, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` files that differ from `data` by what happens on the way: bits, bytes, holes, cuts, repeats, zeros,
    foreign parts."""
    rng = random.Random(seed)
    for number in range(count):
        kind = rng.choice(("bit", "byte", "bytes", "cut", "hole", "zeros", "insert", "repeat", "front", "number"))
        at, length = rng.randrange(max(1, len(data))), 1 + int(rng.paretovariate(0.7)) % 4096
        if rng.random() < 0.4:  # headers are where readers err
            at %= 256
        changed = bytearray(data)
        if kind == "bit" and data:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == "byte" and data:
            changed[at] = rng.randrange(256)
        elif kind == "bytes":
            for _ in range(rng.randrange(2, 20)):
                if data:
                    changed[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == "cut":
            del changed[at:]
        elif kind == "hole":
            del changed[at : at + length]
        elif kind == "zeros":
            changed[at : at + length] = bytes(len(changed[at : at + length]))
        elif kind == "insert":
            changed[at:at] = rng.randbytes(length)
        elif kind == "repeat":
            changed[at:at] = changed[at : at + length]
        elif kind == "front":
            del changed[:at]
        else:
            width = rng.choice((1, 2, 4, 8))
            changed[at : at + width] = rng.choice((b"\xff", b"\x7f", b"\x80", b"\x00")) * width
        yield f"{kind} {number} at {at}", bytes(changed)


def of_png(data: bytes, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """PNG files whose checksums are right and whose chunks are not: changed within, left out, twice, elsewhere, or with
    odd headers.

    Without their checksums put right, hardly a damaged PNG gets past its first chunk.
    """
    rng, chunks = random.Random(seed), list(png_chunks(data))

    def written(changed: list[tuple[bytes, bytes]]) -> bytes:
        parts = [
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
            for kind, body in changed
        ]
        return data[:8] + b"".join(parts)

    for number, (kind, body) in enumerate(chunks):
        before, after = chunks[:number], chunks[number + 1 :]
        for name, changed in of_bytes(body, 24, rng.randrange(2**31)):
            yield f"{kind.decode()}: {name}", written([*before, (kind, changed), *after])
        yield f"without {kind.decode()}", written([*before, *after])
        yield f"{kind.decode()} twice", written([*before, (kind, body), (kind, body), *after])
        yield f"{kind.decode()} last", written([*before, *after, (kind, body)])
        yield f"{kind.decode()} of no kind", written([*before, (b"\0\xff1\x1b", body), *after])
    kind, header = chunks[0]
    for at, values in {8: range(0, 18), 9: range(0, 9), 10: (1, 255), 11: (1, 255), 12: (1, 2, 255)}.items():
        for value in values:
            yield (
                f"header byte {at} = {value}",
                written([(kind, header[:at] + bytes([value]) + header[at + 1 :]), *chunks[1:]]),
            )
    for width, height in (
        (0, 1),
        (1, 0),
        (2**31, 1),
        (2**32 - 1, 2**32 - 1),
        (7071, 7071),
        (1, 2**24),
        (2**24, 1),
        (64, 63),
        (65, 64),
    ):
        size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        yield f"says {width}×{height}", written([(kind, size + header[8:]), *chunks[1:]])
    pixels = b"".join(body for kind, body in chunks if kind == b"IDAT")
    plain = zlib.decompress(pixels)
    others = [chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"IEND")]
    for name, changed in of_bytes(plain, 24, rng.randrange(2**31)):
        yield f"rows: {name}", written([*others, (b"IDAT", zlib.compress(changed)), chunks[-1]])
    yield "rows without end", written([*others, (b"IDAT", zlib.compress(plain + bytes(1 << 24))), chunks[-1]])


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk of a valid PNG file."""
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def of_npy(array: np.ndarray[Any, Any]) -> Iterator[tuple[str, bytes]]:
    """.npy files that are not what they say, or say what they are not. None of them is the array that was meant."""
    whole = npy(array)
    body = whole[-array.nbytes :] if array.nbytes else b""
    kind, shape = array.dtype.str, array.shape

    def with_header(text: str, version: bytes = b"\x01\x00") -> bytes:
        width = 2 if version == b"\x01\x00" else 4
        header = text.encode("latin-1", "replace")
        return b"\x93NUMPY" + version + (len(header) % 256**width).to_bytes(width, "little") + header + body

    def header(kind: object = kind, order: object = False, shape: object = shape) -> str:
        return str({"descr": kind, "fortran_order": order, "shape": shape}) + "\n"

    yield "empty", b""
    yield "magic alone", whole[:6]
    yield "header alone", whole[: len(whole) - len(body)]
    yield "one byte short", whole[:-1]
    yield "one byte long", whole + b"\0"
    yield "foreign version", whole[:6] + b"\x09\x00" + whole[8:]
    yield "header length", whole[:8] + b"\xff\xff" + whole[10:]
    yield "no header", with_header("")
    for name, changed in {
        "huge": (10**17, *shape[1:]),
        "beyond 64 bits": (10**30, *shape),
        "product overflows": (2**32, 2**32, 2**32),
        "negative": (-1, *shape),
        "deep": (1,) * 70,
        "text": "x",
        "none": None,
        "flat": (array.size,),
        "scalar": (),
        "float": (1.5, 2),
        "true": (True, True),
    }.items():
        if changed != shape:
            yield f"shape {name}", with_header(header(shape=changed))
    for dtype in (
        "|O",
        "<c16",
        "<U4",
        "|S8",
        "|V16",
        "<M8[s]",
        "|b1",
        [("x", "<f4"), ("y", "<f4")],
        "<f3",
        "f1000000000",
        "é",
        "",
        7,
        None,
    ):
        yield f"kind {dtype}", with_header(header(kind=dtype))
    for text in (
        "(" * 9000,
        "{" * 5000,
        "[" * 300 + "]" * 300,
        "'",
        "'''",
        "{'descr': ",
        "{'descr': '<f4'}",
        "0" * 9000,
        "1if 2else 3",
        "\\",
        "\x00" * 64,
        "{**{}}",
        "__import__('os')",
        header() + "x",
        header(order=None),
        header(order="no"),
        "\xff" * 200,
        "{1: 2, 3: 4, 5: 6}",
        "f'{1}'",
        "-" * 9000 + "1",
        header(shape=(10**4000,)),
    ):
        yield f"header {text[:20]!r}", with_header(text)
    yield "long header", with_header(header().rstrip() + " " * 300_000, b"\x02\x00")
    yield "huge header", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + body
    if array.dtype.kind == "f" and array.size:
        for value in (np.nan, np.inf, -np.inf):
            spoilt = array.copy()
            spoilt.flat[-1] = value
            yield f"holds {value}", npy(spoilt)


def npy(array: np.ndarray[Any, Any]) -> bytes:
    """The .npy file of an array."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def of_npz(arrays: dict[str, np.ndarray[Any, Any]]) -> Iterator[tuple[str, bytes]]:
    """.npz archives of which one member is damaged, lacking or twice there, or the archive itself is odd. None is what
    was meant."""
    files = {name: npy(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        for what, changed in of_npy(array):
            yield f"{name}: {what}", archive({**files, name: changed})
        yield f"{name} twice", archive(files, twice=name)
        bomb = npy(np.zeros((1, 1)))[:-8].replace(b"(1, 1)", b"(9999999, 68, 3)") + bytes(1 << 24)
        yield f"{name}: bomb", archive({**files, name: bomb})
    whole = archive(files)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"compressed by {method}", archive(files, method)
    central = whole.index(b"PK\x01\x02")
    for name, at, value in (
        ("encrypted", 8, 1),
        ("strongly encrypted", 8, 0x41),
        ("patched", 8, 0x20),
        ("unknown compression", 10, 77),
        ("future version", 6, 99),
        ("checksum", 16, 0xDEADBEEF),
        ("compressed size", 20, 2**31),
        ("size", 24, 2**32 - 2),
        ("size less", 24, 10),
        ("name length", 28, 60_000),
        ("extra length", 30, 40_000),
        ("place", 42, 2**32 - 2),
        ("place elsewhere", 42, 3),
    ):
        width = 4 if at in (16, 20, 24, 42) else 2
        yield name, whole[: central + at] + value.to_bytes(width, "little") + whole[central + at + width :]
    end = len(whole) - 22
    for name, at, width, value in (
        ("table bytes", 12, 4, 2**32 - 1),
        ("table place", 16, 4, 2**32 - 2),
        ("entries", 10, 2, 65535),
    ):
        yield name, whole[: end + at] + value.to_bytes(width, "little") + whole[end + at + width :]
    yield "no archive", next(iter(files.values()))
    yield "empty archive", archive({})
    yield "end alone", whole[end:]


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, twice: str | None = None) -> bytes:
    """A zip archive with the members name.npy. twice: a name that is written again."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as opened:
        for name, content in files.items():
            opened.writestr(f"{name}.npy", content)
        if twice is not None:
            opened.filelist.append(opened.getinfo(f"{twice}.npy"))
    return stream.getvalue()


def is_plain(text: str, most: int = 400) -> bool:
    """Whether an error's text is one sentence, or part of one, that can be printed: on one line and no longer than
    `most`."""
    return text.isprintable() and 10 < len(text) < most and "Error(" not in text


def of_json(value: Any) -> Iterator[tuple[str, Any]]:
    """A JSON value with one part replaced by each of ODD_VALUES, one key left out, or one added; nested ones too."""
    for place in places(value):
        for number, odd in enumerate(ODD_VALUES):
            yield f"{'/'.join(map(str, place))} = {odd!r:.40} ({number})", _replaced(value, place, odd)
        if place:
            changed = copy.deepcopy(value)
            del _parent(changed, place)[place[-1]]
            yield f"without {'/'.join(map(str, place))}", changed
    if isinstance(value, dict):
        yield "with another key", {**value, "another": 1}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path into a nested JSON value, the empty one first."""
    yield at
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*at, key))


def _parent(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place[:-1]:
        value = value[key]
    return value


def _replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    changed = copy.deepcopy(value)
    _parent(changed, place)[place[-1]] = new
    return changed
