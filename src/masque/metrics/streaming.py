"""Averages over a stream of pairs, with their spread."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics import Metric


class Spread(Metric):
    """Mean and standard deviation (over all samples, not an estimate for more) of a per-sample measure.

    Works across processes, as every torchmetrics metric does.
    """

    count: Tensor
    total: Tensor
    squares: Tensor

    def __init__(self, measure: Callable[..., Tensor] | None = None) -> None:
        """measure: what turns the arguments of `update` into (B,) values; None when they are the values."""
        super().__init__()
        self.measure = measure
        for name in ("count", "total", "squares"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, *samples: Tensor) -> None:
        """Take in a batch."""
        values = (self.measure(*samples) if self.measure is not None else samples[0]).double()
        self.count += values.numel()
        self.total += values.sum()
        self.squares += values.square().sum()

    def compute(self) -> dict[str, float]:
        """{"mean", "std"}; NaN before the first sample."""
        count = float(self.count)
        if not count:
            return {"mean": math.nan, "std": math.nan}
        mean = float(self.total) / count
        return {"mean": mean, "std": math.sqrt(max(0.0, float(self.squares) / count - mean * mean))}
