"""Runs small enough to be repeated: every family of the catalog at its tiny preset, and a recipe of one straight
line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from masque import runs
from masque.data.batches import Batch, Batches
from masque.data.frames import FrameSet, load_frames
from masque.image import Picture
from masque.train.engine import Engine
from masque.train.phase import Phase


@cache
def puppet_frames(size: int, names: tuple[str, ...]) -> FrameSet:
    return load_frames(["puppets:24"], size, names, labels="any")


def fingerprint(module: nn.Module) -> str:
    """A hash over all parameters and buffers."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def leaves(state: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested state with its path."""
    if isinstance(state, Mapping):
        for name, value in state.items():
            yield from leaves(value, f"{path}/{name}")
    elif isinstance(state, (list, tuple)):
        for number, value in enumerate(state):
            yield from leaves(value, f"{path}/{number}")
    else:
        yield path, state


def differing(a: Any, b: Any) -> list[str]:
    """Paths at which two states are not the same bit for bit."""
    first, second = dict(leaves(a)), dict(leaves(b))
    same = lambda x, y: torch.equal(x, y) and x.dtype == y.dtype if isinstance(x, Tensor) else x == y  # noqa: E731
    return [
        path
        for path in sorted(first.keys() | second.keys())
        if path not in first or path not in second or not same(first[path], second[path])
    ]


@dataclass
class TinyRun:
    """A family's tiny run with its engine and its batches."""

    plan: runs.Plan
    engine: Engine
    batches: Batches

    def batch(self, step: int) -> Batch:
        return self.engine.to_device(self.batches(step))

    def go(self, count: int) -> None:
        for _ in range(count):
            self.engine.run_step(self.batch(self.engine.step))

    def fingerprints(self) -> dict[str, str]:
        return {name: fingerprint(net) for name, net in self.engine.nets.items()}


Loss = Callable[[nn.Module, Batch], Tensor]


class Line:
    """A recipe that fits y = a·x + b by gradient descent; a second network is there to stay as it is."""

    served = ("line",)

    def __init__(self, loss: Loss | None = None, rate: float = 0.1, weight: Any = 1.0) -> None:
        torch.manual_seed(0)
        self.nets: Mapping[str, nn.Module] = {"line": nn.Linear(1, 1), "spare": nn.BatchNorm1d(1)}
        self.loss, self.rate, self.weight = loss or squared_error, rate, weight

    def phases(self) -> Sequence[Phase]:
        return [Phase("fit", ("line",), self.terms, {"square": self.weight})]

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        return {"square": self.loss(self.nets["line"], batch)}

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        return torch.optim.SGD(parameters, lr=1.0, momentum=0.5)

    def learning_rate(self, name: str, step: int) -> float:  # noqa: ARG002
        return self.rate / (1 + step)

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        shade = int(nets["line"](batch["x"]).abs().mean() > 0) * 200
        return [np.full((4, 6, 3), shade, np.uint8)] * 6, 3


def squared_error(line: nn.Module, batch: Batch) -> Tensor:
    return (line(batch["x"]) - batch["y"]).square().mean()


class Points:
    """Batches of points on y = 2x − 1, a function of the step."""

    def __call__(self, step: int) -> Batch:
        x = torch.rand(4, 1, generator=torch.Generator().manual_seed(step))
        return {"x": x, "y": 2 * x - 1, "step": torch.tensor(step)}

    def prefetch(
        self,
        start: int,
        stop: int,
        workers: int = 0,  # noqa: ARG002
        pinned: bool = False,  # noqa: ARG002
    ) -> Iterator[Batch]:
        return map(self, range(start, stop))
