"""DCGAN (Radford et al. 2015), with which the combination paper begins: 64 pixels from 100 numbers.

paper  here  maps
G      G     z (B,100) uniform in [-1,1]  ->  picture (B,3,64,64)     (Fig. 1: 4×4×1024, doubled four times)
D      D     picture (B,3,64,64)          ->  score (B,1)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masque.layers.batchnorm import BatchNorm
from masque.layers.noise import uniform
from masque.layers.precision import full
from masque.layers.stacks import halvings

SERVED = ("G",)
"""The networks that edits need; D only serves training."""


@dataclass(frozen=True)
class DCGANConfig:
    """Sizes of Fig. 1."""

    size: int = 64
    """Side of the picture: 4 times a power of two from 8 on."""
    channels: int = 128
    """Width of G's last map before the picture; doubled at each halving."""
    critic: int = 64
    """Width of D's first map; doubled at each halving."""
    z: int = 100
    """Z: how many numbers a latent has."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that the networks read: none."""


def _set(net: nn.Module) -> None:
    """All weights N(0, 0.02), as in Section 4 of Radford et al."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """G: projected, then 5×5 transposed convolutions of stride 2, batch-normalised but for the last."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        steps = halvings(config.size, 4)
        widths = [config.channels * 2**k for k in reversed(range(steps))]
        self.project = nn.Linear(config.z, widths[0] * 16, bias=False)
        layers: list[nn.Module] = [BatchNorm(widths[0]), nn.ReLU()]
        for before, after in zip(widths, [*widths[1:], 3], strict=True):
            last = after == 3
            layers.append(nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1, bias=last))
            layers += [] if last else [BatchNorm(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        _set(self)

    def forward(self, z: Tensor) -> Tensor:
        """z (B,Z) in [-1,1] -> pictures (B,3,S,S) in [-1,1]."""
        return full(self.layers(self.project(z).unflatten(1, (-1, 4, 4)))).tanh()


class Discriminator(nn.Module):
    """D: 5×5 convolutions of stride 2, batch-normalised but for the first."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        steps = halvings(config.size, 4)
        widths = [config.critic * 2**k for k in range(steps)]
        layers: list[nn.Module] = []
        for before, after in zip([3, *widths], widths, strict=False):
            layers.append(nn.Conv2d(before, after, 5, stride=2, padding=2, bias=before == 3))
            layers += [nn.LeakyReLU(0.2)] if before == 3 else [BatchNorm(after), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * widths[-1], 1))
        _set(self)

    def forward(self, picture: Tensor) -> Tensor:
        """Pictures (B,3,S,S) -> scores (B,1)."""
        return full(self.layers(picture))


class DCGAN(nn.Module):
    """G, and what its latents are: the networks that edits need."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        self.config = config
        self.G = Generator(config)

    def generate(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """z (B,Z) -> pictures (B,3,S,S). truncation: z times this, in [0,1], is painted: 0 is the middle of the
        domain."""
        made: Tensor = self.G(truncation * z)
        return made

    def draw(self, seeds: Tensor, name: str, device: torch.device | None = None) -> Tensor:
        """z (B,Z) of its prior, uniform in [-1,1]."""
        return 2 * uniform(seeds, name, self.config.z, device) - 1

    def settle(self, z: Tensor) -> Tensor:
        """The nearest z (B,Z) of its domain."""
        return z.clamp(-1, 1)

    @property
    def bound(self) -> float:
        """The largest magnitude that a number of a latent may have."""
        return 1.0

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of entries that a latent may have: Z alone, since there is no detail beyond z."""
        return (self.config.z,)

    def widened(self, z: Tensor, most: int | None = None) -> Tensor:  # noqa: ARG002
        """Latents (N,Z) with zeros for the detail that they lack: unchanged, since there is none."""
        return z

    def parts(self, z: Tensor) -> list[Tensor]:
        """The parts of latents (N,Z) that are measured apart: z alone."""
        return [z]

    def redraw(self, share: Tensor) -> Tensor:
        """Numbers of the prior, uniform in [-1,1), from numbers uniform in [0,1)."""
        return 2 * share - 1
