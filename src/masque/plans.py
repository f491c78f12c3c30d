"""What decides a run apart from its data: the plan of a family's preset with its settings changed, and the models that
it leans on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from masque import catalog, loading, modelfile
from masque.config import (
    ModelConfig,
    RunSettings,
    as_dict,
    from_dict,
    override,
    upgrade,
    values_of,
    with_values,
)
from masque.data.frames import FrameSet
from masque.errors import CheckpointError, SettingError, nearest, printable
from masque.jsonfile import JSON, read_object
from masque.modelfile import ModelFile
from masque.train import teachers
from masque.train.state import states

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


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
    if entry.fitted and start is not None:
        raise SettingError(f"{family} is computed from the data at once and begins with no model: leave out --from.")
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
    run = with_values(run, run_changes or {})
    if entry.fitted:
        _check_no_steps(family, configs[2], run)
    return Plan(family, model, training, run, model_file)


def _check_no_steps(family: str, preset: RunSettings, run: RunSettings) -> None:
    """Raise SettingError where the run settings of a fitted family are not those of its preset: only a training in
    steps has any."""
    for name, value in values_of(preset).items():
        if values_of(run)[name] != value:
            raise SettingError(f"{family} is computed from the data at once and has no {name}: leave it out.")


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
