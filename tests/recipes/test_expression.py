"""A smile that is known because heads were made with it is found again, whoever smiles and however heads are turned."""

from __future__ import annotations

import numpy as np
import pytest

from masque.data.frames import FrameSet
from masque.faces.frame import MIRRORED
from masque.faces.shape3d import rotations
from masque.loading import load_model
from masque.models.expression import ExpressionConfig
from masque.recipes.expression import ExpressionFit, ExpressionTraining

SCALE = 40.0
"""Pixels between the eyes."""


def true_smile() -> np.ndarray:
    """(68,3) in distances between the eyes, y up; the same on both sides."""
    smile = np.zeros((68, 3))
    smile[48], smile[54] = (-0.15, 0.12, -0.08), (0.15, 0.12, -0.08)
    smile[62], smile[66] = (0, 0.08, 0), (0, -0.05, 0)
    return smile


def head() -> np.ndarray:
    """(68,3): a face that is the same on both sides, y up."""
    model, _ = load_model("expression")
    mean = model.state_dict()["motion.mean"].double().numpy()
    return (mean + mean[MIRRORED] * [-1, 1, 1]) / 2


def seen(shapes: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Landmarks (N,68,2) in pixels, y down."""
    return SCALE * (shapes @ rotations(angles).swapaxes(1, 2))[:, :, :2] * [1, -1] + 100


def frames(people: int, known: bool) -> FrameSet:
    """Every person without and with a smile, turned this way and that."""
    rng = np.random.default_rng(0)
    own = np.repeat(head() + rng.normal(0, 0.03, (people, 68, 3)), 2, axis=0)
    smiling = np.tile([0.0, 1.0], people)
    angles = rng.normal(0, 0.2, (2 * people, 3)) * [1, 0.7, 0.3]
    landmarks = seen(own + smiling[:, None, None] * true_smile(), angles)
    count = len(landmarks)
    return FrameSet(
        frames=np.zeros((count, 8, 8, 3), np.uint8),
        masks=np.zeros((count, 8, 8), np.uint8),
        landmarks=landmarks.astype(np.float32),
        # Half of them have the mouth open on both pictures, which shows no move.
        attributes=np.stack([smiling, np.arange(count) // 2 % 2], axis=1).astype(np.float32),
        attribute_names=("Smiling", "Mouth_Slightly_Open"),
        identities=tuple(f"0/{number // 2}" if known else "" for number in range(count)),
        splits=("train",) * count,
        sources=tuple(f"{number}.png" for number in range(count)),
        scale=1.0,
    )


@pytest.mark.parametrize("known", [True, False])
def test_the_smile_that_heads_were_made_with_is_found(known):
    data = frames(80, known)
    fit = ExpressionFit(ExpressionConfig(ways=8), ExpressionTraining())
    notes = fit.fit(data, lambda *_: None)
    assert ("80 known people" if known else " 0 known people") in notes[0]
    motion = fit.model.motion
    for yaw in (0.0, 0.35):
        angles = np.array([[yaw, 0.0, 0.0]])
        neutral, happy = (seen((head() + amount * true_smile())[None], angles) for amount in (0, 1))
        fitted = motion.fitted(neutral)
        found = motion.displacements(fitted, [1.0, 0.0])[0]
        truth = (happy - neutral)[0]
        left = np.linalg.norm(found - truth, axis=1)
        assert left[[48, 54, 62, 66]].max() < 0.03 * SCALE  # of 0.05 to 0.21 that they move
        assert left[:17].max() < 0.06 * SCALE
        assert np.abs(motion.displacements(fitted, [0.0, 1.0])).max() < 0.06 * SCALE
        half = motion.displacements(fitted, [0.5, 0.0])[0]
        assert half == pytest.approx(found / 2, abs=1e-9)
    shown = motion.shown(motion.fitted(np.asarray(data.landmarks, dtype=float)))[:, 0]
    assert shown[1::2].mean() - shown[::2].mean() > 0.7
    assert not motion.teeth.any()
