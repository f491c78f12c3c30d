"""Training, and passing on what was trained."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masque.cli.completing import models
from masque.cli.options import TRAIN, Data, Family, Json, Overwrite, Preset, SeedOrNone, Settings, Trained
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Bar, answer, failure

if TYPE_CHECKING:
    from masque.train.engine import Progress


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(rich_help_panel=TRAIN)(train)
    app.command(rich_help_panel=TRAIN)(export)


RunOut: TypeAlias = Annotated[
    Path, typer.Option("--out", "-o", help="The run's folder. The same command again goes on where it stopped.")
]
AllSteps: TypeAlias = Annotated[int | None, typer.Option("--steps", help="How many steps in all.")]
StopAfter: TypeAlias = Annotated[str | None, typer.Option("--time-limit", help="Stop cleanly after 90s, 9m or 1h30m.")]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Begin with this model: the family's name for the weights that come with Masque, or a run or model "
        "folder.",
        autocompletion=models,
    ),
]
Accelerator: TypeAlias = Annotated[
    Literal["auto", "cpu", "cuda", "mps"], typer.Option("--accelerator", help="What computes.")
]
Processes: TypeAlias = Annotated[int, typer.Option("--devices", help="Processes, one per device.", min=1)]


def train(
    family: Family,
    data: Data,
    out: RunOut,
    preset: Preset = "small",
    steps: AllSteps = None,
    set_: Settings = [],  # noqa: B006 - typer wants a literal
    time_limit: StopAfter = None,
    start: Start = None,
    accelerator: Accelerator = "auto",
    devices: Processes = 1,
    seed: SeedOrNone = None,
    as_json: Json = False,
) -> None:
    """Train a family of networks, or compute a fitted one.

    Example: masque train rsgan --data prepared --out run --preset small --time-limit 9m
    """
    started = time.monotonic()
    from masque import catalog, runs
    from masque.cli.durations import seconds
    from masque.output import check_folder
    from masque.train.distributed import first_process

    check_folder(out)
    changes = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
    plan = runs.plan(family, preset, set_, changes, start, out)
    fitted = catalog.family(family).fitted
    limit = seconds(time_limit) if time_limit is not None else None
    with Bar(f"Training {family}", quiet=not first_process()) as bar:
        note = ""

        def on_step(_step: int, terms: Mapping[str, float], rate: float) -> None:
            nonlocal note
            first = next(iter(terms.items()), ("", 0.0))
            note = f"{first[0]} {first[1]:.4g}, {rate:.0f} pictures/s"

        progress = runs.train(
            plan,
            data,
            out,
            time_limit=None if limit is None else limit - (time.monotonic() - started),
            accelerator=accelerator,
            devices=devices,
            on_step=on_step,
            on_progress=lambda step: bar.update(step, 100 if fitted else plan.run.steps, note),
        )
    if first_process():  # of several, which all come here
        _tell_end(progress, out, as_json, fitted)


def _tell_end(progress: Progress, out: Path, as_json: bool, fitted: bool) -> None:
    """Print how a training ended. Raises KeyboardInterrupt where Ctrl-C stopped it."""
    from masque.runs import ALREADY
    from masque.train.engine import stopped_early

    text = f"Trained {progress.step} steps; the model is in {out / 'model'}."
    if fitted:
        text = f"Computed the model in {out / 'model'}."
    if progress.reason == ALREADY:
        text = f"Nothing to do: {out / 'model'} is of these settings and data; name another --out to compute it anew."
    if not progress.finished:
        text = stopped_early(progress)
    values = {
        "out": str(out),
        "step": progress.step,
        "finished": progress.finished,
        "reason": progress.reason,
        "images_per_second": progress.images_per_second,
    }
    stopped = progress.reason == "stopped"
    answer(text, {**values, **(failure(text, "Interrupted") if stopped else {})}, as_json)
    if stopped:
        raise KeyboardInterrupt


def export(
    model: Trained,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model folder to write.")],
    card: Annotated[
        Path | None, typer.Option("--card", help="A text that says what the weights are; the run's own if not given.")
    ] = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Copy a trained model, in half precision, to a folder that can be passed on.

    Example: masque export run --out my-model --card card.md
    """
    from masque import modelfile
    from masque.catalog import CATALOG, model_folder
    from masque.errors import OutputError
    from masque.output import check_folder

    check_folder(out)
    check_replaceable(overwrite, out)
    try:
        text = card.read_text(encoding="utf-8") if card is not None else None
    except (OSError, UnicodeDecodeError):
        raise OutputError(f"{card} cannot be read as text: name the card's file.") from None
    folder = model_folder(model)
    packed = modelfile.pack(folder, out, text, {part for family in CATALOG.values() for part in family.whole})
    size = (out / "weights.safetensors").stat().st_size
    answer(
        f"Exported {packed.family} to {out}: {size / 1e6:.1f} MB.",
        {"out": str(out), "bytes": size, "weights": packed.hash},
        as_json,
    )
