"""Help, usage, and what it costs to ask for them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from command_line import masque, start, wait_for

import masque as package
from masque.cli.main import app

HEAVY = ("torch", "cv2", "dlib", "numpy", "PIL", "matplotlib", "skimage", "lightning_fabric", "rich.progress")


def commands() -> Iterator[tuple[str, ...]]:
    """The words of every command, such as ("evaluate", "swap")."""

    def below(group: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            if hasattr(command, "commands"):
                yield from below(command, (*words, name))
            else:
                yield (*words, name)

    return below(typer.main.get_command(app), ())


COMMANDS = list(commands())
PROMISED = {
    "swap",
    "edit",
    "random",
    "blend",
    "faces",
    "prepare",
    "train",
    "evaluate",
    "export",
    "bench train",
    "bench swap",
    "verify",
    "demo",
}


def example_of(words: tuple[str, ...]) -> list[str]:
    text = " ".join(masque(*words, "--help").out.split())
    found = re.search(r"Example: (masque .*?)(?: Arguments:| Options:)", text)
    assert found, text
    return shlex.split(re.sub(r"- ", "-", found[1]))  # help is wrapped at hyphens too


def test_every_promised_command_is_there() -> None:
    assert {" ".join(words) for words in COMMANDS} >= PROMISED


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example_that_the_command_understands(words: tuple[str, ...]) -> None:
    """The example is parsed, not run: its options exist and take such values."""
    assert masque(*words, "--help").code == 0
    example = example_of(words)
    assert tuple(example[1 : 1 + len(words)]) == words
    command = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]  # type: ignore[attr-defined]
    context = command.make_context(words[-1], example[1 + len(words) :])
    assert context.params


def test_help_names_every_command() -> None:
    outcome = masque("--help")
    assert outcome.code == 0
    for words in COMMANDS:
        assert re.search(rf"^  {words[0]}\s", outcome.out, re.MULTILINE)


def test_help_imports_nothing_heavy() -> None:
    """Every --help in one fresh process; a test of seconds would depend on the machine."""
    program = f"""
import sys
from masque.cli.main import main
for words in {[[*words, "--help"] for words in [(), *COMMANDS]]}:
    sys.argv = ["masque", *words]
    try:
        main()
    except SystemExit as ended:
        assert ended.code == 0
sys.stderr.write(" ".join(name for name in {HEAVY} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.count("Example: masque") == len(COMMANDS)


def test_python_dash_m_masque() -> None:
    outcome = wait_for(start("--version"))
    assert (outcome.code, outcome.out, outcome.err) == (0, f"masque {package.__version__}\n", "")


def test_a_full_disk_behind_stdout() -> None:
    with open("/dev/full", "w") as full:
        outcome = wait_for(start("--version", stdout=full))
    assert outcome.sentence == "The disk is full: free some space and give the same command again."


@pytest.mark.parametrize(
    "arguments",
    [
        ["swpa"],
        ["swap"],
        ["swap", "a.jpg"],
        ["swap", "a.jpg", "b.jpg", "c.jpg"],
        ["swap", "a.jpg", "b.jpg", "--stitch", "glue"],
        ["swap", "a.jpg", "b.jpg", "--sticth", "none"],
        ["edit", "a.jpg"],
        ["edit", "a.jpg", "--set", "Smiling=1", "--region", "ears"],
        ["random", "a.jpg", "--part", "both"],
        ["random", "a.jpg", "--count", "many"],
        ["random", "a.jpg", "--seed", "-1"],
        ["random", "a.jpg", "--seed", "99999999999999999999"],
        ["faces"],
        ["prepare", "photos"],
        ["prepare", "photos", "--out", "p", "--size", "4"],
        ["prepare", "photos", "--out", "p", "--layout", "imagenet"],
        ["train", "rsgan", "--out", "run"],
        ["train", "rsgan", "--out", "run", "--data", "puppets:8", "--accelerator", "abacus"],
        ["train", "rsgan", "--out", "run", "--data", "puppets:8", "--seed", "-1"],
        ["evaluate"],
        ["evaluate", "rsgan"],
        ["evaluate", "rsgan", "--data", "puppets:8", "--lfw", "lfw"],
        ["evaluate", "identity", "--data", "puppets:8", "--pairs", "19"],
        ["evaluate", "run", "--data", "puppets:8", "--pairs", "0"],
        ["bench", "swap", "--side", "1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(arguments: list[str]) -> None:
    outcome = masque(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Usage: masque" in outcome.err
    assert "Error" in outcome.err


@pytest.mark.parametrize("arguments", [[], ["evaluate"], ["bench"]], ids=["masque", "evaluate", "bench"])
def test_a_command_without_its_words_shows_help(arguments: list[str]) -> None:
    outcome = masque(*arguments)
    assert outcome.code == 2
    assert "Usage: masque" in outcome.out + outcome.err
