"""Numbers and paths as callers give them (Python's, numpy's, or any object that converts), made Python's own: those are
what records hold."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import SupportsFloat, SupportsIndex

import numpy as np

from masque.errors import OutputError, UnknownAttributeError, ValueRangeError, nearest, printable

LARGEST_SEED = 10**12
"""Seeds are below: what is computed from one fits into 64 bits."""


def whole(name: str, value: object) -> int:
    """`value` as an int. name: what it is called in the error.

    Raises ValueRangeError for fractions, truth values, texts and anything else that is no whole number."""
    try:
        if isinstance(value, bool | np.bool_) or not isinstance(value, SupportsIndex):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ValueRangeError(f"{name} is {printable(repr(value))} and must be a whole number.") from None


def seed_of(value: object) -> int:
    """`value` as a seed, a whole number from 0 to below `LARGEST_SEED`. Raises ValueRangeError."""
    seed = whole("seed", value)
    if not 0 <= seed < LARGEST_SEED:
        raise ValueRangeError(f"seed is {seed} and must be from 0 to {LARGEST_SEED - 1}.")
    return seed


def number(name: str, value: object) -> float:
    """`value` as a finite float. name: what it is called in the error.

    Raises ValueRangeError for infinities and NaN, for texts and for arrays of several numbers."""
    try:
        if isinstance(value, str | bytes | bytearray) or getattr(value, "ndim", 0) != 0:
            raise TypeError
        if not isinstance(value, SupportsFloat | SupportsIndex):
            raise TypeError
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueRangeError(f"{name} is {printable(repr(value))} and must be a finite number.")
    return found


def share(name: str, value: object) -> float:
    """`value` as a float from 0 to 1, such as an attribute's. name: what it is called in the error. Raises
    ValueRangeError."""
    found = float(value) if isinstance(value, float | np.floating) else number(name, value)
    if not 0.0 <= found <= 1.0:  # nan is not, either
        raise ValueRangeError(f"{name} = {found:g} is outside [0, 1]: 0 is none of it, 1 all of it.")
    return found


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise ValueRangeError, naming the nearest, when `value` is not one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueRangeError(f"There is no {name} {printable(value)}; {nearest(printable(value), choices)}.")


def output_path(value: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> Path:
    """`value` as the path of a file to write. Raises OutputError for what is no path, such as an open file."""
    try:
        return Path(os.fsdecode(value))
    except TypeError:
        raise OutputError(f"{printable(repr(value))} is no path: name the file to write.") from None


def values_by_name(values: object) -> dict[str, float]:
    """Attributes by name, as floats from 0 to 1. values: a mapping.

    Raises UnknownAttributeError for a name that is no text, ValueRangeError for values outside the range."""
    if not isinstance(values, Mapping):
        raise ValueRangeError(
            f"Attributes are values by name, such as {{'Smiling': 1.0}}, and not {printable(repr(values))}."
        )
    for name in values:
        if not isinstance(name, str):
            raise UnknownAttributeError(
                f"{printable(repr(name))} is no name of an attribute: names are texts such as 'Smiling'."
            )
    return {str(name): share(printable(name), value) for name, value in values.items()}
