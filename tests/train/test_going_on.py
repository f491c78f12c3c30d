"""Runs that go on: with a newer Masque, from a smaller model, and without the model that they began with."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from masque import modelfile, runs
from masque.errors import CheckpointError, SettingError

PUPPETS = ["puppets:16"]
SHORT = {"steps": 3, "batch_size": 4, "precision": "32"}


def test_runs_go_on_though_masque_has_a_new_setting(tmp_path):
    """Only what the new setting does is refused; its default is what the run always did."""
    run = tmp_path / "run"
    short = {"steps": 1, "batch_size": 4}
    runs.train(runs.plan("ccagan", "tiny", (), short), ["puppets:24"], run, accelerator="cpu")
    path = run / "settings.json"
    settings = json.loads(path.read_text())
    del settings["training"]["r1"]
    path.write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match=r"r1 = 0\.0, not 0\.5"):
        runs.train(
            runs.plan("ccagan", "tiny", ("r1=0.5",), {**short, "steps": 2}), ["puppets:24"], run, accelerator="cpu"
        )
    made = runs.train(runs.plan("ccagan", "tiny", (), {**short, "steps": 2}), ["puppets:24"], run, accelerator="cpu")
    assert made.step == 2
    assert json.loads(path.read_text())["training"]["r1"] == 0.0


FORMER = {
    "portrait": (
        ("decay_from=1", "decay_to=3", "judge_lr=2e-3"),
        {"decay_every": 1, "decay_to": 3, "critic_lr": 2e-3},
        ("decay_shape", "decay_from", "decay_factor", "judge_lr"),
    ),
    "progan": (
        ("encoder_since=2", "decay_from=1", "decay_to=4"),
        {"settle": 1, "decay_to": 4},
        ("decay_shape", "decay_from", "decay_factor"),
    ),
}
"""Family -> settings, and in what an earlier version wrote, which these were and which of these it had not"""


@pytest.mark.parametrize("family", FORMER)
def test_a_run_of_an_earlier_version_goes_on_as_it_would_have(tmp_path, family):
    changes, then, younger = FORMER[family]
    run, whole = tmp_path / "run", tmp_path / "whole"
    runs.train(runs.plan(family, "tiny", changes, {**SHORT, "steps": 1}), PUPPETS, run, accelerator="cpu")
    path = run / "settings.json"
    settings = json.loads(path.read_text())
    kept = {name: value for name, value in settings["training"].items() if name not in younger}
    path.write_text(json.dumps({**settings, "training": {**kept, **then}}))
    plan = runs.plan(family, "tiny", changes, SHORT)
    assert runs.plan_of(run).training == plan.training
    for folder in (run, whole):
        runs.train(plan, PUPPETS, folder, accelerator="cpu")
    assert modelfile.read(run).hash == modelfile.read(whole).hash
    assert json.loads(path.read_text()) == json.loads((whole / "settings.json").read_text())


def test_a_run_of_an_earlier_version_whose_rates_fell_in_a_way_that_is_gone_is_left_as_it_is(tmp_path):
    run = tmp_path / "run"
    runs.train(runs.plan("identity", "tiny", (), {**SHORT, "steps": 1}), PUPPETS, run, accelerator="cpu")
    path = run / "settings.json"
    settings = json.loads(path.read_text())
    for name in ("decay_shape", "decay_from", "decay_factor"):
        del settings["training"][name]
    before = json.dumps({**settings, "training": {**settings["training"], "late_from": 9, "late_lr": 1e-4}})
    path.write_text(before)
    with pytest.raises(
        CheckpointError, match=r"an older Masque, which cannot go on .*late_from.*: choose another --out"
    ):
        runs.train(runs.plan("identity", "tiny", (), SHORT), PUPPETS, run, accelerator="cpu")
    assert path.read_text() == before


def test_a_progressive_gan_grows_on_from_a_smaller_one(tmp_path):
    """Refused for other families, whose sizes are the model's they begin with."""
    small, large = tmp_path / "small", tmp_path / "large"
    changes = ["size=8", "encoder_since=0", "hold=8", "fade=0"]
    runs.train(runs.plan("progan", "tiny", changes, SHORT), PUPPETS, small, accelerator="cpu")
    more = ["size=16", "grown=8", "lead=2", "hold=4", "fade=4"]
    plan = runs.plan("progan", "tiny", [*changes, *more, "lr=0"], SHORT, start=str(small))
    runs.train(plan, PUPPETS, large, accelerator="cpu")
    before, after = modelfile.read(small), modelfile.read(large)
    assert after.config["size"] == 16
    assert float(after.weights["G.stage"]) == 2.0
    shared = [key for key in before.weights if key.startswith("G.") and key != "G.stage"]
    assert shared
    assert all(torch.equal(before.weights[key], after.weights[key]) for key in shared)
    with pytest.raises(SettingError, match="add --set grown=8"):
        runs.train(
            runs.plan("progan", "tiny", ["size=16"], SHORT, start=str(small)),
            PUPPETS,
            tmp_path / "other",
            accelerator="cpu",
        )
    assert not (tmp_path / "other").exists()


def test_a_run_goes_on_without_the_model_that_it_began_with(tmp_path):
    """Its own state has everything; the same command names a model that is gone, moved, or trained further since."""
    start = tmp_path / "start"
    runs.train(runs.plan("rsgan", "tiny", ["channels=4"], SHORT), PUPPETS, start, accelerator="cpu")
    shutil.copytree(start, tmp_path / "gone")
    plan = runs.plan("rsgan", "tiny", (), SHORT, str(tmp_path / "gone"))
    runs.train(plan, PUPPETS, tmp_path / "run", accelerator="cpu")
    shutil.rmtree(tmp_path / "gone")
    for named in (str(tmp_path / "gone"), None):
        again = runs.plan("rsgan", "tiny", (), {**SHORT, "steps": 3}, named, tmp_path / "run")
        assert (again.model, again.start.hash) == (plan.model, plan.start.hash)
        assert runs.train(again, PUPPETS, tmp_path / "run", accelerator="cpu").step == 3
    for named, out in ((str(tmp_path / "gone"), tmp_path / "new"), (str(tmp_path / "gone"), start)):
        with pytest.raises(CheckpointError, match=r"There is no model .*gone"):
            runs.plan("rsgan", "tiny", (), SHORT, named, out)
    with pytest.raises(CheckpointError, match="began without a model: choose another --out, or leave out --from"):
        runs.train(
            runs.plan("rsgan", "tiny", (), SHORT, str(tmp_path / "run"), start), PUPPETS, start, accelerator="cpu"
        )
