"""Puts family, data and engine together into a run; what `masque train`, the tables and the benchmarks all start."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import nn

from masque import catalog, modelfile
from masque.config import RESUMABLE, as_dict, from_dict, values_of
from masque.data.batches import Augmentation, Batch, Batches
from masque.data.frames import FrameSet, load_frames
from masque.errors import CheckpointError, DataError, SettingError
from masque.lock import NAME as LOCK
from masque.lock import left_behind, only_writer
from masque.plans import Plan, plan, plan_of, teachers_of, with_copied_teachers, with_model_folders
from masque.train import teachers
from masque.train.devices import check_devices, make_fabric
from masque.train.distributed import first_process
from masque.train.engine import Engine, OnStep, Progress
from masque.train.phase import Begins, Fit, Grows, NeedsData, Recipe, TakesTogether
from masque.train.start import begin_with, take_judges
from masque.train.state import open_run, same_run, states
from masque.train.teaching import check_attributes, check_terms_teach

__all__ = [
    "ALREADY",
    "Plan",
    "build_batches",
    "build_engine",
    "build_fit",
    "build_recipe",
    "plan",
    "plan_of",
    "train",
    "with_copied_teachers",
]

ALREADY = "already computed"
"""Why `train` did nothing for a fitted family: its model is there, from the same settings and data."""

PREVIEWED = 8
"""Samples that a preview is made of, at most."""

PATIENCE = 10.0
"""Seconds in which the first of several processes has ended if it fails as another one did."""


def build_recipe(settings: Plan) -> Recipe:
    """The recipe with freshly initialised networks, the same for the same seed. Raises SettingError for sizes that do
    not fit together, or a fitted family, and CheckpointError where a model that it needs is not there."""
    torch.manual_seed(settings.run.seed)
    try:
        recipe = catalog.family(settings.family).load("recipe")(settings.model, with_model_folders(settings))
    except ValueError as error:
        raise SettingError(f"These sizes do not fit together ({error}): choose a size of 32, 64, 128 or 256.") from None
    if isinstance(recipe, Fit):
        raise SettingError(f"{settings.family} is computed from the data at once, without steps: name another family.")
    return recipe


def build_fit(settings: Plan) -> Fit:
    """The recipe of a fitted family, with nothing computed yet. Raises SettingError for a family that is trained in
    steps, and CheckpointError where a model that it needs is not there."""
    recipe = catalog.family(settings.family).load("recipe")(settings.model, with_model_folders(settings))
    if not isinstance(recipe, Fit):
        raise SettingError(f"{settings.family} is trained in steps: name another family.")
    return recipe


def build_engine(settings: Plan, data: FrameSet, out: Path, fabric: Fabric) -> Engine:
    """The engine of the run at `out` on this data, with the latest state loaded where the run has one. Raises
    MasqueError."""
    recipe = build_recipe(with_copied_teachers(settings, out))
    check_shares(recipe, settings.run.batch_size, fabric.world_size)
    if isinstance(recipe, NeedsData):
        check_terms_teach(recipe, data)
    if isinstance(recipe, Begins) and not states(out):
        for name in catalog.family(settings.family).begins_with:
            if given := values_of(settings.training)[name]:
                catalog.model_folder(str(given))  # which says best what is missing
        recipe.begin(data)
    if settings.start is not None and not states(out):
        if isinstance(recipe, Grows) and from_dict(type(settings.model), settings.start.config) != settings.model:
            recipe.grow_from(settings.start)
            take_judges(recipe, settings.start, where_they_fit=True)
        else:
            begin_with(recipe, settings.start)
    identity, defaults = settings.identity(data), settings.defaults()
    if not catalog.family(settings.family).reads_people or data.numbered_by_name():
        defaults["data"] = data.fingerprint().partition("-")[0]  # of runs that are older than people's place in it
    named = teachers_of(settings)
    may_change = RESUMABLE | {name for name, model in named.items() if teachers.has_copy_of(out, name, model)}
    engine = Engine(fabric, recipe, settings.run, out, identity, may_change, defaults, settings.upgrade)
    if fabric.global_rank == 0:
        for name, model in named.items():
            teachers.copy_into(out, name, model)
    return engine


def check_shares(recipe: Recipe, batch_size: int, processes: int) -> None:
    """Raise SettingError where a batch cannot be shared out among processes so that they train as one does."""
    block = recipe.block if isinstance(recipe, TakesTogether) else 1
    if processes == 1 or batch_size % (processes * block) == 0:
        return
    if block == 1:
        raise SettingError(f"batch_size is {batch_size} and must be a multiple of the {processes} processes.")
    raise SettingError(
        f"batch_size is {batch_size} and must be a multiple of {processes * block}: this training takes pictures "
        f"together in groups of {block}, and each of the {processes} processes needs whole groups."
    )


def build_batches(settings: Plan, data: FrameSet, fabric: Fabric, split: str = "train") -> Batches:
    """This process's share of the batches of a run."""
    run = settings.run
    moves = Augmentation(run.flip, run.shift, run.turn, run.zoom, run.colour)
    return Batches(
        data, split, settings.model.size, run.batch_size, run.seed, moves, fabric.global_rank, fabric.world_size
    )


def train(
    settings: Plan,
    data: Sequence[str],
    out: Path,
    *,
    time_limit: float | None = None,
    accelerator: str = "auto",
    devices: int = 1,
    on_step: OnStep | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Progress:
    """Train, or go on training, the run at `out`; write its model for users; return how it ended.

    data: prepared folders or `puppets:N`. time_limit: seconds, loading included, after which to stop with a full state;
    a fitted family takes the minutes that it takes. on_progress: called with the number of each step made, of a fitted
    family with how many hundredths are done. Raises MasqueError; OutputError where another process trains there."""
    started = time.monotonic()
    check_devices(accelerator, devices)
    check_place(out)
    if catalog.family(settings.family).fitted:
        if devices > 1:
            raise SettingError(f"{settings.family} is computed by one process: leave out --devices.")
        with only_writer(out):
            return fit_at_once(settings, data, out, on_progress)
    # The first process holds the lock for those that it launches.
    with only_writer(out) if first_process() else _following(out):
        fabric = make_fabric(settings.run, accelerator, devices)
        fabric.launch()
        left = time_limit - (time.monotonic() - started) if time_limit is not None else None
        return train_with(fabric, settings, data, out, left, on_step, on_progress)


@contextmanager
def _following(out: Path) -> Iterator[None]:
    """For a process that is not the first of several: a failure ends it in silence where the first process fails as
    well, which says why."""
    try:
        yield
    except Exception:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if not (out / LOCK).exists():
                raise SystemExit(1) from None
            time.sleep(0.05)
        raise


def check_place(out: Path) -> None:
    """Raise CheckpointError where `out` is no place for a run: neither one nor new."""
    if out.exists() and not out.is_dir():
        raise CheckpointError(f"{out} is a file: name a folder for the run.")
    # What a killed process leaves is all that there is of a run that was killed in its first moment.
    if out.is_dir() and not all(left_behind(p) for p in out.iterdir()) and not (out / "settings.json").exists():
        raise CheckpointError(f"{out} holds something that is not a run: choose a new folder.")
    if not out.absolute().parent.is_dir():
        raise CheckpointError(f"The folder {out.absolute().parent} does not exist: make it first.")


def train_with(
    fabric: Fabric,
    settings: Plan,
    data: Sequence[str],
    out: Path,
    time_limit: float | None,
    on_step: OnStep | None,
    on_progress: Callable[[int], None] | None,
) -> Progress:
    """What each process of a training does once all are launched; `train` says what is given. Raises MasqueError."""
    started = time.monotonic()
    frames = load_data(settings, data)
    engine = build_engine(settings, frames, out, fabric)
    batches = build_batches(settings, frames, fabric)
    preview_batch = _preview_batch(settings, frames)

    def save() -> None:
        began = [f"began with the weights {settings.start.hash}"] if settings.start else []
        trained = f"trained for {engine.step} steps of {settings.run.batch_size} pictures, seed {settings.run.seed}"
        write_model(settings, engine.average.nets.state_dict(), [*began, trained], out / "model", data, frames)

    left = time_limit - (time.monotonic() - started) if time_limit is not None else None
    return engine.fit(
        batches,
        preview_batch,
        left,
        on_step,
        on_save=save,
        on_progress=on_progress,
    )


def load_data(settings: Plan, data: Sequence[str]) -> FrameSet:
    """The frames that a plan is trained on. Raises DataError where they are none, or cannot teach its attributes."""
    entry = catalog.family(settings.family)
    frames = load_frames(data, settings.model.size, settings.model.attributes, labels=entry.reads_labels)
    if not len(frames.indices("train")):
        raise DataError("The data has no pictures to train on: prepare it with a smaller --held-out.")
    if entry.needs_attributes:
        check_attributes(frames)
    return frames


def fit_at_once(
    settings: Plan, data: Sequence[str], out: Path, on_progress: Callable[[int], None] | None = None
) -> Progress:
    """Compute the model of a fitted family into the run at `out`, unless it is there already. The caller holds the lock
    of the folder. Raises MasqueError."""
    frames = load_data(settings, data)
    identity = settings.identity(frames)
    teachers_now = teachers_of(settings)
    may_change = RESUMABLE | {name for name, model in teachers_now.items() if teachers.has_copy_of(out, name, model)}
    same_run(out, identity, frozenset(may_change), settings.defaults(), settings.upgrade)
    if (out / "model" / "config.json").is_file():
        return Progress(settings.run.steps, True, ALREADY)
    open_run(out, identity)
    for name, model in teachers_now.items():
        teachers.copy_into(out, name, model)
    recipe = build_fit(settings)
    found = recipe.fit(frames, lambda done, of: on_progress(100 * done // of) if on_progress else None)
    weights = nn.ModuleDict({name: recipe.nets[name] for name in recipe.served}).state_dict()
    write_model(settings, weights, found, out / "model", data, frames)
    return Progress(settings.run.steps, True, "finished")


def _preview_batch(settings: Plan, frames: FrameSet) -> Batch | None:
    """A few held-out samples for previews; samples to train on where nothing is held out; None where there are none."""
    split = next((s for s in ("test", "validation", "train") if len(frames.indices(s))), None)
    if split is None:
        return None
    return Batches(frames, split, settings.model.size, min(PREVIEWED, len(frames.indices(split))), seed=0)(0)


def write_model(
    settings: Plan,
    weights: Mapping[str, torch.Tensor],
    made: Sequence[str],
    folder: Path,
    data: Sequence[str],
    frames: FrameSet,
) -> None:
    """Write networks, their config and a card into `folder`, the folder model of the run. weights: tensors by their
    names. made: what the card says of how they were made, in lines. data: the sets as the user named them; frames: what
    was read of them. Raises OutputError."""
    aside = ("data", "run") if catalog.family(settings.family).fitted else ("data",)
    identity = {name: value for name, value in settings.identity(frames).items() if name not in aside}
    lines = [
        f"# {settings.family}, {settings.model.size} px",
        "",
        *(f"- {line}" for line in made),
        f"- data: {', '.join(Path(d).name for d in data)}; {len(frames.indices('train'))} pictures to train on",
        f"- fingerprint of the data: {frames.fingerprint()}",
        "- the terms of these pictures bind whoever passes the weights on",
        "",
        "Settings:",
        "",
        "```json",
        json.dumps(identity, indent=1),
        "```",
        "",
    ]
    card = "\n".join(lines)
    modelfile.write(folder, settings.family, as_dict(settings.model), weights, card)
