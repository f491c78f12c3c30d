"""Training speed: the engine as it trains against the same networks in plain eager fp32, in turns within one
process."""

from __future__ import annotations

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import torch

from masque import catalog, runs
from masque.bench.swapping import Spread, spread
from masque.config import RunSettings
from masque.data.batches import Batch, Batches
from masque.data.frames import FrameSet, load_frames
from masque.models.progan import side_at, stages
from masque.recipes.progan import ProGANTraining
from masque.train.devices import make_fabric
from masque.train.engine import Engine
from masque.train.phase import Phase

PUPPETS = 128
"""Puppets that training is timed on."""

FEW_PUPPETS = 32
"""Puppets that training is timed on with pictures so large that puppets take longer to render than to learn from."""

COLD_UNTIL = 5.0
"""Seconds of a phase below which its first step is not representative, because libraries prepare themselves in it."""


class TrainingBenchmark(TypedDict):
    """Training speed; rates are pictures a second."""

    family: str
    preset: str
    size: int
    batch_size: int
    threads: int
    precision: str
    """Numbers in which the engine computes: bf16 or 32"""
    channels_last: bool
    compile: bool
    engine: Spread
    """Pictures a second of the training loop"""
    plain: Spread
    """Pictures a second of the same networks in plain eager fp32"""
    ratio: float
    """Median of engine / plain, turn by turn"""
    loader: float
    """Pictures a second of the loader alone"""


def bench_training(
    family: str, preset: str, steps: int = 4, turns: int = 3, assignments: Sequence[str] = (), at: int | None = None
) -> TrainingBenchmark:
    """Time the engine, plain eager fp32 and the loader on batches of puppets.

    at: the first step that is timed; by default, where a recipe's phases start late, one in which all have started.
    assignments: `key=value` settings. Raises SettingError for an unknown family, preset or setting."""
    plan = runs.plan(family, preset, assignments)
    plain = replace(plan, run=replace(plan.run, precision="32", channels_last=False, compile=False))
    frames = load_frames(
        [f"puppets:{PUPPETS}"], plan.model.size, plan.model.attributes, labels=catalog.family(plan.family).reads_labels
    )
    with tempfile.TemporaryDirectory() as folder:
        engines = {
            name: _engine(settings, frames, Path(folder) / name)
            for name, settings in (("engine", plan), ("plain", plain))
        }
        fabric = make_fabric(plan.run)
        batches = runs.build_batches(plan, frames, fabric)
        for engine in engines.values():
            engine.step = max(phase.since for phase in engine.phases) if at is None else at
            _run(engine, batches, 2)  # allocations, and compilation where it is on
        rates: dict[str, list[float]] = {name: [] for name in engines}
        for _ in range(turns):
            for name, engine in engines.items():
                engine.step = engine.step if at is None else at
                rates[name].append(steps * plan.run.batch_size / _run(engine, batches, steps))
    return {
        "family": family,
        "preset": preset,
        "size": plan.model.size,
        "batch_size": plan.run.batch_size,
        "threads": torch.get_num_threads(),
        "precision": engines["engine"].fabric._precision.precision,
        "channels_last": plan.run.channels_last,
        "compile": plan.run.compile,
        "engine": spread(rates["engine"]),
        "plain": spread(rates["plain"]),
        "ratio": statistics.median(a / b for a, b in zip(rates["engine"], rates["plain"], strict=True)),
        "loader": _loader_rate(batches, plan.run),
    }


def bench_growth(
    preset: str, steps: int = 4, turns: int = 3, assignments: Sequence[str] = ()
) -> dict[str, TrainingBenchmark]:
    """`bench_training` of the progressive GAN at each of its sizes, once it is faded in: {side: report}. Raises
    SettingError."""
    plan = runs.plan("progan", preset, assignments)
    assert isinstance(plan.training, ProGANTraining)
    hold, fade, batch = plan.training.growth.hold, plan.training.growth.fade, plan.run.batch_size
    reports: dict[str, TrainingBenchmark] = {}
    for stage in range(stages(plan.model.size) + 1):
        images = hold * stage + fade * stage
        reports[str(round(side_at(stage)))] = bench_training(
            "progan", preset, steps, turns, assignments, at=-(-images // batch)
        )
    return reports


def time_training(family: str, preset: str, most: float = math.inf) -> float | None:
    """Seconds that all steps of a preset take on this machine, from each of its phases timed once, and at each size
    that it grows to.

    The making of batches is among them, though where there are cores to spare nothing waits for it. With one thread it
    is the processor's time, so that other programs do not count. most: where a phase takes longer, None is returned.
    Raises SettingError for an unknown family or preset."""
    plan = runs.plan(family, preset)
    count = PUPPETS if plan.model.size <= 64 else FEW_PUPPETS
    frames = load_frames(
        [f"puppets:{count}"], plan.model.size, plan.model.attributes, labels=catalog.family(plan.family).reads_labels
    )
    clock = (
        time.process_time
        if torch.get_num_threads() == 1 and not torch.accelerator.is_available()
        else time.perf_counter
    )
    total = 0.0
    warm: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        engine = _engine(plan, frames, Path(folder))
        batches = runs.build_batches(plan, frames, engine.fabric)
        started = clock()
        engine.to_device(batches(0))
        total += (clock() - started) * plan.run.steps
        for first, end in itertools.pairwise([*_changes(plan, engine.phases), plan.run.steps]):
            for phase in engine.phases:
                due = [step for step in range(first, min(end, first + phase.every)) if phase.due(step)]
                if not due:
                    continue
                engine.step = due[0]
                batch = engine.to_device(batches(engine.step))
                seconds = _phase_time(engine, phase, batch, clock)
                if phase.name not in warm and seconds < COLD_UNTIL:
                    warm.add(phase.name)
                    seconds = _phase_time(engine, phase, batch, clock)
                if seconds > most:
                    return None
                total += seconds * (end - first) / phase.every
    return total


def _changes(plan: runs.Plan, phases: Sequence[Phase]) -> list[int]:
    """The steps, the first among them, at which other phases begin, or a step begins to take longer because the
    networks grow."""
    found = {0, *(phase.since for phase in phases), *(phase.until for phase in phases if phase.until is not None)}
    if isinstance(plan.training, ProGANTraining):
        hold, fade = plan.training.growth.hold, plan.training.growth.fade
        found |= {-(-(hold + (hold + fade) * stage) // plan.run.batch_size) for stage in range(stages(plan.model.size))}
    return sorted(step for step in found if step < plan.run.steps)


def _phase_time(engine: Engine, phase: Phase, batch: Batch, clock: Callable[[], float]) -> float:
    started = clock()
    engine.run_phase(phase, batch)
    if engine.fabric.device.type != "cpu":
        torch.accelerator.synchronize()
    return clock() - started


def growth_text(reports: Mapping[str, TrainingBenchmark]) -> str:
    """A line of text for each size."""
    lines = ["side  engine, pictures/s  plain eager fp32  ratio"]
    for side, report in reports.items():
        lines.append(
            f"{side:>4s} {report['engine']['median']:19.1f} {report['plain']['median']:17.1f} {report['ratio']:6.2f}"
        )
    return "\n".join(lines)


def _engine(plan: runs.Plan, frames: FrameSet, folder: Path) -> Engine:
    return runs.build_engine(plan, frames, folder, make_fabric(plan.run))


def _run(engine: Engine, batches: Batches, steps: int) -> float:
    coming: Iterable[Batch] = batches.prefetch(engine.step, engine.step + steps)
    if engine.fabric.device.type != "cpu":
        # There, other processes make them in time, and starting these would take longer than the steps.
        coming = list(coming)
        torch.accelerator.synchronize()
    started = time.perf_counter()
    for batch in coming:
        engine.run_step(engine.to_device(batch))
    if engine.fabric.device.type != "cpu":
        torch.accelerator.synchronize()
    return time.perf_counter() - started


def _loader_rate(batches: Batches, run: RunSettings, count: int = 12) -> float:
    batches(0)
    started = time.perf_counter()
    for step in range(1, count + 1):
        batches(step)
    return count * run.batch_size / (time.perf_counter() - started)


def as_text(report: TrainingBenchmark) -> str:
    """The report in five lines of text."""
    engine, plain, loader = report["engine"], report["plain"], report["loader"]
    how = f"{report['precision']}{', channels_last' if report['channels_last'] else ''}"
    return "\n".join(
        [
            f"{report['family']}, preset {report['preset']}, {report['size']} px, batches of {report['batch_size']}, "
            f"{report['threads']} threads",
            f"engine ({how}{', compiled' if report['compile'] else ''}): "
            f"{engine['median']:.1f} pictures/s ({engine['min']:.1f} to {engine['max']:.1f})",
            f"plain eager fp32: {plain['median']:.1f} pictures/s ({plain['min']:.1f} to {plain['max']:.1f})",
            f"ratio: {report['ratio']:.2f}",
            f"loader alone: {loader:.0f} pictures/s, {loader / engine['median']:.0f} times the training rate",
        ]
    )
