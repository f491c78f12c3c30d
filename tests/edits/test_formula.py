"""Formulas of faces: by hand, and what no formula is."""

from __future__ import annotations

import warnings

import pytest
import torch

from masque.edits.formula import compute
from masque.errors import ValueRangeError
from robustness import mutations

A, B, C = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0]), torch.tensor([4.0, 4.0])


def test_formulas_by_hand() -> None:
    names = {"a": A, "b": B, "c": C}
    assert compute("a - b + c", names).tolist() == [5.0, 2.0]
    assert compute(" (a+b+c)/2 ", names).tolist() == [2.5, 3.0]
    assert compute("-a + 0.5*c*2", names).tolist() == [3.0, 4.0]
    assert compute("2 * (1 - 0.5) * b", names).tolist() == [0.0, 2.0]
    assert compute("5e-1*c + .5*a + 1.*b", names).tolist() == [2.5, 4.0]
    assert compute("(" * 50 + "a" + ")" * 50 + " + b" * 200, names).tolist() == [1.0, 400.0]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("a - d", "names d, and there is no such photo: a, b are the photos"),
        ("a * b", "multiplies or divides faces"),
        ("a / b", "multiplies or divides faces"),
        ("1 / a", "divides by a face"),
        ("a + 1", "adds a number to a face"),
        ("a / 0", "divides by 0"),
        ("0/0", "divides by 0"),
        ("a/(1-1)", "divides by 0"),
        ("1 + 2", "names no photo"),
        ("a*nan", "names nan"),
        ("a*inf", "names inf"),
        ("x" * 900, "names x"),
    ],
)
def test_formulas_that_mean_nothing(formula: str, reason: str) -> None:
    refused(formula, reason)


@pytest.mark.parametrize(
    "formula",
    [
        "a*1e400 + b",
        "a * " + "9" * 400,
        "a*1e308*1e308",
        "a*(1e308*1e308)",
        "a*1e30",
        "a*1e30 - a*1e30 + a*1e200",
        "a/1e-300",
        "a/(1e-300/1e300)*0",
        "-1e400*a",
        "a*(1e308 + 1e308)",
    ],
)
def test_numbers_that_are_too_large(formula: str) -> None:
    refused(formula, "too large|divides by 0")


@pytest.mark.parametrize(
    "formula",
    [
        "a +",
        "",
        " ",
        "a ** 2",
        "9**9**9",
        "__import__('os')",
        "a if b else a",
        "True * a",
        "(" * 999 + "a",
        "-" * 999 + "a",
        "a is 1",
        "1if a else b",
        "'\\d'*a",
        "a[0]",
        "a\0",
        "0x10*a",
        "1_0*a",
        "a*1.5.5",
        "1j*a",
        "1ea",
        "a\n- b\n",
        "\ud800",
        "\x1b[2Ja",
        "x" * 900 + "!",
        "1" * 900 + "!",
        "a.b",
        "a,b",
        "a @ b",
        "a // b",
        "a % b",
        "~a",
        "+a",
        "lambda: a",
        "a := b",
        "a = b",
        "é",
        "a;b",
        "#",
        "()",
        "a(b)",
    ],
)
def test_what_is_no_formula(formula: str) -> None:
    refused(formula, "cannot be read")


def test_long_formulas_are_refused_unread() -> None:
    refused("a" + " + a" * 400, "has 1601 characters, and 1000 are the most")


def refused(formula: str, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueRangeError, match=reason) as caught:
            compute(formula, {"a": A, "b": B})
    assert mutations.is_plain(str(caught.value))
