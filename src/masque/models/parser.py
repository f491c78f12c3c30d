"""The face parser P_F of the portrait thesis (Section 2.2.1 and Fig. 2.8): a U-Net from a picture to its label map.

paper  here        maps
P_F    FaceParser  picture (B,3,S,S)  ->  logits of the eleven labels of Table 3.1 (B,11,S,S)
       D_maps      picture (B,3,s,s)  ->  scores (B,16·N), for families that let what P_F sees judge their pictures

What the thesis leaves open: docs/papers/portrait.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.config import from_dict
from masque.errors import SettingError
from masque.faces.labels import LABELS, OPPOSITE
from masque.layers.precision import full
from masque.layers.stacks import halvings, he
from masque.modelfile import read

SERVED = ("P_F",)
"""The networks that a trained model consists of."""
PARTS = len(LABELS)
"""Labels of Table 3.1."""


@dataclass(frozen=True)
class ParserConfig:
    """Sizes."""

    size: int = 256
    """Side S of the picture in pixels (Fig. 2.8)."""
    channels: int = 64
    """Width of the first map; doubled at each halving, up to eight times as many: 512 in the middle."""
    halvings: int = 5
    """From S down to the middle's 8×8 at 256."""
    fine: int = 0
    """Width of two 3×3 convolutions at full size that also see the picture; 0 leaves them out, as the thesis does."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that the networks read: none."""


class UNet(nn.Module):
    """4×4 convolutions that halve, one in the middle, transposed ones back up, each beside the map of its size from the
    way down."""

    def __init__(self, config: ParserConfig) -> None:
        super().__init__()
        if config.size % 2**config.halvings:
            raise ValueError(f"{config.size} cannot be halved {config.halvings} times")
        widths = [min(config.channels * 2**i, 8 * config.channels) for i in range(config.halvings)]
        self.down = nn.ModuleList(
            he(nn.Conv2d(inputs, width, 4, stride=2, padding=1))
            for inputs, width in zip([3, *widths], widths, strict=False)
        )
        self.middle = he(nn.Conv2d(widths[-1], widths[-1], 4))
        outputs = [*reversed(widths[:-1]), config.fine or PARTS]
        inputs = [widths[-1], *(2 * width for width in reversed(widths[:-1]))]
        self.up = nn.ModuleList(
            he(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1)) for a, b in zip(inputs, outputs, strict=True)
        )
        self.fine = (
            nn.ModuleList(
                [he(nn.Conv2d(config.fine + 3, config.fine, 3, padding=1)), nn.Conv2d(config.fine, PARTS, 3, padding=1)]
            )
            if config.fine
            else None
        )

    def maps(self, picture: Tensor) -> list[Tensor]:
        """(B,3,S,S) in [-1,1] -> the maps on the way down, the finest first."""
        maps, h = [], picture
        for layer in self.down:
            h = functional.leaky_relu(layer(h), 0.2)
            maps.append(h)
        return maps

    def forward(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) in [-1,1] -> logits (B,11,S,S)."""
        maps = self.maps(picture)
        padded = functional.pad(maps[-1], (1, 2, 1, 2))  # for a 4×4 of stride 1 that keeps the size
        h = functional.leaky_relu(self.middle(padded), 0.2)
        for number, layer in enumerate(self.up):
            h = layer(h)
            if number < len(self.up) - 1:
                h = torch.cat([functional.leaky_relu(h, 0.2), maps[-2 - number]], dim=1)
        if self.fine is not None:
            first, second = self.fine
            with_picture = torch.cat([functional.leaky_relu(h, 0.2), picture.to(h.dtype)], dim=1)
            h = second(functional.leaky_relu(first(with_picture), 0.2))
        return h


class FaceParser(nn.Module):
    """P_F, and the shares of labels that it sees in a picture."""

    def __init__(self, config: ParserConfig) -> None:
        super().__init__()
        self.config = config
        self.P_F = UNet(config)

    def shares(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) in [-1,1] -> how sure each label is at each pixel, (B,11,S,S) summing to 1: the mean over the
        picture and its mirror image."""
        both = torch.softmax(full(self.P_F(torch.cat([picture, picture.flip(3)]))), dim=1).chunk(2)
        return (both[0] + both[1].flip(3)[:, OPPOSITE.tolist()]) / 2


def load_unet(folder: Path) -> UNet:
    """P_F of a model of the family parser, frozen. Raises CheckpointError when the folder holds none."""
    stored = read(folder, "parser")
    net = UNet(from_dict(ParserConfig, stored.config))
    stored.fill(net, "P_F")
    return net.eval().requires_grad_(False)


SMALLEST = 4
"""Side of the smallest maps that D_maps sees, and of its scores."""


class MapsDiscriminator(nn.Module):
    """Judges pictures by what a frozen parser sees in them: a few layers on each of its maps and on the picture, down
    to 4×4 scores.

    After Sauer et al. 2021, *Projected GANs Converge Faster*. A discriminator that begins with nothing has to find out
    first where hair, eyes and lips are. The picture itself is for what a parser overlooks: it has learnt that a tint is
    of no consequence."""

    def __init__(self, parser: UNet, size: int, hidden: int = 48) -> None:
        """parser: frozen; no part of this network. size: the side of the pictures that it is shown, whatever those to
        be judged have. Raises SettingError for pictures that the parser cannot halve as often as it does."""
        super().__init__()
        if size < (smallest := 2 ** len(parser.down)):
            raise SettingError(
                f"The parser halves pictures {len(parser.down)} times, which those of {size} px cannot bear: "
                f"train with a size of {smallest} or more, or name a parser of fewer halvings."
            )
        self.size = size
        self.parsers = (parser,)  # in a tuple, so that it is no part of this module
        with torch.no_grad():
            found = parser.maps(torch.zeros(1, 3, size, size))
        heads = []
        firsts = [(he(nn.Conv2d(m.shape[1], hidden, 1)), m.shape[2]) for m in found if m.shape[2] >= SMALLEST]
        for first, side in [(he(nn.Conv2d(3, hidden, 4, stride=2, padding=1)), size // 2), *firsts]:
            layers: list[nn.Module] = [first, nn.LeakyReLU(0.2)]
            for _ in range(halvings(side, SMALLEST)):
                layers += [he(nn.Conv2d(hidden, hidden, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
            heads.append(
                nn.Sequential(
                    *layers, he(nn.Conv2d(hidden, hidden, 3, padding=1)), nn.LeakyReLU(0.2), he(nn.Conv2d(hidden, 1, 1))
                )
            )
        self.heads = nn.ModuleList(heads)

    def forward(self, picture: Tensor) -> Tensor:
        """Pictures (B,3,s,s) in [-1,1] of any side -> scores (B,16·N), the first sixteen from the picture itself.

        Of each map only the direction of a pixel's channels counts, as in LPIPS.
        """
        if picture.shape[2] != self.size:
            picture = functional.interpolate(picture, size=self.size, mode="bilinear", align_corners=False)
        even = [functional.normalize(full(m), dim=1).mul(math.sqrt(m.shape[1])) for m in self.parsers[0].maps(picture)]
        scores = [head(seen).flatten(1) for head, seen in zip(self.heads, [picture, *even], strict=False)]
        return full(torch.cat(scores, dim=1))
