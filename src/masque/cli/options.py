"""Options that several commands share, each said once: the same words, in the same order, in every command.

The order: what only this command takes, --out among it; --detail; --pick; --seed; --workers; --model; --device;
--overwrite; --json. `tests/cli/test_agreement.py` looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from masque.cli.completing import attributes, devices, families, models, presets
from masque.config import LARGEST_SEED
from masque.errors import SettingError, printable

Output: TypeAlias = Annotated[
    Path, typer.Option("--out", "-o", help="Where to write the picture: .png, .jpg or .webp.")
]
Model: TypeAlias = Annotated[
    str,
    typer.Option(
        "--model",
        help="Whose weights: a family's name for those that come with Masque, or a run or model folder.",
        autocompletion=models,
    ),
]
ModelOrNone: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Whose weights: a family's name for those that come with Masque, or a run or model folder.",
        autocompletion=models,
    ),
]
Trained: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="A trained model: a family's name for the weights that come with Masque, or a run or model folder.",
        autocompletion=models,
    ),
]
Family: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="What to train: rsgan, ccagan, portrait, progan or another that docs/train.md lists.",
        autocompletion=families,
    ),
]
Preset: TypeAlias = Annotated[
    str,
    typer.Option("--preset", help="A preset of the family: `masque presets` lists them.", autocompletion=presets),
]
Data: TypeAlias = Annotated[list[str], typer.Option("--data", help="A prepared set, or puppets:N. May be repeated.")]
Settings: TypeAlias = Annotated[
    list[str], typer.Option("--set", help="setting=value, such as batch_size=16. May be repeated.")
]
TimeLimit: TypeAlias = Annotated[
    str | None, typer.Option("--time-limit", help="Stop each model cleanly after 90s, 9m or 1h30m.")
]
Steps: TypeAlias = Annotated[int | None, typer.Option("--steps", help="How many steps each model is trained in all.")]
Set: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--set",
        help="Attribute=value with a value from 0 to 1, such as Smiling=1. May be repeated.",
        autocompletion=attributes,
    ),
]
EditSet: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--set",
        help="Attribute=value with a value from 0 to 1, such as Smiling=1; Hair=colour, such as Hair=auburn or "
        "Hair=#8a2be2; Age=years, or Age=+20 and Age=-10 for years more and less. May be repeated.",
        autocompletion=attributes,
    ),
]
Detail: TypeAlias = Annotated[
    Literal["keep", "network"],
    typer.Option(
        "--detail", help="keep: add the change to the photo's own pixels; network: show what the network paints."
    ),
]
Size: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--size",
        help="Side of each picture in pixels, from 64 to 2048, with --detail keep; if not given, as large as the "
        "largest face is in its photo, 512 at most.",
    ),
]
Pick: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--pick", help="Which face, by its number in `masque faces`; if not given, the one that it marks as taken."
    ),
]
Seed: TypeAlias = Annotated[int, typer.Option("--seed", help="The same seed draws the same.", min=0, max=LARGEST_SEED)]
SeedOrNone: TypeAlias = Annotated[
    int | None, typer.Option("--seed", help="The same seed draws the same.", min=0, max=LARGEST_SEED)
]
Workers: TypeAlias = Annotated[
    int | None, typer.Option("--workers", help="Processes; one per core if not given.", min=1)
]
Lfw: TypeAlias = Annotated[Path | None, typer.Option("--lfw", help="The folder of LFW: pairs.txt and its pictures.")]
Ijba: TypeAlias = Annotated[
    Path | None, typer.Option("--ijba", help="The folder of IJB-A: its tables of splits, and its pictures.")
]
Device: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="What computes: cpu, cuda, cuda:1 (or another number) or mps; if not given, what MASQUE_DEVICE says, or "
        "else cpu.",
        autocompletion=devices,
    ),
]
Overwrite: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--overwrite/--no-overwrite",
        help="Replace whatever stands there, or nothing at all; without either, only what is as Masque wrote it.",
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the answer, or the error, on stdout as one JSON object.")
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no notes: only the answer and errors.", expose_value=False),
]
Verbose: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Say on stderr what is loaded, and how long each step takes.", expose_value=False
    ),
]

EDIT, LATENTS, PEOPLE, DATA, TRAIN, MEASURE = "Edit", "Latents", "People", "Data", "Train", "Measure"
"""The headings of `masque --help`, in its order."""


HAIR, AGE = "Hair", "Age"
"""The attributes whose values are a colour, and years or years more."""


def nothing() -> None:
    """Callback of a group of commands: without one, typer would drop the name of an only sub-command."""


def attribute_values(assignments: Sequence[str]) -> dict[str, float]:
    """`Name=value` texts as a dictionary. Raises SettingError for anything else, ValueRangeError for values outside
    [0,1]."""
    from masque.given import values_by_name

    return values_by_name(dict(map(_number_assigned, assignments)))


def edit_values(assignments: Sequence[str]) -> dict[str, float | str]:
    """`Name=value` texts as a dictionary, in which a hair colour (`Hair=auburn`) and years (`Age=+20`) stay texts.

    Raises SettingError for what is neither; whether there is such an attribute and such a colour is for the edit to
    say."""
    values: dict[str, float | str] = {}
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if name.title() in (HAIR, AGE) and equals and text:  # "hair" too, so that the edit says how it is written
            values[name] = text
        else:
            name, values[name] = _number_assigned(assignment)
    return values


def _number_assigned(assignment: str) -> tuple[str, float]:
    """Name and number of a text `Name=value`. Raises SettingError for any other."""
    name, equals, text = assignment.partition("=")
    try:
        value = float(text)
    except ValueError:
        equals = ""
    if not equals or not name.strip():
        raise SettingError(
            f"{printable(repr(assignment))} is not of the form Name=value, such as Smiling=1 or Blond_Hair=0.8."
        )
    return name.strip(), value
