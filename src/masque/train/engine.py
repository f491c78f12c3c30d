"""The training loop: runs a recipe's phases, and knows no model and no loss.

for each phase that is due:  open gradients of its nets → terms = phase.loss(batch) → backward(sum(w·term))
                             → average gradients over processes → step its optimizers → close gradients

Everything that changes with time is a function of the step, so a run that was cut off goes on bit for bit where its
last state stands."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from masque.config import RunSettings
from masque.data.batches import ON_CPU, Batch, Batches, in_floats, workers_for
from masque.errors import SettingError, TrainingError, nearest, printable
from masque.image import grid
from masque.jsonfile import JSON
from masque.layers.precision import has_bf16
from masque.output import make_folder
from masque.provenance import write_recorded
from masque.quiet import quieten_fabric
from masque.train.distributed import average_gradients
from masque.train.ema import Average
from masque.train.fitting import check_state
from masque.train.log import Log, Terms
from masque.train.phase import Phase, Recipe, check_terms, weight_at
from masque.train.state import newest_state, open_run, same_run, save_state, states

LOOK_EVERY = 20
"""Steps after which terms are checked for being finite, at the latest; a state is never saved unchecked."""


@dataclass
class Progress:
    """How a call of `Engine.fit` ended."""

    step: int
    """Steps done in all."""
    finished: bool
    reason: str
    """finished, time limit, or stopped (by Ctrl-C or a request to terminate)."""
    images_per_second: float = 0.0


@dataclass
class Watch:
    """Stops the run cleanly on a signal or when its time is up."""

    limit: float | None
    started: float = field(default_factory=time.monotonic)
    signalled: bool = False

    def reason(self, reserve: float) -> str | None:
        """Why to stop now, or None. reserve: seconds to leave for the next step and for saving."""
        if self.signalled:
            return "stopped"
        if self.limit is not None and time.monotonic() - self.started + reserve >= self.limit:
            return "time limit"
        return None

    def notice(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler: stop after the step under way."""
        self.signalled = True


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Ctrl-C and SIGTERM reach `watch` instead of breaking a step in two."""
    try:
        before = {number: signal.signal(number, watch.notice) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals go elsewhere anyway
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_devices(accelerator: str, devices: int) -> None:
    """Raise SettingError where this machine has no such accelerator, or not so many devices of it."""
    there = {
        "cpu": max(2, os.cpu_count() or 1),
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if accelerator != "auto" and accelerator not in there:
        raise SettingError(
            f"There is no accelerator {printable(accelerator)}; {nearest(accelerator, ('auto', *there))}."
        )
    kind = accelerator if accelerator != "auto" else next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[kind]:
        raise SettingError(
            f"PyTorch finds no {kind} on this machine: leave --accelerator out, or install another PyTorch."
        )
    if not 1 <= devices <= there[kind]:
        raise SettingError(f"--devices is {devices} and must be from 1 to {there[kind]} on this machine ({kind}).")


def make_fabric(settings: RunSettings, accelerator: str = "auto", devices: int = 1) -> Fabric:
    """A Fabric for these settings, which prints nothing; it launches `devices` processes when there are several."""
    precision = settings.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(accelerator) else "32"
    name: Any = {"bf16": "bf16-mixed", "32": "32-true", "64": "64-true"}[precision]
    quieten_fabric()
    fabric = Fabric(accelerator=accelerator, devices=devices, precision=name, strategy="ddp" if devices > 1 else "auto")
    if fabric.device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    return fabric


class Engine:
    """One run of one recipe in one folder."""

    def __init__(
        self,
        fabric: Fabric,
        recipe: Recipe,
        settings: RunSettings,
        run: Path,
        identity: Mapping[str, Any],
        may_change: frozenset[str] = frozenset(),
        defaults: Mapping[str, Any] | None = None,
        present: Callable[[str, Mapping[str, JSON]], Mapping[str, JSON]] | None = None,
    ) -> None:
        """run: the folder of the run, made if needed; if it holds states, the latest is loaded.

        identity: plain values that say what is being trained (family, configs, data); a folder with another identity is
        refused, except for the names in `may_change`. defaults, present: see
        `masque.train.state.same_run`. Raises CheckpointError."""
        self.fabric, self.recipe, self.settings, self.run = fabric, recipe, settings, run
        self.nets = {name: self._placed(net) for name, net in recipe.nets.items()}
        self.average = Average({name: recipe.nets[name] for name in recipe.served}, settings.ema)
        self.optimizers = {name: recipe.optimizer(name, net.parameters()) for name, net in self.nets.items()}
        self.phases = list(recipe.phases())
        for net in self.nets.values():
            net.requires_grad_(False)
        self.step = 0
        self.last_save = 0.0
        self.waited = 0.0
        """Seconds in which there was no batch, since somebody last looked."""
        self.terms = Terms()
        same_run(run, identity, may_change, defaults, present)
        fabric.barrier()
        if fabric.global_rank == 0:
            open_run(run, identity)
        fabric.barrier()
        found = states(run)
        fabric.barrier()  # nobody saves before all have looked
        self.fresh = not found
        if found:
            self._load(newest_state(run, self._check, speaks=fabric.global_rank == 0))
        if settings.compile:
            for net in self.nets.values():
                net.compile()

    def _placed(self, net: nn.Module) -> nn.Module:
        net = net.to(self.fabric.device)
        if self.settings.precision == "64":
            net = net.double()
        return net.to(memory_format=torch.channels_last) if self.settings.channels_last else net  # type: ignore[call-overload]

    def _check(self, state: Mapping[str, Any]) -> None:
        check_state(state, self.nets, self.average.nets, self.optimizers)

    def _load(self, state: Mapping[str, Any]) -> None:
        """Take over a checked state: all of it, apart from an optimizer's settings but its latest rate: they are the
        run's."""
        for name, net in self.nets.items():
            net.load_state_dict(state["nets"][name])
            optimizer, memory = self.optimizers[name], state["optimizers"][name]
            own = zip(optimizer.state_dict()["param_groups"], memory["param_groups"], strict=True)
            optimizer.load_state_dict(
                {"state": memory["state"], "param_groups": [{**group, "lr": its["lr"]} for group, its in own]}
            )
        self.average.nets.load_state_dict(state["average"])
        self.step = int(state["step"])

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "nets": {name: net.state_dict() for name, net in self.nets.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "average": self.average.nets.state_dict(),
        }

    def save(self, and_then: Callable[[], None] | None = None) -> None:
        """Write the state, unless its terms or weights show that it is not a good one. Raises TrainingError or
        OutputError.

        and_then: called in the first process once the state is safe.
        """
        started = time.monotonic()
        self.terms.check()
        self._check_weights()
        if self.fabric.global_rank == 0:
            save_state(self.run, self.step, self.state(), self.settings.keep)
            if and_then:
                and_then()
        self.fabric.barrier()
        self.last_save = time.monotonic() - started

    def _check_weights(self) -> None:
        # Finite terms can have gradients that are not: the terms of the step after would be the first to show it.
        for name, net in self.nets.items():
            if not all(bool(p.isfinite().all()) for p in net.parameters()):
                raise TrainingError(
                    f"Training stopped: weights of {name} are no longer finite after step {self.step - 1}; the last good state is kept. "
                    "Give the command again with a lower learning rate, and another --out."
                )

    def placed(self, batch: Batch) -> Batch:
        """A batch on this process's device, in the memory layout and precision of the run; what only the CPU reads
        stays there."""
        away = {name: t if name in ON_CPU else t.to(self.fabric.device, non_blocking=True) for name, t in batch.items()}
        moved: Batch = {}
        for name, tensor in in_floats(away).items():
            if self.settings.precision == "64" and tensor.is_floating_point():
                tensor = tensor.double()
            if self.settings.channels_last and tensor.dim() == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            moved[name] = tensor
        return moved

    def run_phase(self, phase: Phase, batch: Batch) -> dict[str, Tensor]:
        """One phase on one batch (already placed): its terms, after its networks were updated."""
        for name in phase.nets:
            self.nets[name].requires_grad_(True)
        with self.fabric.autocast():
            terms = phase.loss(batch)
        check_terms(phase, terms)
        total = torch.stack([weight_at(phase.weights[name], self.step) * term for name, term in terms.items()]).sum()
        total.backward()  # type: ignore[no-untyped-call]
        average_gradients(p for name in phase.nets for p in self.nets[name].parameters())
        for name in phase.nets:
            optimizer = self.optimizers[name]
            for group in optimizer.param_groups:
                group["lr"] = self.recipe.learning_rate(name, self.step)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            self.nets[name].requires_grad_(False)
        return terms

    def run_step(self, batch: Batch) -> None:
        """All phases that are due in the present step, then the average."""
        for phase in self.phases:
            if phase.due(self.step):
                self.terms.add(self.step, phase.name, self.run_phase(phase, batch))
        self.average.update(self.nets, self.step)
        self.step += 1

    def fit(
        self,
        batches: Batches,
        shown: Batch | None = None,
        time_limit: float | None = None,
        on_step: Callable[[int, Mapping[str, float], float], None] | None = None,
        on_save: Callable[[], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> Progress:
        """Train up to `settings.steps`, or until time_limit seconds have passed, or until Ctrl-C; the state is saved in
        each case.

        However it ends, the log and the previews reach as far as the state. shown: a batch for preview pictures. All
        others are called in the first process: on_step after each log entry with (step, terms, images per second),
        on_progress after every step with its number, for which nothing waits, and on_save after each saved state.
        Raises TrainingError when a term stops being finite: the state saved last is then the last good one."""
        settings, watch = self.settings, Watch(time_limit)
        log = Log(self.run, self.step, settings.tensorboard) if self.fabric.global_rank == 0 else None
        shown = self.placed(shown) if shown is not None else None
        if self.step == 0 and self.fresh:
            self.save()
        first, slowest, begun, marked = self.step, 0.0, time.monotonic(), (self.step, time.monotonic())
        seen, drawing = self.step, 0.0
        reason: str | None = None

        def look() -> None:
            nonlocal marked
            spent = max(1e-9, time.monotonic() - marked[1])
            self._log(log, (self.step - marked[0]) * settings.batch_size / spent, self.waited / spent, on_step)
            marked, self.waited = (self.step, time.monotonic()), 0.0

        def draw() -> None:
            nonlocal seen, drawing
            if shown is not None:
                started = time.monotonic()
                self._preview(shown)
                seen, drawing = self.step, time.monotonic() - started

        with watching(watch):
            for batch in self._ahead(batches):
                reason = self._agreed(watch.reason(2 * slowest + 2 * self.last_save + 2 * drawing))
                if reason:
                    break
                started = time.monotonic()
                self.run_step(self.placed(batch))
                if self.step % LOOK_EVERY == 0:
                    self.terms.check()
                # The first step compiles and allocates; it says nothing about the next.
                slowest = (
                    time.monotonic() - started if self.step <= first + 2 else max(slowest, time.monotonic() - started)
                )
                if on_progress and self.fabric.global_rank == 0:
                    on_progress(self.step)
                if self.step % settings.log_every == 0 or self.step == settings.steps:
                    look()
                if self.step % settings.preview_every == 0 or self.step == settings.steps:
                    draw()
                # Last, so that whatever a run shows of a step is there once the step is in its state.
                if self.step % settings.save_every == 0:
                    self.save(on_save)
            if self.step > marked[0]:
                look()
            if self.step > seen:
                draw()
            self.save(on_save)
        if log is not None:
            log.close()
        rate = (self.step - first) * settings.batch_size / max(1e-9, time.monotonic() - begun)
        return Progress(self.step, self.step >= settings.steps, reason or "finished", rate)

    def _ahead(self, batches: Batches) -> Iterator[Batch]:
        """The batches still to come; how long each was waited for is remembered."""
        away = self.fabric.device.type == "cuda"  # no other is known to bear the forks
        coming = iter(
            batches.prefetch(
                self.step, self.settings.steps, workers_for(self.settings.workers, away, self.fabric.world_size), away
            )
        )
        while True:
            asked = time.monotonic()
            batch = next(coming, None)
            self.waited += time.monotonic() - asked
            if batch is None:
                return
            yield batch

    def _agreed(self, reason: str | None) -> str | None:
        """The same decision on all processes: one that stops alone would leave the others waiting."""
        if self.fabric.world_size == 1:
            return reason
        reasons = ("stopped", "time limit")
        number = torch.tensor(float(reasons.index(reason) + 1 if reason else 0), device=self.fabric.device)
        highest = int(self.fabric.all_reduce(number, reduce_op="max"))  # type: ignore[arg-type]
        return reasons[highest - 1] if highest else None

    def _log(
        self,
        log: Log | None,
        rate: float,
        waiting: float,
        on_step: Callable[[int, Mapping[str, float], float], None] | None,
    ) -> None:
        values = self.terms.take()
        if log is not None:
            log.write(
                self.step,
                {
                    **values,
                    "learning_rate": self.recipe.learning_rate(self.phases[0].nets[0], self.step),
                    "images_per_second": rate,
                    "waiting": waiting,
                },
            )
        if on_step and self.fabric.global_rank == 0:
            on_step(self.step, values, rate)

    def _preview(self, shown: Batch) -> None:
        if self.fabric.global_rank != 0:
            return
        with torch.no_grad(), self.fabric.autocast():
            pictures, columns = self.recipe.preview(shown, dict(self.average.nets.items()))
        folder = make_folder(self.run / "previews")
        record = {"edit": "preview of a training", "model": type(self.recipe).__name__, "step": self.step}
        write_recorded(folder / f"{self.step:07d}.png", grid(pictures, columns), record)


def stopped_early(progress: Progress) -> str:
    """One sentence for a run that has not reached its last step."""
    return f"Stopped after step {progress.step} ({progress.reason}); the same command goes on from there."


__all__ = ["Engine", "Progress", "TrainingError", "make_fabric", "stopped_early"]
