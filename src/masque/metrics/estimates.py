"""Means and ratios of measures with the interval in which they lie: the bootstrap's (Efron 1979), over people where
several pictures show one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
"""Samples of the bootstrap from which an interval is computed."""

Values = NDArray[np.float64]
"""(N,) one value for each picture."""


class Estimate(TypedDict):
    """A measure over pictures."""

    value: float | None
    """None where there was no picture to measure it on"""
    n: int
    """Pictures that it was measured on"""
    interval: list[float] | None
    """The bootstrap's 95 % interval: low, high"""


NOTHING: Estimate = {"value": None, "n": 0, "interval": None}
"""The estimate of what was measured on no picture."""


def estimate_mean(values: Sequence[float] | Values, people: Sequence[str] | None = None, seed: int = 0) -> Estimate:
    """The mean of values (N,) that are not NaN.

    people: the person in each picture; people are then drawn and not pictures, since pictures of one person are alike.
    An empty name is a person of whom there is one picture. seed: of the bootstrap."""
    measured = np.asarray(values, np.float64)
    return estimate(lambda chosen: float(measured[chosen].mean()), ~np.isnan(measured), people, seed)


def estimate_ratio(
    above: Sequence[float] | Values, below: Sequence[float] | Values, people: Sequence[str] | None = None, seed: int = 0
) -> Estimate:
    """The sum of values (N,) over the sum of others (N,). A mean of ratios would be decided by the smallest divisors.

    people, seed: as `estimate_mean` has them."""
    one, other = np.asarray(above, np.float64), np.asarray(below, np.float64)
    known = ~(np.isnan(one) | np.isnan(other))
    return estimate(lambda chosen: float(one[chosen].sum() / other[chosen].sum()), known, people, seed)


def estimate(
    measure: Callable[[NDArray[np.int64]], float],
    known: NDArray[np.bool_],
    people: Sequence[str] | None = None,
    seed: int = 0,
) -> Estimate:
    """Any measure of N pictures with its interval.

    measure: takes the positions of pictures, some of them several times. known: (N,) which pictures count. people,
    seed: as `estimate_mean` has them. Samples of which there is no measure (NaN) are left out."""
    places = np.flatnonzero(known)
    if not len(places):
        return NOTHING
    groups = grouped(places, people)
    generator = np.random.default_rng([seed, 95])
    drawn = []
    for _ in range(RESAMPLES):
        picked = generator.integers(len(groups), size=len(groups))
        drawn.append(measure(np.concatenate([groups[k] for k in picked])))
    interval = None if np.isnan(drawn).all() else [float(limit) for limit in np.nanpercentile(drawn, [2.5, 97.5])]
    return {"value": measure(places), "n": len(places), "interval": interval}


def in_words(one: Estimate, digits: int = 3) -> str:
    """An estimate as text: its value and its interval; a dash where nothing was measured."""
    if one["value"] is None:
        return "–"
    limits = "" if one["interval"] is None else " [" + ", ".join(f"{v:.{digits}f}" for v in one["interval"]) + "]"
    return f"{one['value']:.{digits}f}{limits}"


def grouped(places: NDArray[np.int64], people: Sequence[str] | None) -> list[NDArray[np.int64]]:
    """Positions by person, in the order in which people first appear; one of each where people are not known."""
    if people is None:
        return [places[k : k + 1] for k in range(len(places))]
    groups: dict[str, list[int]] = {}
    for place in places:
        groups.setdefault(people[place] or f"\0{place}", []).append(int(place))
    return [np.array(group, np.int64) for group in groups.values()]
