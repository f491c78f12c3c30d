"""ResNet-18 and ResNet-50 (He et al. 2016, Table 1) without their last layer, for faces of any side from 32 pixels
on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from masque.layers.batchnorm import BatchNorm
from masque.layers.precision import full

Depth = Literal[18, 50]

BLOCKS: dict[Depth, Sequence[int]] = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
"""Blocks of each of the four stages; each stage but the first halves the map and doubles the width."""


class ResNet(nn.Module):
    """A stem, four stages of residual blocks, and the average over what they leave.

    The stem is the published one, 7×7 of stride 2 and max-pooling, for sides from 112 on. A smaller picture would be
    gone before the last stage: it gets a 3×3 without pooling, of stride 2 from 56 pixels on, so that pictures of 32, 64
    and 128 all end in maps of 4×4."""

    def __init__(self, depth: Depth, size: int, width: int = 64) -> None:
        """size: side of the pictures in pixels, from 32 on. width: channels of the first stage, 64 as published. Raises
        ValueError."""
        super().__init__()
        if size < 32 or width < 1:
            raise ValueError(f"a ResNet of {width} channels cannot see {size} pixels")
        wide, fine = size >= 112, size < 56
        self.stem = nn.Sequential(
            _convolution(3, width, 7 if wide else 3, 1 if fine else 2), BatchNorm(width), nn.ReLU()
        )
        self.pool = nn.MaxPool2d(3, 2, padding=1) if wide else nn.Identity()
        blocks: list[nn.Module] = []
        channels = width
        for stage, count in enumerate(BLOCKS[depth]):
            for place in range(count):
                block = Block(channels, width * 2**stage, 2 if stage and not place else 1, bottleneck=depth == 50)
                channels = block.channels
                blocks.append(block)
        self.blocks = nn.Sequential(*blocks)
        self.channels = channels
        """C: 8 times the width for ResNet-18, 32 times for ResNet-50."""

    def forward(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) -> (B,C)."""
        return full(self.blocks(self.pool(self.stem(picture)))).mean(dim=(2, 3))


class Block(nn.Module):
    """Two 3×3 convolutions beside a short cut; as a bottleneck 1×1, 3×3 and 1×1 to four times the width (Fig. 5)."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        self.channels = 4 * width if bottleneck else width
        # The stride is the 3×3's: in the published bottleneck it is the first 1×1's, which skips three quarters of the
        # map unseen.
        shapes = (
            [(inputs, width, 1, 1), (width, width, 3, stride), (width, self.channels, 1, 1)]
            if bottleneck
            else [(inputs, width, 3, stride), (width, width, 3, 1)]
        )
        layers: list[nn.Module] = []
        for before, after, kernel, step in shapes:
            layers += [_convolution(before, after, kernel, step), BatchNorm(after), nn.ReLU()]
        self.body = nn.Sequential(*layers[:-1])
        same = stride == 1 and inputs == self.channels
        self.short = (
            nn.Identity()
            if same
            else nn.Sequential(_convolution(inputs, self.channels, 1, stride), BatchNorm(self.channels))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> (B,C',H',W')."""
        return functional.relu(self.short(x) + self.body(x))


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv2d:
    """Without a bias, which the normalisation after it would take away; He's initialisation (2015) for rectifiers."""
    made = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    return made
