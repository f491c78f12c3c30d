"""Adversarial losses on logits (the discriminator's output before the sigmoid), and the gradient penalty that keeps it smooth."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from masque.losses.precision import full


def real_loss(logits: Tensor) -> Tensor:
    """−log D(x): small when the discriminator calls the pictures real. logits of any shape; mean over all entries."""
    return F.softplus(-full(logits)).mean()


def fake_loss(logits: Tensor) -> Tensor:
    """−log(1 − D(x')): small when the discriminator calls the pictures made."""
    return F.softplus(full(logits)).mean()


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """½ E‖∇D(x)‖² on real pictures (Mescheder et al. 2018, R1). real: (B,3,H,W); differentiable, never under autocast."""
    real = full(real.detach()).requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        logits = discriminator(real)
        (gradient,) = torch.autograd.grad(logits.flatten(1).mean(dim=1).sum(), real, create_graph=True)
    return 0.5 * gradient.square().flatten(1).sum(dim=1).mean()
