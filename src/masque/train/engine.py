"""The training loop: runs a recipe's phases, and knows no model and no loss.

for each phase that is due:  open gradients of its nets → terms = phase.loss(batch) → backward(sum(w·term))
                             → average gradients over processes → step its optimizers → close gradients

Everything that changes with time is a function of the step, so a run that was cut off goes on bit for bit where its
last state stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from masque.config import RunSettings
from masque.data.batches import ON_CPU, Batch, Batches, in_floats, workers_for
from masque.errors import TrainingError
from masque.image import grid
from masque.jsonfile import JSON
from masque.output import make_folder
from masque.provenance import write_recorded
from masque.train.distributed import average_gradients
from masque.train.ema import Average
from masque.train.fitting import check_state
from masque.train.log import Log, Terms
from masque.train.phase import Phase, Recipe, check_terms, weight_at
from masque.train.state import RunState, Upgrade, newest_state, open_run, same_run, save_state, states
from masque.train.watch import Watch, watching

CHECK_EVERY = 20
"""Steps after which terms are checked for being finite, at the latest; a state is never saved unchecked."""

OnStep: TypeAlias = Callable[[int, Mapping[str, float], float], None]
"""Called after each log entry with its step, the terms by "phase.term", and the pictures per second."""


@dataclass
class Progress:
    """How a call of `Engine.fit` ended."""

    step: int
    """Steps done since the run began."""
    finished: bool
    """Whether these are all that the settings ask for."""
    reason: str
    """finished, time limit, or stopped (by Ctrl-C or a request to terminate)."""
    images_per_second: float = 0.0
    """Pictures that were trained on per second of this call, over all processes."""


class Engine:
    """One run of one recipe in one folder."""

    def __init__(
        self,
        fabric: Fabric,
        recipe: Recipe,
        settings: RunSettings,
        run: Path,
        identity: Mapping[str, JSON],
        may_change: frozenset[str] = frozenset(),
        defaults: Mapping[str, JSON] | None = None,
        upgrade: Upgrade | None = None,
    ) -> None:
        """run: the folder of the run, made if needed; if it holds states, the newest that can be used is loaded.

        identity: plain values that say what is being trained (family, configs, data); a folder with another identity is
        refused, except for the names in `may_change`. defaults, upgrade: see `masque.train.state.same_run`. Raises
        CheckpointError."""
        self.fabric = fabric
        self.recipe = recipe
        self.settings = settings
        self.run = run
        self.nets = {name: self._net_to_device(net) for name, net in recipe.nets.items()}
        self.average = Average({name: recipe.nets[name] for name in recipe.served}, settings.ema)
        self.optimizers = {name: recipe.optimizer(name, net.parameters()) for name, net in self.nets.items()}
        self.phases = list(recipe.phases())
        for net in self.nets.values():
            net.requires_grad_(False)
        self.step = 0
        self.save_seconds = 0.0
        """How long the last save took."""
        self.wait_seconds = 0.0
        """How long training has waited for batches since the last log entry."""
        self.terms = Terms()
        same_run(run, identity, may_change, defaults, upgrade)
        fabric.barrier()
        if fabric.global_rank == 0:
            open_run(run, identity)
        fabric.barrier()
        found = states(run)
        fabric.barrier()  # nobody saves before all have looked
        self.is_new = not found
        if found:
            self._load(newest_state(run, self._checked, warns=fabric.global_rank == 0))
        if settings.compile:
            for net in self.nets.values():
                net.compile()

    def _net_to_device(self, net: nn.Module) -> nn.Module:
        net = net.to(self.fabric.device)
        if self.settings.precision == "64":
            net = net.double()
        if not self.settings.channels_last:
            return net
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _checked(self, state: Mapping[str, object]) -> RunState:
        check_state(state, self.nets, self.average.nets, self.optimizers)
        return cast(RunState, state)

    def _load(self, state: RunState) -> None:
        """Take over a state that fits: all of it, apart from the settings of its optimizers, which are those of this
        run; of them, the latest learning rate alone."""
        for name, net in self.nets.items():
            net.load_state_dict(state["nets"][name])
            optimizer, memory = self.optimizers[name], state["optimizers"][name]
            own = zip(optimizer.state_dict()["param_groups"], memory["param_groups"], strict=True)
            optimizer.load_state_dict(
                {"state": memory["state"], "param_groups": [{**group, "lr": its["lr"]} for group, its in own]}
            )
        self.average.nets.load_state_dict(state["average"])
        self.step = state["step"]

    def state(self) -> dict[str, object]:
        """Everything that the next step depends on, apart from its number."""
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
        self.save_seconds = time.monotonic() - started

    def _check_weights(self) -> None:
        # Finite terms can have gradients that are not: the terms of the step after would be the first to show it.
        for name, net in self.nets.items():
            if not all(bool(p.isfinite().all()) for p in net.parameters()):
                raise TrainingError(
                    f"Training stopped: weights of {name} are no longer finite after step {self.step - 1}; the last "
                    "good state is kept. Give the command again with a lower learning rate, and another --out."
                )

    def to_device(self, batch: Batch) -> Batch:
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
        """One phase on one batch (on the device already): its terms, after its networks were updated."""
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
        preview_batch: Batch | None = None,
        time_limit: float | None = None,
        on_step: OnStep | None = None,
        on_save: Callable[[], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> Progress:
        """Train up to `settings.steps`, or until time_limit seconds have passed, or until Ctrl-C; the state is saved in
        each case.

        However it ends, the log and the previews reach as far as the state. preview_batch: what previews are made of;
        there are none without one. All others are called in the first process: on_step after each log entry,
        on_progress after every step with its number, for which nothing waits, and on_save after each saved state.
        Raises TrainingError when a term stops being finite: the state saved last is then the last good one."""
        watch = Watch(time_limit)
        reports = Reports(self, preview_batch, on_step)
        if self.step == 0 and self.is_new:
            self.save()
        first, started = self.step, time.monotonic()
        slowest = 0.0
        reason: str | None = None
        with watching(watch):
            for batch in self._remaining(batches):
                reserve = 2 * (slowest + self.save_seconds + reports.preview_seconds)
                reason = self._same_everywhere(watch.reason(reserve))
                if reason:
                    break
                seconds = self._timed_step(batch)
                # The first step compiles and allocates; it says nothing about the next.
                slowest = seconds if self.step <= first + 2 else max(slowest, seconds)
                if on_progress and self.fabric.global_rank == 0:
                    on_progress(self.step)
                reports.after_step()
                # Last, so that whatever a run shows of a step is there once the step is in its state.
                if self.step % self.settings.save_every == 0:
                    self.save(on_save)
            reports.complete()
            self.save(on_save)
        reports.close()
        rate = (self.step - first) * self.settings.batch_size / max(1e-9, time.monotonic() - started)
        return Progress(self.step, self.step >= self.settings.steps, reason or "finished", rate)

    def _timed_step(self, batch: Batch) -> float:
        """One step on a batch that is not on the device yet; how many seconds it took."""
        started = time.monotonic()
        self.run_step(self.to_device(batch))
        if self.step % CHECK_EVERY == 0:
            self.terms.check()
        return time.monotonic() - started

    def _remaining(self, batches: Batches) -> Iterator[Batch]:
        """The batches of the steps still to be made; how long each is waited for is remembered."""
        away = self.fabric.device.type == "cuda"  # no other is known to bear the forks
        workers = workers_for(self.settings.workers, away, self.fabric.world_size)
        coming = iter(batches.prefetch(self.step, self.settings.steps, workers, away))
        while True:
            started = time.monotonic()
            batch = next(coming, None)
            self.wait_seconds += time.monotonic() - started
            if batch is None:
                return
            yield batch

    def _same_everywhere(self, reason: str | None) -> str | None:
        """The same decision on all processes: one that stops alone would leave the others waiting."""
        if self.fabric.world_size == 1:
            return reason
        reasons = ("stopped", "time limit")
        number = torch.tensor(float(reasons.index(reason) + 1 if reason else 0), device=self.fabric.device)
        highest = int(self.fabric.all_reduce(number, reduce_op="max"))  # type: ignore[arg-type]
        return reasons[highest - 1] if highest else None


class Reports:
    """What one call of `Engine.fit` tells of the run while it goes on: log entries and preview pictures."""

    def __init__(self, engine: Engine, preview_batch: Batch | None, on_step: OnStep | None) -> None:
        """preview_batch: what previews are made of, not on the device yet; there are none without one. Raises
        OutputError where the log cannot be written."""
        self.engine = engine
        self.on_step = on_step
        self.writes = engine.fabric.global_rank == 0
        self.log = Log(engine.run, engine.step, engine.settings.tensorboard) if self.writes else None
        self.preview_batch = engine.to_device(preview_batch) if preview_batch is not None else None
        self.preview_seconds = 0.0
        """How long the last preview took."""
        self.preview_step = engine.step
        self.entry_step = engine.step
        self.entry_time = time.monotonic()

    def after_step(self) -> None:
        """Write an entry and a preview where they are due after the step just made."""
        step, settings = self.engine.step, self.engine.settings
        if step % settings.log_every == 0 or step == settings.steps:
            self._write_entry()
        if step % settings.preview_every == 0 or step == settings.steps:
            self._write_preview()

    def complete(self) -> None:
        """Write what is missing of the steps since the last entry and the last preview."""
        if self.engine.step > self.entry_step:
            self._write_entry()
        if self.engine.step > self.preview_step:
            self._write_preview()

    def close(self) -> None:
        """Close the log."""
        if self.log is not None:
            self.log.close()

    def _write_entry(self) -> None:
        engine = self.engine
        seconds = max(1e-9, time.monotonic() - self.entry_time)
        rate = (engine.step - self.entry_step) * engine.settings.batch_size / seconds
        waiting = engine.wait_seconds / seconds
        values = engine.terms.take()
        if self.log is not None:
            learning_rate = engine.recipe.learning_rate(engine.phases[0].nets[0], engine.step)
            more = {"learning_rate": learning_rate, "images_per_second": rate, "waiting": waiting}
            self.log.write(engine.step, {**values, **more})
        if self.on_step and self.writes:
            self.on_step(engine.step, values, rate)
        self.entry_step, self.entry_time = engine.step, time.monotonic()
        engine.wait_seconds = 0.0

    def _write_preview(self) -> None:
        if self.preview_batch is None:
            return
        engine, started = self.engine, time.monotonic()
        if self.writes:
            with torch.no_grad(), engine.fabric.autocast():
                pictures, columns = engine.recipe.preview(self.preview_batch, dict(engine.average.nets.items()))
            folder = make_folder(engine.run / "previews")
            record: dict[str, JSON] = {
                "edit": "preview of a training",
                "model": type(engine.recipe).__name__,
                "step": engine.step,
            }
            write_recorded(folder / f"{engine.step:07d}.png", grid(pictures, columns), record)
        self.preview_step, self.preview_seconds = engine.step, time.monotonic() - started


def stopped_early(progress: Progress) -> str:
    """One sentence for a run that has not reached its last step."""
    return f"Stopped after step {progress.step} ({progress.reason}); the same command goes on from there."
