"""How a command line was spelled in the version before, and how it is spelled now.

A spelling that goes away lives for one more version: it is translated before the line is parsed, with a note on stderr,
and listed in CHANGELOG.md under *Deprecated*. This is the only place that knows old spellings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Piece(NamedTuple):
    """One argument of a command line, or one option with its value."""

    option: str | None
    """The option's name, such as --out; None for an argument."""
    words: tuple[str, ...]
    """The words as they were given."""

    @property
    def value(self) -> str | None:
        """What was given to an option, as `--out x` or as `--out=x`; None for one that has no value."""
        if len(self.words) > 1:
            return self.words[1]
        name, equals, value = self.words[0].partition("=")
        return value if equals and name == self.option else None


class Line(NamedTuple):
    """A command line without the options that stand before the command's name."""

    command: str
    """Name of the command."""
    pieces: list[Piece]
    """What follows the name."""

    @property
    def arguments(self) -> list[int]:
        """Where the arguments are among the pieces."""
        return [place for place, piece in enumerate(self.pieces) if piece.option is None]


def pieces_of(words: Sequence[str], valued: Collection[str], paired: Collection[str] = ()) -> Iterator[Piece]:
    """Take words apart as the parser will. valued: the options that are followed by a value; paired: by two."""
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":  # all that follows are arguments, however they begin
            yield Piece("--", (word, *left))
            return
        if not word.startswith("-") or word == "-":
            yield Piece(None, (word,))
        elif word in paired:
            following, left = left[:2], left[2:]
            yield Piece(word, (word, *following))
        elif word.startswith("--"):
            name, equals, _ = word.partition("=")
            yield Piece(name, (word, left.pop(0)) if name in valued and not equals and left else (word,))
        else:
            yield from _short(word, left, valued)


def _short(word: str, left: list[str], valued: Collection[str]) -> Iterator[Piece]:
    """The options of one word such as -q, -qv, -oout.png, or -o with the value after it, which is taken from `left`."""
    for place, letter in enumerate(word[1:], start=1):
        name, rest = f"-{letter}", word[place + 1 :]
        if name not in valued:
            yield Piece(name, (name,))
        elif rest or not left:
            yield Piece(name, (name, rest) if rest else (name,))
            return
        else:
            yield Piece(name, (name, left.pop(0)))


def words_of(pieces: Sequence[Piece]) -> list[str]:
    """The words that the pieces consist of."""
    return [word for piece in pieces for word in piece.words]


class Translated(NamedTuple):
    """A line in today's spelling, and how the old and the new words read in the note."""

    line: Line
    old: str
    new: str


@dataclass(frozen=True)
class Deprecation:
    """A spelling that still works."""

    last: str
    """The last version in which the old spelling works."""
    example: str
    """A command line in the old spelling."""
    now: str
    """The example in today's spelling."""
    translate: Callable[[Line], Translated | None]
    """Puts a line into today's spelling; returns None for one that is not in the old spelling."""


TASKS = ("swap", "edits", "attributes", "identity", "shape", "parser", "portrait", "invert", "facefeat")
"""What `evaluate` measured by the names of its sub-commands in version 0.1."""
FLAGGED = ("attributes", "parser")
"""Those of them whose --json was followed by no file."""


def _pack(line: Line) -> Translated | None:
    if line.command != "pack":
        return None
    return Translated(line._replace(command="export"), "masque pack", "masque export")


def _table(line: Line) -> Translated | None:
    if line.command != "table" or not line.arguments or line.pieces[line.arguments[0]].words != ("cca-gan",):
        return None
    pieces = list(line.pieces)
    pieces[line.arguments[0]] = Piece(None, ("ccagan",))
    return Translated(line._replace(pieces=pieces), "masque table cca-gan", "masque table ccagan")


def _sample(line: Line) -> Translated | None:
    if line.command != "sample" or not line.arguments or any(piece.option == "--model" for piece in line.pieces):
        return None
    pieces, place = list(line.pieces), line.arguments[0]
    model = pieces[place].words[0]
    pieces[place] = Piece("--model", ("--model", model))
    return Translated(line._replace(pieces=pieces), f"masque sample {model}", f"masque sample --model {model}")


def _detail(line: Line) -> Translated | None:
    if line.command not in ("invert", "combine", "morph"):
        return None
    for place, piece in enumerate(line.pieces):
        if piece.option == "--detail" and (piece.value or "").isdigit():
            pieces, value = list(line.pieces), str(piece.value)
            pieces[place] = Piece("--detail-iterations", ("--detail-iterations", value))
            return Translated(line._replace(pieces=pieces), f"--detail {value}", f"--detail-iterations {value}")
    return None


def _method(line: Line) -> Translated | None:
    if line.command != "swap":
        return None
    for place, piece in enumerate(line.pieces):
        if piece.option == "--method" and piece.value == "rsgan":
            pieces = list(line.pieces)
            pieces[place] = Piece("--method", ("--method", "network"))
            return Translated(line._replace(pieces=pieces), "--method rsgan", "--method network")
    return None


def _report(line: Line) -> Translated | None:
    """`--json FILE` behind the task's or the model's name; before it, --json is the flag that it is today."""
    if line.command != "evaluate" or not line.arguments:
        return None
    first = line.arguments[0]
    if line.pieces[first].words[0] in FLAGGED:
        return None
    for place, piece in enumerate(line.pieces):
        if piece.option == "--json" and place > first:
            file, pieces = piece.value, list(line.pieces)
            if file is None and place + 1 in line.arguments:
                file = pieces.pop(place + 1).words[0]
            if file is not None:
                pieces[place] = Piece("--report", ("--report", file))
                return Translated(line._replace(pieces=pieces), f"--json {file}", f"--report {file}")
    return None


def _task(line: Line) -> Translated | None:
    """`evaluate TASK MODEL`, and `evaluate attributes --model MODEL`."""
    if line.command != "evaluate" or not line.arguments:
        return None
    first, *others = line.arguments
    task = line.pieces[first].words[0]
    named = [place for place, piece in enumerate(line.pieces) if piece.option == "--model"]
    if task not in TASKS or not (others or (task == "attributes" and named)):
        return None
    model = line.pieces[others[0]].words[0] if others else str(line.pieces[named[0]].value)
    left = [piece for place, piece in enumerate(line.pieces) if place not in (first, *(others[:1] or named))]
    pieces = [Piece(None, (model,)), Piece("--task", ("--task", task)), *left]
    option = "" if others else "--model "
    return Translated(
        line._replace(pieces=pieces), f"masque evaluate {task} {option}{model}", f"masque evaluate {model}"
    )


DEPRECATED = (
    Deprecation("0.2", "masque pack run -o model", "masque export run -o model", _pack),
    Deprecation(
        "0.2",
        "masque table cca-gan --data prepared -o table",
        "masque table ccagan --data prepared -o table",
        _table,
    ),
    Deprecation("0.2", "masque sample progan --count 4", "masque sample --model progan --count 4", _sample),
    Deprecation("0.2", "masque invert a.jpg --detail 450", "masque invert a.jpg --detail-iterations 450", _detail),
    Deprecation(
        "0.2",
        "masque swap a.jpg b.jpg --method rsgan",
        "masque swap a.jpg b.jpg --method network",
        _method,
    ),
    Deprecation(
        "0.2",
        "masque evaluate rsgan --data prepared --json report.json",
        "masque evaluate rsgan --data prepared --report report.json",
        _report,
    ),
    Deprecation(
        "0.2",
        "masque evaluate swap rsgan --data prepared",
        "masque evaluate rsgan --task swap --data prepared",
        _task,
    ),
)
"""The old spellings in the order in which they are translated: the file behind --json is no second argument once it is
a report."""


def current(line: Line) -> tuple[Line, list[str]]:
    """A line in today's spelling, and a note for each old spelling that was in it."""
    notes = []
    for deprecation in DEPRECATED:
        made = deprecation.translate(line)
        if made is not None:
            line = made.line
            notes.append(f"{made.old} is now {made.new}; the old spelling ends with version {deprecation.last}.")
    return line, notes
