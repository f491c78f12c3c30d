"""How much a command says: -q leaves out what is not asked for, -v says more, and both stand where they like."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from command_line import masque

from masque.cli import show


@pytest.mark.parametrize("verbose", ["-v", "--verbose"])
def test_verbose_says_what_is_loaded_and_how_long_it_took(
    puppet_files: list[Path], model_folder: Path, tmp_path: Path, verbose: str
) -> None:
    command = ("edit", puppet_files[0], "--set", "Male=1", "-o", tmp_path / "out.png", "--model", model_folder)
    for arguments in ((verbose, *command), (*command, verbose)):
        outcome = masque(*arguments)
        assert outcome.code == 0
        assert f"Loaded rsgan from {model_folder}" in outcome.err
        assert "Found 1 face in puppet" in outcome.err
        assert "Editing took " in outcome.err
        assert "Loaded" not in outcome.out
    plain = masque(*command)
    assert (plain.out, plain.err) == (outcome.out, "")
    assert not logging.getLogger("masque").handlers


def test_quiet_leaves_out_notes_and_progress(
    puppet_files: list[Path], model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "FIRST_LINE", 0.0)
    started = []
    monkeypatch.setattr(show, "start", started.append)
    command = ("edit", puppet_files[0], "--set", "Male=1", "-o", tmp_path / "out.png", "--model", model_folder)
    monkeypatch.setattr(show.Lines, "__exit__", lambda *_: None)
    assert masque(*command).code == 0
    assert len(started) == 1
    for arguments in (("-q", *command), (*command, "--quiet"), (*command, "-q", "--json")):
        outcome = masque(*arguments)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out
    assert len(started) == 1


def test_errors_are_said_however_quiet(tmp_path: Path) -> None:
    assert masque("faces", tmp_path / "no.png", "-q").sentence == masque("faces", tmp_path / "no.png").sentence
    assert "Usage: masque" in masque("-q", "faces").err
