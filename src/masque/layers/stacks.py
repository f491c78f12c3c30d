"""Stacks of convolutions that halve or double a square map."""

from __future__ import annotations

import math

from torch import Tensor, nn


def halvings(size: int, to: int) -> int:
    """How often `size` is halved on the way to `to`. Raises ValueError when it is not `to` times a power of two."""
    steps = round(math.log2(size / to)) if size >= to else -1
    if steps < 0 or to * 2**steps != size:
        raise ValueError(f"{size} is not {to} times a power of two")
    return steps


def down_stack(inputs: int, channels: int, size: int, to: int, widest: int = 512) -> tuple[nn.Sequential, int]:
    """4×4 convolutions of stride 2 from size² down to to² maps; and how many channels the last one has.

    Channels start at `channels` and double up to `widest`. No normalisation: every picture is treated alone, so a batch
    split over processes gives the same answers, and He's initialisation keeps the maps in range."""
    layers: list[nn.Module] = []
    width = inputs
    for step in range(halvings(size, to)):
        before, width = width, min(channels * 2**step, widest)
        layers += [he(nn.Conv2d(before, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers), width


def up_stack(channels: int, size: int, start: int, widest: int = 512) -> tuple[nn.Sequential, int]:
    """4×4 transposed convolutions of stride 2 from start² up to size² maps and one 3×3 to RGB; and how many channels
    the first map has.

    The finest map has `channels`, each coarser one twice as many up to `widest`; the first is rectified before use.
    """
    steps = halvings(size, start)
    width = min(channels * 2**steps, widest)
    first = width
    layers: list[nn.Module] = [nn.LeakyReLU(0.2)]
    for step in reversed(range(steps)):
        before, width = width, min(channels * 2**step, widest)
        layers += [he(nn.ConvTranspose2d(before, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
    layers.append(he(nn.Conv2d(width, 3, 3, padding=1), gain=0.5))
    return nn.Sequential(*layers), first


def blurred(picture: Tensor) -> Tensor:
    """(B,C,H,W) -> the same shape, weighed by (1 2 1)/4 along both axes: what changes sign from pixel to pixel is
    gone."""
    between = nn.functional.avg_pool2d(picture, 2, stride=1, padding=1, count_include_pad=False)  # edges count twice
    return nn.functional.avg_pool2d(between, 2, stride=1)


class Residual(nn.Module):
    """Two 3×3 convolutions beside a short cut (He et al. 2015); the second starts at zero, so the block starts as
    nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = he(nn.Conv2d(channels, channels, 3, padding=1))
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> the same shape."""
        h = nn.functional.leaky_relu(self.first(nn.functional.leaky_relu(x, 0.2)), 0.2)
        result: Tensor = x + self.second(h)
        return result


def he(layer: nn.Conv2d | nn.ConvTranspose2d, gain: float = 1.0) -> nn.Module:
    """He's initialisation (2015) for leaky rectifiers of slope 0.2, by the number of inputs that reach one output
    pixel."""
    reach = (
        layer.in_channels
        * layer.kernel_size[0]
        * layer.kernel_size[1]
        // (layer.stride[0] ** 2 if isinstance(layer, nn.ConvTranspose2d) else 1)
    )
    nn.init.normal_(layer.weight, std=gain * math.sqrt(2.0 / (1 + 0.2**2) / reach))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
