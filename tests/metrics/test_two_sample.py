"""The two-sample test on samples that are the same, and on some that are not."""

from __future__ import annotations

import numpy as np
import torch

from masque.metrics.estimates import NOTHING
from masque.metrics.two_sample import FOLDS, _folds, two_sample_auc

EPOCHS = 4


def noise(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) / 3


def test_samples_of_the_same_cannot_be_told_apart() -> None:
    found = two_sample_auc(noise(40, 0), noise(40, 1), [""] * 40, [""] * 40, epochs=EPOCHS)
    low, high = found["interval"]
    assert low < 0.5 < high
    assert found["n"] == 80


def test_samples_that_differ_are_told_apart_and_again_so() -> None:
    one, other, names = noise(40, 0), noise(40, 1) + 0.5, [""] * 40
    found = two_sample_auc(one, other, names, names, epochs=EPOCHS)
    assert found["value"] > 0.95
    assert found == two_sample_auc(one, other, names, names, epochs=EPOCHS)


def test_a_person_is_in_one_fold() -> None:
    names = [f"p{k % 13}" for k in range(200)]
    first = np.arange(200) < 90
    fold = _folds(names, first, 0)
    assert all(len({int(f) for f, name in zip(fold, names, strict=True) if name == who}) == 1 for who in set(names))
    assert set(fold) == set(range(FOLDS))
    assert all(first[fold == number].any() and not first[fold == number].all() for number in range(FOLDS))


def test_who_is_known_by_sight_does_not_count() -> None:
    """Each person has a colour and is in one set: whoever saw them before could tell, and nobody did."""
    colours = torch.randn(20, 3, 1, 1, generator=torch.Generator().manual_seed(3))
    people = [f"p{k // 4}" for k in range(80)]
    pictures = noise(80, 0) + colours.repeat_interleave(4, 0)
    even = torch.tensor([k // 4 % 2 == 0 for k in range(80)])
    one, other = ([p for p, e in zip(people, even.tolist(), strict=True) if e is kind] for kind in (True, False))
    found = two_sample_auc(pictures[even], pictures[~even], one, other, epochs=EPOCHS)
    assert found["value"] < 0.85


def test_too_few_pictures_say_nothing() -> None:
    assert two_sample_auc(noise(9, 0), noise(40, 1), [""] * 9, [""] * 40) == NOTHING
    few = ["a", "b"] * 20
    assert two_sample_auc(noise(40, 0), noise(40, 1), few, few) == NOTHING
