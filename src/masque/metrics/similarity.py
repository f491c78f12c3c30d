"""How alike two pictures are, pixel by pixel and in structure. Pictures are float (B,3,H,W) in [-1,1]; errors are on a
[0,1] scale."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, the finest first (Wang et al. 2003)."""

C1 = 0.01**2
"""Stabilises the luminance term (Wang et al. 2004, for values in [0,1])."""

C2 = 0.03**2
"""Stabilises the contrast-structure term."""


def absolute_error(a: Tensor, b: Tensor, valid: Tensor | None = None) -> Tensor:
    """Mean |a − b| of each pair, (B,), on a [0,1] scale. valid: (B,1,H,W), weights of the pixels; all alike if None."""
    difference = (a.float() - b.float()).abs().mean(dim=1, keepdim=True) / 2
    if valid is None:
        return difference.mean(dim=(1, 2, 3))
    return (difference * valid).sum(dim=(1, 2, 3)) / valid.sum(dim=(1, 2, 3)).clamp(min=1e-6)


def ms_ssim(a: Tensor, b: Tensor, valid: Tensor | None = None) -> Tensor:
    """Multi-scale structural similarity (Wang et al. 2003) of each pair, (B,), at most 1.

    Five scales, Gaussian windows of 11 pixels (σ 1.5); where a scale is smaller than 11 pixels the window shrinks to
    it, σ in proportion, as in the implementation that GAN papers of 2017 and 2018 used, so that 128 and 64 px can be
    measured. From 176 px on it is the textbook value. valid: (B,1,H,W) weights of the pixels."""
    a, b = (a.float() + 1) / 2, (b.float() + 1) / 2
    weight = torch.ones_like(a[:, :1]) if valid is None else valid.float()
    score = torch.ones(len(a), device=a.device)
    for level, power in enumerate(SCALE_WEIGHTS):
        luminance, structure = _ssim_maps(a, b)
        local = _window(weight)
        local = local / local.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)
        last = level == len(SCALE_WEIGHTS) - 1
        part = (((luminance * structure) if last else structure).mean(dim=1, keepdim=True) * local).sum(dim=(1, 2, 3))
        score = score * part.clamp(min=0) ** power
        if not last:
            a, b, weight = (F.avg_pool2d(t, 2) for t in (a, b, weight))
    return score


def _window(x: Tensor) -> Tensor:
    """Gaussian means over all windows that lie wholly inside: (B,C,H,W) -> (B,C,H−k+1,W−k+1)."""
    for dim, extent in ((2, x.shape[2]), (3, x.shape[3])):
        size = min(11, extent)
        sigma = 1.5 * size / 11
        places = torch.arange(size, device=x.device, dtype=x.dtype) - (size - 1) / 2
        kernel = torch.exp(-0.5 * (places / sigma) ** 2)
        kernel = (kernel / kernel.sum()).view(1, 1, *((size, 1) if dim == 2 else (1, size)))
        means = F.conv2d(x.flatten(0, 1)[:, None], kernel)
        x = means.view(*x.shape[:2], *means.shape[2:])
    return x


def _ssim_maps(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The luminance term and the contrast-structure term of each window."""
    mean_a, mean_b = _window(a), _window(b)
    var_a, var_b = _window(a * a) - mean_a**2, _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return luminance, (2 * covariance + C2) / (var_a + var_b + C2)
