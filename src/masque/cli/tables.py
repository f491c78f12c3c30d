"""The tables of the papers, made anew, and sheets of what models make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from masque.cli.options import (
    MEASURE,
    Data,
    Ijba,
    Json,
    Lfw,
    Output,
    Overwrite,
    Preset,
    Seed,
    Settings,
    Steps,
    TimeLimit,
    Trained,
)
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Bar, Wait, answer, remark


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command in (table, tables, sheet):
        app.command(rich_help_panel=MEASURE)(command)


Paper: TypeAlias = Annotated[
    Literal["rsgan", "ccagan", "portrait", "progan", "facefeat"],
    typer.Argument(help="Of whose paper the table is made."),
]
TableOut: TypeAlias = Annotated[
    Path, typer.Option("--out", "-o", help="The folder of the models and of table.md and table.json.")
]
Count: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--count",
        help="Held-out pictures, at most; if not given, ccagan 200 an attribute, facefeat all, others 100.",
        min=2,
    ),
]
Few: TypeAlias = Annotated[
    int | None,
    typer.Option("--few", help="progan: pictures, at most, for the methods that take minutes a picture.", min=1),
]
Pairs: TypeAlias = Annotated[
    int | None, typer.Option("--pairs", help="rsgan: random pairs of held-out pictures; 1000 by default.", min=2)
]


def table(
    family: Paper,
    data: Data,
    out: TableOut,
    preset: Preset = "small",
    steps: Steps = None,
    set_: Settings = [],  # noqa: B006 - typer wants a literal
    time_limit: TimeLimit = None,
    count: Count = None,
    few: Few = None,
    pairs: Pairs = None,
    lfw: Lfw = None,
    ijba: Ijba = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Train the models of a published table where they are not yet, measure them alike, and print ours beside the
    paper's.

    Example: masque table ccagan --data prepared --out table --steps 12000
    """
    from masque.cli.durations import seconds

    limit = seconds(time_limit) if time_limit is not None else None
    options = {"count": count, "few": few, "pairs": pairs, "lfw": lfw, "ijba": ijba}
    more = {name: value for name, value in options.items() if value is not None}
    _check_options(family, more)
    from masque.lock import only_writer
    from masque.output import check_folder
    from masque.tables.alike import Alike
    from masque.tables.all_tables import TABLES, table_files

    check_folder(out)
    check_replaceable(overwrite, *table_files(family, out))
    with only_writer(out), Bar(f"Table of {family}") as bar:
        rows, text = TABLES[family](data, out, Alike(preset, set_, _steps(steps), limit, bar.update), **more)
    answer(text, rows, as_json)


def tables(
    data: Data,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder of all tables, one folder each, and of tables.md.")
    ],
    preset: Preset = "small",
    steps: Steps = None,
    time_limit: TimeLimit = None,
    pairs: Annotated[int, typer.Option("--pairs", help="rsgan: random pairs of held-out pictures.", min=2)] = 1000,
    lfw: Lfw = None,
    ijba: Ijba = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Make every table of every paper that this checkout can make of the data; name those it cannot, and say why.

    Example: masque tables --data prepared --out tables --preset small --time-limit 2h
    """
    from masque.cli.durations import seconds
    from masque.lock import only_writer
    from masque.output import check_folder
    from masque.tables.alike import Alike
    from masque.tables.all_tables import all_tables, all_tables_files

    check_folder(out)
    limit = seconds(time_limit) if time_limit is not None else None
    with only_writer(out), Bar("Tables") as bar:
        _rename_folder(out / "cca-gan", out / "ccagan")
        check_replaceable(overwrite, *all_tables_files(out))
        how = Alike(preset, (), _steps(steps), limit, bar.update)
        reasons = all_tables(data, out, how, more={"rsgan": {"pairs": pairs}, "facefeat": {"lfw": lfw, "ijba": ijba}})
    lines = [
        f"{paper}: {out / paper / 'table.md'}" if not why else f"{paper}: not made. {why}"
        for paper, why in reasons.items()
    ]
    answer("\n".join(lines), {"tables": reasons}, as_json)


def sheet(
    model: Trained,
    data: Data,
    out: Output = Path("sheet.png"),
    seed: Seed = 0,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Draw what a model makes of held-out people as one picture, so that two sets of weights can be compared at a
    glance.

    Example: masque sheet rsgan --data prepared --seed 0 -o sheet.png
    """
    from masque.image import check_output

    check_output(out)
    check_replaceable(overwrite, out)
    with Wait("Drawing"):
        from masque.tables.sheets import draw

        result = draw(model, data, seed)
    check_replaceable(overwrite, out)
    result.save(out)
    shown = result.texts("shown")
    answer(
        f"Wrote {out}. A row for each person; from left to right: {', '.join(shown)}.",
        {"out": str(out), "shown": shown},
        as_json,
    )


def _check_options(family: str, given: Mapping[str, object]) -> None:
    """Raise SettingError for an option that belongs to another table."""
    from masque.errors import SettingError

    if family == "rsgan" and "count" in given:
        raise SettingError("--count belongs to the other tables: give --pairs.")
    for name, owner in (("few", "progan"), ("pairs", "rsgan"), ("lfw", "facefeat"), ("ijba", "facefeat")):
        if name in given and family != owner:
            raise SettingError(f"--{name} belongs to the table of {owner}: leave it out.")


def _rename_folder(old: Path, new: Path) -> None:
    """Go on in the folder that version 0.1 called otherwise."""
    if old.is_dir() and not new.exists():
        old.rename(new)
        remark(f"Note: {old} is now {new}.")


def _steps(steps: int | None) -> dict[str, int]:
    return {} if steps is None else {"steps": steps}
