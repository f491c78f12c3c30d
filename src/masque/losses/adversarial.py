"""Adversarial losses on logits (the discriminator's output before the sigmoid), and the gradient penalty that keeps it
smooth."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from masque.losses.precision import full


def real_loss(logits: Tensor, weight: Tensor | None = None) -> Tensor:
    """−log D(x): small when the discriminator calls the pictures real.

    logits of any shape; mean over all entries, or by weight (of their shape) over each picture's and then over
    pictures."""
    return mean_of(F.softplus(-full(logits)), weight)


def fake_loss(logits: Tensor, weight: Tensor | None = None) -> Tensor:
    """−log(1 − D(x')): small when the discriminator calls the pictures made.

    logits, weight: as in `real_loss`."""
    return mean_of(F.softplus(full(logits)), weight)


def hinge_real(scores: Tensor, weight: Tensor | None = None) -> Tensor:
    """max(0, 1 − D(x)): the discriminator's hinge loss on real pictures (Lim & Ye 2017)."""
    return mean_of(F.relu(1 - full(scores)), weight)


def hinge_fake(scores: Tensor, weight: Tensor | None = None) -> Tensor:
    """max(0, 1 + D(x')): the discriminator's hinge loss on made pictures (Lim & Ye 2017)."""
    return mean_of(F.relu(1 + full(scores)), weight)


def mean_of(values: Tensor, weight: Tensor | None) -> Tensor:
    """The mean, or of each picture (the first dimension) the mean by weight, and then of all; a picture of no weight
    counts 0."""
    if weight is None:
        return values.mean()
    whole = (values * weight).flatten(1).sum(dim=1) / weight.flatten(1).sum(dim=1).clamp(min=1e-6)
    return whole.mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """E (‖∇D(x̃)‖₂ − 1)² on pictures between real and made ones (Gulrajani et al. 2017, Eq. 3).

    real, fake: (B,3,H,W). share: (B,) in [0,1], how much of each is real. critic: pictures -> scores of any shape,
    whose mean over a picture is its score. Differentiable, never under autocast."""
    real, fake = full(real.detach()), full(fake.detach())
    weight = share.to(real.dtype)[:, None, None, None]
    between = (weight * real + (1 - weight) * fake).requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        scores = critic(between)
        (gradient,) = torch.autograd.grad(scores.flatten(1).mean(dim=1).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


R1_EVERY = 16
"""R1 is due in every so many steps unless settings say otherwise, and then so many times as strong: the same pull on
average (Karras et al. 2020)."""


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """½ E‖∇D(x)‖² on real pictures (Mescheder et al. 2018, R1). real: (B,3,H,W); differentiable, never under
    autocast."""
    real = full(real.detach()).requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        logits = discriminator(real)
        (gradient,) = torch.autograd.grad(logits.flatten(1).mean(dim=1).sum(), real, create_graph=True)
    return 0.5 * gradient.square().flatten(1).sum(dim=1).mean()
