"""Batch normalisation over the batch of all processes together, on any device."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn import functional as F

from masque.layers.precision import full


class BatchNorm(nn.Module):
    """Means and variances over the whole batch, however many processes share it; running averages in use.

    torch's SyncBatchNorm does this on accelerators alone, and without it two processes would train another network than
    one does. The running averages are learnt like weights: only where weights are."""

    mean: Tensor
    variance: Tensor

    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, momentum: float = 0.1, eps: float = 1e-5, affine: bool = True) -> None:
        """affine: scale and shift what is normalised by learnt numbers; without, `learning` has to be set by whoever
        owns this."""
        super().__init__()
        self.momentum = momentum
        self.eps = eps
        self.affine = affine
        self.learning = False
        if affine:
            self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        else:
            self.register_buffer("weight", torch.ones(channels), persistent=False)
            self.register_buffer("bias", torch.zeros(channels), persistent=False)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> the same shape."""
        if not self.training:
            return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, eps=self.eps)
        learning = self.weight.requires_grad if self.affine else self.learning
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            mean, variance = (self.mean, self.variance) if learning else (None, None)
            return F.batch_norm(
                x, mean, variance, self.weight, self.bias, training=True, momentum=self.momentum, eps=self.eps
            )
        world = torch.distributed.get_world_size()
        precise = full(x)
        moments = torch.stack([precise.mean(dim=(0, 2, 3)), precise.square().mean(dim=(0, 2, 3))])
        middle, square = all_reduce(moments) / world  # type: ignore[no-untyped-call]
        spread = square - middle.square()
        if learning:
            count = world * x.numel() // x.shape[1]
            with torch.no_grad():
                self.mean.lerp_(middle.to(self.mean.dtype), self.momentum)
                self.variance.lerp_((spread * count / max(1, count - 1)).to(self.variance.dtype), self.momentum)
        scale = self.weight * torch.rsqrt(spread + self.eps)
        made: Tensor = precise * scale[:, None, None] + (self.bias - middle * scale)[:, None, None]
        return made.to(x.dtype)
