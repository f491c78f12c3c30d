"""States on disk: whole or not there, refused when damaged, foreign or newer; and which runs count as the same."""

from __future__ import annotations

import json

import pytest
import torch
from small_runs import differing

from masque.config import RESUMABLE
from masque.errors import CheckpointError
from masque.train.state import VERSION, load_state, open_run, same_run, save_state, states

SETTINGS = {"family": "line", "run": {"batch_size": 8, "steps": 100, "keep": 3}, "data": "abc"}


def test_what_is_saved_is_loaded(tmp_path):
    state = {"nets": {"a": {"w": torch.randn(2, 3), "n": torch.tensor(3)}}, "optimizers": {"a": {"state": {0: {"step": 4.0}}}}}
    path = save_state(tmp_path, 12, state, keep=2)
    loaded = load_state(path)
    assert path.name == "state-12.ckpt"
    assert loaded.pop("step") == 12
    assert loaded.pop("masque") == VERSION
    assert differing(loaded, state) == []


def test_states_are_found_by_number_and_only_complete_ones(tmp_path):
    for name in ("state-100.ckpt", "state-9.ckpt", ".state-200.ckpt.31.part", "state-x.ckpt", "state-7.ckpt.old", "log.jsonl"):
        (tmp_path / name).touch()
    assert [step for step, _ in states(tmp_path)] == [9, 100]
    assert states(tmp_path / "missing") == []


def test_the_oldest_go_and_the_newest_stay(tmp_path):
    for step in (5, 90, 100, 1000):
        save_state(tmp_path, step, {}, keep=2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["state-100.ckpt", "state-1000.ckpt"]


def damage_middle(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_all(path):
    path.write_bytes(b"")


def damage_weights(path):
    """A pickle that would run code: refused by weights_only."""
    torch.save({"masque": VERSION, "step": 1, "call": print}, path)


@pytest.mark.parametrize("damage", [damage_middle, damage_all, damage_weights])
def test_a_damaged_state_is_named_with_the_way_out(tmp_path, damage, line_engine, points):
    run = tmp_path / "run"
    line_engine(steps=10).fit(points)
    damage(run / "state-10.ckpt")
    with pytest.raises(CheckpointError, match=r"state-10.ckpt cannot be read .*: delete it, and the run goes on from the state before"):
        line_engine()
    (run / "state-10.ckpt").unlink()  # as the sentence says
    assert line_engine().step == 5


def test_foreign_and_newer_states(tmp_path):
    path = tmp_path / "state-1.ckpt"
    for foreign in ({"epoch": 3}, [1, 2]):
        torch.save(foreign, path)
        with pytest.raises(CheckpointError, match="was not written by Masque: move it out of the run folder"):
            load_state(path)
    torch.save({"masque": VERSION + 1, "step": 1}, path)
    with pytest.raises(CheckpointError, match=rf"newer Masque \(state version {VERSION + 1}, known is {VERSION}\): update Masque"):
        load_state(path)


def test_a_new_folder_gets_its_settings_and_the_same_run_may_go_on(tmp_path):
    run = tmp_path / "run"
    same_run(run, SETTINGS, RESUMABLE)
    open_run(run, SETTINGS)
    assert json.loads((run / "settings.json").read_text()) == SETTINGS
    same_run(run, SETTINGS, RESUMABLE)


def changed(group: str, name: str | None, value: object) -> dict[str, object]:
    return {**SETTINGS, group: {**SETTINGS[group], name: value} if name else value}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (changed("run", "batch_size", 16), "holds a run with batch_size = 8, not 16: choose another --out, or give the settings"),
        (changed("run", "colour", 0.1), "holds a run with colour = None, not 0.1"),
        (changed("family", None, "rsgan"), "holds a run with family = line, not rsgan"),
        (changed("data", None, "xyz"), "holds a run with data = abc, not xyz"),
        ({"family": "line", "data": "abc"}, "holds a run with run = .*, not None"),
    ],
)
def test_another_run_is_refused_by_the_name_of_what_differs(tmp_path, settings, sentence):
    open_run(tmp_path, SETTINGS)
    with pytest.raises(CheckpointError, match=sentence):
        same_run(tmp_path, settings, RESUMABLE)
    assert json.loads((tmp_path / "settings.json").read_text()) == SETTINGS


def test_a_run_that_is_older_than_a_setting_has_its_default(tmp_path):
    open_run(tmp_path, SETTINGS)
    same_run(tmp_path, changed("run", "colour", 0.1), RESUMABLE, {"run": {"colour": 0.1, "batch_size": 99}})
    with pytest.raises(CheckpointError, match=r"colour = 0\.0, not 0\.1"):
        same_run(tmp_path, changed("run", "colour", 0.1), RESUMABLE, {"run": {"colour": 0.0}})
    with pytest.raises(CheckpointError, match="batch_size = 8, not 16"):  # what it has is no matter of defaults
        same_run(tmp_path, changed("run", "batch_size", 16), RESUMABLE, {"run": {"batch_size": 16}})


@pytest.mark.parametrize("name", sorted(RESUMABLE))
def test_what_says_nothing_of_the_steps_made_may_change(tmp_path, name):
    open_run(tmp_path, SETTINGS)
    same_run(tmp_path, changed("run", name, 7), RESUMABLE)
    with pytest.raises(CheckpointError):  # the same change, where it is not among those allowed
        same_run(tmp_path, changed("run", name, 7), RESUMABLE - {name})


@pytest.mark.parametrize("text", ["{", "[1, 2]", "3", "\x00\xff"])
def test_damaged_settings(tmp_path, text):
    (tmp_path / "settings.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match=r"settings.json is damaged: choose another --out"):
        same_run(tmp_path, SETTINGS, RESUMABLE)
