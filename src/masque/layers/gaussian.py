"""The latent distribution that an encoder infers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from masque.layers.precision import full


@dataclass(frozen=True)
class Gaussian:
    """A diagonal Gaussian N(μ, σ²) for each picture of a batch."""

    mean: Tensor
    """μ (B,Z): mean of each entry of the latent."""
    log_variance: Tensor
    """log σ² (B,Z): logarithm of each entry's variance."""

    def sample(self, noise: Tensor | None) -> Tensor:
        """μ + σ·noise, (B,Z); the mean itself without noise (B,Z)."""
        if noise is None:
            return self.mean
        return self.mean + noise * torch.exp(0.5 * self.log_variance)


def as_gaussian(statistics: Tensor) -> Gaussian:
    """Mean and log variance side by side, (B,2Z). The log variance is kept in [-8,4], where its exponential is harmless
    in bf16."""
    mean, log_variance = full(statistics).chunk(2, dim=1)
    return Gaussian(mean, log_variance.clamp(-8, 4))
