"""What the presets of a family ask for: sizes and steps as they stand, memory computed from their weights, and time measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import torch

from masque import catalog, runs
from masque.bench.training import bench_training
from masque.errors import MasqueError

STATES = 4
"""Numbers of 4 bytes for each weight: itself, its gradient, and Adam's two moments."""


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
    """Of all steps here, at the rate of the few that were timed; None where none was"""
    note: str = ""


def asked(family: str, measure: bool = False) -> list[Asked]:
    """Every preset of a family, in its order.

    measure: time a step of each here, which takes what such steps take. Raises SettingError for an unknown family.
    """
    return [_asked(family, preset, measure) for preset in catalog.family(family).load("presets")]


def _asked(family: str, preset: str, measure: bool) -> Asked:
    plan = runs.plan(family, preset)
    told = Asked(family, preset, plan.model.size, plan.run.steps, plan.run.batch_size, plan.run.steps * plan.run.batch_size)
    try:
        with torch.device("meta"):  # shapes alone: the largest have 190 million weights
            recipe = runs.build_recipe(plan)
        weights = {name: sum(p.numel() for p in net.parameters()) for name, net in recipe.nets.items()}
        served = sum(weights[name] for name in recipe.served)
        told = replace(told, parameters=sum(weights.values()), memory=4 * (STATES * sum(weights.values()) + served))
        if measure:
            told = replace(told, hours=told.pictures / bench_training(family, preset, 1, 1)["engine"]["median"] / 3600)
    except MasqueError as error:
        told = replace(told, note=str(error))
    return told


def as_text(presets: Sequence[Asked]) -> str:
    """A line for each preset, and what is computed and what measured."""
    lines = [f"{'family':11s}{'preset':14s}{'px':>5s}{'steps':>9s}{'batch':>6s}{'pictures':>12s}{'weights':>9s}{'memory':>9s}{'time':>11s}"]
    for told in presets:
        known = f"{told.parameters / 1e6:7.1f} M" if told.parameters is not None else f"{'–':>9s}"
        memory = f"{told.memory / 1e9:6.2f} GB" if told.memory is not None else f"{'–':>9s}"
        hours = f"{told.hours:9.2f} h" if told.hours is not None else f"{'–':>11s}"
        sizes = f"{told.size:5d}{told.steps:9d}{told.batch_size:6d}{told.pictures:12d}"
        lines.append(f"{told.family:11s}{told.preset:14s}{sizes}{known}{memory}{hours}{f'  {told.note}' if told.note else ''}")
    measured = any(told.hours is not None for told in presets)
    return "\n".join([
        *lines, "", "memory: an estimate, computed: 32-bit weights, gradients, Adam's moments, averages; what a batch takes comes on top.",
        "time: an estimate, all steps at the rate of one timed on this machine." if measured
        else "time: --measure times a step of each preset of a family; `masque bench train FAMILY --preset PRESET` times one with care.",
    ])  # fmt: skip


def as_values(presets: Sequence[Asked]) -> dict[str, list[dict[str, object]]]:
    """Plain values."""
    return {"presets": [asdict(told) for told in presets]}
