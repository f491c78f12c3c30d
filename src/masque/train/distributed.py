"""Averages over processes: all that several processes need, without wrapping a module.

A wrapper such as DistributedDataParallel hooks a module's forward, so penalties and calls to sub-networks slip past it
unsynchronised."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from lightning_fabric.utilities.rank_zero import rank_zero_only
from torch import Tensor, nn


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over all processes, in one all-reduce. Parameters without a gradient stay
    without one."""
    if not _several():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def mean_over_processes(values: Tensor) -> Tensor:
    """The mean of each value over all processes: what is not finite in one of them is then not finite in any."""
    if not _several():
        return values
    total = values.clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


def process_count() -> int:
    """How many processes train together: 1 unless several were launched."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def first_process() -> bool:
    """Whether this is the process, or the first of several, that writes and speaks for all: known before they are
    launched, too."""
    return rank_zero_only.rank == 0  # type: ignore[attr-defined]


def _several() -> bool:
    return process_count() > 1
