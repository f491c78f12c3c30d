"""The whole state of a run on disk: written to a temporary name and renamed, loadable with weights_only, never
pickled."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias, TypedDict, TypeVar

import torch
from torch import Tensor

from masque.errors import CheckpointError, SettingError, printable
from masque.image import write_atomically
from masque.jsonfile import JSON, read_object
from masque.lock import remove_unfinished

VERSION = 1
"""Version of the layout of a saved state; a newer one is refused."""

T = TypeVar("T")

Upgrade: TypeAlias = Callable[[str, Mapping[str, JSON]], Mapping[str, JSON]]
"""Says the settings of a group, "model", "training" or "run", which any version of Masque wrote, as this version does.
Raises SettingError where that is not possible."""


class OptimizerState(TypedDict):
    """What torch's `Optimizer.state_dict` returns."""

    state: dict[int, dict[str, object]]
    """Number of a parameter -> what the optimizer remembers of it."""
    param_groups: list[dict[str, object]]
    """The settings of each group of parameters, and the parameters' numbers."""


class RunState(TypedDict):
    """A saved state of a run: everything that the next step depends on."""

    step: int
    """Steps done."""
    nets: dict[str, dict[str, Tensor]]
    """Name of a network -> its tensors by name."""
    optimizers: dict[str, OptimizerState]
    """Name of a network -> the state of its optimizer."""
    average: dict[str, Tensor]
    """The averaged weights, by "network.tensor"."""


def states(run: Path) -> list[tuple[int, Path]]:
    """(step, path) of the complete states in a run folder, the earliest first."""
    found = [(int(m[1]), p) for p in run.glob("state-*.ckpt") if (m := re.fullmatch(r"state-([0-9]+)\.ckpt", p.name))]
    return sorted((step, path) for step, path in found if path.is_file())


def save_state(run: Path, step: int, state: Mapping[str, object], keep: int) -> Path:
    """Write state-<step>.ckpt, then remove all but the latest `keep` up to it. Raises OutputError when the disk is
    full."""
    path = run / f"state-{step}.ckpt"
    write_atomically(path, lambda part: _save({"masque": VERSION, "step": step, **state}, part))
    # One of a later step is one that the run could not go on from.
    for _, old in [found for found in states(run) if found[0] <= step][:-keep]:
        old.unlink()
    return path


def _save(state: Mapping[str, object], path: Path) -> None:
    try:
        torch.save(dict(state), path)
    except RuntimeError as error:  # what torch raises on a full disk, with a text about its own source code
        raise OSError(None, "the disk did not take all of it") from error


class StateError(ValueError):
    """Half a sentence on a file, such as "is damaged", that says why a run cannot go on from it."""


def load_state(path: Path) -> dict[str, object]:
    """Read a state written by `save_state`. Raises CheckpointError when it is damaged, foreign or from a newer
    Masque."""
    try:
        return _read(path)
    except StateError as error:
        raise CheckpointError(f"{path} {error}: choose another state or run.") from None


def newest_state(run: Path, checked: Callable[[Mapping[str, object]], T], warns: bool = True) -> T:
    """The newest state in a run folder, which has some, that can be used; those that cannot stay where they are.

    checked: returns a state, or what is wanted of it; raises ValueError, with half a sentence, for one that does not
    fit. warns: whether newer ones that were passed over are named in a warning that is logged. Raises CheckpointError
    where none can be used, or the newest is from a newer Masque."""
    skipped: list[str] = []
    for step, path in reversed(states(run)):
        try:
            state = _read(path)
            if state["step"] != step:
                raise StateError("holds another step than its name says")
            found = checked(state)
        except ValueError as error:
            skipped.append(f"{path} {error}" if isinstance(error, StateError) else f"{path} does not fit: {error}")
            continue
        if skipped and warns:
            logging.getLogger(__name__).warning("%s; the run goes on from step %d.", "; ".join(skipped), step)
        return found
    raise CheckpointError(f"There is no state in {run} to go on from ({'; '.join(skipped[:2])}): choose another --out.")


def _read(path: Path) -> dict[str, object]:
    """Raises StateError, and CheckpointError for the state of a newer Masque."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on files of other kinds
            state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # torch raises a different one for each kind of damage
        raise StateError(f"cannot be read ({type(error).__name__})") from None
    if not isinstance(state, dict) or type(state.get("masque")) is not int or type(state.get("step")) is not int:
        raise StateError("was not written by Masque")
    if state["masque"] > VERSION:
        known = f"state version {printable(state['masque'], 20)}, known is {VERSION}"
        raise CheckpointError(f"{path} was written by a newer Masque ({known}): update Masque.")
    return state


def same_run(
    run: Path,
    settings: Mapping[str, JSON],
    may_change: frozenset[str],
    defaults: Mapping[str, JSON] | None = None,
    upgrade: Upgrade | None = None,
) -> None:
    """Raise CheckpointError where the folder `run` holds another run than the one with these settings, naming the first
    setting that differs and is not in `may_change`; nothing is wrong where it holds none.

    settings: by group ("model", "training", "run"), and values that stand alone, such as "family" and "data". defaults:
    in the same form, what settings are in a run that is older than they are; of a value that stands alone, another one
    that means the same."""
    path = run / "settings.json"
    if not path.exists():
        return
    try:
        before = read_object(path)
    except (ValueError, OSError):
        raise CheckpointError(f"{path} is damaged: choose another --out.") from None
    # The family first: where it is another, all else is as well.
    for group in sorted(before.keys() | settings.keys(), key=lambda group: (group != "family", group)):
        old, new, default = before.get(group), settings.get(group), (defaults or {}).get(group)
        if isinstance(old, dict) and isinstance(new, Mapping):
            older = default if isinstance(default, Mapping) else {}
            then = {**older, **_upgraded(run, group, old, upgrade)}
            for name in sorted(then.keys() | new.keys()):
                if name not in may_change and then.get(name) != new.get(name):
                    raise CheckpointError(_other_run(run, name, then.get(name), new.get(name)))
        elif old != new and (old is None or old != default):
            raise CheckpointError(_other_run(run, group, old, new))


def _upgraded(run: Path, group: str, values: dict[str, JSON], upgrade: Upgrade | None) -> Mapping[str, JSON]:
    """The settings of a group of an earlier version's run as this version says them. Raises CheckpointError."""
    try:
        return upgrade(group, values) if upgrade else values
    except SettingError as error:
        raise CheckpointError(
            f"{run} holds a run of an older Masque, which cannot go on ({str(error).rstrip('.')}): "
            "choose another --out."
        ) from None


def open_run(run: Path, settings: Mapping[str, JSON]) -> None:
    """Make the folder of a run with its settings.json, and remove what a killed process was writing there. Raises
    OutputError."""
    run.mkdir(parents=True, exist_ok=True)
    remove_unfinished(run.rglob(".*.part"))
    write_atomically(run / "settings.json", lambda part: part.write_text(json.dumps(settings, indent=1) + "\n"))


def _other_run(run: Path, name: str, old: JSON, new: JSON) -> str:
    """The sentence that refuses a run of which the value `name` is `old`, where `new` was asked for."""
    if name == "data":
        return f"{run} holds a run {_other_data(str(old), str(new))}"
    if name == "start":
        if old and new:
            how = "with another model, or with that one as it was before"
        else:
            how = "with a model" if old else "without a model"
        mend = "leave out --from" if new else "name the model with --from"
        return f"{run} holds a run that began {how}: choose another --out, or {mend}."
    differs = f"{printable(name)} = {printable(old)}, not {printable(new)}"
    return f"{run} holds a run with {differs}: choose another --out, or give the settings it was started with."


def _other_data(old: str, new: str) -> str:
    """How two data sets with these fingerprints differ: the pictures', and after a hyphen the people's."""
    if old.partition("-")[0] == new.partition("-")[0]:
        return (
            "whose data has these pictures with other people in them, or people that an older Masque numbered by the "
            "names of their folders: choose another --out, or give the sets that it was started with."
        )
    return "on other pictures, or on these in another order: choose another --out, or give --data as it was."
