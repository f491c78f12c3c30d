"""Verification in folds: thresholds that the judged pairs did not choose, the mean and its error, the area."""

from __future__ import annotations

import numpy as np
import pytest

from masque.metrics.verification import accepted, auc, correct_verdicts, found_within, mean_and_error


def slowly(nearness: np.ndarray, same: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Every threshold tried on every pair."""
    right = np.zeros(len(same), bool)
    for number in set(fold.tolist()):
        rest = fold != number
        best = max(sorted(nearness[rest]), key=lambda limit: ((nearness[rest] >= limit) == same[rest]).sum())
        right[~rest] = (nearness[~rest] >= best) == same[~rest]
    return right


@pytest.mark.parametrize("digits", [1, 8])
def test_as_trying_every_threshold(digits):
    generator = np.random.default_rng(0)
    same, fold = generator.random(300) < 0.5, generator.integers(0, 7, 300)
    nearness = np.round(generator.normal(size=300) + same, digits)
    assert (correct_verdicts(nearness, same, fold) == slowly(nearness, same, fold)).all()


def test_a_fold_does_not_choose_its_own_threshold():
    fold = np.repeat([0, 1], 4)
    same = np.array([True, False] * 4)
    nearness = np.array([3.0, 2.0, 3.0, 2.0, 1.0, 0.0, 1.0, 0.0])  # each fold alone could be judged wholly right
    # By the second fold's threshold, 1, the first one's pairs are all of one person; by the first one's, 3, the second
    # one's all of two.
    assert correct_verdicts(nearness, same, fold).tolist() == [True, False, True, False, False, True, False, True]


def test_mean_and_error_by_hand():
    right = np.array([True] * 3 + [False] + [True, True, False, False] + [True] * 4)
    mean, error = mean_and_error(right, np.repeat([0, 1, 2], 4))
    assert mean == pytest.approx(0.75)
    assert error == pytest.approx(0.25 / np.sqrt(3))


def test_area_by_hand():
    same = np.array([True, True, False, False])
    assert auc(np.array([4.0, 2.0, 3.0, 1.0]), same) == 0.75
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), same) == 0.5
    assert auc(np.array([0.0, 0.0, 1.0, 1.0]), same) == 0.0


def test_acceptance_at_a_rate_by_hand():
    same = np.array([True] * 4 + [False] * 10)
    nearness = np.concatenate([[9.5, 8.0, 7.5, 0.5], np.arange(10.0)])
    assert accepted(nearness, same, 0.0) == 0.25  # nearer than every pair of two
    assert accepted(nearness, same, 0.1) == 0.25  # 8.0 ties with the pair that may not pass
    assert accepted(nearness, same, 0.2) == 0.75
    assert accepted(nearness, same, 0.95) == 1.0
    assert accepted(nearness, same, 1.0) == 1.0


def test_ranks_by_hand():
    nearness = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 1.0, 0.0], [9.0, 9.0, 9.0]])
    right = np.array([[True, False, False], [False, False, True], [True, False, False], [False, False, False]])
    assert [found_within(nearness, right, rank) for rank in (1, 2, 3)] == [pytest.approx(n / 3) for n in (1, 2, 3)]
