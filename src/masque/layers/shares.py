"""Which sample of a batch goes with which, so that each process's share of the batch suffices."""

from __future__ import annotations

import torch
from torch import Tensor


def block_of(distance: int) -> int:
    """How many samples the blocks have within which `neighbour` stays: a share of whole blocks has the neighbours that
    its samples have in the whole batch."""
    return 1 << distance.bit_length()


def neighbour(count: int, distance: int, device: torch.device) -> Tensor:
    """For each of `count` samples another one, of the same block (`block_of`), or itself where that one is missing."""
    places = torch.arange(count, device=device)
    other = torch.bitwise_xor(places, torch.full_like(places, distance))
    return torch.where(other < count, other, places)
