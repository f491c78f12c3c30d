"""CONTRIBUTING.md's example of a new edit, built: its blocks are put into a copy of Masque, and the command is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from masque.catalog import SHIPPED
from masque.image import read_picture
from masque.provenance import verify
from test_rooms import circles, walk

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(python|diff)\n# (src/\S+)\n(.*?)^```$", re.M | re.S)
"""A block of code that names its file: a whole new file, or lines of one that stand (" "), go ("-") and come ("+")."""


def blocks() -> list[tuple[str, str, str]]:
    """Kind, file and code of each block of the section on a new edit."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("\n## Add an edit\n")[1].split("\n## ")[0]
    return BLOCK.findall(section)


def lines(code: str, marks: str) -> str:
    return "".join(line[1:] for line in code.splitlines(keepends=True) if line[0] in marks or not line.strip())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy of Masque that has the example's edit."""
    folder = tmp_path_factory.mktemp("example")
    package = folder / "src" / "masque"
    ignored = shutil.ignore_patterns("weights", "__pycache__")
    shutil.copytree(ROOT / "src" / "masque", package, ignore=ignored)
    (package / "weights").symlink_to(SHIPPED)
    for kind, file, code in blocks():
        path = folder / file
        if kind == "python":
            assert not path.exists()
            path.write_text(code, encoding="utf-8")
            continue
        text, before = path.read_text(encoding="utf-8"), lines(code, " -")
        assert text.count(before) == 1, f"{file} does not have these lines once:\n{before}"
        path.write_text(text.replace(before, lines(code, " +")), encoding="utf-8")
    return folder


def run(copy: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=copy, check=False)


def test_a_new_edit_takes_four_source_files() -> None:
    assert len({file for _, file, _ in blocks()}) == 4


def test_the_command_edits_a_photo(copy: Path, puppet_files: list[Path], model_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    done = run(copy, "-m", "masque", "reconstruct", puppet_files[0], "-o", out, "--model", model_folder)
    assert (done.returncode, done.stderr) == (0, "")
    before, after = read_picture(puppet_files[0]), read_picture(out)
    assert before.shape == after.shape
    assert 0 < (before != after).any(axis=2).mean() < 0.8  # the face, and no more
    record = verify(out).record
    assert record is not None
    assert (record["edit"], record["model"]) == ("reconstruct", "rsgan")


@pytest.mark.slow
def test_the_method_shows_its_parameters(copy: Path, model_folder: Path) -> None:
    program = f"import masque; help(masque.load({str(model_folder)!r}, 'reconstruct').reconstruct)"
    shown = run(copy, "-c", program).stdout
    assert "reconstruct(photo: 'Photo', *, pick: 'int | None' = None) -> 'Result'" in shown
    assert "pick: which of several faces" in shown


@pytest.mark.slow
def test_a_model_without_the_edit_is_refused_in_words(copy: Path, puppet_files: list[Path]) -> None:
    done = run(copy, "-m", "masque", "reconstruct", puppet_files[0], "--model", "parser")
    assert done.returncode != 0
    assert "cannot reconstruct: name a model of rsgan" in done.stderr


def test_the_example_keeps_to_the_rooms(copy: Path) -> None:
    assert walk(copy / "src" / "masque") == []
    assert circles(copy / "src" / "masque") == []
