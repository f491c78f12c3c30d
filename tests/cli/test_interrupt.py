"""Ctrl-C in the middle of long jobs, sent as a terminal sends it: to the command and to all its processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import HANGS, Outcome, masque, start, wait_for

from masque.image import read_picture
from masque.modelfile import read
from masque.train.state import load_state

STOPPED = "Stopped; whatever was finished is kept and nothing is half written."


def interrupt_when(process: subprocess.Popen[str], ready: Callable[[], bool], seconds: float = HANGS) -> Outcome:
    """Ctrl-C as soon as `ready`, and how the command then ends."""
    until = time.monotonic() + seconds
    while not ready() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    return wait_for(process, seconds)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0


PHOTOS = 20
"""As many as keep two processes busy while Ctrl-C is on its way."""

SLOW_START = """
import pathlib, sys, time
if any("forkserver" in argument for argument in sys.orig_argv):
    pathlib.Path(__file__).with_name("starting").touch()
    time.sleep(1)
"""
"""A sitecustomize.py by which the server of multiprocessing's processes is seen to start, and takes a second for it."""


@pytest.mark.parametrize("when", ["while its processes start", pytest.param("while they work", marks=pytest.mark.slow)])
def test_prepare_stops_and_goes_on(
    puppet_files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(PHOTOS):
        shutil.copy(puppet_files[number % len(puppet_files)], tmp_path / "photos" / f"{number:03d}.png")
    command = ("prepare", tmp_path / "photos", "--out", tmp_path / "set", "--size", 32, "--json")
    journal = tmp_path / "set" / "journal.jsonl"
    ready, results = (lambda: lines(journal) > 2), 2
    if when == "while its processes start":
        (tmp_path / "sitecustomize.py").write_text(SLOW_START)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
        ready, results = (tmp_path / "starting").exists, 0
    outcome = interrupt_when(start(*command, "--workers", 2), ready)
    said = {"error": STOPPED, "kind": "Interrupted"}
    assert (outcome.code, outcome.values, outcome.err) == (130, said, STOPPED + "\n")
    assert ready()
    assert not (tmp_path / "set" / "prepared.json").exists()
    done = [json.loads(line)["number"] for line in journal.read_text().splitlines()[1:]]
    assert results <= len(done) < PHOTOS
    for path in (tmp_path / "set").glob("images/[!.]*"):
        assert read_picture(path).shape[2] == 3
    resumed = masque(*command, "--workers", 1)
    assert (resumed.code, resumed.values["kept"]) == (0, PHOTOS)
    assert not list((tmp_path / "set").rglob("*.part"))


def test_train_stops_and_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = (
        "train",
        "rsgan",
        "--data",
        "puppets:24",
        "--out",
        run,
        "--preset",
        "tiny",
        "--set",
        "batch_size=4",
        "--set",
        "log_every=1",
    )
    outcome = interrupt_when(start(*command, "--steps", 100_000), lambda: lines(run / "log.jsonl") > 1)
    assert outcome.code == 130
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1] == STOPPED
    (state,) = sorted(run.glob("state-*.ckpt"), key=lambda path: path.stat().st_mtime)[-1:]
    step = load_state(state)["step"]
    assert outcome.out == f"Stopped after step {step} (stopped); the same command goes on from there.\n"
    assert step >= 2
    assert lines(run / "log.jsonl") == step
    assert not list(run.rglob("*.part"))
    assert read(run).family == "rsgan"
    resumed = masque(*command, "--steps", step + 1, "--json")
    assert (resumed.code, resumed.values["step"], resumed.values["finished"]) == (0, step + 1, True)
