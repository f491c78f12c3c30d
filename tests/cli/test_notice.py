"""The notice: where it is remembered that it was read, and that nothing fails where that cannot be."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from command_line import masque

from masque import notice
from masque.cli import show
from masque.cli.main import WITHOUT_NOTICE, command_line, commands_of
from masque.cli.manner import MANNER, begin


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path / "settings"


@pytest.fixture
def shown(settings: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What is shown on a terminal by and by, of a user who has not read the notice."""
    assert not settings.exists()
    monkeypatch.setattr(show, "watched", lambda: True)
    monkeypatch.setattr(MANNER, "quiet", False)
    monkeypatch.setattr(MANNER, "json", False)

    def read() -> str:
        stream = io.StringIO()
        with redirect_stderr(stream):
            show.show_notice()
        return stream.getvalue()

    return read


def test_it_is_remembered(settings: Path) -> None:
    assert not notice.agreed()
    notice.remember()
    assert notice.agreed()
    assert [path.parent for path in settings.rglob("*") if path.is_file()] == [settings / "masque"]


def test_it_is_asked_again_where_nothing_can_be_written(settings: Path) -> None:
    settings.write_text("a file where the folder should be")
    notice.remember()
    assert not notice.agreed()


def test_a_user_without_a_home_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    notice.remember()
    assert not notice.agreed()


@pytest.mark.parametrize(
    ("platform", "variable", "under"),
    [
        ("linux", "XDG_CONFIG_HOME", "set/masque"),
        ("linux", "", "home/.config/masque"),
        ("darwin", "", "home/Library/Application Support/masque"),
        ("win32", "APPDATA", "set/masque"),
        ("win32", "", "home/AppData/Roaming/masque"),
    ],
)
def test_it_is_where_each_system_keeps_settings(
    platform: str, variable: str, under: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "set"))
    assert notice.folder() == tmp_path / under


def test_a_place_that_is_no_whole_path_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", "settings")
    assert notice.folder() == tmp_path / ".config" / "masque"


def test_a_terminal_shows_it_once(shown: Callable[[], str]) -> None:
    text = shown()
    assert all(sentence in text for sentence in notice.SENTENCES)
    assert shown() == ""


def test_nothing_is_shown_where_nobody_looks(shown: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "watched", lambda: False)
    assert shown() == ""
    assert not notice.agreed()


@pytest.mark.parametrize("option", ["quiet", "json"])
def test_nothing_is_shown_to_who_asks_for_silence_or_json(
    shown: Callable[[], str], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr(MANNER, option, True)
    assert shown() == ""
    assert not notice.agreed()


def test_a_command_shows_it_and_one_that_only_looks_does_not(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "watched", lambda: True)
    missing = tmp_path / "missing.jpg"
    assert notice.SENTENCES[0] not in masque("faces", missing).err
    assert not notice.agreed()
    first, second = (masque("swap", missing, missing, "-o", tmp_path / "out.png") for _ in range(2))
    assert notice.SENTENCES[0] in first.err
    assert notice.SENTENCES[0] not in second.err
    assert settings.exists()
    begin()


def test_every_command_that_goes_without_exists() -> None:
    assert commands_of(command_line()).keys() >= WITHOUT_NOTICE
