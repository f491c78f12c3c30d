"""The command that opens Studio: Masque in a browser, and as an HTTP API."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from masque.cli.manner import MANNER
from masque.cli.options import EDIT, Json
from masque.cli.show import answer, remark

PORT = 7865
"""Where Studio is found, if not told otherwise: always at the same place, so that a browser remembers it."""


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(rich_help_panel=EDIT)(studio)


def studio(
    port: Annotated[int, typer.Option("--port", help="The port to listen at; 0 takes any that is free.")] = PORT,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; any but this machine's own needs --password-file.")
    ] = "127.0.0.1",
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="A file whose first line is the password to ask for.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the link, and open no browser.")] = False,
    as_json: Json = False,
) -> None:
    """Edit photos in a browser, on this machine alone: they stay in memory, and none is kept. The environment variable
    MASQUE_DEVICE says where it computes.

    Example: masque studio
    """
    from masque.errors import SettingError

    try:
        from masque.studio.app import make_app
        from masque.studio.door import Door
        from masque.studio.serve import is_loopback, read_password, serve
        from masque.studio.state import Studio
    except ImportError as error:
        raise SettingError(
            f"Studio needs {error.name or 'a library'}, which is not installed: run pip install 'masque[studio]'."
        ) from None
    password = None if password_file is None else read_password(password_file, remark)
    door = Door(password)
    app = make_app(Studio(door, verbose=MANNER.verbose, remembers=is_loopback(host) and password is None))

    def opened(link: str) -> None:
        answer(f"Masque Studio is at {link} (Ctrl-C stops it)", {"link": link}, as_json)
        sys.stdout.flush()  # whoever waits for it may read from a pipe

    browser, verbose = not no_browser, MANNER.verbose
    serve(app, host, port, door, say=remark, warn=remark, opened=opened, open_browser=browser, verbose=verbose)
