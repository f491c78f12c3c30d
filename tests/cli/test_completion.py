"""What a shell is offered when somebody presses the Tab key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import start, wait_for

from masque.catalog import CATALOG
from masque.cli.completing import attributes, families, models, presets


def completions(monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """As bash asks for them."""
    monkeypatch.setenv("_MASQUE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    outcome = wait_for(start())
    assert outcome.code == 0, outcome.err
    return outcome.out.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("masque tr", ["train", "transfer"]),
        ("masque train pro", ["progan"]),
        ("masque train progan --preset ti", ["tiny"]),
        ("masque swap a.jpg b.jpg --model por", ["portrait"]),
        ("masque swap a.jpg b.jpg --detail ", ["keep", "network"]),
        ("masque edit a.jpg --model ccagan --set Blo", ["Blond_Hair="]),
        ("masque sample --device c", ["cpu", "cuda"]),
        ("masque evaluate facef", ["facefeat"]),
        ("masque table cc", ["ccagan"]),
        ("masque swap --over", ["--overwrite"]),
    ],
)
def test_names_are_completed(monkeypatch: pytest.MonkeyPatch, line: str, offered: list[str]) -> None:
    assert sorted(completions(monkeypatch, line)) == sorted(offered)


class Context:
    """What a completion looks at of the command line so far."""

    def __init__(self, **params: str) -> None:
        self.params = params


def test_every_family_and_its_presets_are_offered_as_they_are() -> None:
    assert families("") == list(CATALOG)
    assert set(models("")) <= set(CATALOG)
    offered = {name: presets(Context(family=name), "") for name in CATALOG}  # type: ignore[arg-type]
    rivals = {"vaegan", "ali", "alphagan"}  # whose presets are made by a function, which would have to be imported
    for name in CATALOG.keys() - rivals:
        assert offered[name] == list(CATALOG[name].load("presets"))


def test_attributes_of_a_run_and_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    config = {"config": {"attributes": ["Smiling", "Smug"]}}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    assert attributes(Context(model=str(tmp_path)), "Smi") == ["Smiling="]  # type: ignore[arg-type]
    assert attributes(Context(model=str(tmp_path / "none")), "") == []  # type: ignore[arg-type]
    (tmp_path / "model" / "config.json").write_text("[")
    assert attributes(Context(model=str(tmp_path)), "") == []  # type: ignore[arg-type]


def test_nothing_heavy_is_imported_for_it() -> None:
    program = (
        "import sys; from masque.cli.completing import *\n"
        "class Context: params = {}\n"
        "presets(Context, ''), attributes(Context, ''), models('')\n"
        "print([name for name in ('torch', 'numpy', 'PIL', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_shown(monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    outcome = wait_for(start("--show-completion", shell))
    assert outcome.code == 0
    assert "_MASQUE_COMPLETE" in outcome.out
