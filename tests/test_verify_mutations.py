"""Pictures of Masque with bytes or whole parts changed: none passes as unchanged that shows anything else.

Run by hand for a table of counts: python tests/test_verify_mutations.py 3000
"""

from __future__ import annotations

import random
import struct
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from masque.edits.result import Result
from masque.errors import PictureError
from masque.provenance import verify
from png_files import chunk
from recorded import RECORD, SUFFIXES
from tiny import seen

PIXELS = np.random.default_rng(6).integers(0, 256, (12, 16, 3), dtype=np.uint8)
OTHERS = {
    "png": (
        b"tRNS",
        b"gAMA",
        b"eXIf",
        b"iCCP",
        b"acTL",
        b"fcTL",
        b"fdAT",
        b"PLTE",
        b"sRGB",
        b"cICP",
        b"pHYs",
        b"iTXt",
        b"IDAT",
        b"abCd",
    ),
    "webp": (b"ALPH", b"ANIM", b"ANMF", b"EXIF", b"ICCP", b"VP8 ", b"VP8L", b"XMP ", b"abcd"),
    "jpg": tuple(
        bytes([0xFF, code]) for code in (0xC1, 0xC2, 0xC4, 0xD0, 0xDB, 0xDC, 0xDD, 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE)
    ),
}
"""Parts that a file of each format may have beside those that Masque writes, and more of those."""


def split(suffix: str, content: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Name and content of the parts of a file as Masque wrote it, and of a JPEG the compressed pixels behind them."""
    parts, at = [], {"png": 8, "jpg": 2, "webp": 12}[suffix]
    while at < len(content) and content[at : at + 2] != b"\xff\xda":
        if suffix == "jpg":
            size = struct.unpack_from(">H", content, at + 2)[0] - 2
            parts.append((content[at : at + 2], content[at + 4 : at + 4 + size]))
            at += 4 + size
        else:
            first, second = struct.unpack_from(">I4s" if suffix == "png" else "<4sI", content, at)
            name, size = (second, first) if suffix == "png" else (first, second)
            parts.append((name, content[at + 8 : at + 8 + size]))
            at += 12 + size if suffix == "png" else 8 + size + size % 2
    return parts, content[at:]


def joined(suffix: str, parts: list[tuple[bytes, bytes]], rest: bytes) -> bytes:
    """The file of these parts, its lengths and check sums put right."""
    if suffix == "png":
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in parts)
    if suffix == "jpg":
        return b"\xff\xd8" + b"".join(name + struct.pack(">H", len(body) + 2) + body for name, body in parts) + rest
    inner = b"".join(name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for name, body in parts)
    return b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WEBP" + inner


def mutations(suffix: str, content: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` files that differ from a whole one in some bytes, or in a part that is changed, added, left out, repeated
    or moved."""
    rng = random.Random(seed)
    for _ in range(count):
        what = rng.choice(("bit", "bytes", "tail", "change", "change", "add", "add", "leave out", "repeat", "shuffle"))
        if what in ("bit", "bytes", "tail"):
            changed = bytearray(content)
            for _ in range(1 if what == "bit" else rng.randrange(0 if what == "tail" else 1, 9)):
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
            yield what, bytes(changed) + (rng.randbytes(rng.randrange(1, 30)) if what == "tail" else b"")
            continue
        parts, rest = split(suffix, content)
        chosen, place = rng.randrange(len(parts)), rng.randrange(len(parts) + 1)
        name, body = parts[chosen]
        if what == "change":
            at = rng.randrange(max(1, len(body)))
            parts[chosen] = (name, body[:at] + rng.randbytes(1) + body[at + 1 :])
        elif what == "add":
            parts.insert(place, (rng.choice(OTHERS[suffix]), rng.randbytes(rng.randrange(40))))
        elif what == "leave out":
            del parts[chosen]
        elif what == "repeat":
            parts.insert(place, parts[chosen])
        else:
            rng.shuffle(parts)
        yield what, joined(suffix, parts, rest)


def endings(folder: Path, suffix: str, count: int, seed: int = 0) -> Counter[str]:
    """How many were refused, had no record, counted as changed, as unchanged, and as unchanged though they show
    something else."""
    path = Result(PIXELS, RECORD).save(folder / f"out.{suffix}")
    whole, ended = path.read_bytes(), Counter[str]()
    wanted = seen(whole)
    for what, content in mutations(suffix, whole, count, seed):
        path.write_bytes(content)
        try:
            found = verify(path)
        except PictureError:
            ended["refused"] += 1
            continue
        if not found.unchanged:
            ended["no record" if found.record is None else "changed"] += 1
        elif seen(content) == wanted:
            ended["unchanged"] += 1
        else:
            ended[f"WRONG after {what}"] += 1
    return ended


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.slow)])
def test_nothing_passes_as_unchanged_that_shows_something_else(tmp_path: Path, suffix: str, count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ended = endings(tmp_path, suffix, count)
    assert not [kind for kind in ended if kind.startswith("WRONG")]
    assert ended["changed"] > count / 10


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for kind in SUFFIXES:
        with tempfile.TemporaryDirectory() as made:
            sys.stdout.write(f"{kind}: {dict(sorted(endings(Path(made), kind, int(sys.argv[1])).items()))}\n")
