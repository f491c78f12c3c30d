"""Random changes of pictures that gradients pass through, so that a discriminator of few pictures does not learn them by heart."""

from __future__ import annotations

import torch
from torch import Tensor

DRAWS = 5
"""Random numbers a picture needs."""


def augment(pictures: Tensor, draws: Tensor) -> Tensor:
    """DiffAugment (Zhao et al. 2020): brightness, saturation, contrast, and a shift by up to an eighth of the side.

    pictures: (B,3,H,W) in [-1,1]. draws: (B,5) in [0,1), one row a picture. Real and made pictures alike are to pass through it.
    """
    b = draws.to(pictures.dtype)[:, :, None, None, None]
    x = pictures + (b[:, 0] - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (2 * b[:, 1])
    level = x.mean(dim=(1, 2, 3), keepdim=True)
    x = level + (x - level) * (b[:, 2] + 0.5)
    height, width = x.shape[2:]
    down, right = (torch.round((draws[:, k] * 2 - 1) * side / 8).long() for k, side in ((3, height), (4, width)))
    return _shifted(_shifted(x, down, 2), right, 3)


def _shifted(x: Tensor, by: Tensor, axis: int) -> Tensor:
    """Each picture moved along an axis by its number of pixels, mid-grey coming in."""
    side = x.shape[axis]
    source = torch.arange(side, device=x.device)[None] - by[:, None]
    inside = (source >= 0) & (source < side)
    shape = [len(x), 1, 1, 1]
    shape[axis] = side
    index = source.clamp(0, side - 1).view(shape).expand_as(x)
    return x.gather(axis, index) * inside.view(shape).to(x.dtype)
