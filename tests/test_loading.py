"""Where models are looked for by their names, and on which device they compute."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import masque
from masque import catalog
from masque.catalog import has_model, installed, model_folder
from masque.cli.completing import models
from masque.device import choose_device
from masque.errors import CheckpointError, SettingError
from masque.loading import installed_classifier, installed_features, installed_parser, load_own


@pytest.fixture
def weights(tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in MASQUE_WEIGHTS that holds a tiny RSGAN as `rsgan` and as `mine`."""
    folder = tmp_path / "weights"
    for name in ("rsgan", "mine"):
        shutil.copytree(model_folder, folder / name)
    monkeypatch.setenv("MASQUE_WEIGHTS", str(folder))
    return folder


def test_a_familys_name_loads_the_folder_of_masque_weights_before_the_one_that_ships(weights: Path) -> None:
    assert model_folder("rsgan") == weights / "rsgan"
    assert masque.load("rsgan").size == 32


@pytest.mark.usefixtures("weights")
def test_any_folders_name_in_masque_weights_loads() -> None:
    assert masque.load("mine", "swap").size == 32
    assert has_model("mine")
    assert not has_model("yours")


def test_a_path_is_no_name(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(weights.parent)
    (weights.parent / "rsgan").mkdir()
    assert model_folder("./rsgan") == Path("rsgan")
    assert installed("weights/mine") is None
    assert installed("..") is None
    assert installed("") is None
    assert installed("a" * 5000) is None


def test_several_folders_are_looked_through_in_their_order(
    weights: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    shutil.copytree(model_folder, first / "run" / "model")
    shutil.copytree(model_folder, first / "mine")
    monkeypatch.setenv("MASQUE_WEIGHTS", os.pathsep.join([str(first), "", str(weights)]))
    assert installed("run") == first / "run"  # a run's folder
    assert masque.load("run", "edit").size == 32
    assert installed("mine") == first / "mine"
    assert installed("rsgan") == weights / "rsgan"


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASQUE_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match=r"MASQUE_WEIGHTS names .*none, which is no folder"):
        masque.load("rsgan")


def test_a_model_itself_is_no_folder_of_models(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASQUE_WEIGHTS", str(model_folder))
    with pytest.raises(CheckpointError, match="is a model itself"):
        masque.load("rsgan")
    monkeypatch.setenv("MASQUE_WEIGHTS", str(model_folder.parent))
    assert masque.load(model_folder.name, "swap").size == 32


def test_a_wrong_masque_weights_is_no_missing_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a swap would silently go on without the network."""
    monkeypatch.setenv("MASQUE_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match="no folder"):
        has_model("rsgan")
    assert models("") == []


@pytest.mark.usefixtures("weights")
def test_what_is_not_in_masque_weights_ships() -> None:
    assert installed("no such model") is None
    shipped = catalog.SHIPPED / "parser"
    assert installed("parser") == (shipped if shipped.is_dir() else None)


def test_helpers_are_looked_for_in_the_same_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_folder: Path
) -> None:
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path / "nothing ships")
    monkeypatch.setenv("MASQUE_WEIGHTS", "")
    assert (installed_parser(), installed_classifier(), installed_features()) == (None, None, None)
    for name in ("parser", "attributes", "identity"):
        shutil.copytree(model_folder, tmp_path / "weights" / name)
    monkeypatch.setenv("MASQUE_WEIGHTS", str(tmp_path / "weights"))
    for helper, family in (
        (installed_parser, "parser"),
        (installed_classifier, "attributes"),
        (installed_features, "identity"),
    ):
        with pytest.raises(CheckpointError, match=f"family rsgan: name one of {family}"):
            helper()


def test_a_folder_of_the_working_directory_is_no_helper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_folder: Path
) -> None:
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path / "nothing ships")
    shutil.copytree(model_folder, tmp_path / "parser")
    monkeypatch.chdir(tmp_path)
    assert installed_parser() is None


def test_the_cpu_computes_unless_the_argument_or_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, model_folder: Path
) -> None:
    monkeypatch.delenv("MASQUE_DEVICE", raising=False)
    assert choose_device() == torch.device("cpu")
    assert masque.load(model_folder, device="cpu").device == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert choose_device(torch.device("cuda")) == torch.device("cuda")
    monkeypatch.setenv("MASQUE_DEVICE", "cuda:0")
    assert choose_device() == torch.device("cuda:0")
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setenv("MASQUE_DEVICE", "")
    assert choose_device() == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cuda", "no cuda on this machine.*choose cpu"),
        ("cuda:0", "no cuda on this machine"),
        ("mps", "no mps on this machine"),
        ("gpu", "no device gpu"),
        ("cud", "cuda"),
        ("cuda:x", "numbered from 0 on"),
        ("cpu:1", "no device cpu:1"),
        ("meta", "choose cpu, cuda or mps"),
        ("\n", "no device"),
    ],
)
def test_a_device_that_is_not_there_is_one_sentence(
    name: str, says: str, monkeypatch: pytest.MonkeyPatch, model_folder: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingError, match=says) as raised:
        masque.load(model_folder, device=name)
    assert str(raised.value).count("\n") == 0
    monkeypatch.setenv("MASQUE_DEVICE", name)
    with pytest.raises(SettingError, match="MASQUE_DEVICE"):
        masque.load(model_folder)


def test_an_empty_name_of_a_device_is_seen() -> None:
    with pytest.raises(SettingError, match="no device '';"):
        choose_device("")


def test_there_are_so_many_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(SettingError, match=r"cuda:2.*has 2 of cuda"):
        choose_device("cuda:2")


@pytest.mark.parametrize(
    ("family", "name", "value"),
    [
        ("expression", "mean", 0.0),
        ("expression", "mean", 1.0),
        ("expression", "noise", 0.0),
        ("expression", "moves", 1e30),
        ("ageing", "points", 0.0),
        ("ageing", "points", 50.0),
        ("ageing", "stubble", 1e4),
    ],
)
def test_numbers_that_are_of_no_face_are_refused(
    family: str, name: str, value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / family
    shutil.copytree(model_folder(family), folder)
    file = folder / "weights.safetensors"
    tensors = load_file(file)
    for found in tensors:
        if found.endswith(name):
            tensors[found] = torch.full_like(tensors[found].float(), value)
    save_file(tensors, file)
    monkeypatch.setenv("MASQUE_WEIGHTS", str(tmp_path))
    editor = load_own()
    with pytest.raises(CheckpointError, match=f"{family} are damaged, or were never learnt"):
        editor.motion() if family == "expression" else editor.prototypes()


def test_a_model_of_another_family_under_the_name_of_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(model_folder("expression"), tmp_path / "ageing")
    monkeypatch.setenv("MASQUE_WEIGHTS", str(tmp_path))
    with pytest.raises(CheckpointError, match="ageing"):
        load_own().prototypes()
