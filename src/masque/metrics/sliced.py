"""Sliced Wasserstein distance between two sets of pictures, size by size (Karras et al. 2017, Section 5)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

PATCH = 7
"""Side of a patch in pixels."""

PATCHES = 128
"""Patches that are cut from each picture at each level."""

DIRECTIONS = 512
"""Random directions on which patches are projected."""

SMALLEST = 16
"""Side of the coarsest level in pixels."""

_BLUR = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


def sliced_wasserstein(real: Tensor, made: Tensor, seed: int = 0) -> dict[int, float]:
    """{side of the level: distance × 1000}, of as many pictures each.

    real, made: (N,3,S,S) in [-1,1], S a power of two from 16 on. Of each level of the Laplacian pyramid 128 patches of
    7×7 a picture are taken at random places, normalised per channel over the set, projected on 512 random directions
    and compared sorted. As published, distances are × 1000. Raises ValueError for sets of different numbers or sizes.
    """
    if real.shape != made.shape:
        raise ValueError(
            f"both sets must have as many pictures of one size, not {tuple(real.shape)} and {tuple(made.shape)}"
        )
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for a, b in zip(_pyramid(real.float()), _pyramid(made.float()), strict=True):
        # Places and directions are drawn once for both, so that equal sets are at distance 0.
        places = torch.randint(0, a.shape[2] - PATCH + 1, (2, len(a) * PATCHES), generator=generator)
        first, second = (_patches(level, places) for level in (a, b))
        directions = F.normalize(torch.randn(first.shape[1], DIRECTIONS, generator=generator), dim=0)
        difference = (first @ directions).sort(dim=0).values - (second @ directions).sort(dim=0).values
        result[a.shape[2]] = 1000 * float(difference.abs().mean())
    return result


def _pyramid(pictures: Tensor) -> list[Tensor]:
    levels = []
    while pictures.shape[2] > SMALLEST:
        small = _blurred(pictures)[:, :, ::2, ::2]
        levels.append(pictures - F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False))
        pictures = small
    return [*levels, pictures]


def _blurred(pictures: Tensor) -> Tensor:
    kernel = (_BLUR[:, None] * _BLUR[None]).expand(3, 1, 5, 5)
    return F.conv2d(F.pad(pictures, (2, 2, 2, 2), mode="reflect"), kernel, groups=3)


def _patches(level: Tensor, places: Tensor) -> Tensor:
    """(N·128, 3·7·7), each channel of mean 0 and variance 1 over all patches."""
    unfolded = level.unfold(2, PATCH, 1).unfold(3, PATCH, 1)  # (N,3,h,w,7,7)
    picture = torch.arange(len(level)).repeat_interleave(PATCHES)
    patches = unfolded[picture, :, places[0], places[1]]  # (N·128,3,7,7)
    mean, deviation = patches.mean(dim=(0, 2, 3), keepdim=True), patches.std(dim=(0, 2, 3), keepdim=True)
    return ((patches - mean) / deviation.clamp(min=1e-8)).flatten(1)
