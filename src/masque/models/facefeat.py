"""Networks of FaceFeat-GAN (Shen et al. 2018): features of a face are drawn, and pictures are painted from features.

paper        here      maps
E_id         E_id      picture (B,3,S,S)            ->  f_id (B,F), as a direction
E_1          E_1       picture (B,3,S,S)            ->  f_1 (B,E+1): expression and yaw
E_2          E_2       picture (B,3,S,S)            ->  f_2 (B,F): all else, of length √F
G_1^f        G_f1      noise (B,N) in [-1,1]        ->  f_1
G_2^f        G_f2      noise (B,N) in [-1,1]        ->  f_2
G^I          G_I       f_id, f_1, f_2               ->  picture (B,3,S,S)
D_1^f, D_2^f D_f1, D_f2  a feature                  ->  logit (B,1)
D^I          D_I       picture (B,3,S,S)            ->  logit (B,1)

Encoders and decoders of pictures have the structure of BEGAN's (Berthelot et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masque.layers.batchnorm import BatchNorm
from masque.layers.noise import uniform
from masque.layers.precision import full
from masque.layers.stacks import halvings
from masque.models.identity import FaceFeatures, Heads, IdentityConfig, Softmax
from masque.models.shape import ShapeConfig, ShapeEncoder

SERVED = ("E_id", "E_1", "E_2", "G_f1", "G_f2", "G_I")
"""What edits need; the discriminators, and the softmax of E_id, only serve training."""

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {"elu": nn.ELU, "leaky": partial(nn.LeakyReLU, 0.2)}

NOISES = ("f_1", "f_2")
"""The features that are generated, each from its own noise."""


@dataclass(frozen=True)
class FaceFeatConfig:
    """Sizes (Section 4, implementation details)."""

    size: int = 128
    """Side S of the picture in pixels: the hair crop."""
    channels: int = 128
    """n of BEGAN: channels of all maps of G^I, its decoder."""
    encoder_channels: int = 128
    """n of E_2 and D^I, its encoders: channels of the finest map; one n more at each halving."""
    activation: Literal["elu", "leaky"] = "elu"
    """elu: BEGAN's. leaky: a leaky rectifier, which costs a processor a tenth as much; ELU's exponential takes 30 % of
    a training step there."""
    id_network: Literal["plain", "resnet50", "resnet18"] = "resnet50"
    """E_id's kind of network, as `network` of the family identity."""
    id_width: int = 64
    """Channels of E_id's first stage, as `width` of the family identity."""
    id_people: int = 10_575
    """People that E_id was or is trained on."""
    features: int = 256
    """F: how many numbers f_id and f_2 have each."""
    shape_width: int = 64
    """Channels of E_1's first stage, as `width` of the family shape."""
    shape_identity: int = 20
    """Bases of the 3D model by which people differ, as `identity` of the family shape."""
    shape_expression: int = 29
    """E: bases of the 3D model by which pictures of a person differ, as `expression` of the family shape."""
    noise: int = 64
    """N: numbers of the noise that f_1, and of that which f_2, is generated from."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that the networks read: none."""

    @property
    def identity(self) -> IdentityConfig:
        """E_id's configuration."""
        return IdentityConfig(
            size=self.size,
            view="face",
            network=self.id_network,
            width=self.id_width,
            features=self.features,
            people=self.id_people,
        )

    @property
    def shape(self) -> ShapeConfig:
        """E_1's configuration."""
        return ShapeConfig(self.size, self.shape_width, self.shape_identity, self.shape_expression)


def sphere(features: Tensor) -> Tensor:
    """(B,F) -> the same direction at length √F: 16 of the paper's 256, so that each entry has variance 1."""
    return math.sqrt(features.shape[1]) * F.normalize(full(features), dim=1)


class Down(nn.Module):
    """BEGAN's encoder up to its last linear layer: two 3×3 convolutions a size, the map halved by a third of stride
    2."""

    def __init__(self, size: int, channels: int, outputs: int, activation: str = "elu") -> None:
        super().__init__()
        act = ACTIVATIONS[activation]
        layers: list[nn.Module] = [_conv(3, channels), act()]
        steps = halvings(size, 8)
        for step in range(1, steps + 2):
            layers += [_conv(step * channels, step * channels), act(), _conv(step * channels, step * channels), act()]
            if step <= steps:
                layers += [_conv(step * channels, (step + 1) * channels, stride=2), act()]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(64 * (steps + 1) * channels, outputs)

    def forward(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) -> (B,outputs)."""
        return full(self.head(self.layers(picture).flatten(1)))


class GeneralEncoder(Down):
    """E_2: each of its numbers has mean 0 and variance 1 over the pictures (Section 4.3)."""

    def __init__(self, size: int, channels: int, outputs: int, activation: str = "elu") -> None:
        super().__init__(size, channels, outputs, activation)
        self.norm = BatchNorm(outputs, affine=False)

    def forward(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) -> (B,outputs)."""
        self.norm.learning = self.head.weight.requires_grad
        normalised: Tensor = self.norm(super().forward(picture)[:, :, None, None])
        return normalised[:, :, 0, 0]


class Up(nn.Module):
    """BEGAN's decoder: a linear layer to 8×8, two 3×3 convolutions a size, each pixel doubled in between."""

    def __init__(self, size: int, channels: int, inputs: int, activation: str = "elu") -> None:
        super().__init__()
        act = ACTIVATIONS[activation]
        self.first = nn.Linear(inputs, 64 * channels)
        self.blocks = nn.ModuleList(
            nn.Sequential(_conv(channels, channels), act(), _conv(channels, channels), act())
            for _ in range(halvings(size, 8) + 1)
        )
        self.last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """(B,inputs) -> (B,3,S,S)."""
        h = self.first(features).unflatten(1, (-1, 8, 8)).contiguous(memory_format=torch.channels_last)
        for number, block in enumerate(self.blocks):
            h = block(F.interpolate(h, scale_factor=2, mode="nearest") if number else h)
        return full(self.last(h))


class Perceptron(nn.Module):
    """Four linear layers with rectifiers between them."""

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip([inputs, *hidden], hidden, strict=False):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden[-1], outputs))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                _begin(layer)

    def forward(self, x: Tensor) -> Tensor:
        """(B,inputs) -> (B,outputs)."""
        return full(self.layers(x))


class PictureGenerator(Up):
    """G^I."""

    def forward(self, f_id: Tensor, f_1: Tensor, f_2: Tensor) -> Tensor:  # type: ignore[override]
        """f_id (B,F), f_1 (B,E+1) and f_2 (B,F) -> pictures (B,3,S,S), about [-1,1]."""
        return super().forward(torch.cat([sphere(f_id), full(f_1), sphere(f_2)], dim=1))


class FaceFeat(nn.Module):
    """The networks that edits need."""

    def __init__(self, config: FaceFeatConfig) -> None:
        super().__init__()
        self.config = config
        self.E_id = FaceFeatures(config.identity).features
        self.E_1 = ShapeEncoder(config.shape)
        self.E_2 = GeneralEncoder(config.size, config.encoder_channels, config.features, config.activation)
        numbers = config.shape_expression + 1
        self.G_f1 = Perceptron(config.noise, (128, 256, 256), numbers)
        self.G_f2 = Perceptron(config.noise, (128, 256, 256), config.features)
        self.G_I = PictureGenerator(config.size, config.channels, 2 * config.features + numbers, config.activation)

    def extract(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """f_id, f_1 and f_2 of pictures (B,3,S,S) in [-1,1]."""
        return sphere(self.E_id(picture)), self.E_1(picture), sphere(self.E_2(picture))

    def sample_features(self, seeds: Tensor, name: str) -> tuple[Tensor, Tensor]:
        """f_1 (B,E+1) and f_2 (B,F) from noise that belongs to the seeds (B,) and the name."""
        weight = next(self.G_f1.parameters())
        made = [
            net((2 * uniform(seeds, f"{name} {noise}", self.config.noise, weight.device) - 1).to(weight.dtype))
            for net, noise in zip((self.G_f1, self.G_f2), NOISES, strict=True)
        ]
        return made[0], sphere(made[1])


class Judges(nn.Module):
    """The discriminators, and the softmax by which E_id is trained."""

    def __init__(self, config: FaceFeatConfig, softmax: Softmax) -> None:
        super().__init__()
        self.D_f1 = Perceptron(config.shape_expression + 1, (256, 256, 128), 1)
        self.D_f2 = Perceptron(config.features, (256, 256, 128), 1)
        self.D_I = Down(config.size, config.encoder_channels, 1, config.activation)
        self.W_id = Heads(config.identity, softmax)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    made = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
    _begin(made)
    return made


def _begin(layer: nn.Conv2d | nn.Linear) -> None:
    """He's initialisation (2015): by torch's own, a third as strong, a picture is lost on its way through a dozen
    layers, and D^I never sees any difference."""
    nn.init.kaiming_normal_(layer.weight, a=0.2)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
