"""Puts family, data and engine together into a run; what `masque train`, the tables and the benchmarks all start."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from lightning_fabric import Fabric

from masque import catalog, loading, modelfile
from masque.config import (
    RESUMABLE,
    ModelConfig,
    RunSettings,
    as_dict,
    from_dict,
    override,
    upgrade,
    values_of,
    with_values,
)
from masque.data.batches import Augmentation, Batch, Batches
from masque.data.frames import FrameSet, load_frames
from masque.errors import CheckpointError, DataError, SettingError, nearest, printable
from masque.jsonfile import JSON, read_object
from masque.lock import NAME as LOCK
from masque.lock import left_behind, only_writer
from masque.modelfile import ModelFile
from masque.train import teachers
from masque.train.devices import check_devices, make_fabric
from masque.train.distributed import first_process
from masque.train.engine import Engine, OnStep, Progress
from masque.train.phase import Begins, Grows, NeedsData, Recipe, TakesTogether
from masque.train.start import begin_with, take_judges
from masque.train.state import states
from masque.train.teaching import check_attributes, check_terms_teach

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PREVIEWED = 8
"""Samples that a preview is made of, at most."""

PATIENCE = 10.0
"""Seconds in which the first of several processes has ended if it fails as another one did."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run, apart from its data."""

    family: str
    """Name of the family in `masque.catalog`."""
    model: ModelConfig
    """The sizes of the networks."""
    training: DataclassInstance
    """The settings of the family's recipe."""
    run: RunSettings
    """What every run has, whatever it trains."""
    start: ModelFile | None = None
    """The model whose weights a new run begins with; None where its networks begin anew."""

    def identity(self, data: FrameSet) -> dict[str, JSON]:
        """Plain values that a resumed run must share, as they stand in settings.json."""
        settings = {name: as_dict(getattr(self, name)) for name in ("model", "training", "run")}
        start = {"start": self.start.hash} if self.start else {}
        return {"family": self.family, **settings, "data": data.fingerprint(), **start}

    def upgrade(self, group: str, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """Settings of the group "model", "training" or "run", which any version wrote, as this version says them.
        Raises SettingError."""
        return upgrade(type(getattr(self, group)), values)

    def defaults(self) -> dict[str, JSON]:
        """What each setting is in a run that is older than the setting: a new one is off unless asked for."""
        return {name: as_dict(type(getattr(self, name))()) for name in ("model", "training", "run")}


def plan(
    family: str,
    preset: str = "small",
    assignments: Sequence[str] = (),
    run_changes: Mapping[str, object] | None = None,
    start: str | None = None,
    out: Path | None = None,
) -> Plan:
    """The settings of a family's preset, changed.

    assignments: `key=value` of any setting. run_changes: run settings by name, applied after the assignments. start: a
    model of the family, by its name for the weights that come with Masque or by its folder, whose networks a new run
    begins with and whose sizes it has, unless the family grows; networks that only training needs begin as its run left
    them, or anew where it is no run's. out: the run's folder; a run that has made a step no longer needs the model that
    it began with, which may be gone, or left out of the call.

    Raises SettingError for an unknown family, preset or setting, or a value that does not fit, and CheckpointError for
    a start that is no such model."""
    entry = catalog.family(family)
    presets = entry.load("presets")
    if preset not in presets:
        raise SettingError(f"There is no preset {preset} of {family}; {nearest(preset, presets)}.")
    values = presets[preset]
    configs = (
        with_values(entry.load("config")(), values["model"]),
        with_values(entry.load("training")(), values["training"]),
        with_values(RunSettings(), values["run"]),
    )
    model_file = _start(start, out)
    if model_file is not None:
        if model_file.family != family:
            raise CheckpointError(
                f"{model_file.folder} holds a model of the family {printable(model_file.family)}: name one of {family}."
            )
        configs = (from_dict(entry.load("config"), model_file.config), *configs[1:])
    model, training, run = override(configs, assignments)
    loading.shapes_of(entry, model)  # whether such networks can be, before any is made
    if model_file is not None and model != configs[0] and not hasattr(entry.load("recipe"), "grow_from"):
        raise SettingError(
            "The networks of a run that begins with a model are that model's: leave out --set of their sizes."
        )
    return Plan(family, model, training, with_values(run, run_changes or {}), model_file)


def _start(start: str | None, out: Path | None) -> ModelFile | None:
    """The model that a run begins with; where that is gone and the run at `out` goes on without it, what its
    settings.json says of it; None for a run that begins anew."""
    try:
        if start is not None:
            return modelfile.read(catalog.model_folder(start))
    except CheckpointError:
        if out is None or (known := _start_of(out)) is None:
            raise
        return known
    return _start_of(out) if out is not None else None


def _start_of(run: Path) -> ModelFile | None:
    """What settings.json of a run that has made a step says of the model that it began with; None where it began with
    none."""
    if not states(run):
        return None
    try:
        values = read_object(run / "settings.json")
        family, config, number = values["family"], values["model"], values["start"]
    except (OSError, ValueError, KeyError):  # opening the run says what is wrong
        return None
    if not (isinstance(family, str) and isinstance(config, dict) and isinstance(number, str)):
        return None
    return ModelFile(run, family, config, {}, number)


def build_recipe(settings: Plan) -> Recipe:
    """The recipe with freshly initialised networks, the same for the same seed. Raises SettingError for sizes that do
    not fit together, and CheckpointError where a model that it needs is not there."""
    torch.manual_seed(settings.run.seed)
    training = with_model_folders(settings)
    try:
        recipe: Recipe = catalog.family(settings.family).load("recipe")(settings.model, training)
    except ValueError as error:
        raise SettingError(f"These sizes do not fit together ({error}): choose a size of 32, 64, 128 or 256.") from None
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


def with_model_folders(settings: Plan) -> DataclassInstance:
    """The training settings of a plan with the folder of every model that they name, by its family or by its folder: a
    recipe knows folders alone. A name that is neither stays, for the recipe to refuse where it needs the model."""
    entry, values = catalog.family(settings.family), values_of(settings.training)
    names = {name: str(values[name]) for name in (*entry.teachers, *entry.begins_with) if values[name]}
    folders = {name: str(catalog.model_folder(given)) for name, given in names.items() if catalog.has_model(given)}
    return with_values(settings.training, folders)


def teachers_of(settings: Plan) -> dict[str, str]:
    """The models that the recipe of a plan reads whenever it is made: setting -> folder."""
    values = values_of(with_model_folders(settings))
    return {name: str(values[name]) for name in catalog.family(settings.family).teachers if values[name]}


def with_copied_teachers(settings: Plan, out: Path) -> Plan:
    """A plan that names the copies of its teachers that the run at `out` has, where it has made a step and has them."""
    copies = {name: teachers.own_copy(out, name) for name in teachers_of(settings)} if states(out) else {}
    folders = {name: str(folder) for name, folder in copies.items() if folder}
    return replace(settings, training=with_values(settings.training, folders))


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

    data: prepared folders or `puppets:N`. time_limit: seconds, loading included, after which to stop with a full state.
    Raises MasqueError; OutputError where another process trains there."""
    started = time.monotonic()
    check_devices(accelerator, devices)
    check_place(out)
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
    entry = catalog.family(settings.family)
    frames = load_frames(data, settings.model.size, settings.model.attributes, labels=entry.reads_labels)
    if not len(frames.indices("train")):
        raise DataError("The data has no pictures to train on: prepare it with a smaller --held-out.")
    if entry.needs_attributes:
        check_attributes(frames)
    engine = build_engine(settings, frames, out, fabric)
    batches = build_batches(settings, frames, fabric)
    preview_batch = _preview_batch(settings, frames)
    left = time_limit - (time.monotonic() - started) if time_limit is not None else None
    return engine.fit(
        batches,
        preview_batch,
        left,
        on_step,
        on_save=lambda: write_model(settings, engine, out / "model", data, frames),
        on_progress=on_progress,
    )


def _preview_batch(settings: Plan, frames: FrameSet) -> Batch | None:
    """A few held-out samples for previews; samples to train on where nothing is held out; None where there are none."""
    split = next((s for s in ("test", "validation", "train") if len(frames.indices(s))), None)
    if split is None:
        return None
    return Batches(frames, split, settings.model.size, min(PREVIEWED, len(frames.indices(split))), seed=0)(0)


def write_model(settings: Plan, engine: Engine, folder: Path, data: Sequence[str], frames: FrameSet) -> None:
    """Write the averaged networks, their config and a card into `folder`, the folder model of the run. data: the sets
    as the user named them; frames: what was read of them. Raises OutputError."""
    identity = {name: value for name, value in settings.identity(frames).items() if name != "data"}
    lines = [
        f"# {settings.family}, {settings.model.size} px",
        "",
        *([f"- began with the weights {settings.start.hash}"] if settings.start else []),
        f"- trained for {engine.step} steps of {settings.run.batch_size} pictures, seed {settings.run.seed}",
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
    modelfile.write(folder, settings.family, as_dict(settings.model), engine.average.nets.state_dict(), card)


def plan_of(run: Path) -> Plan:
    """The plan that a run was started with, whichever version of Masque started it. Raises CheckpointError when the
    folder is not a run, or its settings are damaged."""
    path = run / "settings.json"
    if not path.is_file():
        raise CheckpointError(f"{run} is not a run: there is no settings.json in it.")
    try:
        values = read_object(path)
        if not isinstance(values["family"], str):
            raise ValueError("its family is no name")
        entry = catalog.family(values["family"])
        return Plan(
            values["family"],
            from_dict(entry.load("config"), values["model"]),
            from_dict(entry.load("training"), values["training"]),
            from_dict(RunSettings, values["run"]),
        )
    except KeyError as error:
        raise CheckpointError(f"{path} is damaged or from another version (it has no {error.args[0]}).") from None
    except (OSError, ValueError, SettingError) as error:
        raise CheckpointError(f"{path} is damaged or from another version ({printable(error, 200)}).") from None
