"""How well face features tell held-out people apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.frames import FrameSet
from masque.errors import DataError
from masque.image import Picture
from masque.metrics.verification import Nearness, auc, correct_verdicts

FOLDS = 10
"""Parts of the pairs, each judged by the threshold that is best for the others."""

AT_ONCE = 64
"""Pictures in a batch of the network."""

Extract = Callable[[list[Picture]], Tensor]
"""Face frames to features (N,F), which are compared by their cosine."""


class Verification(TypedDict):
    """Pairs of one person told from pairs of two."""

    accuracy: float
    """Share of pairs judged correctly; the threshold for each tenth of the pairs is the best for the other nine, as on
    LFW (Huang et al. 2007)"""
    auc: float
    """Probability that a pair of one person is nearer than a pair of two"""


class IdentityReport(TypedDict):
    """What `evaluate_identity` returns."""

    features: str
    """Hash of what makes the features"""
    data: str
    """Fingerprint of the frames"""
    seed: int
    people: int
    pictures: int
    pairs: int
    """How many pairs were compared, half of them of one person"""
    verification: Verification


def evaluate_identity(
    frames: FrameSet,
    extract: Extract,
    features: str,
    pairs: int = 3000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> IdentityReport:
    """Verification of `pairs` random pairs of held-out pictures, half of them of one person.

    features: the hash of what `extract` is made of. progress: called with the pictures seen and their number. Raises
    DataError when the held-out pictures have not two people, or nobody has two pictures."""
    test = frames.indices("test")
    people = frames.people()[test]
    made = []
    for start in range(0, len(test), AT_ONCE):
        made.append(extract([frames.frames[i] for i in test[start : start + AT_ONCE]]))
        if progress:
            progress(min(start + AT_ONCE, len(test)), len(test))
    points = torch.nn.functional.normalize(torch.cat(made), dim=1).numpy() if made else np.zeros((0, 1), np.float32)
    first, second, same = draw_pairs(people, pairs, np.random.default_rng(seed))
    nearness = (points[first] * points[second]).sum(axis=1)
    return {
        "features": features,
        "data": frames.fingerprint(),
        "seed": seed,
        "people": len(set(people[people >= 0].tolist())),
        "pictures": len(test),
        "pairs": len(same),
        "verification": {"accuracy": accuracy(nearness, same), "auc": auc(nearness, same)},
    }


def draw_pairs(
    people: NDArray[np.int64], count: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Positions of the first and of the second picture of `count` pairs, and whether they show one person, which they
    do in turn.

    people: (N,) numbers; −1 is unknown and in no pair. Every person and every two people are equally likely. Raises
    DataError without two people, one of whom has two pictures."""
    places = {int(p): np.flatnonzero(people == p) for p in np.unique(people[people >= 0])}
    several = [p for p, at in places.items() if len(at) > 1]
    if len(places) < 2 or not several:
        raise DataError(
            "Verification needs two held-out people at least, one of them with two pictures: hold out more of them."
        )
    pairs = []
    for number in range(count):
        if number % 2 == 0:
            pairs.append(generator.choice(places[several[generator.integers(len(several))]], 2, replace=False))
        else:
            one, other = generator.choice(list(places), 2, replace=False)
            pairs.append(np.array([generator.choice(places[int(one)]), generator.choice(places[int(other)])]))
    first, second = np.array(pairs).T
    return first, second, np.arange(count) % 2 == 0


def accuracy(nearness: Nearness, same: NDArray[np.bool_]) -> float:
    """See `Verification`. nearness, same: (N,) of pairs that show one person in turn."""
    return float(correct_verdicts(nearness, same, np.arange(len(same)) // 2 % FOLDS).mean())


def as_text(report: IdentityReport) -> str:
    """The report in two lines of text."""
    v = report["verification"]
    return (
        f"{report['pairs']} pairs of {report['people']} held-out people ({report['pictures']} pictures), "
        f"features {report['features']}\n"
        f"verification: {100 * v['accuracy']:.1f} % right, area under the curve {v['auc']:.3f}"
    )
