"""A disk that is full: exit code 1, one sentence, and everything that existed is still there.

The kernel's limit on the size of a file stands in for the full disk: a write beyond it fails in the same place and in
the same way."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import masque, start, wait_for


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_an_edit_keeps_the_picture_that_was_there(
    puppet_files: list[Path], model_folder: Path, tmp_path: Path, suffix: str
) -> None:
    (tmp_path / f"out.{suffix}").write_bytes(b"an older picture")
    before = contents(tmp_path)
    with files_no_larger_than(2000):
        command = ("edit", puppet_files[0], "--set", "Male=1", "-o", tmp_path / f"out.{suffix}")
        outcome = masque(*command, "--model", model_folder, "--overwrite")
    assert "could not be written" in outcome.sentence
    assert "free some space" in outcome.sentence
    assert contents(tmp_path) == before


def test_packing_keeps_the_model_that_was_there(model_folder: Path, tmp_path: Path) -> None:
    assert masque("export", model_folder, "-o", tmp_path / "packed").code == 0
    before = contents(tmp_path)
    with files_no_larger_than(2000):
        assert "free some space" in masque("export", model_folder, "-o", tmp_path / "packed").sentence
    assert contents(tmp_path) == before


def test_prepare_stops_and_goes_on_when_there_is_room(puppet_files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for path in puppet_files:
        shutil.copy(path, tmp_path / "photos")
    command = ("prepare", tmp_path / "photos", "--out", tmp_path / "set", "--size", 128, "--workers", 1)
    with files_no_larger_than(4000):
        assert "free some space" in masque(*command).sentence
    assert not (tmp_path / "set" / "prepared.json").exists()
    assert masque(*command, "--json").values["kept"] == len(puppet_files)
    assert not list((tmp_path / "set").rglob("*.part"))


@pytest.mark.slow
def test_training_keeps_the_last_state(tmp_path: Path) -> None:
    """In a process of its own, since torch's writer has been known to end the process when its file cannot be
    finished."""
    run = tmp_path / "run"
    command = ("train", "rsgan", "--data", "puppets:24", "--out", run, "--preset", "tiny", "--set", "batch_size=4")
    assert masque(*command, "--steps", 1).code == 0
    before = contents(run)
    state = len(before["state-1.ckpt"])

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (state // 2, state // 2))

    outcome = wait_for(start(*command, "--steps", 2, preexec_fn=limit))
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert "could not be written" in outcome.err.splitlines()[-1]
    after = contents(run)
    assert not any(name.endswith(".part") for name in after)
    assert all(after[name] == content for name, content in before.items() if name.startswith(("state-", "model/")))
    resumed = masque(*command, "--steps", 2, "--json")
    assert json.loads(resumed.out)["step"] == 2
