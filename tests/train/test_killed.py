"""A run killed many times at random moments ends as the run that nobody touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import killing
import pytest
import torch
from small_runs import differing, leaves

from masque.train.state import load_state, states
from once import made_once


@pytest.fixture(scope="module", params=[3, pytest.param(20, marks=pytest.mark.slow)], ids="{} kills".format)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """The folder of the uninterrupted run, and those of the runs that were killed and resumed."""
    kills: int = request.param
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def kill(folder: Path) -> None:
        command = [sys.executable, killing.__file__, str(folder), str(kills)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        (folder / "report.json").write_text(done.stdout.splitlines()[-1])

    folder = made_once(tmp_path_factory, f"killed-{kills}", kill)
    report = json.loads((folder / "report.json").read_text())
    assert report["kills"] >= kills
    assert report["writing"] >= 1
    assert report["status"] == 0
    return folder / "whole", [folder / run for run in report["runs"]]


def test_the_last_state_is_the_same_bit_for_bit(finished):
    whole, killed = finished
    step, expected = states(whole)[-1]
    assert step == killing.SETTINGS["steps"]
    assert sum(isinstance(value, torch.Tensor) for _, value in leaves(load_state(expected))) > 100
    for run in killed:
        assert differing(load_state(expected), load_state(states(run)[-1][1])) == []


def test_the_model_is_the_same_byte_for_byte(finished):
    whole, killed = finished
    for name in ("weights.safetensors", "config.json", "card.md"):
        assert {(run / "model" / name).read_bytes() for run in killed} == {(whole / "model" / name).read_bytes()}


def test_the_log_has_every_entry_once(finished):
    whole, killed = finished
    for run in (whole, *killed):
        steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
        assert steps == list(range(2, killing.SETTINGS["steps"] + 1, 2))


def test_the_folders_hold_the_same_files_and_nothing_unfinished(finished):
    whole, killed = finished
    expected = {str(path.relative_to(whole)) for path in whole.rglob("*")}
    assert not [name for name in expected if name.endswith(".part")]
    for run in killed:
        assert {str(path.relative_to(run)) for path in run.rglob("*")} == expected
