"""A small classifier of attributes that no landmark or colour gives away: Male and Young.

here                maps
AttributeClassifier face crop (B,3,S,S)  ->  logits (B,A)

Not from any of the five papers: CelebA's attribute list is not at hand for every picture, and RSGAN and CCA-GAN need
one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masque.layers.noise import uniform
from masque.layers.precision import full
from masque.layers.stacks import Residual, down_stack

SERVED = ("classifier",)
"""The networks that a trained model consists of."""


@dataclass(frozen=True)
class AttributesConfig:
    """Sizes."""

    size: int = 64
    """Side S of the face crop in pixels."""
    channels: int = 32
    """Width of the first map; doubled at each halving."""
    attributes: tuple[str, ...] = ("Male", "Young")
    """Names of the A attributes that are told."""
    dropout: float = 0.5
    """Share of the features that are dropped in training."""


class AttributeClassifier(nn.Module):
    """Convolutions down to 4×4, a residual block, and one linear layer on the mean."""

    def __init__(self, config: AttributesConfig) -> None:
        super().__init__()
        self.config = config
        self.body, channels = down_stack(3, config.channels, config.size, to=4)
        self.refine = Residual(channels)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(channels, len(config.attributes)))

    def features(self, face_crop: Tensor) -> Tensor:
        """(B,3,S,S) in [-1,1] -> what the last layer reads, (B,C)."""
        means: Tensor = self.refine(self.body(face_crop)).mean(dim=(2, 3))
        return means

    def forward(self, face_crop: Tensor, seeds: Tensor | None = None) -> Tensor:
        """(B,3,S,S) in [-1,1] -> logits (B,A).

        seeds: (B,) int64, in training: what the dropout of each sample depends on (Srivastava et al. 2014). Without,
        nothing is dropped."""
        features = self.features(face_crop)
        if seeds is not None:
            kept = uniform(seeds, "dropout", features.shape[1], features.device) >= self.config.dropout
            features = features * kept / (1 - self.config.dropout)
        logits: Tensor = self.head(features)
        return logits

    def estimate(self, face_crop: Tensor) -> Tensor:
        """The attributes (B,A) in [0,1] of face crops (B,3,S,S): means over each crop and its mirror image."""
        both = torch.sigmoid(full(self(torch.cat([face_crop, face_crop.flip(3)])))).chunk(2)
        return (both[0] + both[1]) / 2
