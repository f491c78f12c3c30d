"""Pixel losses."""

from __future__ import annotations

from torch import Tensor

from masque.losses.precision import full


def weighted_l1(target: Tensor, picture: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """Mean over all pixels of weight ⊙ |target − picture|: Eq. 1–3 of RSGAN with weight = 1 − β·M_BG.

    target, picture: (B,3,H,W). weight: broadcastable to them. The mean goes over every pixel, not over the weights'
    sum, so that the loss of a batch is the mean of its halves' losses."""
    return (weight * (full(target) - full(picture)).abs()).mean()
