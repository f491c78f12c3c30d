"""The LFW protocol on twelve puppets: features that know everybody, features that know nothing, dlib beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from masque.data.lfw import Pairs, aligned_faces, read_pairs
from masque.image import Picture
from masque.tables.lfw import as_text, evaluate_lfw


@pytest.fixture(scope="module")
def pairs(lfw_folder: Path) -> Pairs:
    return read_pairs(lfw_folder)


@pytest.fixture(scope="module")
def people(pairs: Pairs) -> dict[bytes, int]:
    """Who is in each frame of a model of 32 px."""
    return {
        seen.frame.tobytes(): int(pairs.pictures[i].parent.name[-1])
        for i, seen, _ in aligned_faces(pairs.pictures, 0.25, workers=1)
    }


def test_features_that_name_the_person_are_always_right(pairs, people, monkeypatch):
    monkeypatch.setattr("masque.tables.lfw.AT_ONCE", 5)
    told, asked = [], []

    def extract(frames: list[Picture]) -> torch.Tensor:
        asked.append(len(frames))
        return 3 * torch.nn.functional.one_hot(torch.tensor([people[frame.tobytes()] for frame in frames]), 6).float()

    report = evaluate_lfw(pairs, extract, 32, workers=1, progress=lambda *counts: told.append(counts))
    assert (report["accuracy"], report["error"], report["auc"]) == (1.0, 0.0, 1.0)
    assert (report["folds"], report["pairs"], report["pictures"], report["centred"]) == (2, 12, 12, 1)
    assert asked == [5, 5, 2]
    assert told == [(n, 12) for n in range(1, 13)]
    assert report["dlib"]["accuracy"] > 0.9  # puppets of one person look alike to it
    assert "features 100.00 ± 0.00 %, area under the curve 1.0000" in as_text(report)


def test_by_hand_where_features_are_wrong(pairs, people):
    """Persons 0 to 2 are taken for one, which no pair shows: each pair of two people has one from 3 on. Person 5 is
    taken for two."""
    seen_before = False

    def extract(frames: list[Picture]) -> torch.Tensor:
        nonlocal seen_before
        rows = []
        for frame in frames:
            person = max(2, people[frame.tobytes()])
            if person == 5:
                person, seen_before = (6 if seen_before else 5), True
            rows.append(torch.nn.functional.one_hot(torch.tensor(person), 7).float())
        return torch.stack(rows)

    report = evaluate_lfw(pairs, extract, 32, workers=1)
    # One of twelve pairs, that of person 5 in fold 1, is judged wrongly.
    assert report["accuracy"] == pytest.approx((1 + 5 / 6) / 2)
    assert report["error"] == pytest.approx(np.std([1, 5 / 6], ddof=1) / np.sqrt(2))
    assert report["auc"] == pytest.approx((5 + 0.5) / 6)
