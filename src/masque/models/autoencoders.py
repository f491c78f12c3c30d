"""The generative autoencoders that RSGAN's Table 1 compares it with: VAE-GAN, ALI and α-GAN.

here  maps                                              VAE-GAN (Larsen    ALI (Dumoulin  α-GAN (Rosca
                                                        et al. 2015)       et al. 2016)   et al. 2017)
E     picture (B,3,S,S)  ->  Gaussian over z (B,Z)      Enc                G_z            q_η, of which the mean
G     z (B,Z)            ->  picture (B,3,S,S)          Dec                G_x            G_θ
D     picture (and z)    ->  logit (B,1)                Dis                D, of pairs    D_φ
C     z (B,Z)            ->  logit (B,1)                                                  C_ω

All are built of RSGAN's own layers, with latents as wide as its four together and as many parameters, so that a table
compares the methods."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masque.layers.gaussian import Gaussian
from masque.layers.pictures import Inference, PictureDecoder
from masque.layers.stacks import down_stack

SERVED = ("E", "G")
"""What makes a picture again; D and C only serve training."""


@dataclass(frozen=True)
class AutoencoderConfig:
    """Sizes."""

    size: int = 128
    """Side S of the picture in pixels: RSGAN's x."""
    channels: int = 76
    """Width of G's finest map; doubled at each halving."""
    encoder_channels: int = 76
    """Channels of the first map of the encoder E."""
    judge_channels: int = 76
    """Channels of the first map of the discriminator D."""
    widest: int = 608
    """The most channels that any map has."""
    z: int = 544
    """Z: as many numbers as RSGAN's four latents have together."""
    coarse: int = 0
    """Side of the coarse picture that linear layers carry past the convolutions, as RSGAN's setting of that name."""
    critic: int = 256
    """Width of the layers that judge a latent: D's in ALI, C's in α-GAN."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that the networks read: none."""


class Encoder(Inference):
    """E: built as one of RSGAN's separators."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(3, config.z, config.encoder_channels, config.size, config.widest, config.coarse)

    def forward(self, picture: Tensor) -> Gaussian:
        """(B,3,S,S) in [-1,1] -> Gaussian over z (B,Z)."""
        return self.infer(self.hidden(picture), picture)


class Autoencoder(nn.Module):
    """E and G, which together make a picture again."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.E = Encoder(config)
        self.G = PictureDecoder(config.z, config.channels, config.size, config.widest, config.coarse)

    def reconstruct(self, picture: Tensor) -> Tensor:
        """Pictures (B,3,S,S), each as it is made again from the mean of its latent."""
        made: Tensor = self.G(self.E(picture).mean)
        return made


class SimilarityJudge(nn.Module):
    """Dis of VAE-GAN: a judge whose 8×8 maps say how alike two pictures are."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.body, channels = down_stack(3, config.judge_channels, config.size, to=8, widest=config.widest)
        self.rest = nn.Sequential(
            nn.Conv2d(channels, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Flatten()
        )
        self.head = nn.Linear(16 * channels, 1)

    def features(self, picture: Tensor) -> Tensor:
        """Dis_l: (B,3,S,S) -> (B,C,8,8)."""
        maps: Tensor = self.body(picture)
        return maps

    def forward(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) -> logits (B,1)."""
        logits: Tensor = self.head(self.rest(self.features(picture)))
        return logits


class PairJudge(nn.Module):
    """D of ALI: whether of a picture and a latent the latent was inferred from the picture, or the picture made from
    it."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.body, channels = down_stack(3, config.judge_channels, config.size, to=4, widest=config.widest)
        self.picture = nn.Linear(16 * channels, config.critic)
        self.latent = perceptron(config.z, config.critic, config.critic)
        self.both = perceptron(2 * config.critic, config.critic, 1)

    def forward(self, picture: Tensor, z: Tensor) -> Tensor:
        """(B,3,S,S), (B,Z) -> logits (B,1)."""
        seen = F.leaky_relu(torch.cat([self.picture(self.body(picture).flatten(1)), self.latent(z)], dim=1), 0.2)
        logits: Tensor = self.both(seen)
        return logits


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """(B,inputs) -> (B,outputs): two hidden linear layers of width `hidden`, leaky rectifiers, and one more layer."""
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, outputs),
    )
