"""The running average of weights that becomes the user's model."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn


class Average:
    """Exponential moving averages of some networks, kept as networks of their own."""

    def __init__(self, nets: Mapping[str, nn.Module], decay: float) -> None:
        """nets: by name; the average begins with their weights. decay: what share of the average stays in each step."""
        self.decay = decay
        self.nets = nn.ModuleDict({name: copy.deepcopy(net).eval().requires_grad_(False) for name, net in nets.items()})

    def decay_at(self, step: int) -> float:
        """The decay in `step`, counted from 0: smaller in the first steps, whose weights are not worth remembering."""
        return min(self.decay, (1 + step) / (10 + step))

    @torch.no_grad()
    def update(self, nets: Mapping[str, nn.Module], step: int) -> None:
        """Move the average towards the networks' weights; buffers are taken over as they are."""
        share = 1.0 - self.decay_at(step)
        for name, averaged in self.nets.items():
            pairs = list(zip(averaged.parameters(), nets[name].parameters(), strict=True))
            torch._foreach_lerp_([a for a, _ in pairs], [p.detach().to(a.dtype) for a, p in pairs], share)
            for mine, theirs in zip(averaged.buffers(), nets[name].buffers(), strict=True):
                mine.copy_(theirs)
