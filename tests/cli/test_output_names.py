"""Where results go: refused before the work where they cannot, written where they can, and nothing lost on the way."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn
from unittest.mock import patch

import numpy as np
import pytest
from command_line import masque
from PIL import Image

import masque as package
from masque.cli import main as command
from masque.errors import MasqueError
from masque.image import write_picture


def never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("the work began before it was known whether its result can be written")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may load a model before it is known that its result has a place."""
    monkeypatch.setattr(package, "load", never)


WRITERS = [
    ("swap", "a.png", "a.png", "-o"),
    ("edit", "a.png", "--set", "Male=1", "-o"),
    ("random", "a.png", "-o"),
    ("blend", "a.png", "a.png", "-o"),
    ("heatmap", "a.png", "a.png", "-o"),
    ("parse", "a.png", "-o"),
    ("parse", "a.png", "--overlay"),
    ("repaint", "a.png", "--shape-from", "a.png", "-o"),
    ("transfer", "a.png", "--style-from", "a.png", "-o"),
    ("faces-for", "a.png", "--styles", ".", "-o"),
    ("sample", "-o"),
    ("invert", "a.png", "--picture"),
    ("invert", "a.png", "--film"),
    ("combine", "a.png", "a.png", "-o"),
    ("morph", "a.png", "a.png", "-o"),
    ("synthesize", "a.png", "-o"),
    ("frontalize", "a.png", "-o"),
    ("mix-identity", "a.png", "a.png", "-o"),
    ("sheet", "rsgan", "--data", "puppets:2", "-o"),
    ("evaluate", "ccagan", "--data", "puppets:2", "--picture"),
    ("evaluate", "rsgan", "--data", "puppets:2", "--report"),
]
NAMES = {
    "x" * 252 + ".png": "shorter name",
    "missing/out.png": "mkdir -p",
    "a.png/out.png": "is a file and no folder",
    "pipe.png": "pipe",
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("writer", WRITERS, ids=" ".join)
def test_every_command_refuses_a_name_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_picture("a.png", np.zeros((8, 8, 3), np.uint8))
    Path("pipe.png").symlink_to("/dev/null")
    for name, says in NAMES.items():
        assert says in masque(*writer, name).sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "pipe.png"]


FILLERS = [
    ("train", "rsgan", "--data", "puppets:8", "--preset", "tiny", "-o"),
    ("prepare", "photos", "-o"),
    ("export", "rsgan", "-o"),
    ("table", "rsgan", "--data", "puppets:8", "-o"),
    ("tables", "--data", "puppets:8", "-o"),
    ("augment", "photos", "-o"),
    ("demo", "--folder"),
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("filler", FILLERS, ids=" ".join)
def test_every_command_refuses_a_folder_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filler: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("nowhere").symlink_to("missing")
    for name, says in {
        "x" * 256: "shorter name",
        "file": "is a file",
        "file/run": "is a file",
        "nowhere": "is a link",
    }.items():
        assert says in masque(*filler, name).sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "nowhere"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "writer",
    [
        ("swap", "small.png", "wide.png", "-o"),
        ("edit", "wide.png", "--set", "Male=1", "-o"),
        ("parse", "wide.png", "--overlay"),
        ("repaint", "wide.png", "--shape-from", "small.png", "-o"),
        ("transfer", "wide.png", "--style-from", "small.png", "-o"),
        ("heatmap", "wide.png", "wide.png", "-o"),
        ("blend", "small.png", "small.png", "--steps", "64", "-o"),
    ],
    ids=" ".join,
)
def test_what_a_format_cannot_hold_is_said_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_picture("wide.png", np.zeros((2, 16_384, 3), np.uint8))
    write_picture("small.png", np.zeros((2, 2, 3), np.uint8))
    assert "at most 16383 a side" in masque(*writer, "out.webp").sentence
    assert not Path("out.webp").exists()


@pytest.mark.parametrize(
    ("writer", "name"),
    [
        (("mix-identity", "a", "b", "--steps", "200", "-o"), "out.webp"),
        (("mix-identity", "a", "b", "--steps", "256", "-o"), "out.jpg"),
        (("synthesize", "a", "--pose-from", "-9..9", "--steps", "256", "-o"), "out.jpg"),
        (("synthesize", "a", "--count", "1024", "-o"), "out.webp"),
        (("sample", "--count", "1024", "-o"), "out.webp"),
        (("morph", "a", "b", "--frames", "70000", "--seconds", "100", "-o"), "out.jpg"),
    ],
    ids=str,
)
def test_a_sheet_that_is_too_large_is_refused_before_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: tuple[str, ...], name: str
) -> None:
    drawing = dict.fromkeys(("mix", "synthesize", "changed", "sample", "subject", "search"), never)
    monkeypatch.setattr(package, "load", lambda *_: SimpleNamespace(size=512, own=None, **drawing))
    assert "a side" in masque(*writer, tmp_path / name).sentence
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("impatient")
def test_two_results_of_one_name(tmp_path: Path) -> None:
    photo = write_picture(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "link.png").symlink_to("out.png")
    for other in (tmp_path / "out.png", tmp_path / "link.png", tmp_path / "." / "out.png"):
        assert "written twice" in masque("parse", photo, "-o", tmp_path / "out.png", "--overlay", other).sentence
        assert "written twice" in masque("invert", photo, "--picture", other, "--film", tmp_path / "out.png").sentence


@pytest.mark.parametrize(
    "name", ["x" * 251 + ".png", "ä" * 125 + ".png", "\udcff\udcfe.png", "a b'\"$(c).png", "-o.png"]
)
def test_names_that_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    photo = write_picture(tmp_path / name, np.zeros((64, 64, 3), np.uint8))
    # The input itself, which is read before it is replaced.
    outcome = masque("heatmap", photo, photo, f"--out={name}", "--overwrite")
    assert outcome.code == 0, outcome.err
    with Image.open(name) as written:
        assert written.size[1] >= 64
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_output_that_is_a_link_writes_what_it_leads_to(tmp_path: Path) -> None:
    photo = write_picture(tmp_path / "a.png", np.zeros((64, 64, 3), np.uint8))
    (tmp_path / "far").mkdir()
    (tmp_path / "link.png").symlink_to("far/new.png")
    assert masque("heatmap", photo, photo, "-o", tmp_path / "link.png").code == 0
    assert (tmp_path / "link.png").is_symlink()
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["new.png"]


@pytest.mark.parametrize("error", [MasqueError, OSError, PermissionError])
def test_nothing_in_a_name_reaches_the_terminal_raw(tmp_path: Path, error: type[Exception]) -> None:
    name = "\x1b[2J\x1b[31m\r\n\u202e\udcff"
    hostile = tmp_path / name
    for arguments in (
        ("faces", hostile),
        ("verify", hostile),
        ("edit", hostile, "--set", "A=1", "-o", tmp_path / f"{name}.png"),
    ):
        assert masque(*arguments).sentence.isprintable()

    def fail(*_: object, **__: object) -> NoReturn:
        raise error(f"{name} failed.") if error is not OSError else OSError(5, "Input/output error", name)

    with patch.object(command, "command_line", lambda: SimpleNamespace(commands={}, main=fail)):
        assert masque("faces").sentence.isprintable()


def test_answers_keep_their_lines_and_lose_what_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    from masque.cli.show import answer, remark

    answer("one\x1b[2J\ntwo\r", {"name": "\x1b\udcff"}, False)
    answer("", {"name": "\x1b\udcff"}, True)
    remark("Note: a\nb\x07")
    said = capsys.readouterr()
    assert said.out == 'one\\x1b[2J\ntwo\\r\n{"name": "\\u001b\\udcff"}\n'
    assert said.err == "Note: a\\nb\\x07\n"


def test_no_command_prints_past_the_functions_that_escape() -> None:
    """The version is no text from a file; all else goes through `answer`, `tell` and `remark`."""
    folder = Path(sys.modules["masque.cli.main"].__file__ or "").parent
    echoing = {path.name for path in folder.glob("*.py") if "typer.echo(" in path.read_text(encoding="utf-8")}
    assert echoing == {"main.py", "show.py"}
