"""What can be trained, and what it asks for."""

from __future__ import annotations

from typing import Annotated

import typer

from masque.cli.options import Json
from masque.cli.show import Wait, answer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(presets)


def presets(
    family: Annotated[str | None, typer.Argument(help="Whose presets; every family's if not given.")] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Time a step of each here, which takes what such steps take.")] = False,
    as_json: Json = False,
) -> None:
    """List presets with their size, steps, memory and time.

    Example: masque presets progan
    """
    from masque.catalog import CATALOG
    from masque.errors import SettingError

    if measure and family is None:
        raise SettingError("--measure times the presets of one family: name it, such as `masque presets attributes --measure`.")
    with Wait("Looking at the presets"):
        from masque.bench.presets import as_text, as_values, asked

        told = [preset for name in ([family] if family is not None else CATALOG) for preset in asked(name, measure)]
    answer(as_text(told), as_values(told), as_json)
