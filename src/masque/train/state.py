"""The whole state of a run on disk: written to a temporary name and renamed, loadable with weights_only, never
pickled."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from masque.errors import CheckpointError, SettingError, printable
from masque.image import write_atomically
from masque.jsonfile import JSON, read_object
from masque.lock import remove_unfinished

VERSION = 1


def states(run: Path) -> list[tuple[int, Path]]:
    """(step, path) of the complete states in a run folder, the earliest first."""
    found = [(int(m[1]), p) for p in run.glob("state-*.ckpt") if (m := re.fullmatch(r"state-([0-9]+)\.ckpt", p.name))]
    return sorted((step, path) for step, path in found if path.is_file())


def save_state(run: Path, step: int, state: Mapping[str, Any], keep: int) -> Path:
    """Write state-<step>.ckpt, then remove all but the latest `keep` up to it. Raises OutputError when the disk is
    full."""
    path = run / f"state-{step}.ckpt"
    write_atomically(path, lambda part: _save({"masque": VERSION, "step": step, **state}, part))
    # One of a later step is one that the run could not go on from.
    for _, old in [found for found in states(run) if found[0] <= step][:-keep]:
        old.unlink()
    return path


def _save(state: Mapping[str, Any], path: Path) -> None:
    try:
        torch.save(dict(state), path)
    except RuntimeError as error:  # what torch raises on a full disk, with a text about its own source code
        raise OSError(None, "the disk did not take all of it") from error


class StateError(ValueError):
    """Half a sentence on a file, such as "is damaged", that says why a run cannot go on from it."""


def load_state(path: Path) -> dict[str, Any]:
    """Read a state written by `save_state`. Raises CheckpointError when it is damaged, foreign or from a newer
    Masque."""
    try:
        return _read(path)
    except StateError as error:
        raise CheckpointError(f"{path} {error}: choose another state or run.") from None


def newest_state(
    run: Path, check: Callable[[Mapping[str, Any]], None] | None = None, speaks: bool = True
) -> dict[str, Any]:
    """The newest state in a run folder, which has some, that can be used; those that cannot stay where they are.

    check: raises ValueError, with half a sentence, for a state that does not fit. speaks: whether newer ones that were
    passed over are named in a warning that is logged. Raises CheckpointError where none can be used, or the newest is
    from a newer Masque."""
    passed: list[str] = []
    for step, path in reversed(states(run)):
        try:
            state = _read(path)
            if state["step"] != step:
                raise StateError("holds another step than its name says")
            if check is not None:
                check(state)
        except ValueError as error:
            passed.append(f"{path} {error}" if isinstance(error, StateError) else f"{path} does not fit: {error}")
            continue
        if passed and speaks:
            logging.getLogger(__name__).warning("%s; the run goes on from step %d.", "; ".join(passed), step)
        return state
    raise CheckpointError(f"There is no state in {run} to go on from ({'; '.join(passed[:2])}): choose another --out.")


def _read(path: Path) -> dict[str, Any]:
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
    settings: Mapping[str, Any],
    may_change: frozenset[str],
    defaults: Mapping[str, Any] | None = None,
    present: Callable[[str, Mapping[str, JSON]], Mapping[str, JSON]] | None = None,
) -> None:
    """Make sure that a folder that holds a run already holds this one.

    defaults: what settings are, by group, in a run that is older than they are, and what else a value outside the
    groups may be in one. present: says the settings of a group, whichever version of Masque wrote them, as this version
    does, or raises SettingError. Raises CheckpointError naming the first setting that differs, apart from those in
    `may_change`."""
    path = run / "settings.json"
    if not path.exists():
        return
    try:
        before = read_object(path)
    except (ValueError, OSError):
        raise CheckpointError(f"{path} is damaged: choose another --out.") from None
    for group in sorted(
        before.keys() | settings.keys(), key=lambda group: (group != "family", group)
    ):  # another family differs in all
        old, new = before.get(group), settings.get(group)
        if isinstance(old, dict) and isinstance(new, dict):
            try:
                old = {**(defaults or {}).get(group, {}), **(present(group, old) if present else old)}
            except SettingError as error:
                raise CheckpointError(
                    f"{run} holds a run of an older Masque, which cannot go on ({str(error).rstrip('.')}): "
                    "choose another --out."
                ) from None
            for name in sorted(old.keys() | new.keys()):
                if name not in may_change and old.get(name) != new.get(name):
                    raise CheckpointError(_other_run(run, name, old.get(name), new.get(name)))
        elif old != new and (old is None or old != (defaults or {}).get(group)):
            raise CheckpointError(_other_run(run, group, old, new))


def open_run(run: Path, settings: Mapping[str, Any]) -> None:
    """Make the folder of a run with its settings.json, and remove what a killed process was writing there. Raises
    OutputError."""
    run.mkdir(parents=True, exist_ok=True)
    remove_unfinished(run.rglob(".*.part"))
    write_atomically(run / "settings.json", lambda part: part.write_text(json.dumps(settings, indent=1) + "\n"))


def _other_run(run: Path, name: str, old: Any, new: Any) -> str:
    if name == "data" and str(old).partition("-")[0] == str(new).partition("-")[0]:
        return (
            f"{run} holds a run whose data has these pictures with other people in them, or people that an older Masque numbered by the "
            "names of their folders: choose another --out, or give the sets that it was started with."
        )
    if name == "data":
        return f"{run} holds a run on other pictures, or on these in another order: choose another --out, or give --data as it was."
    if name == "start":
        begun = (
            "with another model, or with that one as it was before"
            if old and new
            else "with a model"
            if old
            else "without a model"
        )
        mend = "leave out --from" if new else "name the model with --from"
        return f"{run} holds a run that began {begun}: choose another --out, or {mend}."
    differs = f"{printable(name)} = {printable(old)}, not {printable(new)}"
    return f"{run} holds a run with {differs}: choose another --out, or give the settings it was started with."
