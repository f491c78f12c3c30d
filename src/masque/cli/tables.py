"""The tables of the papers, made anew, and sheets of what models make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from masque.cli.options import Data, Ijba, Json, Lfw, Output, Seed
from masque.cli.show import Bar, Wait, answer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(table)
    app.command()(tables)
    app.command()(sheet)


def table(
    paper: Annotated[
        Literal["rsgan", "cca-gan", "portrait", "progan", "facefeat"], typer.Argument(help="Whose table.")
    ],
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the models and of table.md and table.json.")],
    preset: Annotated[
        str, typer.Option("--preset", help="A preset of the family: docs/train.md lists them.")
    ] = "small",
    steps: Annotated[int | None, typer.Option("--steps", help="How many steps each model is trained.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="setting=value for all models. May be repeated.")] = [],  # noqa: B006 - typer wants a literal
    time_limit: Annotated[
        str | None, typer.Option("--time-limit", help="Stop each model cleanly after 90s, 9m or 1h30m.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", help="Pictures, at most: 200 an attribute, 100, or all.", min=2)
    ] = None,
    few: Annotated[
        int | None,
        typer.Option("--few", help="progan: at most so many of them by the methods that take minutes.", min=1),
    ] = None,
    pairs: Annotated[
        int | None, typer.Option("--pairs", help="rsgan: random pairs of held-out pictures; 1000 by default.", min=2)
    ] = None,
    lfw: Lfw = None,
    ijba: Ijba = None,
    as_json: Json = False,
) -> None:
    """Train the models of a published table where they are not yet, measure them alike, and print ours beside the
    paper's.

    Example: masque table cca-gan --data prepared --out table --steps 12000
    """
    from masque.config import seconds
    from masque.errors import SettingError

    limit = seconds(time_limit) if time_limit is not None else None
    more: dict[str, Any] = {
        name: value
        for name, value in (("count", count), ("few", few), ("pairs", pairs), ("lfw", lfw), ("ijba", ijba))
        if value is not None
    }
    if paper == "rsgan" and count is not None:
        raise SettingError("--count belongs to the other tables: give --pairs.")
    for name, its in (("few", "progan"), ("pairs", "rsgan"), ("lfw", "facefeat"), ("ijba", "facefeat")):
        if name in more and paper != its:
            raise SettingError(f"--{name} belongs to the table of {its}: leave it out.")
    from masque.lock import only_writer
    from masque.output import check_folder
    from masque.tables.alike import Alike
    from masque.tables.all_tables import TABLES

    check_folder(out)

    make, as_text = TABLES[paper]
    with only_writer(out), Bar(f"Table of {paper}") as bar:
        report = make(data, out, Alike(preset, set_, _steps(steps), limit, bar.update), **more)
    answer(as_text(report), report, as_json)


def tables(
    data: Data,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder of all tables, one folder each, and of tables.md.")
    ],
    preset: Annotated[
        str, typer.Option("--preset", help="The preset of each family; all have tiny and small.")
    ] = "small",
    steps: Annotated[int | None, typer.Option("--steps", help="How many steps each model is trained.")] = None,
    time_limit: Annotated[
        str | None, typer.Option("--time-limit", help="Stop each model cleanly after 90s, 9m or 1h30m.")
    ] = None,
    pairs: Annotated[int, typer.Option("--pairs", help="rsgan: random pairs of held-out pictures.", min=2)] = 1000,
    lfw: Lfw = None,
    ijba: Ijba = None,
    as_json: Json = False,
) -> None:
    """Make every table of every paper that this checkout can make of the data; name those it cannot, and say why.

    Example: masque tables --data prepared --out tables --preset small --time-limit 2h
    """
    from masque.config import seconds
    from masque.lock import only_writer
    from masque.output import check_folder
    from masque.tables.alike import Alike
    from masque.tables.all_tables import all_tables

    check_folder(out)

    limit = seconds(time_limit) if time_limit is not None else None
    with only_writer(out), Bar("Tables") as bar:
        how = Alike(preset, (), _steps(steps), limit, bar.update)
        reasons = all_tables(data, out, how, more={"rsgan": {"pairs": pairs}, "facefeat": {"lfw": lfw, "ijba": ijba}})
    lines = [
        f"{paper}: {out / paper / 'table.md'}" if not why else f"{paper}: not made. {why}"
        for paper, why in reasons.items()
    ]
    answer("\n".join(lines), {"tables": reasons}, as_json)


def sheet(
    model: Annotated[
        str,
        typer.Argument(
            help="rsgan, ccagan, parser, portrait, progan or facefeat for the weights that come with Masque, or a run folder of these."
        ),
    ],
    data: Data,
    out: Output = Path("sheet.png"),
    seed: Annotated[int, Seed] = 0,
    as_json: Json = False,
) -> None:
    """Draw what a model makes of held-out people as one picture, so that two sets of weights can be compared at a
    glance.

    Example: masque sheet rsgan --data prepared --seed 0 -o sheet.png
    """
    from masque.image import check_output

    check_output(out)
    with Wait("Drawing"):
        from masque.tables.sheets import draw

        result = draw(model, data, seed)
    result.save(out)
    shown = result.record["shown"]
    answer(
        f"Wrote {out}. A row for each person; from left to right: {', '.join(shown)}.",
        {"out": str(out), "shown": shown},
        as_json,
    )


def _steps(steps: int | None) -> dict[str, int]:
    return {} if steps is None else {"steps": steps}
