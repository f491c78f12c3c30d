"""The whole state of a run on disk: written to a temporary name and renamed, loadable with weights_only, never pickled."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from masque.errors import CheckpointError
from masque.image import write_atomically
from masque.lock import remove_unfinished

VERSION = 1


def states(run: Path) -> list[tuple[int, Path]]:
    """(step, path) of the complete states in a run folder, the earliest first."""
    found = [(int(m[1]), p) for p in run.glob("state-*.ckpt") if (m := re.fullmatch(r"state-(\d+)\.ckpt", p.name))]
    return sorted(found)


def save_state(run: Path, step: int, state: Mapping[str, Any], keep: int) -> Path:
    """Write state-<step>.ckpt, then remove all but the latest `keep`. Raises OutputError when the disk is full."""
    path = run / f"state-{step}.ckpt"
    write_atomically(path, lambda part: _save({"masque": VERSION, "step": step, **state}, part))
    for _, old in states(run)[:-keep]:
        old.unlink()
    return path


def _save(state: Mapping[str, Any], path: Path) -> None:
    try:
        torch.save(dict(state), path)
    except RuntimeError as error:  # what torch raises on a full disk, with a text about its own source code
        raise OSError(None, "the disk did not take all of it") from error


def load_state(path: Path) -> dict[str, Any]:
    """Read a state written by `save_state`. Raises CheckpointError when it is damaged, foreign or from a newer Masque."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different one for each kind of damage
        raise CheckpointError(
            f"{path} cannot be read ({type(error).__name__}): delete it, and the run goes on from the state before."
        ) from None
    if not isinstance(state, dict) or "masque" not in state:
        raise CheckpointError(f"{path} was not written by Masque: move it out of the run folder.")
    if state["masque"] > VERSION:
        raise CheckpointError(f"{path} was written by a newer Masque (state version {state['masque']}, known is {VERSION}): update Masque.")
    return state


def same_run(
    run: Path, settings: Mapping[str, Any], may_change: frozenset[str], defaults: Mapping[str, Any] | None = None
) -> None:
    """Make sure that a folder that holds a run already holds this one.

    defaults: what settings are, by group, in a run that is older than they are, and what else a value outside the groups may be in one.
    Raises CheckpointError naming the first setting that differs, apart from those in `may_change`.
    """
    path = run / "settings.json"
    if not path.exists():
        return
    try:
        before = dict(json.loads(path.read_text()))
    except (ValueError, TypeError):
        raise CheckpointError(f"{path} is damaged: choose another --out.") from None
    for group in sorted(before.keys() | settings.keys()):
        old, new = before.get(group), settings.get(group)
        if isinstance(old, dict) and isinstance(new, dict):
            old = {**(defaults or {}).get(group, {}), **old}
            for name in sorted(old.keys() | new.keys()):
                if name not in may_change and old.get(name) != new.get(name):
                    raise CheckpointError(_other_run(run, name, old.get(name), new.get(name)))
        elif old != new and (old is None or old != (defaults or {}).get(group)):
            raise CheckpointError(_other_run(run, group, old, new))


def open_run(run: Path, settings: Mapping[str, Any]) -> None:
    """Make the folder of a run with its settings.json, and remove what a killed process was writing there. Raises OutputError."""
    run.mkdir(parents=True, exist_ok=True)
    remove_unfinished(run.rglob(".*.part"))
    write_atomically(run / "settings.json", lambda part: part.write_text(json.dumps(settings, indent=1) + "\n"))


def _other_run(run: Path, name: str, old: Any, new: Any) -> str:
    if name == "data" and str(old).partition("-")[0] == str(new).partition("-")[0]:
        return (
            f"{run} holds a run whose data has these pictures with other people in them, or people that an older Masque numbered by the "
            "names of their folders: choose another --out, or give the sets that it was started with."
        )
    return f"{run} holds a run with {name} = {old}, not {new}: choose another --out, or give the settings it was started with."
