"""Random changes of pictures that gradients pass through, so that a discriminator of few pictures does not learn them
by heart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

DRAWS = 5
"""Random numbers a picture needs for `augment`."""

GRID = 4
LIGHTS = GRID**2
"""Random numbers a picture needs for `in_grey_light`: the light at so many places."""

LUMINANCE = (0.299, 0.587, 0.114)
"""ITU-R BT.601"""


def augment(pictures: Tensor, draws: Tensor) -> Tensor:
    """DiffAugment (Zhao et al. 2020): brightness, saturation, contrast, and a shift by up to an eighth of the side.

    pictures: (B,3,H,W) in [-1,1]. draws: (B,5) in [0,1), one row a picture. Real and made pictures alike are to pass
    through it."""
    b = draws.to(pictures.dtype)[:, :, None, None, None]
    x = pictures + (b[:, 0] - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (2 * b[:, 1])
    level = x.mean(dim=(1, 2, 3), keepdim=True)
    x = level + (x - level) * (b[:, 2] + 0.5)
    height, width = x.shape[2:]
    down, right = (torch.round((draws[:, k] * 2 - 1) * side / 8).long() for k, side in ((3, height), (4, width)))
    return _shifted(_shifted(x, down, 2), right, 3)


def in_grey_light(pictures: Tensor, draws: Tensor, strength: float) -> Tensor:
    """Pictures without colours, in light that varies across them: what is left to tell them by is edges.

    pictures: (B,3,H,W) in [-1,1]. draws: (B,LIGHTS) in [0,1), one row a picture. The light is smooth and lies between
    exp(-strength) and exp(strength) times what it was. Returns (B,3,H,W), from -1 on."""
    grey = (pictures * pictures.new_tensor(LUMINANCE)[:, None, None]).sum(dim=1, keepdim=True)
    coarse = torch.exp(strength * (2 * draws - 1)).view(-1, 1, GRID, GRID)
    light = functional.interpolate(coarse, pictures.shape[2:], mode="bilinear", align_corners=True).to(grey.dtype)
    return ((grey + 1) * light - 1).expand(-1, 3, -1, -1)


def _shifted(x: Tensor, by: Tensor, axis: int) -> Tensor:
    """Each picture moved along an axis by its number of pixels, mid-grey coming in."""
    side = x.shape[axis]
    source = torch.arange(side, device=x.device)[None] - by[:, None]
    inside = (source >= 0) & (source < side)
    shape = [len(x), 1, 1, 1]
    shape[axis] = side
    index = source.clamp(0, side - 1).view(shape).expand_as(x)
    return x.gather(axis, index) * inside.view(shape).to(x.dtype)
