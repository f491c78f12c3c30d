"""The run's log: one JSON line per entry, and TensorBoard where it is asked for. The only place that turns tensors into
numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from masque.errors import SettingError, TrainingError
from masque.image import write_atomically
from masque.jsonfile import parse_object
from masque.output import refused
from masque.train.distributed import mean_over_processes

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Log:
    """Appends to the log.jsonl of a run. Opening and writing raise OutputError where the system refuses."""

    def __init__(self, run: Path, step: int, tensorboard: bool) -> None:
        """step: that of the state from which the run goes on; later entries, of a run that was cut off after its last
        state, are dropped. tensorboard: whether all is written for TensorBoard as well. Raises SettingError where that
        is not installed."""
        self.path = run / "log.jsonl"
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n") if self.path.exists() else []
        except OSError as error:
            raise refused(self.path, error) from None
        if lines:
            kept = "".join(line + "\n" for line in lines if line.isascii() and _step_of(line) <= step)
            write_atomically(self.path, lambda part: part.write_text(kept))
        self.board = _board(run / "tensorboard", step) if tensorboard else None

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append an entry of the values, by name, after `step` steps."""
        line = json.dumps({"step": step, **{name: float(f"{v:.6g}") for name, v in values.items()}}) + "\n"
        try:
            with self.path.open("a") as opened:
                opened.write(line)
        except OSError as error:
            raise refused(self.path, error) from None
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what TensorBoard still holds back."""
        if self.board is not None:
            self.board.close()


def _step_of(line: str) -> float:
    try:
        step = parse_object(line)["step"]
        return step if type(step) is int else math.inf
    except (ValueError, KeyError):
        return math.inf  # a line cut off in the middle, or damaged: dropped


def _board(folder: Path, step: int) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise SettingError(
            "tensorboard=true needs the package tensorboard: install it with pip install 'masque[tensorboard]'."
        ) from None
    # What an earlier call logged of later steps than the state's is to vanish; the state's own step was logged before
    # it was saved.
    return SummaryWriter(str(folder), purge_step=step + 1)


class Terms:
    """The terms of recent steps, which stay tensors until they are checked, so that an accelerator is not held up at
    every step."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, str, str, Tensor]] = []
        """Step, phase, name and value of each term that is not checked yet."""
        self.checked: dict[str, list[float]] = {}
        """"phase.term" -> its values since they were last taken."""

    def add(self, step: int, phase: str, terms: Mapping[str, Tensor]) -> None:
        """Remember the terms of one phase in one step."""
        self.waiting += [(step, phase, name, value.detach().float().reshape(())) for name, value in terms.items()]

    def check(self) -> None:
        """Raise TrainingError naming step, phase and term of the first remembered term that is not finite, in whichever
        process."""
        if not self.waiting:
            return
        numbers = mean_over_processes(torch.stack([value for *_, value in self.waiting])).tolist()
        for (step, phase, name, _), number in zip(self.waiting, numbers, strict=True):
            if not math.isfinite(number):
                raise TrainingError(
                    f"Training stopped: the term {name} of phase {phase} became {number} in step {step}; the last good "
                    "state is kept. Give the command again with a lower learning rate or a lower weight for that term, "
                    "and another --out."
                )
            self.checked.setdefault(f"{phase}.{name}", []).append(number)
        self.waiting.clear()

    def take(self) -> dict[str, float]:
        """The mean of each remembered term by "phase.term"; they are then forgotten. Raises TrainingError as `check`
        does."""
        self.check()
        means = {name: sum(numbers) / len(numbers) for name, numbers in self.checked.items()}
        self.checked.clear()
        return means
