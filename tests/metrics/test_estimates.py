"""Intervals against those that theory gives."""

from __future__ import annotations

import numpy as np
import pytest

from masque.metrics.estimates import NOTHING, estimate_mean, estimate_ratio, in_words


def test_the_interval_of_a_mean_is_the_normal_ones() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = estimate_mean(values)
    error = 1.96 * values.std() / 20
    assert found["value"] == pytest.approx(values.mean())
    assert found["n"] == 400
    assert found["interval"] == pytest.approx([values.mean() - error, values.mean() + error], abs=0.15 * error)


def test_pictures_of_one_person_count_as_one() -> None:
    """Ten people with twenty pictures that are all the same: there are ten values, not two hundred."""
    each = np.random.default_rng(1).normal(0, 1, 10)
    values, people = np.repeat(each, 20), [f"p{k}" for k in range(10) for _ in range(20)]
    (low, high), (near, far) = (estimate_mean(values, who)["interval"] for who in (people, [""] * 200))
    assert high - low > 3 * (far - near)


def test_a_ratio_is_of_sums() -> None:
    found = estimate_ratio([1.0, 4.0, float("nan")], [2.0, 2.0, 1.0])
    assert (found["value"], found["n"]) == (1.25, 2)
    assert found["interval"] == pytest.approx([0.5, 2])


def test_nothing_measured_says_so() -> None:
    assert estimate_mean([float("nan")]) == NOTHING == estimate_mean([])
    assert in_words(NOTHING) == "–"
    assert in_words({"value": 0.5, "n": 2, "interval": [0.25, 0.75]}, 2) == "0.50 [0.25, 0.75]"
