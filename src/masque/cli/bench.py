"""Timing this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from masque.cli.options import MEASURE, Family, Json, Model, Preset, Settings, nothing
from masque.cli.show import Wait, answer

Side: TypeAlias = Annotated[int, typer.Option("--side", help="Longer side of the photos, in pixels.", min=128)]
Turns: TypeAlias = Annotated[int, typer.Option("--turns", help="How many photos are timed.", min=1)]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    bench = typer.Typer(help="Time this machine.", no_args_is_help=True)
    bench.callback()(nothing)
    for name, command in (
        ("train", bench_train),
        ("grow", bench_grow),
        ("swap", bench_swap),
        ("edit", bench_edit),
        ("parse", bench_parse),
        ("repaint", bench_repaint),
        ("labels", bench_labels),
        ("synthesize", bench_synthesize),
        ("studio", bench_studio),
    ):
        bench.command(name)(command)
    app.add_typer(bench, name="bench", rich_help_panel=MEASURE)


def bench_train(
    family: Family = "rsgan",
    preset: Preset = "small",
    set_: Settings = [],  # noqa: B006 - typer wants a literal
    steps: Annotated[int, typer.Option("--steps", help="Steps timed per turn.", min=1)] = 4,
    turns: Annotated[int, typer.Option("--turns", help="How often the two take turns.", min=1)] = 3,
    as_json: Json = False,
) -> None:
    """Training speed of the engine against plain eager fp32, in turns, and of the loader alone.

    Example: masque bench train rsgan --preset slim
    """
    with Wait("Timing the training"):
        from masque.bench.training import as_text, bench_training

        report = bench_training(family, preset, steps, turns, set_)
    answer(as_text(report), report, as_json)


def bench_grow(
    preset: Preset = "small",
    set_: Settings = [],  # noqa: B006 - typer wants a literal
    steps: Annotated[int, typer.Option("--steps", help="Steps timed per turn.", min=1)] = 4,
    turns: Annotated[int, typer.Option("--turns", help="How often the two take turns.", min=1)] = 3,
    as_json: Json = False,
) -> None:
    """Training speed of the progressive GAN at each size it grows through, against plain eager fp32.

    Example: masque bench grow --preset small
    """
    with Wait("Timing the training"):
        from masque.bench.training import bench_growth, growth_text

        report = bench_growth(preset, steps, turns, set_)
    answer(growth_text(report), report, as_json)


def bench_swap(
    side: Side = 1024,
    turns: Turns = 7,
    model: Model = "rsgan",
    as_json: Json = False,
) -> None:
    """Seconds and memory of a swap on two large photos, after loading.

    Example: masque bench swap --side 1024
    """
    with Wait("Timing swaps"):
        from masque.bench.swapping import as_text, bench_swapping

        report = bench_swapping(model, side, turns)
    answer(as_text(report), report, as_json)


def bench_edit(
    side: Side = 1024,
    turns: Turns = 7,
    model: Model = "rsgan",
    as_json: Json = False,
) -> None:
    """Seconds and memory of an edit of a large photo, after loading.

    Example: masque bench edit --model run --side 1024
    """
    with Wait("Timing edits"):
        from masque.bench.swapping import as_text, bench_editing

        report = bench_editing(model, side, turns)
    answer(as_text(report), report, as_json)


def bench_parse(
    side: Side = 1024,
    turns: Turns = 7,
    model: Model = "parser",
    as_json: Json = False,
) -> None:
    """Seconds and memory of parsing a large photo, after loading.

    Example: masque bench parse --side 1024
    """
    with Wait("Timing parses"):
        from masque.bench.swapping import as_text, bench_parsing

        report = bench_parsing(model, side, turns)
    answer(as_text(report), report, as_json)


def bench_repaint(
    side: Side = 1024,
    turns: Turns = 7,
    model: Model = "portrait",
    as_json: Json = False,
) -> None:
    """Seconds and memory of repainting a large photo by an edited label map, after loading.

    Example: masque bench repaint --model run --side 1024
    """
    with Wait("Timing repaints"):
        from masque.bench.swapping import as_text, bench_repainting

        report = bench_repainting(model, side, turns)
    answer(as_text(report), report, as_json)


def bench_labels(
    megapixels: Annotated[float, typer.Option("--megapixels", help="How large the maps are.", min=0.01, max=50)] = 12,
    turns: Annotated[int, typer.Option("--turns", help="How often each map is read.", min=1)] = 7,
    as_json: Json = False,
) -> None:
    """Processor seconds and memory of reading large label maps as painting programs save them.

    Example: masque bench labels --megapixels 12
    """
    with Wait("Timing label maps"):
        from masque.bench.labels import as_text, bench_reading

        report = bench_reading(megapixels, turns)
    answer(as_text(report), report, as_json)


def bench_synthesize(
    side: Side = 1024,
    count: Annotated[int, typer.Option("--count", help="How many pictures are drawn of a photo.", min=1)] = 16,
    turns: Turns = 7,
    model: Model = "facefeat",
    as_json: Json = False,
) -> None:
    """Seconds and memory of drawing pictures of the person on a large photo, after loading.

    Example: masque bench synthesize --model run --count 16
    """
    with Wait("Timing pictures"):
        from masque.bench.swapping import as_text, bench_synthesis

        report = bench_synthesis(model, side, count, turns)
    answer(as_text(report), report, as_json)


def bench_studio(
    photo: Annotated[
        list[Path], typer.Option("--photo", help="A photo to edit, named twice; rendered faces if not given.")
    ] = [],  # noqa: B006 - typer wants a literal
    side: Side = 1024,
    turns: Turns = 7,
    as_json: Json = False,
) -> None:
    """Seconds from a click to the picture in Studio, and until it has started.

    Example: masque bench studio --side 1024
    """
    if len(photo) not in (0, 2):
        raise typer.BadParameter("--photo is given twice or not at all")
    with Wait("Timing Studio"):
        from masque.bench.studio import as_text
        from masque.bench.studio import bench_studio as measure

        report = measure(photo, side, turns)
    answer(as_text(report), report, as_json)
