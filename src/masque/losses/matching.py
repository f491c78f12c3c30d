"""Distances between the maps that a network makes of two pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from masque.losses.precision import full


def half_square(a: Tensor, b: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """½‖a − b‖² of portrait Eq. 3.1, 3.2 and 3.5, as a mean over all entries, weighted."""
    return 0.5 * (weight * (full(a) - full(b)).square()).mean()


def feature_matching(made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """L_FM of portrait Eq. 3.5 over several maps: the mean of their ½‖·‖². Only the made picture's maps get a
    gradient."""
    return torch.stack([half_square(a, b.detach()) for a, b in zip(made, real, strict=True)]).mean()


def perceptual_distance(
    made: Sequence[Tensor], real: Sequence[Tensor], whole: Callable[[Tensor], Tensor] = lambda mean: mean
) -> Tensor:
    """Mean absolute difference of maps, each over its own mean size, averaged (portrait Eq. 2.12, with any network in
    VGG's place).

    whole: from a mean over these pictures to that over the whole batch, of which they may be a process's share."""
    parts = [
        (full(a) - full(b.detach())).abs().mean() / (whole(full(b.detach()).abs().mean()) + 1e-6)
        for a, b in zip(made, real, strict=True)
    ]
    return torch.stack(parts).mean()
