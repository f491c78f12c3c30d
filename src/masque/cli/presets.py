"""What can be trained, and what it asks for."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from masque.cli.completing import families as known_families
from masque.cli.options import TRAIN, Json
from masque.cli.show import Bar, answer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(rich_help_panel=TRAIN)(presets)


def presets(
    family: Annotated[
        str | None,
        typer.Argument(help="Whose presets; every family's if not given.", autocompletion=known_families),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Time some steps of each here; of all, half an hour or more.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List presets with their size, steps, memory and time.

    Example: masque presets progan
    """
    from masque.catalog import CATALOG

    families = [family] if family is not None else list(CATALOG)
    with Bar("Timing the presets", quiet=not measure) as bar:
        from masque.bench.presets import as_text, as_values, preset_costs

        costs = []
        for number, name in enumerate(families):
            costs += preset_costs(name, measure, partial(bar.update, number, len(families)))
    answer(as_text(costs, measure), as_values(costs, measure), as_json)
