"""E_1 measured: one that sees what the landmarks say has no error against them, and one that sees nothing has."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from masque import runs
from masque.data.frames import FrameSet, load_frames
from masque.errors import DataError
from masque.faces.shape3d import fit
from masque.models.shape import FaceShape
from masque.tables.shape import as_text, evaluate_shape


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    made = load_frames(["puppets:40"], 32, ())
    return dataclasses.replace(made, splits=tuple("test" if i % 2 else "train" for i in range(len(made))))


@pytest.fixture
def model(frames) -> FaceShape:
    recipe = runs.build_recipe(runs.plan("shape", "tiny"))
    recipe.begin(frames)
    return recipe.model.eval()


def test_a_network_that_sees_what_the_landmarks_say(frames, model):
    E_1 = model.E_1
    held_out = np.asarray(frames.landmarks)[frames.indices("test")]
    true = E_1.features(fit(E_1.shapes, held_out))
    seen = iter([true, torch.zeros(5, 5)])
    E_1.forward = lambda _: next(seen)
    report = evaluate_shape(model, "abc", frames, puppets=5)
    assert json.loads(json.dumps(report)) == report
    assert report["seen"] == {"yaw_error": pytest.approx(0.0, abs=1e-3), "expression": pytest.approx(1.0, abs=1e-4)}
    assert report["fit"]["landmark_error"] < 0.08
    assert report["puppets"]["yaw_error"] > 1.0  # all straight ahead
    assert report["puppets"]["fit"]["yaw_error"] < 12.0  # of bases from twenty puppets
    assert "yaw 0.0° from that of the landmarks" in as_text(report)


def test_a_network_that_sees_nothing(frames, model):
    model.E_1.forward = lambda x: torch.zeros(len(x), 5)
    report = evaluate_shape(model, "abc", frames, puppets=1)
    assert report["seen"]["expression"] == 0.0
    assert report["seen"]["yaw_error"] > 1.0


def test_too_few_pictures(frames, model):
    with pytest.raises(DataError, match="Three held-out pictures"):
        evaluate_shape(model, "abc", dataclasses.replace(frames, splits=("train",) * len(frames)))
