"""Networks of the progressive GAN (Karras et al. 2017, Table 2), on which faces are combined and morphed, and an
encoder into its latents.

paper                      here        maps
generator                  G           z (B,512) ~ N(0,I), taken to the sphere  ->  picture (B,3,s,s)
discriminator              D           picture (B,3,s,s)                        ->  score (B,1)
α, the weight of the newest layers     stage - floor(stage)
encoder (Section 4)        E           picture (B,3,S,S)                        ->  z (B,512)

At stage k pictures are of s = 4·2^k pixels; between two stages (2.3) the larger size is faded in. All layers of all
sizes are there from the start, so that a state of any stage fits; the generator remembers its stage as a buffer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

from masque.layers.noise import normal
from masque.layers.precision import full

SERVED = ("G", "E")
"""What edits need; the discriminator only serves training."""

FIRST = 4
"""Side of the smallest picture."""

DETAILS = (8, 16)
"""Sides of the maps that a detail is added to: what z alone cannot say of a photo (after Kang et al. 2021). The finer
one is for what the coarser one cannot say either."""


@dataclass(frozen=True)
class ProGANConfig:
    """Sizes of Table 2."""

    size: int = 1024
    """Side of the finished picture: 4 times a power of two."""
    channels: int = 8192
    """A map of side s has 2·channels/s channels (the published code's fmap_base), up to `widest`."""
    widest: int = 512
    """The most channels that any map has."""
    z: int = 512
    """Z: how many numbers a latent has."""
    group: int = 4
    """Pictures among which D measures how much they differ."""
    encoder: int = 32
    """Width of the encoder's first layer."""
    seen: int = 0
    """Side at which the encoder looks at pictures, 4 times a power of two; 0 is their own."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that the networks read: none."""


def stages(size: int) -> int:
    """How often 4 is doubled to reach `size`. Raises ValueError where it is not."""
    count = round(math.log2(size / FIRST)) if size >= FIRST else -1
    if count < 0 or FIRST * 2**count != size:
        raise ValueError(f"{size} is not {FIRST} times a power of two")
    return count


def width(config: ProGANConfig, side: int) -> int:
    """Channels of a map of this side."""
    return max(1, min(2 * config.channels // side, config.widest))


class Equalized(nn.Module):
    """A convolution or linear layer whose weights are N(0,1) and are scaled when used, so that all learn at one pace
    (Section 4.1)."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, gain: float = math.sqrt(2), *, padding: int | None = None
    ) -> None:
        """kernel 0: a linear layer."""
        super().__init__()
        shape = (outputs, inputs, kernel, kernel) if kernel else (outputs, inputs)
        self.weight, self.bias = nn.Parameter(torch.randn(shape)), nn.Parameter(torch.zeros(outputs))
        self.scale = gain / math.sqrt(inputs * max(1, kernel) ** 2)
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) or (B,C) -> the same with other channels."""
        weight = self.weight * self.scale
        return (
            F.conv2d(x, weight, self.bias, padding=self.padding)
            if weight.dim() == 4
            else F.linear(x, weight, self.bias)
        )


class _PixelNorm(torch.autograd.Function):
    """Written out because its derivative then takes half the passes over memory, which is what a norm costs. Only its
    sum is in fp32."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
        scale = torch.rsqrt(length.square() / x.shape[1] + 1e-8).to(x.dtype)
        made = x * scale
        ctx.save_for_backward(made, scale)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, slope: Tensor) -> Tensor:
        made, scale = ctx.saved_tensors  # type: ignore[attr-defined]
        return torch.addcmul(slope, made, (slope * made).mean(dim=1, keepdim=True), value=-1).mul_(scale)


def pixel_norm(x: Tensor) -> Tensor:
    """Each pixel's channels to mean square 1 (Section 4.2). Has a first derivative, no second."""
    made: Tensor = _PixelNorm.apply(x)  # type: ignore[no-untyped-call]
    return made


def widened(layer: Equalized, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """State for a layer of r times the inputs and q times the outputs of a trained one, doing the same where each input
    comes r times.

    weight, bias: the trained one's. Outputs come q times. So that what comes twice does not learn twice the same, the
    copies of an input are weighed differently, by numbers that sum to 0 (Chen et al. 2016, *Net2Net*, who add noise
    instead). Raises ValueError where widths are no multiples."""
    outputs, inputs = layer.weight.shape[:2]
    if outputs % len(weight) or inputs % weight.shape[1] or weight.shape[2:] != layer.weight.shape[2:]:
        raise ValueError(f"{tuple(weight.shape)} cannot be widened to {tuple(layer.weight.shape)}")
    q, r = outputs // len(weight), inputs // weight.shape[1]
    rest = (1,) * (weight.dim() - 2)
    copies = weight.repeat(q, r, *rest) / math.sqrt(r)  # √r of them is in the scale
    noise = torch.randn(r, *copies[:, : weight.shape[1]].shape)
    noise = (noise - noise.mean(dim=0)).transpose(0, 1).flatten(1, 2)
    return {"weight": copies + noise / math.sqrt(r), "bias": bias.repeat(q)}


def minibatch_deviation(x: Tensor, group: int) -> Tensor:
    """(B,C,H,W) -> (B,C+1,H,W): the last channel says how much the pictures of a group differ, averaged (Section 3).

    Groups are of pictures beside each other, as many as the largest divisor of B up to `group`.
    """
    count = next(g for g in range(min(group, len(x)), 0, -1) if len(x) % g == 0)
    grouped = full(x).reshape(-1, count, *x.shape[1:])
    deviation = (grouped.var(dim=1, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (B/count,)
    channel = deviation.repeat_interleave(count)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, channel.to(x.dtype)], dim=1)


def side_at(stage: float) -> int:
    """Side in pixels of the pictures at a stage."""
    return int(FIRST * 2 ** math.ceil(stage))


class Generator(nn.Module):
    """G of Table 2."""

    stage: Tensor
    """How far it has grown: 0 is 4×4, `most` the finished size."""

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__()
        self.most = stages(config.size)
        self.register_buffer("stage", torch.tensor(float(self.most)))
        sides = [FIRST * 2**k for k in range(self.most + 1)]
        widths = [width(config, side) for side in sides]
        self.first = Equalized(config.z, widths[0] * FIRST**2, 0, gain=math.sqrt(2) / 4)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(
                [Equalized(widths[max(0, k - 1)], widths[k], 3), Equalized(widths[k], widths[k], 3)]
                if k
                else [Equalized(widths[0], widths[0], 3)]
            )
            for k in range(self.most + 1)
        )
        self.to_rgb = nn.ModuleList(Equalized(w, 3, 1, gain=1.0) for w in widths)

    def forward(
        self, z: Tensor, stage: float | None = None, details: Sequence[Tensor] = (), truncation: float = 1.0
    ) -> Tensor:
        """z (B,Z), of any length: only its direction counts -> pictures (B,3,s,s), about [-1,1], at its own stage or
        another.

        details (B,C,8,8), (B,C',16,16): each is added to the map of its side. truncation: what the first layer, which
        is linear, makes of z is taken to so much of its distance from what it makes on average; below 1, faces are
        plainer and fewer are spoilt (Karras et al. 2019, appendix B, where it is done to the mapped latent)."""
        stage = float(self.stage) if stage is None else stage
        last, share = math.ceil(stage), stage - math.floor(stage)
        x = truncation * pixel_norm(z)  # whose mean is 0
        x = pixel_norm(F.leaky_relu(self.first(x).unflatten(1, (-1, FIRST, FIRST)), 0.2))
        before = x
        for k in range(last + 1):
            before = x
            if k:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            for convolution in self.convolutions[k]:  # type: ignore[attr-defined]
                x = pixel_norm(F.leaky_relu(convolution(x), 0.2))
            for detail in details:
                if x.shape[2] == detail.shape[2]:
                    x = x + detail
        made = full(self.to_rgb[last](x))
        if share:
            coarse = F.interpolate(full(self.to_rgb[last - 1](before)), scale_factor=2, mode="nearest")
            made = torch.lerp(coarse, made, share)
        return made


class Discriminator(nn.Module):
    """D of Table 2."""

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__()
        self.group, most = config.group, stages(config.size)
        widths = [width(config, FIRST * 2**k) for k in range(most + 1)]
        self.from_rgb = nn.ModuleList(Equalized(3, w, 1) for w in widths)
        self.convolutions = nn.ModuleList(
            nn.ModuleList([Equalized(widths[k], widths[k], 3), Equalized(widths[k], widths[k - 1], 3)])
            for k in range(1, most + 1)
        )
        self.last = Equalized(widths[0] + 1, widths[0], 3)
        self.dense = Equalized(widths[0] * FIRST**2, widths[0], 0)
        self.score = Equalized(widths[0], 1, 0, gain=1.0)

    def forward(self, picture: Tensor, stage: float) -> Tensor:
        """Pictures (B,3,s,s) of a stage's side -> scores (B,1)."""
        last, share = math.ceil(stage), stage - math.floor(stage)
        x = F.leaky_relu(self.from_rgb[last](picture), 0.2)
        for k in range(last, 0, -1):
            for convolution in self.convolutions[k - 1]:  # type: ignore[attr-defined]
                x = F.leaky_relu(convolution(x), 0.2)
            x = F.avg_pool2d(x, 2)
            if share and k == last:
                coarse = F.leaky_relu(self.from_rgb[last - 1](F.avg_pool2d(picture, 2)), 0.2)
                x = torch.lerp(coarse.to(x.dtype), x, share)
        x = F.leaky_relu(self.last(minibatch_deviation(x, self.group)), 0.2)
        x = F.leaky_relu(self.dense(x.flatten(1)), 0.2)
        return full(self.score(x))


class Encoder(nn.Module):
    """The face encoder that the paper's Section 4 asks for: trained on generated pictures, whose latents are known."""

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__()
        self.side = config.seen or config.size
        widths = [min(config.encoder * 2**k, config.widest) for k in range(stages(self.side))]
        layers: list[nn.Module] = []
        for inputs, outputs in zip([3, *widths], widths, strict=False):
            layers += [Equalized(inputs, outputs, 3), nn.LeakyReLU(0.2), nn.AvgPool2d(2)]
        last = widths[-1] if widths else 3
        hidden = max(config.z, last)
        self.E = nn.Sequential(
            *layers,
            nn.Flatten(),
            Equalized(last * FIRST**2, hidden, 0),
            nn.LeakyReLU(0.2),
            Equalized(hidden, config.z, 0, gain=1.0),
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Pictures (B,3,S,S) in [-1,1] -> z (B,Z) of length √Z, where N(0,I) lies for all that G can see."""
        if picture.shape[2] != self.side:
            picture = F.interpolate(picture, size=self.side, mode="area")
        return pixel_norm(full(self.E(picture)))


class ProGAN(nn.Module):
    """The networks that edits need."""

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__()
        self.config = config
        self.G, self.E = Generator(config), Encoder(config)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many numbers a latent may have: Z, and with one or two maps of a detail after it, where the generator is
        large enough."""
        maps = [width(self.config, side) * side**2 for side in DETAILS if self.config.size > side]
        return tuple(accumulate(maps, initial=self.config.z))

    def widened(self, z: Tensor, most: int | None = None) -> Tensor:
        """z (N,W) of one of the `widths` -> (N,most), or the widest there is, where what there was no detail for is
        0."""
        return F.pad(z, (0, (self.widths[-1] if most is None else most) - z.shape[1]))

    def parts(self, z: Tensor) -> list[Tensor]:
        """z (N,W) -> (N,Z), and the maps of its detail (N,·)."""
        ends = [0, *self.widths[: self.widths.index(z.shape[1]) + 1]]
        return [z[:, start:end] for start, end in pairwise(ends)]

    def generate(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """z (B,W) -> pictures (B,3,S,S) at the finished size, whatever the stage. truncation: as in G."""
        z, *maps = self.parts(z)
        details = [m.reshape(len(z), -1, side, side) for m, side in zip(maps, DETAILS, strict=False)]
        made: Tensor = self.G(z, details=details, truncation=truncation)
        return made if made.shape[2] == self.config.size else F.interpolate(made, size=self.config.size, mode="nearest")

    def draw(self, seeds: Tensor, name: str) -> Tensor:
        """z (B,Z) of its prior, N(0,I)."""
        return normal(seeds, name, self.config.z)

    def settle(self, z: Tensor) -> Tensor:
        """z (B,W) with its z at length √Z: only the direction counts. A detail after it stays."""
        return torch.cat([pixel_norm(z[:, : self.config.z]), z[:, self.config.z :]], dim=1)

    @property
    def bound(self) -> float:
        """Beyond this a component counts as out of the domain. N(0,1) has no end; 1.2 % of its values lie farther
        out."""
        return 2.5

    def redraw(self, share: Tensor) -> Tensor:
        """Components of the prior, within the bound, from numbers uniform in [0,1)."""
        most = math.erf(self.bound / math.sqrt(2))
        return math.sqrt(2) * torch.erfinv(most * (2 * share - 1))
