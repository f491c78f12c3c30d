"""Spellings of the version before: each still works, says what it is now, and is gone when its time is over."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from command_line import masque

from masque.cli.evaluate import TASKS as MEASURED
from masque.cli.main import command_line, commands_of, spelled, valued_options
from masque.cli.spelling import DEPRECATED, TASKS, Deprecation, pieces_of, words_of

ROOT = Path(__file__).resolve().parents[2]
EACH = pytest.mark.parametrize("deprecation", DEPRECATED, ids=lambda deprecation: deprecation.example)


def words(line: str) -> list[str]:
    return shlex.split(line)[1:]


def parse(arguments: list[str]) -> dict[str, object]:
    """What a command is called with. Raises the parser's errors."""
    commands = {" ".join(name): command for name, command in commands_of(command_line()).items()}
    return dict(commands[arguments[0]].make_context(arguments[0], list(arguments[1:])).params)


@EACH
def test_an_old_spelling_means_what_it_is_now(deprecation: Deprecation) -> None:
    arguments, notes = spelled(words(deprecation.example))
    assert parse(arguments) == parse(words(deprecation.now))
    assert arguments[0] == words(deprecation.now)[0]
    assert len(notes) == 1
    assert f"the old spelling ends with version {deprecation.last}" in notes[0]
    assert spelled(words(deprecation.now)) == (words(deprecation.now), [])


@EACH
def test_the_note_is_on_stderr_and_quiet_leaves_it_out(deprecation: Deprecation) -> None:
    bad = [word if word != "prepared" else "nowhere" for word in words(deprecation.example)]
    models = ("run", "rsgan", "progan")
    bad = ["nowhere" if word in models and bad[k - 1] != "--method" else word for k, word in enumerate(bad)]
    outcome = masque(*bad, "--preset", "none") if bad[0] == "table" else masque(*bad)
    assert outcome.code in (1, 2)
    assert outcome.err.startswith("Note: ")
    assert " is now " in outcome.err.splitlines()[0]
    assert "Note: " not in masque("-q", *bad).err
    assert "Note: " not in masque(*bad, "--quiet").err


@EACH
def test_the_changelog_lists_it(deprecation: Deprecation) -> None:
    deprecated = (ROOT / "CHANGELOG.md").read_text().split("### Deprecated")[1].split("### ")[0]
    command = words(deprecation.example)[0]
    assert re.search(rf"masque {command}\b", deprecated)


def test_a_deprecation_lives_for_one_version() -> None:
    """The first version with the note is the one after 0.1; whoever raises the version beyond removes the spelling."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    now = tuple(int(number) for number in version.split(".")[:2])
    for deprecation in DEPRECATED:
        last = tuple(int(number) for number in deprecation.last.split("."))
        assert now <= last, f"version {version}: remove what translates `{deprecation.example}`"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "evaluate swap run --data d --json r.json --pairs 5",
            "evaluate run --task swap --data d --report r.json --pairs 5",
        ),
        ("evaluate swap --json r.json run --data d", "evaluate run --task swap --report r.json --data d"),
        ("evaluate swap run --data d --json=r.json", "evaluate run --task swap --data d --report r.json"),
        ("evaluate --data d --pairs 5 run --json r.json", "evaluate --data d --pairs 5 run --report r.json"),
        ("evaluate parser parser --data d --json", "evaluate parser --task parser --data d --json"),
        ("evaluate parser --json parser --data d", "evaluate parser --task parser --json --data d"),
        ("evaluate attributes --model m --utkface u", "evaluate m --task attributes --utkface u"),
        ("evaluate attributes --utkface u --model=m --json", "evaluate m --task attributes --utkface u --json"),
        ("-q evaluate identity identity --lfw l", "-q evaluate identity --task identity --lfw l"),
        ("invert a --detail=30 -o x", "invert a --detail-iterations 30 -o x"),
        ("morph a b --detail 0 -qv", "morph a b --detail-iterations 0 -q -v"),
        ("sample --count 4 run -o s.png", "sample --count 4 --model run -o s.png"),
        ("swap a b --method=rsgan -o x", "swap a b --method network -o x"),
        ("table --data d -o t cca-gan", "table --data d -o t ccagan"),
    ],
)
def test_old_spellings_wherever_their_words_stand(old: str, new: str) -> None:
    arguments, notes = spelled(old.split())
    assert arguments == new.split()
    assert notes


@pytest.mark.parametrize(
    "line",
    [
        "evaluate rsgan --data d --json",
        "evaluate --json rsgan --data d",
        "evaluate swap --data d",
        "evaluate attributes --utkface u --json",
        "evaluate parser --data d --json",
        "edit a --set Smiling=1 --detail network",
        "morph a b --detail keep",
        "sample --model progan",
        "sample --model progan run",
        "swap a b -- --json",
        "swap a b -o --json",
        "table progan --data d -o cca-gan",
        "swap a b --method warp --model rsgan",
        "",
        "--version",
    ],
)
def test_what_is_spelled_as_today_stays_as_it_is(line: str) -> None:
    assert spelled(line.split()) == (line.split(), [])


def test_the_old_tasks_are_todays() -> None:
    assert set(TASKS) == set(MEASURED)


def test_an_option_has_a_value_in_all_commands_or_in_none() -> None:
    """Or words could not be taken apart before it is known which command is meant."""
    valued = valued_options()
    for command in commands_of(command_line()).values():
        for option in command.params:
            if getattr(option, "is_flag", None):
                assert not valued & {*option.opts, *option.secondary_opts}


def test_an_option_of_two_values_takes_both() -> None:
    pairs = ["--true-pairs", "a", "b", "--attribute", "Smiling"]
    assert spelled(["evaluate", "edits", "run", *pairs])[0] == ["evaluate", "run", "--task", "edits", *pairs]
    pieces = list(pieces_of(["--pair", "a", "b", "c"], (), {"--pair"}))
    assert [piece.words for piece in pieces] == [("--pair", "a", "b"), ("c",)]


def test_words_are_taken_apart_as_the_parser_does() -> None:
    line = ["-qo", "out.png", "-oout.png", "--out=x", "--out", "--json", "a", "-", "--json", "--", "-o", "b"]
    pieces = list(pieces_of(line, {"-o", "--out"}))
    assert [(piece.option, piece.value) for piece in pieces] == [
        ("-q", None),
        ("-o", "out.png"),
        ("-o", "out.png"),
        ("--out", "x"),
        ("--out", "--json"),
        (None, None),
        (None, None),
        ("--json", None),
        ("--", "-o"),
    ]
    assert words_of(pieces) == ["-q", "-o", "out.png", "-o", "out.png", *line[3:]]
