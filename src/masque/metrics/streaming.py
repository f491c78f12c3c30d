"""Averages over a stream of pairs, with their spread."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypedDict

import torch
from torch import Tensor
from torchmetrics import Metric


class MeanStd(TypedDict):
    """What `Spread` computes."""

    mean: float
    std: float
    """Standard deviation of the samples themselves: no estimate for a larger population."""


class Spread(Metric):
    """Mean and standard deviation of a per-sample measure over all samples seen.

    Works across processes, as every torchmetrics metric does.
    """

    count: Tensor
    total: Tensor
    squares: Tensor

    def __init__(self, measure: Callable[..., Tensor] | None = None) -> None:
        """measure: a function from the arguments of `update` to values (B,); None when `update` gets the values."""
        super().__init__()
        self.measure = measure
        for name in ("count", "total", "squares"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, *samples: Tensor) -> None:
        """Add a batch: the arguments of `measure`, or the values (B,) themselves."""
        values = (self.measure(*samples) if self.measure is not None else samples[0]).double()
        self.count += values.numel()
        self.total += values.sum()
        self.squares += values.square().sum()

    def compute(self) -> MeanStd:
        """The mean and the standard deviation of all samples so far; both NaN before the first."""
        count = float(self.count)
        if not count:
            return {"mean": math.nan, "std": math.nan}
        mean = float(self.total) / count
        return {"mean": mean, "std": math.sqrt(max(0.0, float(self.squares) / count - mean * mean))}
