"""Preparing data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masque.cli.options import DATA, Json, Workers
from masque.cli.show import Bar, answer

if TYPE_CHECKING:
    from masque.data.prepare import Report
    from masque.data.sources import Listing


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(rich_help_panel=DATA)(prepare)


SetOut: TypeAlias = Annotated[Path, typer.Option("--out", "-o", help="The prepared set to make, or to go on making.")]
Layout: TypeAlias = Annotated[
    Literal["auto", "celeba", "celebamask-hq", "utkface", "identities", "photos"],
    typer.Option("--layout", help="How the folder is laid out."),
]
Size: TypeAlias = Annotated[
    int, typer.Option("--size", help="Side in pixels of the crops that will be trained on.", min=16, max=1024)
]
HeldOut: TypeAlias = Annotated[
    float, typer.Option("--held-out", help="Share (below 1) or number of people kept for testing.", min=0)
]
MostTurned: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--most-turned",
        help="Drop faces whose nose is this many times nearer to one side of the jaw than the other; 4 drops profiles.",
    ),
]
Only: TypeAlias = Annotated[
    Path | None, typer.Option("--only", help="A text file of picture names, one a line; all others are left out.")
]
LabelMaps: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--label-maps", help="Write label maps too where there are no masks of parts, as the face parser sees them."
    ),
]


def prepare(
    source: Annotated[Path, typer.Argument(help="The folder that holds the pictures.")],
    out: SetOut,
    layout: Layout = "auto",
    size: Size = 128,
    held_out: HeldOut = 0.1,
    most_turned: MostTurned = None,
    only: Only = None,
    label_maps: LabelMaps = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Find, align, crop and measure every face of a data set, ready to train on. The same command resumes after an
    interruption.

    Example: masque prepare photos/ --out prepared --size 128
    """
    from masque.data.journal import PrepareSettings
    from masque.data.lists import read_names
    from masque.data.prepare import prepare as run
    from masque.loading import installed_classifier, installed_part_estimator
    from masque.output import check_folder

    check_folder(out)
    settings = PrepareSettings(layout, size, held_out, math.inf if most_turned is None else most_turned, label_maps)
    names = None if only is None else read_names(only)
    with Bar("Preparing") as bar:
        report = run(
            source,
            out,
            settings,
            only=names,
            workers=workers,
            classify=installed_classifier(),
            parse=installed_part_estimator(),
            progress=bar.update,
        )
    counts = {"kept": report.kept, "dropped": report.dropped, "added": report.added, "anew": report.replaced}
    answer(_summary(report, out), {"out": str(out), **counts, **report.listing.counts()}, as_json)


def _summary(report: Report, out: Path) -> str:
    """How many pictures were prepared, and what became of the others, a line each."""
    dropped = "".join(f"\n  {count} dropped: {reason}" for reason, count in sorted(report.dropped.items()))
    left_out = "".join(
        f"\n  {count} left out: {reason}" for reason, count in sorted(report.listing.left_out.items()) if count
    )
    notes = "".join(f"\n  {note}" for note in report.listing.notes)
    added = f" {report.added} were added to those that it was begun with." if report.added else ""
    added += (
        f" {report.replaced} were prepared anew, since other files have their names now." if report.replaced else ""
    )
    return f"Prepared {report.kept} pictures in {out}.{added}\n  {described(report.listing)}{dropped}{left_out}{notes}"


def described(listing: Listing) -> str:
    """One line on a data set: its layout, how many pictures and people it has, and what is held out."""
    tested = [source for source in listing.sources if source.split == "test"]
    if listing.official_split or not listing.people:
        held = f"{len(tested)} of {len(listing.sources)} pictures are for testing"
    else:
        held = f"{len({source.identity for source in tested})} of {listing.people} people are for testing"
    people = f"of {listing.people} people" if listing.people else "nobody known by name"
    official = " by the official split" if listing.official_split else ""
    return f"Layout {listing.layout}: {len(listing.sources)} pictures, {people}; {held}{official}."
