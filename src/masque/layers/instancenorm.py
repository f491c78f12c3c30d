"""Instance normalisation that keeps the memory layout."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class InstanceNorm(nn.InstanceNorm2d):
    """Each picture for itself, with learnt scale and shift."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> the same shape, in the memory layout that came in."""
        # PyTorch's own answers in another layout than the convolutions around it, and every layer until the next one
        # would pay.
        layout = torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
        return super().forward(x).contiguous(memory_format=layout)
