"""Networks of the portrait thesis (chapter 3, Fig. 3.1-3.4; after Gu et al. 2019).

thesis          here         maps
E_local, D_local Local       a component of x^s (B,3,h,w)                      ->  z (B,Z)  ->  the component again
D_sub-network   Sub          z (B,Z)                                           ->  features (B,F,h/4,w/4)
E_m             MaskEncoder  one-hot label map m^t (B,11,S,S)                  ->  (B,F,S/4,S/4)
G_m             Foreground   the five components' features at their places, E_m(m^t)  ->  (B,C,S,S)
E_b, G_b        Background   x^t without the face, G_m's answer                ->  G(x^s, m^s, x^t, m^t) (B,3,S,S)
D_1, D_2        Discriminators  picture and label map, at full and half size      ->  logits, features

Eyes are windows of S/8 × 3S/16, the mouth one of 5S/16 × 9S/16: 32×48 and 80×144 at 256 px. What is left open:
docs/papers/portrait.md."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.layers.gaussian import Gaussian, as_gaussian
from masque.layers.instancenorm import InstanceNorm
from masque.layers.precision import full
from masque.layers.stacks import he
from masque.models.parser import PARTS

Component = Literal["left eye", "right eye", "mouth", "skin", "hair"]
COMPONENTS: tuple[Component, ...] = ("left eye", "right eye", "mouth", "skin", "hair")
LABELS_OF: Mapping[Component, tuple[int, ...]] = {
    "left eye": (4,),
    "right eye": (5,),
    "mouth": (7, 8, 9),
    "skin": (1, 2, 3, 6),
    "hair": (10,),
}
"""Labels of Table 3.1 that make a component (Section 3.2.2)."""

SERVED = ("embed", "G")
"""What an edit needs; the discriminators and the parser only serve training."""


@dataclass(frozen=True)
class PortraitConfig:
    """Sizes and the variants of Section 4.5."""

    size: int = 256
    """Side S of the picture in pixels."""
    channels: int = 64
    """Width of the maps at full size; doubled at each halving, up to eight times as many."""
    features: int = 256
    """F: channels of each component's features and of E_m's answer."""
    z: int = 512
    """Z: how many numbers the latent of each component has."""
    blocks: int = 9
    """How many residual blocks G_m has."""
    eyes: Literal["window", "tight"] = "window"
    """window: the skin around an eye is part of it, as in Gu et al. tight: only the eye itself (Section 4.5.1)."""
    mask_encoder: Literal["single", "multi"] = "single"
    """multi: one mask encoder for each component (Section 4.5.2)."""
    embedding: Literal["ae", "vae"] = "ae"
    """vae: latents are drawn from a Gaussian each (Section 4.5.3)."""
    norm: Literal["instance", "none"] = "instance"
    """Normalisation in G_m. none: a part's colour is a feature's level, which instance normalisation takes away."""
    background: Literal["painted", "kept"] = "painted"
    """painted: G_b makes every pixel. kept: what it makes is added to the target's own background, which it need not
    learn to copy."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that the networks read: none."""


def window(component: Component, size: int) -> tuple[int, int]:
    """Height and width of a component's picture, for pictures of `size` pixels (Section 3.2.1)."""
    if component in ("skin", "hair"):
        return size, size
    return (5 * size // 16, 9 * size // 16) if component == "mouth" else (size // 8, 3 * size // 16)


def one_hot(labels: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Label map (B,S,S) int64 -> (B,11,S,S), channels last; where it is unknown (255), background."""
    # Looked up, which is ten times as fast here as functional.one_hot, whose answer is of 8 bytes a channel.
    rows = torch.eye(PARTS, dtype=dtype, device=labels.device)
    return functional.embedding(labels.masked_fill(labels >= PARTS, 0), rows).movedim(3, 1)


def part_mask(labels: Tensor, component: Component) -> Tensor:
    """(B,1,S,S) in {0,1}: where the component is."""
    inside = torch.zeros(256, 1, device=labels.device)
    inside[list(LABELS_OF[component])] = 1
    return functional.embedding(labels, inside).movedim(3, 1)


def places(labels: Tensor, component: Component) -> tuple[Tensor, Tensor]:
    """Top-left corners (B,2) (row, column) of the component's window, moved inside the picture (Section 4.2.1); and
    whether there is any.

    labels: (B,S,S). Corners are multiples of 4, so that the window has a place among the features too.
    """
    size = labels.shape[1]
    height, width = window(component, size)
    mask = part_mask(labels, component)[:, 0]
    count = mask.sum(dim=(1, 2))
    line = torch.arange(size, device=labels.device, dtype=mask.dtype) + 0.5
    centre = (
        torch.stack([(mask.sum(dim=2) * line).sum(dim=1), (mask.sum(dim=1) * line).sum(dim=1)], dim=1)
        / count.clamp(min=1)[:, None]
    )
    corner = centre - torch.tensor([height / 2, width / 2], device=labels.device)
    most = torch.tensor([size - height, size - width], device=labels.device)
    rounded = 4 * (corner / 4).round().long()
    return torch.minimum(rounded.clamp(min=0), 4 * (most // 4)), count > 0


def cut(picture: Tensor, labels: Tensor, component: Component, tight: bool) -> Tensor:
    """x_i^s: the component's window of a picture (B,3,S,S), or the whole picture with all but the component mid-grey
    (skin and hair)."""
    masked = picture * part_mask(labels, component).to(picture.dtype)
    if component in ("skin", "hair"):
        return masked
    height, width = window(component, picture.shape[2])
    corners, there = places(labels, component)
    source = masked if tight and component != "mouth" else picture
    cuts = [
        one[:, y : y + height, x : x + width] * bool(known)
        for one, (y, x), known in zip(source, corners.tolist(), there.tolist(), strict=True)
    ]
    return torch.stack(cuts)


def _widths(config: PortraitConfig, halvings: int) -> list[int]:
    return [min(config.channels * 2**i, 8 * config.channels) for i in range(halvings)]


def _shape(component: Component, size: int) -> tuple[int, int, int]:
    """How often a component's picture is halved, and what remains: 2×3 of an eye, 5×9 of the mouth, 4×4 of skin and
    hair."""
    if component in ("skin", "hair"):
        return round(math.log2(size / 4)), 4, 4
    return round(math.log2(size / 16)), *((5, 9) if component == "mouth" else (2, 3))


def _up(config: PortraitConfig, z: int, shape: tuple[int, int, int], doublings: int, out: int) -> nn.Sequential:
    """z (B,Z) -> (B,out,h,w), `doublings` doublings from the shape's smallest map."""
    halvings, height, width = shape
    widths = _widths(config, halvings)[::-1]
    layers: list[nn.Module] = [
        nn.Linear(z, widths[0] * height * width),
        nn.Unflatten(1, (widths[0], height, width)),
        nn.LeakyReLU(0.2),
    ]
    for before, after in zip(widths[:doublings], [*widths[1:], widths[-1]], strict=False):
        layers += [he(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
    last = ([*widths, widths[-1]])[doublings]
    return nn.Sequential(*layers, he(nn.Conv2d(last, out, 3, padding=1), gain=0.5))


class Local(nn.Module):
    """E_local and D_local of one component (Section 3.2.1)."""

    def __init__(self, config: PortraitConfig, component: Component) -> None:
        super().__init__()
        shape = _shape(component, config.size)
        widths = _widths(config, shape[0])
        layers: list[nn.Module] = []
        for inputs, width in zip([3, *widths], widths, strict=False):
            layers += [he(nn.Conv2d(inputs, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        outputs = 2 * config.z if config.embedding == "vae" else config.z
        self.E_local = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * shape[1] * shape[2], outputs))
        self.D_local = _up(config, config.z, shape, shape[0], 3)
        self.variational = config.embedding == "vae"

    def infer(self, component: Tensor) -> Gaussian | Tensor:
        """The latent z (B,Z) of a component's pictures (B,3,h,w); with embedding=vae a Gaussian over it."""
        statistics: Tensor = self.E_local(component)
        return as_gaussian(statistics) if self.variational else statistics

    def rebuild(self, z: Tensor) -> Tensor:
        """D_local: (B,Z) -> the component (B,3,h,w) in [-1,1]."""
        return torch.tanh(full(self.D_local(z)))


class Embed(nn.Module):
    """The local embedding sub-network (Fig. 3.2): five autoencoders."""

    def __init__(self, config: PortraitConfig) -> None:
        super().__init__()
        self.tight = config.eyes == "tight"
        self.local = nn.ModuleList(Local(config, component) for component in COMPONENTS)

    def cut(self, picture: Tensor, labels: Tensor) -> list[Tensor]:
        """The five components of pictures (B,3,S,S) with label maps (B,S,S)."""
        return [cut(picture, labels, component, self.tight) for component in COMPONENTS]

    def forward(self, components: Sequence[Tensor]) -> list[Gaussian | Tensor]:
        """The five latents (B,Z) of the components; with embedding=vae a Gaussian over each."""
        return [local.infer(x) for local, x in zip(self.local, components, strict=True)]  # type: ignore[operator]

    def rebuild(self, latents: Sequence[Tensor]) -> list[Tensor]:
        """The five components from their latents."""
        return [local.rebuild(z) for local, z in zip(self.local, latents, strict=True)]  # type: ignore[operator]


def latents_of(inferred: Sequence[Gaussian | Tensor]) -> list[Tensor]:
    """The latents themselves; of Gaussians, their means."""
    return [known.mean if isinstance(known, Gaussian) else known for known in inferred]


def _convolved(
    convolution: nn.Conv2d | nn.ConvTranspose2d, channels: int, norm: bool, gain: float = 1.0
) -> list[nn.Module]:
    """A convolution, normalised or initialised to keep the size of what it gets (times `gain`)."""
    if not norm:
        return [he(convolution, gain=gain)]
    convolution.bias = None  # the norm has one
    return [convolution, InstanceNorm(channels)]


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a short cut."""

    def __init__(self, channels: int, norm: bool) -> None:
        super().__init__()
        # Without normalisation, blocks start close to nothing, or their sum would grow with every block.
        self.main = nn.Sequential(
            *_convolved(nn.Conv2d(channels, channels, 3, padding=1), channels, norm),
            nn.ReLU(),
            *_convolved(nn.Conv2d(channels, channels, 3, padding=1), channels, norm, gain=0.1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) -> the same shape."""
        result: Tensor = x + self.main(x)
        return result


class MaskEncoder(nn.Module):
    """E_m: one for the whole label map, or one for each component (Section 4.5.2)."""

    def __init__(self, config: PortraitConfig) -> None:
        super().__init__()
        self.multi = config.mask_encoder == "multi"

        def encoder(inputs: int) -> nn.Module:
            width = config.channels
            layers: list[nn.Module] = [nn.Conv2d(inputs, width, 7, padding=3), nn.LeakyReLU(0.2)]
            for a, b in ((width, 2 * width), (2 * width, config.features)):
                layers += [he(nn.Conv2d(a, b, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
            return nn.Sequential(*layers)

        groups = [len(LABELS_OF[c]) for c in COMPONENTS] if self.multi else [PARTS]
        self.E_m = nn.ModuleList(encoder(inputs) for inputs in groups)
        self.channels = config.features * len(groups)

    def forward(self, labels: Tensor) -> Tensor:
        """Label map (B,S,S) -> (B,F,S/4,S/4), or five times as many channels."""
        hot = one_hot(labels, next(self.parameters()).dtype)
        groups = [hot[:, list(LABELS_OF[c])] for c in COMPONENTS] if self.multi else [hot]
        return torch.cat([encoder(group) for encoder, group in zip(self.E_m, groups, strict=True)], dim=1)


class Generator(nn.Module):
    """D_sub-network, E_m, G_m, E_b and G_b: from five latents, a label map and a background to a picture (Fig. 3.3 and
    3.4)."""

    def __init__(self, config: PortraitConfig) -> None:
        super().__init__()
        self.features, self.keeps_background = config.features, config.background == "kept"
        shapes = [_shape(component, config.size) for component in COMPONENTS]
        self.D_sub = nn.ModuleList(_up(config, config.z, shape, shape[0] - 2, config.features) for shape in shapes)
        self.E_m = MaskEncoder(config)
        inside, width = 4 * config.channels, config.channels
        given = len(COMPONENTS) * config.features + self.E_m.channels
        norm = config.norm == "instance"
        self.G_m = nn.Sequential(
            *_convolved(nn.Conv2d(given, inside, 3, padding=1), inside, norm),
            nn.ReLU(),
            *(ResidualBlock(inside, norm) for _ in range(config.blocks)),
            *_convolved(nn.ConvTranspose2d(inside, 2 * width, 4, stride=2, padding=1), 2 * width, norm),
            nn.ReLU(),
            *_convolved(nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), width, norm),
            nn.ReLU(),
        )
        self.E_b = nn.Sequential(nn.Conv2d(3, width, 7, padding=3), nn.LeakyReLU(0.2))
        self.G_b = nn.Sequential(
            he(nn.Conv2d(2 * width, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
            he(nn.Conv2d(width, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
            he(nn.Conv2d(width, 3, 7, padding=3), gain=0.5),
        )

    def place_features(self, latents: Sequence[Tensor], labels: Tensor) -> Tensor:
        """The five components' features (B,5F,S/4,S/4), each where the target's label map has its component, and 0
        around it."""
        side = labels.shape[1] // 4
        maps = []
        for component, decoder, z in zip(COMPONENTS, self.D_sub, latents, strict=True):
            features: Tensor = decoder(z)
            if component in ("skin", "hair"):
                maps.append(features)
                continue
            corners, there = places(labels, component)
            height, width = features.shape[2:]
            around = [
                functional.pad(one * bool(known), (x, side - x - width, y, side - y - height))
                for one, (y, x), known in zip(features, (corners // 4).tolist(), there.tolist(), strict=True)
            ]
            maps.append(torch.stack(around))
        return torch.cat(maps, dim=1)

    def forward(self, latents: Sequence[Tensor], target: Tensor, labels: Tensor) -> Tensor:
        """G(x^s, m^s, x^t, m^t).

        latents: five of (B,Z), of the components of x^s. target: x^t (B,3,S,S) in [-1,1]. labels: m^t (B,S,S). Returns
        (B,3,S,S) in [-1,1]."""
        face = self.G_m(torch.cat([self.place_features(latents, labels), self.E_m(labels)], dim=1))
        background = (labels == 0)[:, None].to(target.dtype)
        behind: Tensor = self.E_b(target * background)
        behind = behind * background.to(behind.dtype)
        made = torch.tanh(full(self.G_b(torch.cat([face, behind.to(face.dtype)], dim=1))))
        if not self.keeps_background:
            return made
        # What lies beyond the photo's edge is kept too: no loss counts it, and the discriminators would know made
        # pictures by it.
        outside = ((labels == 0) | (labels >= PARTS))[:, None]
        return (torch.where(outside, target, 0) + made).clamp(-1, 1)


class Discriminator(nn.Module):
    """A PatchGAN (Isola et al. 2017) over picture and label map; its maps are what feature matching compares (Eq.
    3.5)."""

    def __init__(self, config: PortraitConfig) -> None:
        super().__init__()
        widths = _widths(config, 4)
        inputs, strides = [3 + PARTS, *widths[:-1]], [2, 2, 2, 1]
        # He's initialisation: with maps that fade from layer to layer, feature matching (Eq. 3.5) would compare next to
        # nothing.
        self.layers = nn.ModuleList(
            he(nn.Conv2d(a, b, 4, stride=s, padding=1)) for a, b, s in zip(inputs, widths, strides, strict=True)
        )
        self.last = he(nn.Conv2d(widths[-1], 1, 4, padding=1), gain=0.5)

    def forward(self, picture: Tensor, hot: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Picture (B,3,S,S) and one-hot label map (B,11,S,S) -> logits (B,1,s,s) and the maps on the way."""
        h, maps = torch.cat([picture, hot.to(picture.dtype)], dim=1), []
        for layer in self.layers:
            h = functional.leaky_relu(layer(h), 0.2)
            maps.append(h)
        return self.last(h), maps


class Discriminators(nn.Module):
    """D_1 at full size and D_2 at half of it (Section 3.2.3)."""

    def __init__(self, config: PortraitConfig) -> None:
        super().__init__()
        self.D = nn.ModuleList(Discriminator(config) for _ in range(2))

    def forward(self, picture: Tensor, labels: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """D_1's and D_2's logits (B,1,s,s) and maps of pictures (B,3,S,S) with label maps (B,S,S)."""
        hot, answers = one_hot(labels), []
        for D in self.D:
            answers.append(D(picture, hot))
            picture, hot = functional.avg_pool2d(picture, 2), functional.avg_pool2d(hot, 2)
        return answers


class Portrait(nn.Module):
    """The networks that edits need."""

    def __init__(self, config: PortraitConfig) -> None:
        super().__init__()
        if config.size < 64 or config.size & (config.size - 1):
            raise ValueError(f"{config.size} is not a power of two from 64 on")
        self.config = config
        self.embed, self.G = Embed(config), Generator(config)

    def components(self, picture: Tensor, labels: Tensor) -> list[Tensor]:
        """The five latents (B,Z) of pictures (B,3,S,S) in [-1,1] with label maps (B,S,S)."""
        return latents_of(self.embed(self.embed.cut(picture, labels)))

    def paint(self, latents: Sequence[Tensor], target: Tensor, labels: Tensor) -> Tensor:
        """G of these latents, a target (B,3,S,S) and a label map (B,S,S)."""
        picture: Tensor = self.G(latents, target, labels)
        return picture
