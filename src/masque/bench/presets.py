"""What the presets of a family ask for: sizes and steps as they stand, memory computed from their weights, and time
measured."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import torch

from masque import catalog, runs
from masque.bench.training import time_training
from masque.errors import MasqueError
from masque.layers.precision import has_bf16

STATES = 4
"""Numbers of 4 bytes for each weight: itself, its gradient, and Adam's two moments."""
LONGEST, LARGEST = 20.0, 5e8
"""Seconds of a phase, and bytes of what training keeps, above which the time of a preset is not measured."""
MEASURED = Path(__file__).with_name("measured.json")
"""What `COMMAND` printed on one machine, on which `time` goes until somebody measures."""
COMMAND = "OMP_NUM_THREADS=1 masque presets --measure --json"


@dataclass(frozen=True)
class Asked:
    """What one preset asks for."""

    family: str
    preset: str
    size: int
    """Side of the pictures in pixels"""
    steps: int
    batch_size: int
    pictures: int
    """Over all steps"""
    parameters: int | None = None
    """Weights of all networks; None where they cannot be built without a setting that `note` names"""
    memory: int | None = None
    """Bytes of weights, gradients, moments and averages, computed. What a batch takes comes on top"""
    hours: float | None = None
    """Of all steps, at the rate of the few that were timed: here where this was asked for, else on the machine of
    `measured.json`. None where none was"""
    note: str = ""


def asked(family: str, measure: bool = False, progress: Callable[[str], None] | None = None) -> list[Asked]:
    """Every preset of a family, in its order.

    measure: time a step of each here, which takes what such steps take. progress: told which preset is next. Raises
    SettingError for an unknown family."""
    told = []
    for preset in catalog.family(family).load("presets"):
        if progress:
            progress(f"{family} {preset}")
        told.append(_asked(family, preset, measure))
    return told


def _asked(family: str, preset: str, measure: bool) -> Asked:
    plan = runs.plan(family, preset)
    told = Asked(
        family, preset, plan.model.size, plan.run.steps, plan.run.batch_size, plan.run.steps * plan.run.batch_size
    )
    try:
        with torch.device("meta"):  # shapes alone: the largest have 190 million weights
            recipe = runs.build_recipe(plan)
    except MasqueError as error:
        return replace(told, note=str(error))
    weights = {name: sum(p.numel() for p in net.parameters()) for name, net in recipe.nets.items()}
    served = sum(weights[name] for name in recipe.served)
    told = replace(told, parameters=sum(weights.values()), memory=4 * (STATES * sum(weights.values()) + served))
    return _measured(told) if measure else replace(told, **_known(told))


def _measured(told: Asked) -> Asked:
    if told.memory is not None and told.memory > LARGEST:
        return replace(
            told, note=f"Not measured: it keeps more than {LARGEST / 1e9:.1g} GB, for which an accelerator is made."
        )
    try:
        seconds = time_training(told.family, told.preset, LONGEST)
    except MasqueError as error:
        return replace(told, note=str(error))
    if seconds is None:
        return replace(told, note=f"Not measured: a phase of one step takes more than {LONGEST:.0f} s.")
    return replace(told, hours=float(f"{seconds / 3600:.2g}"))


@cache
def shipped() -> Mapping[str, Any]:
    """What was measured on one machine: `machine`, `date`, `presets`."""
    values: Mapping[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return values


def _known(told: Asked) -> dict[str, Any]:
    """What was measured of a preset as it is now."""
    same = ("family", "preset", "size", "steps", "batch_size", "parameters")
    found = (it for it in shipped()["presets"] if all(it[name] == getattr(told, name) for name in same))
    return {name: it[name] for it in found for name in ("hours", "note")}


def machine() -> str:
    """The processor, how many threads compute, and in which precision."""
    found = None
    if (about := Path("/proc/cpuinfo")).is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", about.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    name = (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else found[1]
        if found
        else platform.processor() or platform.machine()
    )
    threads = torch.get_num_threads()
    return f"{name}, {threads} {'thread' if threads == 1 else 'threads'}, {'bf16' if has_bf16('auto') else 'fp32'}"


def as_text(presets: Sequence[Asked], measured: bool = False) -> str:
    """A line for each preset, and what is computed and what measured. measured: here, by `asked`."""
    lines = [
        f"{'family':11s}{'preset':14s}{'px':>5s}{'steps':>9s}{'batch':>6s}{'pictures':>12s}{'weights':>9s}{'memory':>9s}{'time':>11s}"
    ]
    for told in presets:
        known = f"{told.parameters / 1e6:7.1f} M" if told.parameters is not None else f"{'–':>9s}"
        memory = f"{told.memory / 1e9:6.2f} GB" if told.memory is not None else f"{'–':>9s}"
        hours = f"{_in_words(told.hours):>11s}" if told.hours is not None else f"{'–':>11s}"
        sizes = f"{told.size:5d}{told.steps:9d}{told.batch_size:6d}{told.pictures:12d}"
        lines.append(
            f"{told.family:11s}{told.preset:14s}{sizes}{known}{memory}{hours}{f'  {told.note}' if told.note else ''}"
        )
    where = (
        "here"
        if measured
        else f"on {shipped()['machine']}, {shipped()['date']}, by `{COMMAND}`; --measure times them here"
    )
    return "\n".join([
        *lines, "", "memory: an estimate, computed: 32-bit weights, gradients, Adam's moments, averages; what a batch takes comes on top.",
        f"time: an estimate, all steps at the rate of the few that were timed {where}.",
    ])  # fmt: skip


def _in_words(hours: float) -> str:
    return (
        f"{hours / 24:.0f} days"
        if hours >= 96
        else f"{hours:.2g} h"
        if hours >= 1
        else f"{max(1, round(60 * hours))} min"
    )


def as_values(presets: Sequence[Asked], measured: bool = False) -> dict[str, Any]:
    """Plain values."""
    when = (
        {"machine": machine(), "date": date.today().isoformat()}
        if measured
        else {name: shipped()[name] for name in ("machine", "date")}
    )
    return {**when, "presets": [asdict(told) for told in presets]}
