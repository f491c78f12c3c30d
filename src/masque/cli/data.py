"""Preparing data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from masque.cli.options import Json
from masque.cli.show import Bar, answer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(prepare)


def prepare(
    source: Annotated[Path, typer.Argument(help="The folder that holds the pictures.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The prepared set to make, or to go on making.")],
    layout: Annotated[
        Literal["auto", "celeba", "celebamask-hq", "utkface", "identities", "photos"],
        typer.Option("--layout", help="How the folder is laid out."),
    ] = "auto",
    size: Annotated[int, typer.Option("--size", help="Side in pixels of the crops that will be trained on.", min=16, max=1024)] = 128,
    held_out: Annotated[float, typer.Option("--held-out", help="Share (below 1) or number of people kept for testing.", min=0)] = 0.1,
    most_turned: Annotated[
        float | None, typer.Option("--most-turned", help="Drop faces turned farther than this; 4 drops profiles.")
    ] = None,
    only: Annotated[Path | None, typer.Option("--only", help="A text file of picture names, one a line; all others are left out.")] = None,
    label_maps: Annotated[
        bool, typer.Option("--label-maps", help="Write label maps too where there are no masks of parts, as the face parser sees them.")
    ] = False,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes; one per core if not given.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Find, align, crop and measure every face of a data set, ready to train on. The same command resumes after an interruption.

    Example: masque prepare photos/ --out prepared --size 128
    """
    from masque.catalog import shipped_classifier, shipped_parts
    from masque.data.prepare import prepare as run
    from masque.errors import DataError

    names = None
    if only is not None:
        try:
            names = [line.strip() for line in only.read_text().splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError):
            raise DataError(f"{only} cannot be read as a list of names: give a text file with one name a line.") from None
    with Bar("Preparing") as bar:
        report = run(
            source, out, layout=layout, size=size, held_out=held_out, most_turned=float("inf") if most_turned is None else most_turned,
            only=names, workers=workers, classify=shipped_classifier(), parse=shipped_parts(), label_maps=label_maps, progress=bar.update,
        )  # fmt: skip
    dropped = "".join(f"\n  {count} dropped: {reason}" for reason, count in sorted(report.dropped.items()))
    answer(
        f"Prepared {report.kept} pictures in {out}.{dropped}", {"out": str(out), "kept": report.kept, "dropped": report.dropped}, as_json
    )
