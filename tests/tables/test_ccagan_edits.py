"""The evaluation of edits on an editor whose effects are known: it paints the picture it was given, or one flat change
of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from masque import runs
from masque.data.frames import load_frames
from masque.data.prepared import BACKGROUND
from masque.data.puppets import draw_puppet, render, true_edit
from masque.edits.loaded import AttributeEditor
from masque.errors import DataError
from masque.faces.frame import warp
from masque.faces.regions import HAIR_CROP, hull_mask, into_frame
from masque.image import to_tensor
from masque.tables import ccagan, held_out
from masque.tables.features import Features
from masque.tables.held_out import held_out_frame

LIMIT = 150.0
"""Mean level that hardly a puppet's picture reaches before it is brightened, and most do after."""

NAMES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


@pytest.fixture(scope="module")
def frames():
    loaded = load_frames(["puppets:80"], 64, NAMES)
    return replace(loaded, splits=("test",) * len(loaded))


@pytest.fixture
def translator():
    plan = runs.plan("ccagan", "tiny", ["size=64", "channels=4"])
    return AttributeEditor(runs.build_recipe(plan).model, "ccagan", "0" * 16)


@pytest.fixture(autouse=True)
def _recognised_by_colour(monkeypatch):
    """dlib takes a fifth of a second for each face; that distances are taken of the right pictures shows with any
    embedding."""
    monkeypatch.setattr(ccagan, "identity", lambda picture, _: picture.mean(axis=(0, 1)).astype(np.float32) / 255)


def by_brightness(pictures):
    """A reader for whom brightness makes Male, and its opposite Young."""
    bright = [float(p.mean() > LIMIT) for p in pictures]
    return [{"Male": b, "Young": 1 - b} for b in bright]


def extract(pictures):
    return torch.tensor([[float(p.mean()), float(p.std()), float(p[:50].mean())] for p in pictures]) / 255


def evaluate(translator, frames, **more):
    return ccagan.evaluate_edits(translator, frames, by_brightness, Features(extract, "feature hash"), **more)


def test_an_editor_that_does_nothing(translator, frames, monkeypatch):
    monkeypatch.setattr(translator.model, "edit", lambda s, *_: s)
    report = evaluate(translator, frames, count=8)
    assert json.loads(json.dumps(report)) == report
    assert set(report["edits"]) == set(NAMES) == set(report["true_edits"])
    for edit in report["edits"].values():
        assert max(edit[f"{region}_change"]["mean"] for region in ("hair", "face", "background")) < 1e-6
        assert edit["identity_distance"]["mean"] < 1e-6
        assert max(edit["leakage"].values()) == 0
    for error in report["true_edits"].values():
        assert error["edited"]["mean"] == pytest.approx(error["unchanged"]["mean"], abs=2e-3)
    assert report["true_edits"]["Blond_Hair"]["unchanged"]["mean"] > 0.005


def test_an_editor_that_brightens_everything(translator, frames, monkeypatch):
    monkeypatch.setattr(translator.model, "edit", lambda s, *_: (s + 0.6).clamp(-1, 1))
    edits = evaluate(translator, frames, count=8)["edits"]
    assert edits["Male"]["edit_success"] > 0.8  # the reader takes bright pictures for men,
    assert edits["Male"]["leakage"]["Young"] > 0.8  # and for old ones
    for region in ("hair", "face", "background"):
        assert 0.15 < edits["Blond_Hair"][f"{region}_change"]["mean"] <= 0.3 + 1e-3
    assert edits["Blond_Hair"]["ffd"] > 0.01
    assert edits["Blond_Hair"]["identity_distance"]["mean"] > 0.05


def test_the_asked_attributes_reach_the_network(translator, frames, monkeypatch):
    asked = []

    def edit(s, t, _person):
        asked.append(t)
        return s

    monkeypatch.setattr(translator.model, "edit", edit)
    evaluate(translator, frames, count=4)
    first, *_ = asked
    assert (first[:, 0] == 1).all()  # black hair,
    assert (first[:, 1:3] == 0).all()  # and then no other colour
    young = [t for t in asked if len(t) > 1][NAMES.index("Young")]
    assert (young[:, 4] == 0).all()  # the paper's target is the aged face


def test_regions_cover_what_they_are_named_for(frames):
    one = held_out_frame(frames, 0)
    for region, expected in (("face", (1, 0, 0)), ("background", (0, 0, 1))):
        edited = one.frame.copy()
        where = hull_mask(one.landmarks, one.mask.shape[::-1]) > 127 if region == "face" else one.mask == BACKGROUND
        edited[where] = 255 - edited[where]
        moved = ccagan.changes(one, one.frame, edited)
        assert tuple(moved[n] > 0 for n in ("face", "hair", "background")) == tuple(map(bool, expected))


def test_a_painted_crop_in_its_frame():
    frame = np.zeros((109, 89, 3), np.uint8)
    painted = np.full((64, 64, 3), 200, np.uint8)
    placed = into_frame(frame, painted)
    top, side = HAIR_CROP.top // 2, HAIR_CROP.side // 2
    assert (placed[top + 1 : top + side - 1] == 200).all()
    assert (placed[: top - 1] == 0).all()
    assert (placed[top + side + 1 :] == 0).all()


def test_the_error_against_the_true_edit_is_nought_for_the_truth(translator, monkeypatch):
    """An editor that knows the puppets answers with the true picture."""
    truths = []
    for number in range(2):
        puppet = draw_puppet(2_000_000 + number)
        value = float(render(puppet, 0.5).attributes["Male"] < 0.5)
        truths.append(
            to_tensor(warp(render(true_edit(puppet, "Male", value), 0.5).picture, HAIR_CROP.to_crop(64, 0.5), (64, 64)))
        )
    waiting = iter(truths * len(NAMES))
    monkeypatch.setattr(translator.model, "edit", lambda *_: next(waiting))
    report = ccagan.true_edit_error(translator, puppets=2)
    assert report["Male"]["edited"]["mean"] == 0
    assert report["Male"]["unchanged"]["mean"] > 0


def test_an_attribute_that_all_pictures_share(translator, frames):
    men = replace(frames, attributes=np.where(np.array(NAMES) == "Male", 1.0, frames.attributes).astype(np.float32))
    with pytest.raises(DataError, match="all have the same Male"):
        evaluate(translator, men, count=2)


def test_the_text_names_every_edit_and_every_leak(translator, frames):
    report = evaluate(translator, frames, count=2)
    text = ccagan.as_text(report)
    for name in NAMES:
        assert text.count(f"\n{name}") == 4  # effects, leaks, the farthest leak, puppets
    assert "Smiling" in text
    assert "FID" not in text


def test_the_leakage_matrix_is_darker_where_more_leaked():
    def drawn(leak: float) -> np.ndarray:
        edits = {n: {"edit_success": 0.5, "leakage": {m: leak for m in NAMES if m != n}} for n in NAMES}
        return ccagan.draw_leakage({"edits": edits})

    little, much = drawn(0.0), drawn(0.5)
    assert little.shape == much.shape
    assert little.dtype == np.uint8
    assert much.mean() < little.mean() - 10


def test_a_mouth_is_measured_where_the_edit_has_put_it(monkeypatch):
    """Landmarks of the photo would say of every edit that it made nobody smile."""
    loaded = load_frames(["puppets:80"], 64, ("Smiling", "Male"))
    plan = runs.plan("ccagan", "tiny", ["size=64", "channels=4", "attributes=Smiling,Male"])
    editor = AttributeEditor(runs.build_recipe(plan).model, "ccagan", "0" * 16)
    monkeypatch.setattr(editor.model, "edit", lambda s, *_: (s + 1.2).clamp(-1, 1))

    def smiles_when_bright(picture, expected):
        grinning = expected.copy()
        grinning[[48, 54]] += [[-8, -4], [8, -4]]
        return grinning if picture.mean() > LIMIT else None

    monkeypatch.setattr(held_out, "landmarks_near", smiles_when_bright)
    edits = evaluate(editor, replace(loaded, splits=("test",) * len(loaded)), count=8)["edits"]
    assert edits["Smiling"]["edit_success"] > 0.8
    assert edits["Male"]["leakage"]["Smiling"] > 0.3


def test_the_farthest_leak_is_no_colour_that_had_to_give_way():
    moved = {"Black_Hair": 0.5, "Male": 0.1, "Young": 0.2}
    assert ccagan.farthest("Blond_Hair", moved) == ("Young", 0.2)
    assert ccagan.farthest("Smiling", moved) == ("Black_Hair", 0.5)
