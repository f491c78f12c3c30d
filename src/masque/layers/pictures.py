"""From a picture to numbers and back: what RSGAN's networks, and those of the autoencoders that it is compared with,
are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from masque.layers.gaussian import Gaussian, as_gaussian
from masque.layers.precision import full
from masque.layers.stacks import blurred, down_stack, up_stack


def linear_path(inputs: int, outputs: int, deviation: float) -> nn.Linear:
    """One linear layer whose outputs start with this deviation when its inputs have deviation 1."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=deviation / math.sqrt(inputs))
    nn.init.zeros_(layer.bias)
    return layer


class Inference(nn.Module):
    """A Gaussian over latents from a picture: convolutions down to 4×4, two linear layers, and, where asked for, one of
    the coarse picture, which stored weights name `glance`. Features and head are apart, so that something fits
    between."""

    def __init__(self, inputs: int, z: int, channels: int, size: int, widest: int, coarse: int) -> None:
        """inputs: channels of the picture with its planes. channels: of the first map, doubled at each halving up to
        `widest`. coarse: side of the coarse picture; 0 is none."""
        super().__init__()
        self.body, last = down_stack(inputs, channels, size, to=4, widest=widest)
        self.features = nn.Linear(last * 16, 2 * z)
        self.head = nn.Linear(2 * z, 2 * z)
        self.coarse = coarse
        self.glance = linear_path(3 * coarse**2, 2 * z, 1.0) if coarse else None

    def hidden(self, x: Tensor) -> Tensor:
        """Features (B,2z) of (B,inputs,S,S), before the head."""
        return nn.functional.leaky_relu(self.features(self.body(x).flatten(1)), 0.2)

    def infer(self, features: Tensor, picture: Tensor) -> Gaussian:
        """The head: features (B,2z), and what the coarse picture (B,3,S,S) adds linearly -> Gaussian over z (B,z)."""
        statistics = self.head(features)
        if self.glance is not None:
            statistics = statistics + self.glance(nn.functional.adaptive_avg_pool2d(picture, self.coarse).flatten(1))
        return as_gaussian(statistics)


class PictureDecoder(nn.Module):
    """A picture from a latent: one linear layer to 4×4, convolutions that double it, and, where asked for, a coarse
    picture beside them.

    Stored weights name the layer to 4×4 `foot` and that to the coarse picture `wash`."""

    def __init__(self, z: int, channels: int, size: int, widest: int, coarse: int, smooth: bool = False) -> None:
        """channels: of the finest map, doubled at each halving up to `widest`. coarse: side of a picture that one
        linear layer carries past the convolutions; 0 is none. smooth: the picture is blurred by a pixel, so that it has
        no pattern of single ones."""
        super().__init__()
        self.body, self.first = up_stack(channels, size, start=4, widest=widest)
        self.foot = nn.Linear(z, self.first * 16)
        self.size = size
        self.coarse = coarse
        self.smooth = smooth
        self.wash = linear_path(z, 3 * coarse**2, 0.3) if coarse else None

    def forward(self, z: Tensor) -> Tensor:
        """(B,z) -> (B,3,S,S) in [-1,1]."""
        picture = full(self.body(self.foot(z).view(len(z), self.first, 4, 4)))
        if self.wash is not None:
            low = full(self.wash(z)).view(len(z), 3, self.coarse, self.coarse)
            picture = picture + nn.functional.interpolate(low, size=self.size, mode="bilinear", align_corners=False)
        picture = torch.tanh(picture)
        return blurred(picture) if self.smooth else picture


class Judge(nn.Module):
    """Convolutions down to `to`×`to` and a head, which judges the whole picture or (Isola et al. 2017) every patch of
    it."""

    def __init__(self, channels: int, size: int, to: int, outputs: int, patches: bool, widest: int) -> None:
        super().__init__()
        self.body, last = down_stack(3, channels, size, to, widest=widest)
        self.head = (
            nn.Conv2d(last, outputs, 3, padding=1)
            if patches
            else nn.Sequential(nn.Flatten(), nn.Linear(last * to * to, outputs))
        )

    def forward(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) -> logits (B,outputs) or, of patches, (B,outputs,to,to)."""
        logits: Tensor = self.head(self.body(picture))
        return logits
