"""Displacement fields: where each pixel of a picture that is bent comes from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.layers.precision import full
from masque.layers.stacks import he

CELL = 4
"""Pixels along a side that share one value of a predicted field, before it is enlarged smoothly."""

REACH = 1 / 16
"""How far a pixel may come from, as a share of the picture's side: a smile moves the corners of the mouth by half as
much."""


class FlowHead(nn.Module):
    """A smooth, bounded displacement field from a network's features; zero at first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = max(1, channels // 2)
        last = nn.Conv2d(middle, 2, 3, padding=1, bias=False)
        nn.init.zeros_(last.weight)
        self.main = nn.Sequential(he(nn.Conv2d(channels, middle, 3, padding=1)), nn.LeakyReLU(0.2), last)

    def forward(self, features: Tensor, movable: Tensor) -> Tensor:
        """features: (B,C,S/4,S/4). movable: (B,1,S,S), 0 where the picture shall stay as it is.

        Returns (B,2,S,S): x and y in pixels, as `warp` takes them; 0 where movable is, and fading to next to nothing at
        the picture's border."""
        coarse = full(self.main(features)) * room(movable)
        size = movable.shape[-1]
        # A triangle, then a box: together a quadratic B-spline, which reaches 1.5 cells and has no kinks.
        enlarged = functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        enlarged = functional.avg_pool2d(enlarged, CELL + 1, stride=1, padding=CELL // 2)
        return REACH * size * torch.tanh(enlarged)


def room(movable: Tensor) -> Tensor:
    """(B,1,S,S) -> (B,1,S/4,S/4): the least value that a cell's displacement can reach, the nine cells around it. What
    lies beyond the picture cannot be moved."""
    least = -functional.max_pool2d(-full(movable), CELL)
    return -functional.max_pool2d(functional.pad(-least, (1, 1, 1, 1)), 3, stride=1)


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """The picture (B,C,S,S) with every pixel taken from elsewhere, by linear interpolation between four (Jaderberg et
    al. 2015, Eq. 5); beyond its border it is continued.

    flow: (B,2,S,S), where a pixel of the result comes from minus where it is, x and y in pixels."""
    height, width = picture.shape[2:]
    y, x = (torch.arange(side, dtype=flow.dtype, device=flow.device) for side in (height, width))
    across = (2 * (x + flow[:, 0]) + 1) / width - 1
    down = (2 * (y[:, None] + flow[:, 1]) + 1) / height - 1
    grid = torch.stack([across, down], dim=-1)
    return functional.grid_sample(full(picture), full(grid), padding_mode="border", align_corners=False)


def mirrored_flow(flow: Tensor) -> Tensor:
    """The field (B,2,S,S) that bends the mirrored picture into what this one bends the picture into, mirrored."""
    return flow.flip(3) * flow.new_tensor([-1.0, 1.0])[:, None, None]
