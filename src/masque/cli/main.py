"""The `masque` command: its sub-commands, and how every failure ends.

Exit code 0: done. 1: the job failed, and one sentence on stderr says why and what to do. 2: wrong usage. 130: stopped
by Ctrl-C."""

from __future__ import annotations

import errno
import io
import sys
from typing import Annotated, NoReturn

import typer

from masque.cli import bench, data, edit, evaluate, latents, portraits, presets, synthesize, tables, train
from masque.cli.streams import unheard
from masque.errors import MasqueError, escaped
from masque.quiet import quieten_program

app = typer.Typer(
    help="Swap, edit, repaint, morph and re-draw faces. Use it on pictures of people who agree to it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
for register in (
    edit.register,
    portraits.register,
    latents.register,
    synthesize.register,
    data.register,
    train.register,
    evaluate.register,
    tables.register,
    bench.register,
    presets.register,
):
    register(app)


INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""


def _version(asked: bool) -> None:
    if asked:
        from masque.version import __version__

        typer.echo(f"masque {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _end(message: str, code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.write(escaped(message) + "\n")  # a file's name, or a text from one, may stand in it
    sys.exit(code)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    if sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__:  # else a program has put its own in their place
        sys.stdout, sys.stderr = unheard(1, sys.stdout), unheard(2, sys.stderr)
        quieten_program()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a file's name may hold what the terminal's encoding does not
    try:
        app(prog_name="masque")
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            _end("Stopped; whatever was finished is kept and nothing is half written.", INTERRUPTED)
        raise
    except MasqueError as error:
        _end(str(error), 1)
    except MemoryError:
        _end("There is not enough memory for this: use a smaller picture or a smaller batch_size.", 1)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "The disk is full" if error.errno == errno.ENOSPC else "Your quota of the disk is used up"
            _end(f"{what}: free some space and give the same command again.", 1)
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        _end(f"The system refused ({what}): check that place and its permissions.", 1)
    sys.exit(0)
