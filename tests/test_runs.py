"""Runs: plans from presets and overrides, folders that are refused, and the way from a run to the session of its
averaged networks."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from masque import modelfile, runs
from masque.catalog import CATALOG
from masque.config import RunSettings, as_dict, values_of
from masque.data.frames import FrameSet, load_frames
from masque.errors import CheckpointError, DataError, SettingError
from masque.faces.labels import UNKNOWN
from masque.loading import load_session
from masque.models.rsgan import ATTRIBUTES, RSGAN
from masque.train.devices import make_fabric
from masque.train.state import load_state, states
from masque.train.teaching import check_attributes

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


@pytest.mark.parametrize(
    ("attribute", "sentence"),
    [
        ("Wearing_Hat", "cannot teach Wearing_Hat, which is unknown in all"),
        ("Blond_Hair", "cannot teach Blond_Hair, which is not above ½ in all"),
    ],
)
def test_data_that_cannot_teach_an_attribute(tmp_path, attribute, sentence):
    plan = runs.plan("ccagan", "tiny", [f"attributes=Male,{attribute}"], SHORT)
    with pytest.raises(DataError, match=sentence):
        runs.train(plan, ["puppets:12"], tmp_path / "run", accelerator="cpu")
    assert not (tmp_path / "run").exists()


def test_attributes_that_some_pictures_do_not_know_can_be_learnt():
    frames = load_frames(["puppets:24"], 32, ("Male", "Young"))
    frames.attributes[1:5, 0] = np.nan
    check_attributes(frames)
    frames.attributes[:, 0] = np.nan
    with pytest.raises(DataError, match="Male, which is unknown"):
        check_attributes(frames)


def with_people(frames: FrameSet, *people: str) -> FrameSet:
    """The frames, all to train on, with these people in turn; an empty name is nobody known."""
    names = tuple(f"0/{people[i % len(people)]}" if people[i % len(people)] else "" for i in range(len(frames)))
    return dataclasses.replace(frames, identities=names, splits=("train",) * len(frames))


@pytest.mark.parametrize(
    ("family", "people", "settings", "sentence"),
    [
        (
            "identity",
            ("anna",),
            (),
            "The term people can teach nothing on the pictures to train on, which know one person alone: prepare",
        ),
        (
            "identity",
            ("",),
            (),
            "The term people can teach nothing .*, which know nobody: prepare a set of two people or more",
        ),
        (
            "identity",
            ("anna", "bo"),
            ("attributes=Wearing_Hat",),
            "The term bce .* know none of Wearing_Hat: .* --set attribute_weight=0",
        ),
        (
            "rsgan",
            ("anna", "bo"),
            ("attributes=Wearing_Hat",),
            "The term GC can teach nothing .* or leave it out with --set GC=0",
        ),
        (
            "rsgan",
            ("anna", "bo"),
            ("attributes=Wearing_Hat", "GC=0"),
            "The term C can teach nothing .* or leave it out with --set C=0",
        ),
        ("facefeat", ("anna",), (), "know one person alone"),
        ("facefeat", ("",), (), "know nobody"),
    ],
)
def test_terms_that_could_teach_nothing_are_refused(tmp_path, monkeypatch, family, people, settings, sentence):
    monkeypatch.setattr(runs, "load_frames", lambda *a, **k: with_people(load_frames(*a, **k), *people))
    with pytest.raises(DataError, match=sentence):
        runs.train(runs.plan(family, "tiny", settings, SHORT), PUPPETS, tmp_path / "run", accelerator="cpu")
    assert not (tmp_path / "run").exists()


def test_terms_that_are_left_out_ask_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "load_frames", lambda *a, **k: with_people(load_frames(*a, **k), "anna", "bo", ""))
    for family, settings in (("identity", ["attribute_weight=0"]), ("rsgan", ["C=0", "GC=0"])):
        plan = runs.plan(family, "tiny", ["attributes=Wearing_Hat", *settings], {**SHORT, "steps": 1})
        assert runs.train(plan, PUPPETS, tmp_path / family, accelerator="cpu").finished


def test_a_run_goes_on_with_the_people_it_began_with_alone(tmp_path, monkeypatch):
    """Whatever they are called; a run of before people were part of the data's fingerprint goes on where they were
    numbered as they are."""

    def train(steps: int, *people: str) -> int:
        monkeypatch.setattr(runs, "load_frames", lambda *a, **k: with_people(load_frames(*a, **k), *people))
        plan = runs.plan("identity", "tiny", [], {**SHORT, "steps": steps})
        return runs.train(plan, PUPPETS, tmp_path / "run", accelerator="cpu").step

    assert train(1, "anna", "bo") == 1
    assert train(2, "zoe", "bo") == 2
    for others in (("anna", "bo", "cy"), ("anna", "anna", "bo"), ("anna", "bo", "")):
        with pytest.raises(CheckpointError, match="these pictures with other people in them"):
            train(3, *others)
    settings = tmp_path / "run" / "settings.json"
    values = json.loads(settings.read_text())
    values["data"], _, people = values["data"].partition("-")
    settings.write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="people that an older Masque numbered by the names of their folders"):
        train(3, "zoe", "bo")
    assert train(3, "anna", "bo") == 3
    assert json.loads(settings.read_text())["data"] == f"{values['data']}-{people}"


def test_sizes_that_do_not_fit_are_a_plain_sentence():
    with pytest.raises(SettingError, match=r"48 is not 4 times a power of two.*: choose a size of 32, 64, 128 or 256"):
        runs.build_recipe(runs.plan("rsgan", "tiny", ["size=48"]))


@pytest.mark.parametrize("family", CATALOG)
def test_a_plan_comes_back_from_its_run(tmp_path, frames, family):
    plan = runs.plan(family, "tiny", ["batch_size=6"], {"seed": 4})
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


def test_batches_have_to_be_shared_equally(frames):
    plan = runs.plan("rsgan", "tiny", ["batch_size=7"])
    fabric = make_fabric(plan.run, "cpu")
    assert len(runs.build_batches(plan, frames, fabric)(0)["image"]) == 7

    class Three:
        world_size, global_rank = 3, 0

    with pytest.raises(SettingError, match="batch_size is 7 and must be a multiple of the 3 processes"):
        runs.build_batches(plan, frames, Three())  # type: ignore[arg-type]


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


@pytest.mark.parametrize("family", ["parser", "portrait"])
def test_label_maps_that_know_nothing_teach_nothing(tmp_path, monkeypatch, family):
    size = runs.plan(family, "tiny").model.size
    data = load_frames(PUPPETS, size, (), labels="any")
    unknown = dataclasses.replace(data, labels=np.full_like(data.labels, UNKNOWN))
    monkeypatch.setattr(runs, "load_frames", lambda *_, **__: unknown)
    with pytest.raises(
        DataError, match="can teach nothing on the pictures to train on, whose label maps know no part of a face: add"
    ):
        runs.train(runs.plan(family, "tiny", (), SHORT), PUPPETS, tmp_path / "run", accelerator="cpu")
    some = unknown.labels.copy()
    some[data.indices("train")[-1]] = data.labels[data.indices("train")[-1]]
    monkeypatch.setattr(runs, "load_frames", lambda *_, **__: dataclasses.replace(unknown, labels=some))
    assert (
        runs.train(
            runs.plan(family, "tiny", (), {**SHORT, "steps": 1}), PUPPETS, tmp_path / "run", accelerator="cpu"
        ).step
        == 1
    )
