"""Verification: telling from how near two pictures are whether they show one person (Huang et al. 2007, Labeled Faces
in the Wild)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Nearness = NDArray[np.float32 | np.float64]
"""(N,) how near the two pictures of each pair are, in any unit; larger is nearer."""


def correct_verdicts(nearness: Nearness, same: NDArray[np.bool_], fold: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of N pairs is judged correctly when pairs at least as near as a threshold are taken for one person.

    same: (N,) whether a pair shows one person. fold: (N,) the number of its fold. The threshold of a fold is the one
    that is best for the pairs of all other folds, the lowest of equally good ones."""
    right = np.zeros(len(same), bool)
    for number in np.unique(fold):
        rest, here = fold != number, fold == number
        limits = np.sort(nearness[rest])
        one, two = np.sort(nearness[rest & same]), np.sort(nearness[rest & ~same])
        # A limit is right about the pairs of one person from it on, and about those of two below it.
        count = len(one) - np.searchsorted(one, limits, "left") + np.searchsorted(two, limits, "left")
        best = limits[count.argmax()] if len(limits) else 0.0
        right[here] = (nearness[here] >= best) == same[here]
    return right


def mean_and_error(right: NDArray[np.bool_], fold: NDArray[np.int64]) -> tuple[float, float]:
    """The mean over K folds of the share of pairs judged correctly, and its standard error σ/√K, σ with K − 1 degrees
    of freedom (Section 3 of the LFW report). right: (N,) as `correct_verdicts` returns it. fold: (N,) fold numbers."""
    shares = np.array([right[fold == number].mean() for number in np.unique(fold)])
    return float(shares.mean()), float(shares.std(ddof=1) / np.sqrt(len(shares)))


def auc(nearness: Nearness, same: NDArray[np.bool_]) -> float:
    """Area under the receiver operating curve, in [0,1]: Mann and Whitney's U as a share of all pairs of pairs; ties
    count half. same: (N,) whether a pair shows one person."""
    one, two = nearness[same], np.sort(nearness[~same])
    below, upto = np.searchsorted(two, one, "left"), np.searchsorted(two, one, "right")
    return float((below + upto).mean() / 2 / len(two))


def accepted(nearness: Nearness, same: NDArray[np.bool_], rate: float) -> float:
    """True accept rate at a false accept rate: the share of pairs of one person that are nearer than a threshold which
    at most the share `rate` of the pairs of two people passes. same: (N,) whether a pair shows one person."""
    others = np.sort(nearness[~same])[::-1]
    return float((nearness[same] > others[int(rate * len(others))]).mean()) if rate < 1 else 1.0


def found_within(nearness: Nearness, right: NDArray[np.bool_], rank: int) -> float:
    """How often, among N probes, one of the `rank` nearest in a gallery shows the same person; ties count against it.

    nearness: (N,G) of probes and gallery. right: (N,G) whether both show one person; probes of people whom the gallery
    does not hold are left out."""
    held = right.any(axis=1)
    best = np.where(right, nearness, -np.inf).max(axis=1)
    nearer = (~right & (nearness >= best[:, None])).sum(axis=1)
    return float((nearer[held] < rank).mean())
