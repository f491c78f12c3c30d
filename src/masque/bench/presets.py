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
from typing import TypedDict, cast

import torch

from masque import catalog, runs
from masque.bench.training import time_training
from masque.errors import MasqueError
from masque.layers.precision import has_bf16

STATES = 4
"""Numbers of 4 bytes for each weight: itself, its gradient, and Adam's two moments."""

LONGEST = 20.0
"""Seconds of a phase above which the time of a preset is not measured."""

LARGEST = 5e8
"""Bytes of the training's state above which the time of a preset is not measured."""

MEASURED = Path(__file__).with_name("measured.json")
"""What `COMMAND` printed on one machine: the source of all times that were not measured here."""

COMMAND = "OMP_NUM_THREADS=1 masque presets --measure --json"


@dataclass(frozen=True)
class PresetCost:
    """What training by one preset takes."""

    family: str
    """Name of the family in `masque.catalog`"""
    preset: str
    """Name of the preset among those of the family"""
    size: int
    """Side of the pictures in pixels"""
    steps: int
    """Steps of the whole training"""
    batch_size: int
    """Pictures per step, over all processes"""
    pictures: int
    """Pictures that are trained on in all steps together"""
    parameters: int | None = None
    """How many weights all networks have together; None where these cannot be built without a setting that `note`
    names"""
    memory: int | None = None
    """Bytes of weights, gradients, moments and averages, computed: what a batch needs is not among them"""
    hours: float | None = None
    """Hours of all steps, at the rate of the few that were timed, here or on the machine of `measured.json`; None where
    none were"""
    note: str = ""
    """Why a number is missing, or nothing"""


class MeasuredPreset(TypedDict):
    """A preset's entry in `measured.json`; the fields are those of `PresetCost`."""

    family: str
    preset: str
    size: int
    steps: int
    batch_size: int
    pictures: int
    parameters: int | None
    memory: int | None
    hours: float | None
    note: str


class Measurements(TypedDict):
    """The contents of `measured.json`, and what `masque presets --json` prints."""

    machine: str
    date: str
    """ISO 8601"""
    presets: list[MeasuredPreset]


def preset_costs(family: str, measure: bool = False, progress: Callable[[str], None] | None = None) -> list[PresetCost]:
    """The costs of every preset of a family, in its order.

    measure: time a step of each here, which takes as long as such steps do. progress: called with the preset that is
    next. Raises SettingError for an unknown family."""
    costs = []
    for preset in catalog.family(family).load("presets"):
        if progress:
            progress(f"{family} {preset}")
        costs.append(_cost(family, preset, measure))
    return costs


def _cost(family: str, preset: str, measure: bool) -> PresetCost:
    plan = runs.plan(family, preset)
    cost = PresetCost(
        family, preset, plan.model.size, plan.run.steps, plan.run.batch_size, plan.run.steps * plan.run.batch_size
    )
    if catalog.family(family).fitted:
        return replace(cost, note="Computed from the data at once, without steps, mostly in a minute or two.")
    try:
        with torch.device("meta"):  # shapes alone: the largest have 190 million weights
            recipe = runs.build_recipe(plan)
    except MasqueError as error:
        return replace(cost, note=str(error))
    weights = {name: sum(p.numel() for p in net.parameters()) for name, net in recipe.nets.items()}
    served = sum(weights[name] for name in recipe.served)
    cost = replace(cost, parameters=sum(weights.values()), memory=4 * (STATES * sum(weights.values()) + served))
    return _measured_here(cost) if measure else _as_shipped(cost)


def _measured_here(cost: PresetCost) -> PresetCost:
    """The cost with its time on this machine."""
    if cost.memory is not None and cost.memory > LARGEST:
        return replace(
            cost, note=f"Not measured: it keeps more than {LARGEST / 1e9:.1g} GB, for which an accelerator is made."
        )
    try:
        seconds = time_training(cost.family, cost.preset, LONGEST)
    except MasqueError as error:
        return replace(cost, note=str(error))
    if seconds is None:
        return replace(cost, note=f"Not measured: a phase of one step takes more than {LONGEST:.0f} s.")
    return replace(cost, hours=float(f"{seconds / 3600:.2g}"))


@cache
def shipped() -> Measurements:
    """What was measured on one machine."""
    values: Measurements = json.loads(MEASURED.read_text(encoding="utf-8"))
    return values


def _as_shipped(cost: PresetCost) -> PresetCost:
    """The cost with its time on the machine of `measured.json`, where it was measured there as it is now."""
    same = ("family", "preset", "size", "steps", "batch_size", "parameters")
    for entry in shipped()["presets"]:
        values: Mapping[str, object] = {**entry}
        if all(values[name] == getattr(cost, name) for name in same):
            return replace(cost, hours=entry["hours"], note=entry["note"])
    return cost


def machine() -> str:
    """The processor, how many threads compute, and in which precision."""
    found = None
    if (about := Path("/proc/cpuinfo")).is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", about.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    name = found[1] if found else platform.processor() or platform.machine()
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{name}, {threads} {'thread' if threads == 1 else 'threads'}, {'bf16' if has_bf16('auto') else 'fp32'}"


def as_text(costs: Sequence[PresetCost], measured: bool = False) -> str:
    """A line for each preset, and what is computed and what measured. measured: whether times were measured here."""
    lines = [
        f"{'family':11s}{'preset':14s}{'px':>5s}{'steps':>9s}{'batch':>6s}{'pictures':>12s}{'weights':>9s}"
        f"{'memory':>9s}{'time':>11s}"
    ]
    for cost in costs:
        weights = f"{cost.parameters / 1e6:7.1f} M" if cost.parameters is not None else f"{'–':>9s}"
        memory = f"{cost.memory / 1e9:6.2f} GB" if cost.memory is not None else f"{'–':>9s}"
        hours = f"{_in_words(cost.hours):>11s}" if cost.hours is not None else f"{'–':>11s}"
        sizes = f"{cost.size:5d}{cost.steps:9d}{cost.batch_size:6d}{cost.pictures:12d}"
        note = f"  {cost.note}" if cost.note else ""
        lines.append(f"{cost.family:11s}{cost.preset:14s}{sizes}{weights}{memory}{hours}{note}")
    where = "here"
    if not measured:
        where = f"on {shipped()['machine']}, {shipped()['date']}, by `{COMMAND}`; --measure times them here"
    lines += [
        "",
        "memory: an estimate, computed: 32-bit weights, gradients, Adam's moments, averages; "
        "what a batch takes comes on top.",
        f"time: an estimate, all steps at the rate of the few that were timed {where}.",
    ]
    return "\n".join(lines)


def _in_words(hours: float) -> str:
    if hours >= 96:
        return f"{hours / 24:.0f} days"
    return f"{hours:.2g} h" if hours >= 1 else f"{max(1, round(60 * hours))} min"


def as_values(costs: Sequence[PresetCost], measured: bool = False) -> Measurements:
    """The costs as JSON has them. measured: whether times were measured here."""
    where, when = (machine(), date.today().isoformat()) if measured else (shipped()["machine"], shipped()["date"])
    return {"machine": where, "date": when, "presets": [cast("MeasuredPreset", asdict(cost)) for cost in costs]}
