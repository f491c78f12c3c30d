"""A smile learnt from people whose faces differ and who are turned, moved and enlarged."""

from __future__ import annotations

import numpy as np
import pytest

from masque.data.puppets import draw_puppet, render
from masque.faces.frame import MIRRORED
from masque.faces.smile_learning import FIXED, closed_smile, mean_smile


def true_smile() -> np.ndarray:
    smile = np.zeros((68, 2))
    smile[48], smile[54], smile[62], smile[66] = (-0.2, -0.15), (0.2, -0.15), (0, -0.1), (0, 0.06)
    return smile


def faces(count: int = 12) -> tuple[np.ndarray, list[str], np.ndarray]:
    rng = np.random.default_rng(0)
    frontal = render(draw_puppet(0), 1.0).landmarks.astype(float)
    frontal = (frontal + np.stack([177 - frontal[MIRRORED, 0], frontal[MIRRORED, 1]], axis=1)) / 2
    landmarks, people, smiling = [], [], []
    for person in range(count):
        own = frontal + rng.normal(0, 1, (68, 1)) * [0, 1]
        own = (own + np.stack([177 - own[MIRRORED, 0], own[MIRRORED, 1]], axis=1)) / 2
        mouth = np.linalg.norm(own[54] - own[48])
        for value in (0.0, 1.0):
            angle, size = rng.normal(0, 0.05), rng.uniform(0.9, 1.1)
            turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            landmarks.append((own + value * mouth * true_smile() - own.mean(axis=0)) @ turn.T + own.mean(axis=0))
            people.append(str(person))
            smiling.append(value)
    return np.array(landmarks), people, np.array(smiling)


def test_the_smile_is_found_whatever_the_face_and_its_place() -> None:
    landmarks, people, smiling = faces()
    found, count = mean_smile(landmarks, people, smiling, np.zeros(len(people)))
    assert count == 12
    assert found == pytest.approx(true_smile(), abs=0.02)
    assert np.abs(found[FIXED]).max() < 0.01


def test_people_seen_one_way_do_not_count() -> None:
    landmarks, people, smiling = faces()
    smiling[:2] = 1
    assert mean_smile(landmarks, people, smiling, np.zeros(len(people)))[1] == 11
    with pytest.raises(ValueError, match="nobody"):
        mean_smile(landmarks, people, np.ones(len(people)), np.zeros(len(people)))


def test_closed_lips_stay_together() -> None:
    closed = closed_smile(true_smile())
    assert closed[62] == pytest.approx(closed[66])
    assert closed[62] == pytest.approx((0, -0.02))
    assert closed[48] == pytest.approx(true_smile()[48])
