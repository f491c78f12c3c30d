"""Arrays of numbers from .npy and .npz files of unknown origin, read without trusting their headers.

Nothing is unpickled, no header is evaluated, and nothing is decompressed or allocated before its declared size has been
compared with what the caller allows. Running out of memory is therefore never the file's fault, and stays a
MemoryError."""

from __future__ import annotations

import math
import os
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from masque.errors import printable

Shape: TypeAlias = Sequence[int | str]
"""Lengths of an array's sides. A text such as "N" stands for any length."""

Real = TypeVar("Real", np.float32, np.float64)
"""The kind of number that a caller wants."""

LARGEST = 1 << 28
"""Bytes that a file, and what is read from it, may have if the caller names no other limit."""

LONGEST_HEADER = 10_000
"""Characters that the header of a .npy file may have; numpy's own limit."""
LARGEST_DIRECTORY = 1 << 20
"""Bytes of an archive's table of contents: enough for thousands of arrays."""

END_OF_ARCHIVE = struct.Struct("<4s4H2LH")
"""Signature, two disks, entries here and in all, bytes and place of the table of contents, bytes of a comment."""

_ITEM = r"""\s*['"](\w+)['"]\s*:\s*(['"][^'"]*['"]|True|False|\([\dL,\s]*\))\s*"""
HEADER = re.compile(rf"\s*\{{{_ITEM},{_ITEM},{_ITEM},?\s*\}}\s*")
"""What numpy and others write, in any order: {'descr': '<f4', 'fortran_order': False, 'shape': (68, 3), }"""


class ArrayError(ValueError):
    """Half a sentence on a file, such as "it is cut short", that says why no array was read from it."""


@overload
def read_npy(path: str | os.PathLike[str], shape: Shape, *, largest: int = LARGEST) -> NDArray[np.float32]: ...
@overload
def read_npy(path: str | os.PathLike[str], shape: Shape, kind: type[Real], largest: int = LARGEST) -> NDArray[Real]: ...
def read_npy(
    path: str | os.PathLike[str], shape: Shape, kind: type[np.generic] = np.float32, largest: int = LARGEST
) -> NDArray[np.generic]:
    """The real numbers of a .npy file, all of them finite, as an array of `kind` that has the shape.

    shape: lengths of its sides, or texts for any length. largest: bytes that the array may have. Raises ArrayError for
    damage, another shape or kind of number, numbers that are not finite, and what is too large; OSError where the file
    is missing or may not be read."""
    with _opened(path) as file:
        return _array(file, "it", shape, np.dtype(kind), largest)


@overload
def read_npz(
    path: str | os.PathLike[str], shapes: Mapping[str, Shape], *, largest: int = LARGEST
) -> dict[str, NDArray[np.float32]]: ...
@overload
def read_npz(
    path: str | os.PathLike[str], shapes: Mapping[str, Shape], kind: type[Real], largest: int = LARGEST
) -> dict[str, NDArray[Real]]: ...
def read_npz(
    path: str | os.PathLike[str],
    shapes: Mapping[str, Shape],
    kind: type[np.generic] = np.float32,
    largest: int = LARGEST,
) -> Mapping[str, NDArray[np.generic]]:
    """The arrays of the given names that a .npz file holds, each read as by `read_npy`; other members are not read.

    shapes: the shape of each name. largest: bytes that the file may have, and each array. Raises ArrayError and OSError
    as `read_npy` does."""
    with _opened(path) as file, _archive(file, largest) as archive:
        found = Counter(archive.namelist())
        arrays = {}
        for name, shape in shapes.items():
            member = f"{name}.npy"
            if found[member] > 1:
                raise ArrayError(f"it holds {name} {found[member]} times")
            if member in found:
                with archive.open(_plain(archive.getinfo(member))) as opened:
                    arrays[name] = _array(opened, name, shape, np.dtype(kind), largest)
        return arrays


def _opened(path: str | os.PathLike[str]) -> IO[bytes]:
    if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would be waited for
        raise ArrayError("it is not a file")
    return Path(path).open("rb")


@contextmanager
def _archive(file: IO[bytes], largest: int) -> Iterator[zipfile.ZipFile]:
    """A zip archive, and its many failures as one, also those of reading what is in it."""
    size = file.seek(0, os.SEEK_END)
    if size > largest:
        raise ArrayError(f"it has {size / 1e6:.0f} MB, and {largest / 1e6:.0f} are the most that is read")
    # zipfile reads the whole table of contents at once, of which a hostile file can have gigabytes; more than 65,535
    # entries follow a second end, which stands before this one.
    file.seek(max(0, size - END_OF_ARCHIVE.size - 20))
    tail = file.read()
    end = tail[-END_OF_ARCHIVE.size :]
    if len(end) < END_OF_ARCHIVE.size or not end.startswith(b"PK\x05\x06") or tail.startswith(b"PK\x06\x07"):
        raise ArrayError("it is no zip archive of arrays, or cut short")
    if END_OF_ARCHIVE.unpack(end)[5] > LARGEST_DIRECTORY:
        raise ArrayError("its table of contents is damaged")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except ArrayError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        ValueError,
        OSError,
        EOFError,
        struct.error,
        OverflowError,
    ) as error:
        # RuntimeError: locked by a password, or of a kind that zipfile does not know.
        raise ArrayError(f"it is a damaged zip archive: {printable(error)}") from None


def _plain(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The entry of a member, if it is stored as numpy stores arrays: the other kinds of compression know no bound on
    what they unpack."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArrayError("its arrays are compressed in another way than numpy's")
    return info


def _array(file: IO[bytes], name: str, shape: Shape, kind: np.dtype[np.generic], largest: int) -> NDArray[np.generic]:
    """The rest of an open file as an array. name: what it is called in errors."""
    stored, backwards, sides = _header(file, name)
    if len(sides) != len(shape) or any(
        side != wanted for side, wanted in zip(sides, shape, strict=True) if isinstance(wanted, int)
    ):
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        raise ArrayError(f"{name} has the shape {printable(sides)}, not ({wanted})")
    size = math.prod(sides) * stored.itemsize
    if size > largest:
        raise ArrayError(f"{name} declares {size / 1e6:.0f} MB, and {largest / 1e6:.0f} are the most that is read")
    data = file.read(size + 1)  # one more: in an archive, the end is where the checksum is compared
    if len(data) != size:
        raise ArrayError(f"{name} is {'cut short' if len(data) < size else 'longer than it declares'}")
    with np.errstate(all="ignore"):
        array = np.frombuffer(data, stored).reshape(sides, order="F" if backwards else "C").astype(kind, order="C")
    if not np.isfinite(array).all():
        raise ArrayError(f"{name} holds numbers that are not finite")
    return array


def _header(file: IO[bytes], name: str) -> tuple[np.dtype[np.generic], bool, tuple[int, ...]]:
    """Kind of number, whether the first side runs fastest, and the shape."""
    start = file.read(12)
    length = {1: 2, 2: 4, 3: 4}.get(start[6] if len(start) == 12 else 0)
    if not start.startswith(b"\x93NUMPY") or length is None:
        raise ArrayError(f"{name} is no array in numpy's format")
    declared = int.from_bytes(start[8 : 8 + length], "little")
    if not 4 <= declared <= LONGEST_HEADER:
        raise ArrayError(f"{name} has a damaged header")
    text = (start[8 + length :] + file.read(declared - (4 - length))).decode("latin-1")
    found = HEADER.fullmatch(text)
    items = dict(zip(found.groups()[::2], found.groups()[1::2], strict=True)) if found else {}
    order, shape = items.get("fortran_order", ""), items.get("shape", "")
    sides = re.findall(r"\d+", shape)
    if (
        "descr" not in items
        or order not in ("True", "False")
        or not shape.startswith("(")
        or any(len(side) > 18 for side in sides)
    ):
        raise ArrayError(f"{name} is not an array of plain numbers, or has a damaged header")
    kind = re.fullmatch(r"[<>|=]?[fiu]\d\d?", items["descr"][1:-1])
    try:
        if kind is None:
            raise TypeError
        return np.dtype(kind[0]), order == "True", tuple(map(int, sides))
    except TypeError:
        raise ArrayError(f"{name} holds something else than real numbers ({printable(items['descr'][1:-1])})") from None
