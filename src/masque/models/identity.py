"""Face features: who it is, as one point on a sphere. Measures pictures; makes none.

paper                here      maps
E_id                 Features  picture (B,3,S,S)  ->  unit vector (B,F)
W_id, b_id of Eq. 5  Heads     unit vector (B,F)  ->  logits of people (B,P), logits of attributes (B,A)

The network `plain` is Masque's own and from none of the five papers: they measure with Inception and OpenFace, whose
weights are not at hand on every machine. A ResNet is E_id of FaceFeat-GAN (Shen et al. 2018, Section 3.1); its softmax
belongs to training alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.config import from_dict
from masque.faces.regions import FACE_CROP, HAIR_CROP
from masque.layers.noise import uniform
from masque.layers.precision import full
from masque.layers.randomness import OwnRandomness
from masque.layers.resnet import ResNet
from masque.layers.stacks import Residual, down_stack
from masque.modelfile import ModelFile, read

SERVED = ("features",)
"""The heads only serve training."""

Softmax = Literal["angles", "linear", "margin"]
"""How people are told apart in training: see `Heads`."""

LENGTH = 64.0
"""Length of f_id while E_id is trained by Eq. 5 (FaceFeat-GAN, Section 4)."""

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Smiling", "Mouth_Slightly_Open", "Male", "Young")


@dataclass(frozen=True)
class IdentityConfig:
    """Sizes."""

    size: int = 64
    """Side S of the picture in pixels: the hair crop, which holds face and hair."""
    view: Literal["hair", "face"] = "hair"
    """What is looked at: all of the picture, or its middle, the face crop, enlarged to S again. Hair tells the people
    of a small set apart too, but not whether two pictures of strangers show the same one."""
    network: Literal["plain", "resnet50", "resnet18"] = "plain"
    """plain is Masque's own; E_id of FaceFeat-GAN is a ResNet-50."""
    channels: int = 32
    """Width of the first map of the plain network; doubled at each halving."""
    width: int = 64
    """Channels of a ResNet's first stage; doubled at each halving."""
    features: int = 128
    """F: numbers of the features; 256 in FaceFeat-GAN."""
    people: int = 1024
    """P: how many people the set that is trained on may have."""
    attributes: tuple[str, ...] = ATTRIBUTES
    """Names of the A attributes that the features are to tell, too."""
    dropout: float = 0.3
    """Share of the map's channels that are dropped in training."""


class Features(nn.Module):
    """Convolutions down to 4×4, a residual block, and one linear layer on all that is left; or a ResNet, and one on its
    averages."""

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.size, self.dropout = config.size, config.dropout
        if config.network == "plain":
            self.body, channels = down_stack(3, config.channels, config.size, to=4)
            self.refine = Residual(channels)
            self.embed = nn.Linear(16 * channels, config.features, bias=False)
        else:
            self.resnet = ResNet(50 if config.network == "resnet50" else 18, config.size, config.width)
            self.embed = nn.Linear(self.resnet.channels, config.features, bias=False)
        self.plain = config.network == "plain"
        self.face = _face(config.size) if config.view == "face" else None

    def forward(self, picture: Tensor, seeds: Tensor | None = None) -> Tensor:
        """(B,3,S,S) in [-1,1] -> features (B,F) of length 1.

        seeds: (B,) int64, in training: what the dropout of each sample depends on. Without, nothing is dropped. A
        ResNet normalises over the batch unless it is told `eval()`."""
        if self.face is not None:
            rows, columns = self.face
            picture = functional.interpolate(
                picture[..., rows, columns], picture.shape[-2:], mode="bilinear", align_corners=False
            )
        if self.plain:
            h = functional.leaky_relu(self.refine(self.body(picture)), 0.2)  # (B,C,4,4)
        else:
            h = self.resnet(picture)[:, :, None, None]  # (B,C,1,1)
        if seeds is not None:
            kept = uniform(seeds, "dropout", h.shape[1], h.device) >= self.dropout
            h = h * (kept / (1 - self.dropout))[:, :, None, None].to(h.dtype)
        return functional.normalize(full(self.embed(h.flatten(1))), dim=1)

    def of_any_size(self, picture: Tensor) -> Tensor:
        """Features (B,F) of pictures (B,3,s,s) of any side s, which are scaled to S."""
        if picture.shape[2] != self.size:
            picture = functional.interpolate(
                picture, size=self.size, mode="bilinear", antialias=True, align_corners=False
            )
        features: Tensor = self(picture)
        return features


def load_features(folder: Path) -> tuple[Features, ModelFile]:
    """E_id of a model of the family identity, frozen, and its file. Raises CheckpointError when the folder holds
    none."""
    stored = read(folder, "identity")
    with OwnRandomness():
        net = Features(from_dict(IdentityConfig, stored.config))
    stored.fill(net, "features")
    return net.eval().requires_grad_(False), stored


def _face(size: int) -> tuple[slice, slice]:
    """Rows and columns of the face crop in a hair crop of this side."""
    scale = size / HAIR_CROP.side
    top, left, side = (
        round(scale * n) for n in (FACE_CROP.top - HAIR_CROP.top, FACE_CROP.left - HAIR_CROP.left, FACE_CROP.side)
    )
    return slice(top, top + side), slice(left, left + side)


class Heads(nn.Module):
    """What the features must tell: people, by one of three softmaxes over a direction w for each, and attributes,
    linearly.

    softmax  the logit of a person
    angles   s cos(f, w) with a learnt s                            (Wang et al. 2017, NormFace)
    linear   w·f + b with f of length 64, w of any                  (FaceFeat-GAN, Eq. 5)
    margin   cos(f, w) alone: the loss takes margin and scale to it (Wang et al. 2018, CosFace)
    """

    def __init__(self, config: IdentityConfig, softmax: Softmax = "angles") -> None:
        super().__init__()
        self.softmax = softmax
        # Directions of length 1 on average; for Eq. 5 so short that its logits begin with variance 1.
        spread = LENGTH if softmax == "linear" else math.sqrt(config.features)
        self.people = nn.Parameter(torch.randn(config.people, config.features) / spread)
        if softmax == "angles":
            self.scale = nn.Parameter(torch.tensor(16.0))
        elif softmax == "linear":
            self.bias = nn.Parameter(torch.zeros(config.people))
        self.attributes = nn.Linear(config.features, len(config.attributes))
        self.width = math.sqrt(config.features)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B,F) of length 1 -> (B,P), (B,A)."""
        if self.softmax == "angles":
            angles = features @ functional.normalize(full(self.people), dim=1).T.to(features.dtype)
            people = self.scale * angles
        else:
            # A bf16 cosine is right to 1/256, and the softmax multiplies it by 64.
            with torch.autocast(features.device.type, enabled=False):
                unit, directions = full(features), full(self.people)
                if self.softmax == "linear":
                    people = LENGTH * unit @ directions.T + self.bias
                else:
                    people = unit @ functional.normalize(directions, dim=1).T
        return people, self.attributes(self.width * features)


class FaceFeatures(nn.Module):
    """E_id and its heads."""

    def __init__(self, config: IdentityConfig, softmax: Softmax = "angles") -> None:
        super().__init__()
        self.config = config
        self.features, self.heads = Features(config), Heads(config, softmax)
