"""Verification of held-out people: pairs, accuracy, area under the curve."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from masque.data.frames import FrameSet, load_frames
from masque.errors import DataError
from masque.metrics.verification import auc
from masque.tables.identity import accuracy, as_text, draw_pairs, evaluate_identity


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    """40 puppets of which all are held out."""
    made = load_frames(["puppets:40"], 32, ())
    return dataclasses.replace(made, splits=("test",) * len(made))


def test_pairs_are_in_turn_of_one_person_and_of_two():
    people = np.array([0, 0, 0, 1, 2, 2, -1, -1])
    first, second, same = draw_pairs(people, 400, np.random.default_rng(0))
    assert same.tolist() == [True, False] * 200
    assert ((people[first] == people[second]) == same).all()
    assert (first != second).all()
    assert (people[first] >= 0).all()
    assert set(people[first[same]]) == {0, 2}  # person 1 has one picture only
    assert set(people[first[~same]]) == {0, 1, 2}


@pytest.mark.parametrize("people", [[], [-1, -1], [3, 3, 3], [1, 2, 3]])
def test_too_few_people(people):
    with pytest.raises(DataError, match="two held-out people"):
        draw_pairs(np.array(people, dtype=np.int64), 20, np.random.default_rng(0))


def test_accuracy_and_area_by_hand():
    same = np.arange(400) % 2 == 0
    perfect = np.where(same, 0.6, 0.3)
    assert (accuracy(perfect, same), auc(perfect, same)) == (1.0, 1.0)
    assert auc(-perfect, same) == 0.0
    assert auc(np.zeros(400), same) == 0.5
    noise = np.random.default_rng(0).normal(size=400)
    assert 0.35 < accuracy(noise, same) < 0.6
    some = np.where(same, np.arange(400) % 8 < 6, 0.0)  # of the pairs of one person, three quarters stand out
    assert accuracy(some, same) == pytest.approx(0.875)
    assert auc(some, same) == pytest.approx(0.75 + 0.25 / 2)


def test_features_that_name_the_person_are_always_right(frames):
    people = torch.from_numpy(frames.people())
    looked = iter(torch.nn.functional.one_hot(people).float().split(64))
    report = evaluate_identity(frames, lambda _: next(looked), "abc", pairs=60)
    assert report["verification"] == {"accuracy": 1.0, "auc": 1.0}
    assert (report["people"], report["pictures"], report["pairs"]) == (len(set(frames.identities)), 40, 60)
    assert "100.0 % right" in as_text(report)


def test_the_same_seed_draws_the_same_pairs(frames):
    def mean_colour(pictures: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack([p.mean(axis=(0, 1)) for p in pictures])).float()

    reports = [evaluate_identity(frames, mean_colour, "abc", pairs=60, seed=seed) for seed in (0, 0, 1)]
    assert reports[0] == reports[1]
    assert reports[0]["verification"] != reports[2]["verification"]
