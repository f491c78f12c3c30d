"""JSON objects from files of unknown origin: what is not plain JSON in UTF-8, or has a key twice, is refused."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from masque.errors import printable

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None
"""A value that JSON can write."""

LARGEST = 1 << 24
"""Bytes that a file may have."""


class ObjectError(ValueError):
    """Half a sentence on a file, such as "it is no JSON", that says why no object was read from it."""


def read_object(path: str | os.PathLike[str]) -> dict[str, JSON]:
    """The JSON object that a file holds; a byte order mark at its start is skipped.

    Raises ObjectError where it holds something else, the same name twice in one object, a number that is not finite, or
    more than 16 MB; OSError where it is missing or may not be read."""
    if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would be waited for
        raise ObjectError("it is not a file")
    with Path(path).open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ObjectError(f"it has more than the {LARGEST >> 20} MB that are read")
    try:
        return parse_object(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ObjectError("it is no text in UTF-8") from None


def parse_object(text: str) -> dict[str, JSON]:
    """The JSON object that a text holds. Raises ObjectError as `read_object` does."""
    try:
        value: JSON = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_finite, parse_float=_finite)
    except ObjectError:
        raise
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of brackets in each other
        raise ObjectError(
            f"it is no JSON: {printable(error) if isinstance(error, ValueError) else 'it is nested too deeply'}"
        ) from None
    if not isinstance(value, dict):
        raise ObjectError(f"it holds {_kind_of(value)} and no object")
    return value


def _without_repeats(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ObjectError(f"it says {printable(repeated)} twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ObjectError(f"it holds the number {printable(text, 20)}")
    return number


def _kind_of(value: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
