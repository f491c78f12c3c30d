"""What is measured of latents: on a generator that an encoder knows, and as a report."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from masque import runs
from masque.data.frames import FrameSet, load_frames
from masque.edits.invert import Options
from masque.edits.loaded import LatentEditor
from masque.errors import DataError
from masque.layers.noise import normal
from masque.models.progan import pixel_norm
from masque.tables.features import Features
from masque.tables.progan import METHODS, Counts, as_text, evaluate_invert

STEPS, DETAIL_STEPS = Options.steps, Options.detail_steps


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    """Searches end early: what they find in full is tested where they stand."""
    monkeypatch.setattr(Options, "steps", property(lambda options: min(60, STEPS.__get__(options))))
    monkeypatch.setattr(Options, "detail_steps", property(lambda options: min(30, DETAIL_STEPS.__get__(options))))


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    """Five puppets, all held out."""
    made = load_frames(["puppets:5"], 16, ())
    return dataclasses.replace(made, splits=("test",) * len(made))


@pytest.fixture
def session() -> LatentEditor:
    return LatentEditor(runs.build_recipe(runs.plan("progan", "tiny")).model, "progan", "0" * 16)


def mean_colours(pictures: list) -> torch.Tensor:
    return torch.stack([torch.from_numpy(p.astype("float32")).mean(dim=(0, 1)) / 255 for p in pictures])


FEATURES = Features(mean_colours, "features")
SMALL = Counts(generated=3, real=2, samples=5, lipton_iterations=4)


def test_the_report(frames, session):
    report = evaluate_invert(session, frames, FEATURES, SMALL)
    assert json.loads(json.dumps(report)) == report
    assert set(report["generated"]) == set(report["real"]) == set(METHODS)
    assert report["generated"]["lipton"]["iterations"] == 4
    assert report["generated"]["encoder+refine"]["mse"] < report["generated"]["lipton"]["mse"]
    assert (
        report["generated"]["encoder+refine"]["seconds_to_lipton"] <= report["generated"]["encoder+refine"]["seconds"]
    )
    for values in report["real"].values():
        assert values["mse"] > 0
        assert values["ms_ssim"] <= 1
        assert values["identity_distance"] > 0
    assert set(report["morph"]) == {"spherical", "linear", "warp"}
    assert all(0 < steps["mean_step"] <= steps["largest_step"] for steps in report["morph"].values())
    assert set(report["samples"]["swd"]) == {"16"}
    text = as_text(report)
    assert all(name in text for name in (*METHODS, "spherical", "warp", "FFD"))


@pytest.mark.slow
def test_methods_without_an_encoder_may_be_given_few(frames, session):
    report = evaluate_invert(session, frames, FEATURES, dataclasses.replace(SMALL, few=2))
    pictures = {name: (report["generated"][name]["pictures"], report["real"][name]["pictures"]) for name in METHODS}
    assert pictures == {name: (3, 2) if name.startswith("encoder") else (2, 2) for name in METHODS}


@pytest.mark.slow
def test_an_encoder_that_knows_every_latent(frames, session):
    true = pixel_norm(normal(torch.arange(3) + 1_000_003 * 7, "generated", 16))
    seen = session.model.E.forward
    session.model.E.forward = lambda pictures: true if len(pictures) == 3 else seen(pictures)
    generated = evaluate_invert(session, frames, FEATURES, SMALL)["generated"]
    assert (generated["encoder"]["recovered"], generated["encoder"]["iterations"]) == (1.0, 0)
    assert generated["encoder"]["mse"] < 1e-9
    assert generated["encoder+refine"]["recovered"] == 1.0
    assert generated["lipton"]["recovered"] == 0.0


def test_one_picture_is_not_enough(frames, session):
    with pytest.raises(DataError, match="Two held-out pictures"):
        evaluate_invert(session, dataclasses.replace(frames, splits=("test", *["train"] * 4)), FEATURES, SMALL)
