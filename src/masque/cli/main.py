"""The `masque` command: its sub-commands, and how every failure ends.

Exit code 0: done. 1: the job failed, and one sentence on stderr says why and what to do. 2: wrong usage. 130: stopped
by Ctrl-C. With --json, stdout carries exactly one JSON object: the answer, or {"error": the sentence, "kind": ...}."""

from __future__ import annotations

import errno
import io
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, wraps
from typing import Annotated, NoReturn

import typer
from typer.core import TyperGroup

from masque.cli import (
    bench,
    data,
    edit,
    evaluate,
    latents,
    look,
    portraits,
    presets,
    studio,
    swap,
    synthesize,
    tables,
    train,
)
from masque.cli.help import Headings
from masque.cli.manner import MANNER, begin
from masque.cli.options import EDIT, LATENTS, PEOPLE, Quiet, Verbose
from masque.cli.show import failure, remark, show_notice
from masque.cli.spelling import Line, current, pieces_of, words_of
from masque.cli.streams import unheard
from masque.errors import MasqueError, escaped
from masque.quiet import quieten_program

app = typer.Typer(
    cls=Headings,
    help="Swap, edit, repaint, morph and re-draw faces. Use it on pictures of people who agree to it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
for register in (
    swap.register,
    edit.register,
    look.register,
    studio.register,
    portraits.register,
    latents.register,
    synthesize.register,
    data.register,
    train.register,
    presets.register,
    evaluate.register,
    tables.register,
    bench.register,
):
    register(app)


INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""


def _version(wanted: bool) -> None:
    if wanted:
        from masque.version import __version__

        typer.echo(f"masque {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """The options that stand before a command's name; `main` has read the last two already."""


@cache
def command_line() -> TyperGroup:
    """The whole command line, in which every command takes --quiet and --verbose as the root does."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    everywhere = [parameter for parameter in root.params if parameter.name in ("quiet", "verbose")]
    for words, command in commands_of(root).items():
        command.params.extend(everywhere)
        if command.rich_help_panel in (EDIT, LATENTS, PEOPLE) and words not in WITHOUT_NOTICE and command.callback:
            command.callback = _after_notice(command.callback)
    return root


WITHOUT_NOTICE = {("faces",), ("parse",), ("heatmap",), ("verify",), ("sample",), ("studio",)}
"""Commands beside those that edit pictures of people which make none; Studio's page shows the notice itself."""


def _after_notice(command: Callable[..., object]) -> Callable[..., object]:
    """A command before which the notice is shown where it has not been yet."""

    @wraps(command)
    def run(*given: object, **named: object) -> object:
        show_notice()
        return command(*given, **named)

    return run


def commands_of(group: TyperGroup, words: tuple[str, ...] = ()) -> dict[tuple[str, ...], typer.core.TyperCommand]:
    """Every command by its words, such as ("swap",) and ("bench", "train")."""
    found: dict[tuple[str, ...], typer.core.TyperCommand] = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found |= commands_of(command, (*words, name))
        elif isinstance(command, typer.core.TyperCommand):
            found[(*words, name)] = command
    return found


def valued_options(values: int = 1) -> frozenset[str]:
    """The options that are followed by so many values: the same in every command that has them."""
    commands = commands_of(command_line()).values()
    return frozenset(
        name
        for command in commands
        for option in command.params
        if isinstance(option, typer.core.TyperOption) and not option.is_flag and option.nargs == values
        for name in option.opts
    )


def spelled(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """A command line in today's spelling, and a note for each old spelling that was in it; --json, --quiet and
    --verbose are heeded from here on, wherever they stand and whatever else is wrong with the line."""
    pieces = list(pieces_of(words, valued_options(), valued_options(2)))
    place = next((place for place, piece in enumerate(pieces) if piece.option is None), len(pieces))
    before = pieces[:place]
    line, notes = Line("", []), list[str]()
    if place < len(pieces):
        line, notes = current(Line(pieces[place].words[0], pieces[place + 1 :]))
    options = {piece.option for piece in (*before, *line.pieces)}
    begin(
        json="--json" in options,
        quiet=bool(options & {"-q", "--quiet"}),
        verbose=bool(options & {"-v", "--verbose"}),
    )
    name = [line.command] if place < len(pieces) else []
    return [*words_of(before), *name, *words_of(line.pieces)], notes


def _end(message: str, code: int, kind: str) -> NoReturn:
    _tell_in_json(message, kind)
    with suppress(OSError):
        sys.stdout.flush()
    sys.stderr.write(escaped(message) + "\n")  # a file's name, or a text from one, may stand in it
    sys.exit(code)


def _tell_in_json(message: str, kind: str) -> None:
    if MANNER.json and not MANNER.answered:
        with suppress(OSError):  # stdout may be what is full; the sentence on stderr remains
            sys.stdout.write(json.dumps(failure(message, kind)) + "\n")
            sys.stdout.flush()
    MANNER.answered = True


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    if sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__:  # else a program has put its own in their place
        sys.stdout, sys.stderr = unheard(1, sys.stdout), unheard(2, sys.stderr)
        quieten_program()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold what the terminal's encoding does not.
            stream.reconfigure(errors="backslashreplace")
    try:
        _run(sys.argv[1:])
    except MasqueError as error:
        _end(str(error), 1, type(error).__name__)
    except typer.TyperException as error:
        _tell_in_json(error.format_message(), "UsageError")
        error.show()  # type: ignore[attr-defined]
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _end("Stopped; whatever was finished is kept and nothing is half written.", INTERRUPTED, "Interrupted")
    except MemoryError:
        sentence = "There is not enough memory for this: use a smaller picture or a smaller batch_size."
        _end(sentence, 1, "MemoryError")
    except OSError as error:
        _end(_refusal(error), 1, "OSError")
    except Exception as error:
        _tell_in_json(f"Masque failed in a way that it should not ({error}): please report it.", type(error).__name__)
        raise
    sys.exit(0)


def _run(words: Sequence[str]) -> None:
    """Run one command. Raises whatever ends it, KeyboardInterrupt for Ctrl-C."""
    arguments, notes = spelled(words)
    for note in notes:
        remark(f"Note: {note}")
    code = command_line().main(arguments, prog_name="masque", standalone_mode=False)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        sys.exit(code)


def _refusal(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = "The disk is full" if error.errno == errno.ENOSPC else "Your quota of the disk is used up"
        return f"{what}: free some space and give the same command again."
    what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
    return f"The system refused ({what}): check that place and its permissions."
