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


def hinge_real(scores: Tensor) -> Tensor:
    """max(0, 1 − D(x)): the discriminator's hinge loss on real pictures (Lim & Ye 2017), mean over all entries."""
    return F.relu(1 - full(scores)).mean()


def hinge_fake(scores: Tensor) -> Tensor:
    """max(0, 1 + D(x')): the same on made ones."""
    return F.relu(1 + full(scores)).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """E (‖∇D(x̃)‖₂ − 1)² on pictures between real and made ones (Gulrajani et al. 2017, Eq. 3).

    real, fake: (B,3,H,W). share: (B,) in [0,1], how much of each is real. critic: pictures -> scores of any shape, whose mean over a
    picture is its score. Differentiable, never under autocast.
    """
    real, fake = full(real.detach()), full(fake.detach())
    weight = share.to(real.dtype)[:, None, None, None]
    between = (weight * real + (1 - weight) * fake).requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        scores = critic(between)
        (gradient,) = torch.autograd.grad(scores.flatten(1).mean(dim=1).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """½ E‖∇D(x)‖² on real pictures (Mescheder et al. 2018, R1). real: (B,3,H,W); differentiable, never under autocast."""
    real = full(real.detach()).requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        logits = discriminator(real)
        (gradient,) = torch.autograd.grad(logits.flatten(1).mean(dim=1).sum(), real, create_graph=True)
    return 0.5 * gradient.square().flatten(1).sum(dim=1).mean()
