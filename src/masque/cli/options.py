"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from masque.config import LARGEST_SEED
from masque.errors import SettingError, printable

Output = Annotated[Path, typer.Option("--out", "-o", help="Where to write the picture: .png, .jpg or .webp.")]
Model = Annotated[
    str, typer.Option("--model", help="A family's name for the weights that come with Masque, or a run folder.")
]
Data = Annotated[list[str], typer.Option("--data", help="A prepared set, or puppets:N. May be repeated.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Seed = typer.Option("--seed", help="The same seed draws the same.", min=0, max=LARGEST_SEED)
Pick = Annotated[
    int | None,
    typer.Option("--pick", help="Which face, by its number in `masque faces`, which marks the one taken otherwise."),
]
Set = Annotated[
    list[str],
    typer.Option("--set", help="Attribute=value with a value from 0 to 1, such as Smiling=1. May be repeated."),
]

Detail = Annotated[
    Literal["keep", "network"],
    typer.Option(
        "--detail", help="keep: add the change to the photo's own pixels; network: show what the network paints."
    ),
]

Lfw = Annotated[Path | None, typer.Option("--lfw", help="The folder of LFW: pairs.txt and its pictures.")]
Ijba = Annotated[
    Path | None, typer.Option("--ijba", help="The folder of IJB-A: its tables of splits, and its pictures.")
]


def nothing() -> None:
    """Callback of a group of commands: without one, typer would drop the name of an only sub-command."""


def attribute_values(assignments: Sequence[str]) -> dict[str, float]:
    """`Name=value` texts as a dictionary. Raises SettingError for anything else, ValueRangeError for values outside
    [0,1]."""
    from masque.given import values_by_name

    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise SettingError(
                f"{printable(repr(assignment))} is not of the form Name=value, such as Smiling=1 or Blond_Hair=0.8."
            )
    return values_by_name(values)
