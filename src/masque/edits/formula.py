"""Arithmetic on faces, as a user writes it: "a - b + c", "(a + b) / 2"."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from masque.errors import ValueRangeError, printable

OPERATIONS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

LONGEST = 1000
"""Characters: so many can be read and computed in no time, however deep their brackets are."""

WORDS = re.compile(r"(?:\s|[-+*/()]|(?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?+\d++)?+(?![\w.])|[A-Za-z_]\w*+)*+", re.ASCII)
"""All that a formula is written with. Of anything else Python's parser might print warnings."""

LARGEST = 1e6
"""The largest number that a formula may make of a face's, which are about 1."""


def compute(formula: str, names: Mapping[str, Tensor]) -> Tensor:
    """A formula of names, numbers, + − * / and brackets, computed: a tensor of the shape that all named ones have.

    Raises ValueRangeError with what is wrong, also where a number on the way or in the end is too large or not finite.
    """
    shown = f"The formula {printable(formula)!r}"
    if len(formula) > LONGEST:
        raise ValueRangeError(
            f"{shown} has {len(formula)} characters, and {LONGEST} are the most that are read: write a shorter one."
        )
    try:
        if WORDS.fullmatch(formula) is None:
            raise ValueError
        result = _value(ast.parse(formula.strip(), mode="eval").body, names, shown)
    except (SyntaxError, ValueError, RecursionError):
        raise ValueRangeError(f"{shown} cannot be read: write one such as 'a - b + c' or '(a + b) / 2'.") from None
    if not isinstance(result, Tensor):
        raise ValueRangeError(f"{shown} names no photo: write one such as 'a - b + c'.")
    if not bool((result.abs() <= LARGEST).all()):  # a number that is not one is not smaller either
        raise ValueRangeError(f"{shown} makes numbers too large for a face: multiply and divide by smaller ones.")
    return result


def _value(node: ast.AST, names: Mapping[str, Tensor], shown: str) -> Any:
    """A number, or a tensor, that a part of a formula is. Raises ValueError for what no formula has, ValueRangeError in
    words."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return _finite(node.value, shown)
    if isinstance(node, ast.Name):
        if node.id not in names:
            order = f"{', '.join(names)} are the photos in their order"
            raise ValueRangeError(f"The formula names {printable(node.id)}, and there is no such photo: {order}.")
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, names, shown)
    if not isinstance(node, ast.BinOp) or type(node.op) not in OPERATIONS:
        raise ValueError
    left, right = _value(node.left, names, shown), _value(node.right, names, shown)
    if isinstance(left, Tensor) and isinstance(right, Tensor) and isinstance(node.op, ast.Mult | ast.Div):
        raise ValueRangeError(f"{shown} multiplies or divides faces: only numbers can do that.")
    if isinstance(node.op, ast.Add | ast.Sub) and isinstance(left, Tensor) != isinstance(right, Tensor):
        raise ValueRangeError(f"{shown} adds a number to a face: multiply faces by numbers instead.")
    if isinstance(node.op, ast.Div) and isinstance(right, Tensor):
        raise ValueRangeError(f"{shown} divides by a face: only numbers can do that.")
    if isinstance(node.op, ast.Div) and right == 0:
        raise ValueRangeError(f"{shown} divides by 0.")
    result = OPERATIONS[type(node.op)](left, right)
    return result if isinstance(result, Tensor) else _finite(result, shown)


def _finite(number: float, shown: str) -> float:
    try:
        number = float(number)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueRangeError(f"{shown} has or makes a number that is too large: write a smaller one.")
    return number
