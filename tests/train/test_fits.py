"""What every fitted family of the catalog must keep, on its tiny preset: computed at once, without gradients."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch

from masque import modelfile, runs
from masque.catalog import CATALOG
from masque.errors import CheckpointError, DataError, SettingError
from masque.loading import load_model

FITTED = [name for name, entry in CATALOG.items() if entry.fitted]
every_fit = pytest.mark.parametrize("family", FITTED)
DATA = ["puppets:48"]


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory):
    """The run folder of a family, computed when it is asked for."""
    made: dict[str, Path] = {}

    def run(family: str) -> Path:
        if family not in made:
            made[family] = tmp_path_factory.mktemp("fits") / family
            assert runs.train(runs.plan(family, "tiny"), DATA, made[family]).finished
        return made[family]

    return run


@every_fit
def test_every_name_in_the_catalog_leads_somewhere_and_names_fit_each_other(family):
    entry = CATALOG[family]
    assert "tiny" in entry.load("presets")
    for preset in entry.load("presets"):
        plan = runs.plan(family, preset)
        assert isinstance(plan.model, entry.load("config"))
        recipe = runs.build_fit(plan)
        assert set(entry.load("model_parts")) == set(recipe.served) == set(recipe.nets)
        assert not [p for net in recipe.nets.values() for p in net.parameters()]


@every_fit
def test_a_fit_writes_a_model_that_loads_with_finite_numbers_and_a_card(family, computed):
    run = computed(family)
    model, stored = load_model(str(run))
    assert stored.family == family
    assert all(bool(tensor.isfinite().all()) for tensor in model.state_dict().values())
    assert any(bool(tensor.abs().sum() > 0) for tensor in model.state_dict().values())
    card = (run / "model" / "card.md").read_text()
    assert "the terms of these pictures bind" in card
    assert "puppets:48" in card
    assert runs.plan_of(run) == runs.plan(family, "tiny")


@every_fit
def test_the_same_pictures_give_the_same_model_and_others_another(family, computed, tmp_path):
    torch.manual_seed(99)
    runs.train(runs.plan(family, "tiny"), DATA, tmp_path / "again")
    runs.train(runs.plan(family, "tiny"), ["puppets:40"], tmp_path / "other")
    hashes = [modelfile.read(folder).hash for folder in (computed(family), tmp_path / "again", tmp_path / "other")]
    assert hashes[0] == hashes[1] != hashes[2]


@every_fit
def test_the_same_command_again_leaves_the_model_and_other_data_is_refused(family, computed):
    run = computed(family)
    before = (run / "model" / "weights.safetensors").stat().st_mtime_ns
    time.sleep(0.01)
    again = runs.train(runs.plan(family, "tiny"), DATA, run)
    assert (again.finished, again.reason) == (True, runs.ALREADY)
    assert (run / "model" / "weights.safetensors").stat().st_mtime_ns == before
    with pytest.raises(CheckpointError, match="a run on other pictures"):
        runs.train(runs.plan(family, "tiny"), ["puppets:40"], run)


@every_fit
def test_a_fit_that_was_killed_before_its_model_is_computed_by_the_same_command(family, tmp_path):
    run = tmp_path / "run"
    runs.train(runs.plan(family, "tiny"), DATA, run)
    (run / "model" / "config.json").unlink()  # which is written last
    assert runs.train(runs.plan(family, "tiny"), DATA, run).reason == "finished"
    assert json.loads((run / "model" / "config.json").read_text())["family"] == family


@every_fit
def test_what_only_steps_have_is_refused(family, tmp_path):
    for name in ("steps", "seed", "batch_size"):
        with pytest.raises(SettingError, match=f"{family} is computed from the data at once and has no {name}"):
            runs.plan(family, "tiny", (), {name: 7})
    with pytest.raises(SettingError, match="leave out --from"):
        runs.plan(family, "tiny", start=family)
    with pytest.raises(SettingError, match="There is no setting stepz"):
        runs.plan(family, "tiny", ["stepz=3"])
    with pytest.raises(SettingError, match="leave out --devices"):
        runs.train(runs.plan(family, "tiny"), DATA, tmp_path / "run", accelerator="cpu", devices=2)
    with pytest.raises(SettingError, match="is trained in steps"):
        runs.build_fit(runs.plan("dcgan", "tiny"))
    with pytest.raises(SettingError, match="without steps"):
        runs.build_recipe(runs.plan(family, "tiny"))


@every_fit
def test_too_few_pictures_are_refused(family, tmp_path):
    with pytest.raises(DataError):
        runs.train(runs.plan(family, "tiny"), ["puppets:6"], tmp_path / "run")
    assert not (tmp_path / "run" / "model").exists()
