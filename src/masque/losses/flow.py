"""Losses of displacement fields."""

from __future__ import annotations

from torch import Tensor

from masque.losses.precision import full


def unevenness(flow: Tensor) -> Tensor:
    """How much a field (B,2,H,W), in pixels, differs from one pixel to the next: the mean over pixels of |∂u/∂x|² +
    |∂u/∂y|² (Balakrishnan et al. 2019, VoxelMorph, Eq. 8). 0 for a picture moved as a whole; from 1 on a field may fold
    the picture."""
    u = full(flow)
    across, down = u[..., 1:] - u[..., :-1], u[:, :, 1:] - u[:, :, :-1]
    return across.square().sum(dim=1).mean() + down.square().sum(dim=1).mean()
