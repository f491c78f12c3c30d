"""Which sample of a batch goes with which, so that each process's share of the batch suffices."""

from __future__ import annotations

import torch
from torch import Tensor


def neighbour(count: int, distance: int, device: torch.device) -> Tensor:
    """For each of `count` samples another one: places change within blocks of 2·distance, so also within each process's
    share."""
    places = torch.arange(count, device=device)
    other = torch.bitwise_xor(places, torch.full_like(places, distance))
    return torch.where(other < count, other, places)
