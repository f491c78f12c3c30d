"""How well the face features tell held-out people apart, and how well their attributes can be read.

verification.accuracy   share of pairs, as many of one person as of two, judged rightly; the threshold for each tenth of the pairs is
                        the best for the other nine, as on LFW (Huang et al. 2007)
verification.auc        chance that a pair of one person is nearer than a pair of two
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.frames import FrameSet
from masque.errors import DataError
from masque.image import Picture
from masque.metrics.verification import Nearness, auc, correct_verdicts

FOLDS = 10
AT_ONCE = 64

Extract = Callable[[list[Picture]], Tensor]


def evaluate_identity(
    frames: FrameSet,
    extract: Extract,
    features: str,
    pairs: int = 3000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Verification of `pairs` random pairs of held-out pictures, half of them of one person.

    extract: face frames -> features (N,F), compared by their cosine. features: the hash of what makes them. Raises
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
        "features": features, "data": frames.fingerprint(), "seed": seed, "people": len(set(people[people >= 0].tolist())),
        "pictures": len(test), "pairs": len(same),
        "verification": {"accuracy": accuracy(nearness, same), "auc": auc(nearness, same)},
    }  # fmt: skip


def draw_pairs(
    people: NDArray[np.int64], count: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Positions of first and second picture of `count` pairs, and whether they show one person: in turn yes and no.

    people: (N,) numbers; -1 is unknown and in no pair. Every person and every two people are equally likely. Raises
    DataError."""
    places = {int(p): np.flatnonzero(people == p) for p in np.unique(people[people >= 0])}
    several = [p for p, at in places.items() if len(at) > 1]
    if len(places) < 2 or not several:
        raise DataError(
            "Verification needs two held-out people at least, one of them with two pictures: hold out more of them."
        )
    drawn = []
    for number in range(count):
        if number % 2 == 0:
            drawn.append(generator.choice(places[several[generator.integers(len(several))]], 2, replace=False))
        else:
            one, other = generator.choice(list(places), 2, replace=False)
            drawn.append(np.array([generator.choice(places[int(one)]), generator.choice(places[int(other)])]))
    first, second = np.array(drawn).T
    return first, second, np.arange(count) % 2 == 0


def accuracy(nearness: Nearness, same: NDArray[np.bool_]) -> float:
    """Share judged rightly, each tenth with the threshold that is best for the other nine."""
    return float(correct_verdicts(nearness, same, np.arange(len(same)) // 2 % FOLDS).mean())


def as_text(report: Mapping[str, Any]) -> str:
    """Two lines."""
    v = report["verification"]
    return (
        f"{report['pairs']} pairs of {report['people']} held-out people ({report['pictures']} pictures), features {report['features']}\n"
        f"verification: {100 * v['accuracy']:.1f} % right, area under the curve {v['auc']:.3f}"
    )
