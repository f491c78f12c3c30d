"""Numbers as callers give them: Python's own, numpy's, or anything else that says it is one. What records hold is Python's own."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from masque.errors import UnknownAttributeError, ValueRangeError, printable

LARGEST_SEED = 10**12
"""Seeds are below: what is computed from one fits into 64 bits."""


def whole(name: str, value: Any) -> int:
    """A whole number. Raises ValueRangeError for fractions, truth values, texts and whatever else is none."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ValueRangeError(f"{name} is {printable(repr(value))} and must be a whole number.") from None


def seed_of(value: Any) -> int:
    """A seed. Raises ValueRangeError."""
    seed = whole("seed", value)
    if not 0 <= seed < LARGEST_SEED:
        raise ValueRangeError(f"seed is {seed} and must be from 0 to {LARGEST_SEED - 1}.")
    return seed


def number(name: str, value: Any) -> float:
    """A finite number. Raises ValueRangeError for any other, for texts and for arrays of several."""
    try:
        if isinstance(value, str | bytes | bytearray) or getattr(value, "ndim", 0) != 0:
            raise TypeError
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueRangeError(f"{name} is {printable(repr(value))} and must be a finite number.")
    return found


def values_by_name(values: Any) -> dict[str, float]:
    """Attributes as Python's own numbers. Raises UnknownAttributeError for a name that is no text, ValueRangeError for other values."""
    if not isinstance(values, Mapping):
        raise ValueRangeError(f"Attributes are values by name, such as {{'Smiling': 1.0}}, and not {printable(repr(values))}.")
    for name in values:
        if not isinstance(name, str):
            raise UnknownAttributeError(f"{printable(repr(name))} is no name of an attribute: names are texts such as 'Smiling'.")
    return {str(name): number(printable(name), value) for name, value in values.items()}
