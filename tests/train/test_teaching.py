"""Data that cannot teach what a recipe has to learn from it, which is refused before anything is trained."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from masque import runs
from masque.data.frames import FrameSet, load_frames
from masque.errors import CheckpointError, DataError
from masque.faces.labels import UNKNOWN
from masque.train.teaching import check_attributes

PUPPETS = ["puppets:16"]
SHORT = {"steps": 3, "batch_size": 4, "precision": "32"}


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
