"""CCA-GAN's networks (Xu et al. 2021, Section 3, Fig. 2 and 3), and its rivals: StarGAN, and StarGAN with SAGAN's
attention.

paper        here            maps
G            Generator       picture s (B,3,S,S), target attributes t (B,A)  ->  picture G(s, t) (B,3,S,S)
beyond       FlowHead        G's map (B,C,S/4,S/4), with output=flow alone   ->  displacements (B,2,S,S)
D_src, D_cls Discriminator   picture (B,3,S,S)                               ->  logits (B,1,s,s), logits (B,A)
Eq. 1-4      CrossAttention  map (B,C,H,W)                                   ->  map (B,C,H,W)
[4]          SelfAttention   map (B,C,H,W)                                   ->  map (B,C,H,W)

Layers without attention are StarGAN's as published (Choi et al. 2018, tables 4 and 5). What the paper leaves open:
docs/papers/ccagan.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.config import Former, Removed
from masque.layers.flow import FlowHead, mirrored_flow, warp
from masque.layers.instancenorm import InstanceNorm
from masque.layers.precision import finite_attributes, full
from masque.layers.stacks import blurred, he

Attention = Literal["cross", "self", "none"]

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
"""Attributes of which a head has at most one."""

SERVED = ("G",)
"""What an edit needs; the discriminator only serves training."""


@dataclass(frozen=True)
class CCAGANConfig:
    """Sizes and variants."""

    size: int = 128
    """Side S of the picture in pixels (Section 4.1)."""
    channels: int = 64
    """Width of the first map of both networks; doubled at each halving."""
    blocks: int = 6
    """Residual blocks of the generator (Section 3.1)."""
    halvings: int = 6
    """Convolutions of the discriminator, each of which halves the map."""
    attention: Attention = "cross"
    """cross: CCA-GAN. self: StarGAN+SAGAN. none: StarGAN."""
    paints: Literal["whole", "change", "smooth"] = "whole"
    """whole: G paints the picture, as the paper's does. change: G paints what is added to s (Shen & Liu 2017, residual
    images), so that what an edit leaves alone need not be learnt. smooth: what is added is blurred too, so that no
    pattern of single pixels can please D."""
    output: Literal["picture", "flow"] = "picture"
    """picture: what `paints` says is all that G gives. flow: G also gives a displacement of each pixel of s, and the
    change is added to s so bent: a mouth that smiles is moved, and not painted over. Not with `whole`."""
    confined: bool = False
    """What is added to s is added to the person alone, and only the person is moved, so that the background stays
    without a term that asks for it. Not with `whole`."""
    judge: Literal["shared", "apart"] = "shared"
    """shared: D_src and D_cls are two heads of the same convolutions, as in the paper. apart: each has its own, which
    begin as He et al. (2015) advise, so that it learns from its first steps on."""
    mirrored: bool = False
    """An edit is the mean of what G makes of a picture and of its mirror image. Changes of one side alone
    are halved by it; training does not use it."""
    attributes: tuple[str, ...] = ATTRIBUTES
    """Names of the A attributes that G sets and D_cls reads."""
    former: ClassVar[Former] = Former(
        {
            "attended": Removed("rows attend to rows, as in Eq. 1", neutral="rows"),
            "scaled": Removed("Eq. 1 divides by nothing", neutral=False),
        }
    )


class CrossAttention(nn.Module):
    """Cross channel self-attention (Eq. 1-4): whole rows of the map, over all its channels at once, attend to each
    other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, middle = max(1, channels // 8), max(1, channels // 2)  # C̄ and C̃
        self.widths = [narrow, narrow, middle]
        # One convolution reads x for all three. No biases: k's would add the same to all that the softmax compares, so
        # that its gradient would be rounding alone, and v's (α sums to 1) the same to the whole map, which the
        # normalisation after the next layer takes off.
        self.qkv = nn.Conv2d(channels, sum(self.widths), 1, bias=False)
        self.back = nn.Conv2d(middle, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> μ of the same shape; x itself while γ is 0."""
        x = x.contiguous(memory_format=torch.channels_last)  # so that a row is one piece of memory
        q, k, v = self._rows(self.qkv(x))
        alpha = torch.softmax(full(q @ k.transpose(1, 2)), dim=2)  # (B, H, H), Eq. 1
        delta = (alpha.to(v.dtype) @ v).view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2)  # (B, C̃, H, W), Eq. 2, 3
        # Eq. 4. γ multiplies the few weights instead of the whole map.
        attended: Tensor = x + functional.conv2d(delta, self.gamma * self.back.weight)
        return attended

    def _rows(self, projected: Tensor) -> Sequence[Tensor]:
        """(B, 2·C̄ + C̃, H, W) -> q, k (B,H,W·C̄) and v (B,H,W·C̃): each row of the map as one vector."""
        return [part.flatten(2) for part in torch.split(projected.permute(0, 2, 3, 1), self.widths, dim=3)]


class SelfAttention(nn.Module):
    """SAGAN's self-attention (Zhang et al. 2018, Eq. 1-3): every position of the map attends to every other.

    It stands where both networks' maps have a quarter of the picture's side: 32 at 128 px, which its authors found best
    ("feat32")."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, middle = max(1, channels // 8), max(1, channels // 2)
        self.q, self.k = nn.Conv2d(channels, narrow, 1), nn.Conv2d(channels, narrow, 1, bias=False)  # no bias: as above
        self.v, self.back = nn.Conv2d(channels, middle, 1), nn.Conv2d(middle, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> the same shape; x itself while γ is 0."""
        q, k, v = (made.flatten(2) for made in (self.q(x), self.k(x), self.v(x)))  # (B, C̄, HW) twice, (B, C̃, HW)
        beta = torch.softmax(full(q.transpose(1, 2) @ k), dim=2).to(v.dtype)  # (B, HW, HW)
        attended: Tensor = x + self.gamma * self.back((v @ beta.transpose(1, 2)).view(len(x), -1, *x.shape[2:]))
        return attended


def before(channels: int, config: CCAGANConfig) -> list[nn.Module]:
    """What stands before a convolution that reads `channels` channels: CCA-GAN's attention, or nothing."""
    return [CrossAttention(channels)] if config.attention == "cross" else []


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a short cut (StarGAN's bottleneck), attention before each."""

    def __init__(self, channels: int, config: CCAGANConfig) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *before(channels, config),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            InstanceNorm(channels),
            nn.ReLU(),
            *before(channels, config),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> the same shape."""
        result: Tensor = x + self.main(x)
        return result


class Generator(nn.Module):
    """G: down twice, six residual blocks, up twice. The attributes join the picture as constant planes."""

    def __init__(self, config: CCAGANConfig) -> None:
        super().__init__()
        if config.paints == "whole" and (config.confined or config.output == "flow"):
            raise ValueError("a whole picture is neither confined nor moved: set paints to change or smooth")
        width, inputs = config.channels, 3 + len(config.attributes)
        layers = [
            *before(inputs, config),
            nn.Conv2d(inputs, width, 7, padding=3, bias=False),
            InstanceNorm(width),
            nn.ReLU(),
        ]
        for _ in range(2):
            layers += [
                *before(width, config),
                nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False),
                InstanceNorm(2 * width),
                nn.ReLU(),
            ]
            width = 2 * width
        layers += [SelfAttention(width)] if config.attention == "self" else []
        layers += [ResidualBlock(width, config) for _ in range(config.blocks)]
        self.coarsest, coarsest_width = len(layers), width
        for _ in range(2):
            layers += [
                *before(width, config),
                nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False),
                InstanceNorm(width // 2),
                nn.ReLU(),
            ]
            width = width // 2
        layers += [*before(width, config), nn.Conv2d(width, 3, 7, padding=3, bias=False)]
        self.change = config.paints != "whole"
        self.smooth = config.paints == "smooth"
        self.confined = config.confined
        if self.change:
            nn.init.zeros_(layers[-1].weight)  # type: ignore[arg-type]
        self.main = nn.Sequential(*layers)
        self.flow = FlowHead(coarsest_width) if config.output == "flow" else None

    def forward(self, s: Tensor, t: Tensor, person: Tensor) -> Tensor:
        """s: (B,3,S,S) in [-1,1]. t: (B,A) in [0,1]. person: (B,1,S,S) in [0,1], which a G that is not confined does
        not look at.

        Returns (B,3,S,S) in [-1,1].
        """
        return self.joined(s, *self.parts(s, t, person))

    def parts(self, s: Tensor, t: Tensor, person: Tensor) -> tuple[Tensor, Tensor | None]:
        """What G makes of the same: what it paints (B,3,S,S), and by how many pixels it moves each (B,2,S,S), as
        `masque.layers.flow.warp` takes it; None unless output=flow."""
        planes = finite_attributes(t, self).to(s.dtype)[:, :, None, None].expand(-1, -1, *s.shape[2:])
        maps, flow = torch.cat([s, planes], dim=1), None
        if self.flow is None:
            maps = self.main(maps)
        else:
            maps = self.main[: self.coarsest](maps)
            movable = person.expand(len(s), 1, *s.shape[2:]) if self.confined else torch.ones_like(s[:, :1])
            flow = self.flow(maps, movable)
            maps = self.main[self.coarsest :](maps)
        painted = torch.tanh(full(maps))
        if self.confined:
            painted = painted * person.to(painted.dtype)
        return blurred(painted) if self.smooth else painted, flow

    def joined(self, s: Tensor, painted: Tensor, flow: Tensor | None) -> Tensor:
        """The picture (B,3,S,S) in [-1,1] that the parts mean: s, bent where G moves, and what it paints added."""
        if not self.change:
            return painted
        return ((s if flow is None else warp(s, flow)) + painted).clamp(-1, 1)


class Discriminator(nn.Module):
    """D: convolutions that halve the map down to a few pixels, and two heads, or the same for each."""

    def __init__(self, config: CCAGANConfig) -> None:
        super().__init__()
        side = config.size // 2**config.halvings
        if side < 1 or side * 2**config.halvings != config.size:
            raise ValueError(f"{config.size} cannot be halved {config.halvings} times")
        self.main, width = self._trunk(config)
        self.classifier = self._trunk(config)[0] if config.judge == "apart" else None
        self.src = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        self.cls = nn.Conv2d(width, len(config.attributes), side, bias=False)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """(B,3,S,S) -> logits of D_src (B,1,s,s) and of D_cls (B,A)."""
        h = self.main(picture)
        return self.src(h), self.cls(h).flatten(1) if self.classifier is None else self.classify(picture)

    def classify(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) -> logits of D_cls (B,A) alone."""
        trunk = self.main if self.classifier is None else self.classifier
        logits: Tensor = self.cls(trunk(picture)).flatten(1)
        return logits

    @staticmethod
    def _trunk(config: CCAGANConfig) -> tuple[nn.Sequential, int]:
        """The convolutions, and how many channels their last map has."""
        layers, width = before(3, config), 3
        for number in range(config.halvings):
            inputs, width = width, config.channels * 2**number
            if config.attention == "self" and number == 2:
                layers.append(SelfAttention(inputs))
            halving = nn.Conv2d(inputs, width, 4, stride=2, padding=1)
            layers += [he(halving), nn.LeakyReLU(0.2)] if config.judge == "apart" else [halving, nn.LeakyReLU(0.01)]
        return nn.Sequential(*layers), width


class CCAGAN(nn.Module):
    """Both networks of Fig. 2."""

    def __init__(self, config: CCAGANConfig) -> None:
        super().__init__()
        self.config = config
        self.G, self.D = Generator(config), Discriminator(config)

    def edit(self, s: Tensor, t: Tensor, person: Tensor) -> Tensor:
        """G(s, t): pictures (B,3,S,S) with the attributes t (B,A). person: (B,1,S,S), where somebody is in s."""
        if self.config.output == "flow":
            return self.G.joined(s, *self.moved(s, t, person))
        picture: Tensor = self.G(s, t, person)
        if self.config.mirrored:
            picture = (picture + self.G(s.flip(3), t, person.flip(3)).flip(3)) / 2
        return picture

    def moved(self, s: Tensor, t: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
        """The parts of the same edit, with output=flow alone: what is painted (B,3,S,S), and by how many pixels each is
        moved before (B,2,S,S). Mirrored, each is the mean of both views: two pictures bent differently would show
        everything twice. Raises ValueError for a model that moves nothing."""
        painted, flow = self._parts(s, t, person)
        if self.config.mirrored:
            other, other_flow = self._parts(s.flip(3), t, person.flip(3))
            painted = (painted + other.flip(3)) / 2
            flow = (flow + mirrored_flow(other_flow)) / 2
        return painted, flow

    def _parts(self, s: Tensor, t: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
        painted, flow = self.G.parts(s, t, person)
        if flow is None:
            raise ValueError("this model moves nothing: its output is a picture")
        return painted, flow
