"""Runs: plans from presets and overrides, folders that are refused, and the way from a run to the session of its
averaged networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from masque import modelfile, runs
from masque.catalog import CATALOG
from masque.config import RunSettings, as_dict, values_of
from masque.data.frames import FrameSet, load_frames
from masque.errors import CheckpointError, DataError, SettingError
from masque.loading import load_session
from masque.models.rsgan import ATTRIBUTES, RSGAN
from masque.train.devices import make_fabric
from masque.train.state import load_state, states

PUPPETS = ["puppets:16"]
SHORT = {"steps": 3, "batch_size": 4, "precision": "32"}


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    return load_frames(PUPPETS, 32, ATTRIBUTES)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps with an LSTM, so that every network there can be is in it."""
    out = tmp_path_factory.mktemp("runs") / "run"
    plan = runs.plan("rsgan", "tiny", ["lstm=true"], SHORT)
    progress = runs.train(plan, PUPPETS, out, accelerator="cpu")
    assert (progress.step, progress.finished) == (3, True)
    return out


def test_a_plan_is_the_preset_with_overrides_where_they_belong():
    plan = runs.plan(
        "rsgan",
        "tiny",
        ["channels=12", "kl=0.25", "batch_size=6", "random=prior", "lstm=true"],
        {"steps": 7, "seed": 5},
    )
    assert (plan.model.channels, plan.model.lstm, plan.model.size) == (12, True, 32)
    training = values_of(plan.training)
    assert (training["kl"], training["random"], training["rec"]) == (0.25, "prior", 4000)
    assert (plan.run.batch_size, plan.run.steps, plan.run.seed, plan.run.log_every) == (6, 7, 5, 10)
    assert runs.plan("rsgan", "tiny").run.batch_size == 8


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rsgam",), "There is no model family rsgam; did you mean rsgan?"),
        (("rsgan", "tny"), "There is no preset tny of rsgan; did you mean tiny?"),
        (("rsgan", "tiny", ["chanels=3"]), "There is no setting chanels; did you mean channels?"),
        (("rsgan", "tiny", ["batch_size=0"]), "batch_size is 0 and must be at least 1"),
        (("rsgan", "tiny", ["random=often"]), "random is often and must be one of prior, mixed"),
    ],
)
def test_plans_that_cannot_be(arguments, sentence):
    with pytest.raises(SettingError, match=sentence):
        runs.plan(*arguments)


def test_sizes_that_do_not_fit_are_a_plain_sentence():
    with pytest.raises(SettingError, match=r"\b48\b.*\b32, 64, 128 or 256\b"):
        runs.build_recipe(runs.plan("rsgan", "tiny", ["size=48"]))


@pytest.mark.parametrize("family", CATALOG)
def test_a_plan_comes_back_from_its_run(tmp_path, frames, family):
    changes = ([], {}) if CATALOG[family].fitted else (["batch_size=6"], {"seed": 4})
    plan = runs.plan(family, "tiny", *changes)
    (tmp_path / "settings.json").write_text(json.dumps(plan.identity(frames)))
    assert runs.plan_of(tmp_path) == plan


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        "[" * 50_000,
        '{"family": -1}',
        '{"family": []}',
        '{"family": "\\u001b"}',
        '{"family": "rsgan", "model": {"size": 1e999}, "training": {}, "run": {}}',
        '{"family": "rsgan", "model": 3, "training": {}, "run": {}}',
        '{"family": "rsgan", "model": {"size": 99999999999999999999}, "training": {}, "run": {}}',
        '{"family": "rsgan", "model": {"size": 64, "size": 32}, "training": {}, "run": {}}',
        '{"family": "rsgan", "model": {}, "training": {"spin": 3}, "run": {}}',
    ],
)
def test_a_run_that_cannot_be_read(tmp_path, text):
    with pytest.raises(CheckpointError, match=r"is not a run: there is no settings.json"):
        runs.plan_of(tmp_path)
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"settings.json is damaged or from another version") as caught:
        runs.plan_of(tmp_path)
    assert str(caught.value).isprintable()


def test_a_run_becomes_a_session_with_the_averaged_weights(trained, frames):
    step, path = states(trained)[-1]
    state = load_state(path)
    session = load_session(str(trained))
    served = {name.split(".")[0] for name in state["average"]}
    assert {"memory", "composer", "C"} <= served
    assert "D_g" not in served
    mine = session.model.state_dict()
    for name, value in state["average"].items():
        assert torch.equal(mine[name], value), name
    assert any(not torch.equal(mine[f"composer.{name}"], value) for name, value in state["nets"]["composer"].items())
    stored = modelfile.read(trained)
    assert stored.family == "rsgan"
    assert dict(stored.config) == as_dict(runs.plan_of(trained).model)
    card = (trained / "model" / "card.md").read_text()
    for expected in (
        f"trained for {step} steps of 4 pictures",
        "puppets:16",
        f"fingerprint of the data: {frames.fingerprint()}",
    ):
        assert expected in card


def test_the_same_seed_builds_the_same_networks():
    def weights(seed: int) -> dict[str, torch.Tensor]:
        return runs.build_recipe(runs.plan("rsgan", "tiny", [], {"seed": seed})).model.state_dict()

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert first.keys() == RSGAN(runs.plan("rsgan", "tiny").model).state_dict().keys()


def test_a_finished_run_asked_for_again_changes_nothing(trained):
    def contents() -> dict[str, bytes]:
        return {
            str(path.relative_to(trained)): path.read_bytes()
            for path in trained.rglob("*")
            if path.is_file() and path.suffix != ".ckpt"
        }

    before = contents()
    progress = runs.train(runs.plan_of(trained), PUPPETS, trained, accelerator="cpu")
    assert (progress.step, progress.finished) == (3, True)
    assert contents() == before


def test_another_run_or_other_data_in_the_same_folder_are_refused(trained):
    plan = runs.plan_of(trained)
    for changed, data, name in (
        (
            runs.plan("rsgan", "tiny", ["lstm=true", "kl=9"], SHORT),
            PUPPETS,
            "with kl = 1.0, not 9.0.*: choose another --out, or give",
        ),
        (runs.plan("attributes", "tiny", [], SHORT), PUPPETS, "with family = rsgan, not attributes"),
        (
            plan,
            ["puppets:20"],
            "on other pictures, or on these in another order: choose another --out, or give --data as it was",
        ),
    ):
        with pytest.raises(CheckpointError, match=f"holds a run {name}"):
            runs.train(changed, data, trained, accelerator="cpu")


def test_folders_that_are_no_place_for_a_run(tmp_path):
    plan = runs.plan("rsgan", "tiny", [], SHORT)
    file, other = tmp_path / "file", tmp_path / "holiday"
    file.write_text("mine")
    other.mkdir()
    (other / "photo.jpg").write_text("mine")
    for out, sentence in (
        (file, "is a file: name a folder for the run"),
        (other, "holds something that is not a run: choose a new folder"),
        (tmp_path / "a" / "b", "a does not exist: make it first"),
    ):
        with pytest.raises(CheckpointError, match=sentence):
            runs.train(plan, PUPPETS, out)
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "holiday", "photo.jpg"}


def test_a_run_killed_in_its_first_moment_can_be_started_again(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / ".settings.json.4711.part").write_text("{")
    progress = runs.train(runs.plan("attributes", "tiny", [], SHORT), PUPPETS, out, accelerator="cpu")
    assert progress.finished
    assert not list(out.rglob("*.part"))


def test_data_that_is_not_there(tmp_path):
    plan = runs.plan("rsgan", "tiny", [], SHORT)
    for data, sentence in (
        ([str(tmp_path / "none")], "is not a prepared set"),
        (["puppets:many"], "is not puppets:N"),
        (["puppets:0"], "is not puppets:N"),
        ([], "No data was named"),
    ):
        with pytest.raises(DataError, match=sentence):
            runs.train(plan, data, tmp_path / "run", accelerator="cpu")
    assert not (tmp_path / "run").exists()


class Processes:
    """A Fabric of several processes, as far as a run that is refused asks for it."""

    def __init__(self, world_size: int) -> None:
        self.world_size, self.global_rank = world_size, 0


def test_batches_have_to_be_shared_equally(frames, tmp_path):
    plan = runs.plan("rsgan", "tiny", ["batch_size=7"])
    fabric = make_fabric(plan.run, "cpu")
    assert len(runs.build_batches(plan, frames, fabric)(0)["image"]) == 7
    with pytest.raises(SettingError, match=r"batch_size is 7.*3 processes"):
        runs.build_engine(plan, frames, tmp_path / "run", Processes(3))  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("family", "settings", "block"),
    [
        ("rsgan", [], 4),
        ("rsgan", ["random=prior"], 1),
        ("portrait", [], 2),
        ("portrait", ["judge_steps=3"], 4),
        ("portrait", ["judge_steps=4"], 8),
        ("ccagan", ["targets=another"], 2),
        ("ccagan", ["targets=flipped"], 1),
        ("progan", ["group=4"], 4),
        ("progan", ["group=4", "adv=0", "parser=parser", "size=64"], 1),
        ("attributes", [], 1),
    ],
)
def test_samples_that_terms_take_together_have_to_be_in_one_process(family, settings, block):
    """Otherwise two processes would train otherwise than one, and nothing would say so."""
    recipe = runs.build_recipe(runs.plan(family, "tiny", settings))
    runs.check_shares(recipe, 7, 1)
    for share in (block, 3 * block):
        runs.check_shares(recipe, 2 * share, 2)
        if block > 1:
            with pytest.raises(SettingError, match=f"batch_size is {2 * share - 2} .* multiple of {2 * block}"):
                runs.check_shares(recipe, 2 * share - 2, 2)


def test_the_time_limit_counts_loading_too(tmp_path, monkeypatch):
    """Loading took all of it: no step is made, and the run can go on later."""

    def slow(*arguments: object, **named: bool) -> FrameSet:
        start = runs.time.monotonic()
        monkeypatch.setattr(runs.time, "monotonic", lambda: start + 1000.0)
        return load_frames(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "load_frames", slow)
    out = tmp_path / "run"
    progress = runs.train(runs.plan("attributes", "tiny", [], SHORT), PUPPETS, out, time_limit=900.0, accelerator="cpu")
    assert (progress.step, progress.reason) == (0, "time limit")
    monkeypatch.undo()
    assert runs.train(runs.plan("attributes", "tiny", [], SHORT), PUPPETS, out, accelerator="cpu").finished


def test_augmentation_comes_from_the_run_settings(frames):
    plan = runs.plan("rsgan", "tiny", ["flip=false", "shift=1.5", "turn=0", "zoom=0.2", "colour=0"])
    moves = runs.build_batches(plan, frames, make_fabric(plan.run, "cpu")).augmentation
    assert (moves.flip, moves.shift, moves.turn, moves.zoom, moves.colour) == (False, 1.5, 0, 0.2, 0)


@pytest.mark.parametrize(("asked", "given"), [("32", "32-true"), ("bf16", "bf16-mixed"), ("64", "64-true")])
def test_precisions(asked, given):
    assert make_fabric(RunSettings(precision=asked), "cpu")._precision.precision == given
