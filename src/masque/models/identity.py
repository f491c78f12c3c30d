"""Masque's face features: who it is and what the face and the hair look like, as one point on a sphere. Measures pictures; makes none.

here      maps
Features  picture (B,3,S,S)         ->  unit vector (B,F)
Heads     unit vector (B,F)         ->  logits of people (B,P), logits of attributes (B,A)

Not from any of the five papers: they measure with Inception and OpenFace, whose weights are not at hand on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.layers.noise import uniform
from masque.layers.precision import full
from masque.layers.stacks import Residual, down_stack

SERVED = ("features",)
"""The heads only serve training."""

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Smiling", "Mouth_Slightly_Open", "Male", "Young")


@dataclass(frozen=True)
class IdentityConfig:
    """Sizes."""

    size: int = 64
    """Side S of the picture in pixels: the hair crop, which holds face and hair."""
    channels: int = 32
    """Width of the first map; doubled at each halving."""
    features: int = 128
    """F"""
    people: int = 1024
    """P: how many people the set that is trained on may have."""
    attributes: tuple[str, ...] = ATTRIBUTES
    dropout: float = 0.3


class Features(nn.Module):
    """Convolutions down to 4×4, a residual block, and one linear layer on all that is left."""

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.body, channels = down_stack(3, config.channels, config.size, to=4)
        self.refine = Residual(channels)
        self.embed = nn.Linear(16 * channels, config.features, bias=False)

    def forward(self, picture: Tensor, seeds: Tensor | None = None) -> Tensor:
        """(B,3,S,S) in [-1,1] -> features (B,F) of length 1.

        seeds: (B,) int64, in training: what the dropout of each sample depends on. Without, nothing is dropped.
        """
        h = functional.leaky_relu(self.refine(self.body(picture)), 0.2)
        if seeds is not None:
            kept = uniform(seeds, "dropout", h.shape[1]) >= self.dropout
            h = h * (kept / (1 - self.dropout))[:, :, None, None].to(h.dtype)
        return functional.normalize(full(self.embed(h.flatten(1))), dim=1)


class Heads(nn.Module):
    """What the features must tell: people by their angle to a learnt direction each (Wang et al. 2017, NormFace), attributes linearly."""

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.people = nn.Parameter(torch.randn(config.people, config.features) / math.sqrt(config.features))
        self.scale = nn.Parameter(torch.tensor(16.0))
        self.attributes = nn.Linear(config.features, len(config.attributes))
        self.width = math.sqrt(config.features)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B,F) of length 1 -> (B,P), (B,A)."""
        angles = features @ functional.normalize(full(self.people), dim=1).T.to(features.dtype)
        return self.scale * angles, self.attributes(self.width * features)


class FaceFeatures(nn.Module):
    """Both."""

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.config = config
        self.features, self.heads = Features(config), Heads(config)
