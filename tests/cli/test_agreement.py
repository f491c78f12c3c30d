"""The command line agrees with itself: an option has the same words, the same kind and the same place everywhere."""

from __future__ import annotations

import inspect
import json
import re
from collections import defaultdict

import pytest
from command_line import masque

from masque.cli import options
from masque.cli.evaluate import TASKS
from masque.cli.main import command_line, commands_of

COMMANDS = commands_of(command_line())
ORDER = [
    "--detail",
    "--pick",
    "--seed",
    "--workers",
    "--model",
    "--device",
    "--overwrite",
    "--json",
    "--quiet",
    "--verbose",
]
"""The options that commands share, in the order of cli/options.py."""
OWN = {
    "--part": "what a part is to a command differs",
    "--count": "of what",
    "--size": "of crops that are trained on, and of pictures that are made",
    "--steps": "of a strip, of a training, of all models of a table",
    "--method": "of swapping and of finding latents",
    "--out": "a picture, a film, a latent, a label map, a folder",
    "--picture": "of a latent and of an evaluation",
    "--set": "of attributes and of settings",
    "--time-limit": "of one model and of each",
    "--data": "asked for, or not by all tasks",
    "--pairs": "of one table and of all tasks",
    "--few": "of one table and of all tasks",
    "--turns": "of one benchmark and another",
}
"""Options that mean something else in another command, which their words say."""


def named(command: str) -> list[str]:
    return [max(option.opts, key=len) for option in COMMANDS[tuple(command.split())].params if option.opts[0][0] == "-"]


def test_shared_options_have_the_same_words_everywhere() -> None:
    words: dict[str, set[str | None]] = defaultdict(set)
    for command in COMMANDS.values():
        for option in command.params:
            if option.param_type_name == "option":
                words[max(option.opts, key=len)].add(option.help)
    assert {name for name, said in words.items() if len(said) > 1} <= OWN.keys()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_shared_options_stand_in_one_order_at_the_end(words: tuple[str, ...]) -> None:
    shared = [name for name in named(" ".join(words)) if name in ORDER]
    assert shared == [name for name in ORDER if name in shared]
    assert shared[-3:] == ["--json", "--quiet", "--verbose"]
    tail = named(" ".join(words))[-len([name for name in shared if ORDER.index(name) >= ORDER.index("--model")]) :]
    assert tail == [name for name in shared if ORDER.index(name) >= ORDER.index("--model")]


def test_detail_is_keep_or_network_and_json_a_flag() -> None:
    for command in COMMANDS.values():
        for option in command.params:
            if "--detail" in option.opts:
                assert option.type_descriptor.annotation == options.Detail.__origin__  # type: ignore[attr-defined]
            if "--json" in option.opts:
                assert option.is_flag  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["train", "evaluate", "export", "table", "sheet"])
def test_commands_about_a_model_take_it_as_their_one_argument(name: str) -> None:
    arguments = [param for param in COMMANDS[name,].params if param.param_type_name == "argument"]
    assert [(argument.name, argument.nargs) for argument in arguments] in ([("model", 1)], [("family", 1)])
    assert "--model" not in named(name)


def test_commands_that_edit_take_weights_a_device_and_whether_to_overwrite() -> None:
    for words, command in COMMANDS.items():
        if getattr(command, "rich_help_panel", None) in (options.EDIT, options.LATENTS, options.PEOPLE):
            shared = {"--model", "--device"} & set(named(" ".join(words)))
            assert words[0] in ("apply", "heatmap", "faces", "verify", "studio") or shared == {"--model", "--device"}
            writes = words[0] not in ("faces", "verify", "augment", "studio")
            assert ("--overwrite" in named(" ".join(words))) == writes


def test_the_headings_of_help_and_their_order() -> None:
    outcome = masque("--help").out
    headings = ["Options", "Edit", "Latents", "People", "Data", "Train", "Measure"]
    assert re.findall(r"^(\w+):$", outcome, re.MULTILINE) == headings
    edit = outcome.split("Edit:\n")[1].split("\n\n")[0]
    assert re.search(r"^  swap +Put the face", edit, re.MULTILINE)
    assert "train" not in edit.split()


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_help_is_plain_text_for_every_terminal(words: tuple[str, ...]) -> None:
    outcome = masque(*words, "--help", encoding="ascii")
    assert outcome.code == 0
    assert not re.search(r"\\[xu]|\x1b|[|+]--", outcome.out)


def test_help_of_evaluate_says_which_task_takes_an_option_and_its_default() -> None:
    for option in COMMANDS["evaluate",].params:
        name = max(option.opts, key=len).removeprefix("--")
        takers = {task: p for task, it in TASKS.items() if (p := inspect.signature(it.measure).parameters.get(name))}
        said = re.match(r"(\w+)( \([^)]*\))?(, \w+( \([^)]*\))?)*: ", option.help or "")  # type: ignore[attr-defined]
        if said and takers and name != "picture":
            text = said[0].lower()
            for task, parameter in takers.items():
                assert task in text
                if isinstance(parameter.default, int) and not isinstance(parameter.default, bool):
                    assert str(parameter.default) in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["swpa"],
        ["swap", "a.jpg"],
        ["swap", "a.jpg", "b.jpg", "--sticth", "none"],
        ["repaint", "a.jpg"],
        ["evaluate", "rsgan"],
        ["random", "a.jpg", "--count", "many"],
        ["bench", "swap", "--side", "1"],
        ["train", "rsgan"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_json_too(arguments: list[str]) -> None:
    outcome = masque(*arguments, "--json")
    assert outcome.code == 2
    assert outcome.values.keys() == {"error", "kind"}
    assert outcome.values["kind"] == "UsageError"
    assert outcome.values["error"] in outcome.err
    assert masque("--quiet", *arguments, "--json").values == outcome.values


def test_a_failure_is_one_json_object_and_one_sentence(tmp_path) -> None:
    outcome = masque("faces", tmp_path / "no\x1b[2J.png", "--json")
    assert outcome.values == {"error": outcome.sentence, "kind": "PictureError"}
    assert masque("swap", "a", "b", "-o", tmp_path / "--json", "--json").values["kind"] == "OutputError"
    assert masque("swap", "a", "b", "-o", "--json").out == ""  # it is a file's name there


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (MemoryError(), "MemoryError", 1),
        (OSError(28, "No space left on device"), "OSError", 1),
        (PermissionError(13, "Permission denied", "x"), "OSError", 1),
        (KeyboardInterrupt(), "Interrupted", 130),
    ],
    ids=repr,
)
def test_every_other_end_is_json_too(monkeypatch, tmp_path, error: BaseException, kind: str, code: int) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("masque.image.read_picture", fail)
    outcome = masque("faces", tmp_path, "--json")
    assert (outcome.code, outcome.values["kind"]) == (code, kind)
    assert outcome.values["error"] == outcome.err.strip()


def test_a_bug_is_json_and_still_seen(monkeypatch, tmp_path, capsys) -> None:
    import sys

    from masque.cli.main import main

    monkeypatch.setattr("masque.image.read_picture", lambda _: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["masque", "faces", str(tmp_path), "--json"])
    with pytest.raises(ZeroDivisionError):
        main()
    assert json.loads(capsys.readouterr().out)["kind"] == "ZeroDivisionError"


def test_an_error_after_the_answer_is_in_the_answer(monkeypatch, puppet_files) -> None:
    monkeypatch.setattr("masque.faces.detect.SMALLEST_FACE", 10_000)
    outcome = masque("faces", puppet_files[0], "--json")
    assert outcome.code == 1
    assert outcome.values["kind"] == "NoFaceError"
    assert outcome.values["error"] == outcome.sentence
    assert outcome.values["faces"][0]["usable"] is False


def test_numbers_that_are_not_finite_are_null(capsys) -> None:
    from masque.cli.show import answer

    answer("", {"a": [float("nan"), 1.5], "b": {"c": float("-inf")}, "d": (1, "x")}, True)
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5], "b": {"c": None}, "d": [1, "x"]}
