"""RSGAN's networks (Natsume et al. 2018, Section 3, Fig. 2 and Fig. A5).

paper          here                       maps
F_E-xf, F_E-xh separator_face, _hair      region (B,3,S,S), attributes (B,A)  ->  Gaussian over z_x (B,Zx)
F_E-cf, F_E-ch attributes_face, _hair     attributes (B,A)                    ->  Gaussian over z_c (B,Zc)
F_D-f, F_D-h   decoder_face, _hair        z_x, z_c                            ->  region (B,3,S,S)
G              composer                   z_xf, z_cf, z_xh, z_ch              ->  picture x' (B,3,S,S)
D_g, D_p, C    D_g, D_p, C                picture (B,3,S,S)                   ->  logits (B,1), (B,1,s,s), (B,A)

Layer and latent sizes are not in the paper, and each separator sees its own region alone: docs/papers/rsgan.md,
"What the separators see", "Sizes of latents" and "Layers".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from masque.layers.gaussian import Gaussian, as_gaussian
from masque.layers.pictures import Inference, Judge, PictureDecoder
from masque.layers.precision import finite_attributes, full

Part = Literal["face", "hair"]

ATTRIBUTES = ("Smiling", "Mouth_Slightly_Open", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Male", "Young")
FACE_ONLY = frozenset({"Smiling", "Mouth_Slightly_Open"})
HAIR_ONLY = frozenset({"Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"})
"""Attributes that show in one region alone; all others show in both."""

SERVED = ("separator_face", "separator_hair", "attributes_face", "attributes_hair", "composer", "C", "prior")
"""What an edit needs; part decoders and discriminators only serve training."""


@dataclass(frozen=True)
class RSGANConfig:
    """Sizes and variants."""

    size: int = 128
    """Side S of every crop in pixels (Section 3.2)."""
    channels: int = 64
    """Width of the composer's finest map; doubled at each halving."""
    encoder_channels: int = 48
    """Width of the separators' first map."""
    part_channels: int = 32
    """Width of the part decoders' finest map."""
    judge_channels: int = 32
    """Width of the first map of D_g, D_p and C."""
    widest: int = 512
    """The most channels that any map has."""
    z_appearance: int = 256
    """Zx: how many numbers z_xf and z_xh have each."""
    z_attributes: int = 16
    """Zc: how many numbers z_cf and z_ch have each."""
    coarse: int = 0
    """Side of the coarse picture that one linear layer carries past the convolutions, into each latent and out of it
    again. 0: none, since the paper has none."""
    smooth: bool = False
    """The composer's and the part decoders' pictures are blurred by a pixel, which removes grain that discriminators of
    strided convolutions cannot see."""
    prior: Literal["normal", "fitted"] = "normal"
    """What random z_x are drawn from: N(0,1) as in the paper, or the Gaussian with the mean and covariance of
    inferred ones, which fill N(0,1) badly where reconstruction weighs much more than the divergence."""
    attributes: tuple[str, ...] = ATTRIBUTES
    """Names of the A attributes c, CelebA's."""
    variational: bool = True
    """False gives the non-variational variant of Section 4.2: every latent is the encoder's mean."""
    lstm: bool = False
    """True inserts the bidirectional LSTM of Fig. A5 after the two separators."""


@dataclass(frozen=True)
class RSGANLatents:
    """The four latents of a batch of pictures: z_xf, z_cf, z_xh, z_ch, each (B,Z)."""

    xf: Tensor
    """z_xf (B,Zx): how the face looks."""
    cf: Tensor
    """z_cf (B,Zc): the face's attributes."""
    xh: Tensor
    """z_xh (B,Zx): how the hair looks."""
    ch: Tensor
    """z_ch (B,Zc): the hair's attributes."""

    def part(self, part: Part) -> tuple[Tensor, Tensor]:
        """z_x and z_c of one part."""
        return (self.xf, self.cf) if part == "face" else (self.xh, self.ch)

    def detached(self) -> RSGANLatents:
        """The same latents, through which no gradient flows."""
        return RSGANLatents(self.xf.detach(), self.cf.detach(), self.xh.detach(), self.ch.detach())

    def joined(self) -> Tensor:
        """(B, 2Zx + 2Zc), in the order in which the composer takes them."""
        return torch.cat([self.xf, self.cf, self.xh, self.ch], dim=1)


UNCLEAR = 0.3
"""Where face and hair shall have attributes farther apart than this, what the whole picture has is unknown."""


def of_whole_picture(c_face: Tensor, c_hair: Tensor, names: Sequence[str]) -> Tensor:
    """The attributes (B,A) of pictures whose faces shall have c_face and whose hair shall have c_hair (B,A each); NaN
    where the two contradict each other. names: of the A attributes."""
    unclear = (c_face - c_hair).abs() > UNCLEAR
    both = torch.where(unclear, torch.full_like(c_face, torch.nan), (c_face + c_hair) / 2)
    columns = [
        c_face[:, i] if n in FACE_ONLY else c_hair[:, i] if n in HAIR_ONLY else both[:, i] for i, n in enumerate(names)
    ]
    return torch.stack(columns, dim=1)


def with_planes(picture: Tensor, c: Tensor) -> Tensor:
    """A picture (B,3,H,W) with one constant plane per attribute behind it, in [-1,1] as its colours: (B,3+A,H,W)."""
    planes = (2 * c - 1)[:, :, None, None].expand(-1, -1, *picture.shape[2:])
    return torch.cat([picture, planes], dim=1)


def face_region(face_crop: Tensor, hull: Tensor) -> Tensor:
    """x_f: the face crop (B,3,S,S) with everything outside the face mask (B,1,S,S) mid-grey."""
    return face_crop * hull


def hair_region(image: Tensor, hull: Tensor) -> Tensor:
    """x_h: the picture (B,3,S,S) with everything inside the face mask (B,1,S,S) mid-grey."""
    return image * (1 - hull)


class Separator(Inference):
    """F_E-x of Eq. 1: where one region lies in its latent space; the LSTM fits between its features and its head."""

    def __init__(self, config: RSGANConfig) -> None:
        planes = 3 + len(config.attributes)
        super().__init__(
            planes, config.z_appearance, config.encoder_channels, config.size, config.widest, config.coarse
        )

    def forward(self, region: Tensor, c: Tensor) -> Tensor:
        """Features (B,2Zx) of a region, before the head."""
        return self.hidden(with_planes(region, finite_attributes(c, self)))


class AttributeEncoder(nn.Module):
    """F_E-c: attributes -> Gaussian over z_c."""

    def __init__(self, config: RSGANConfig) -> None:
        super().__init__()
        width = 4 * config.z_attributes
        self.body = nn.Sequential(
            nn.Linear(len(config.attributes), width), nn.LeakyReLU(0.2), nn.Linear(width, 2 * config.z_attributes)
        )

    def forward(self, c: Tensor) -> Gaussian:
        """c: (B,A) in [0,1]."""
        return as_gaussian(self.body(2 * finite_attributes(c, self) - 1))


class Memory(nn.Module):
    """The bidirectional LSTM of Fig. A5: reads both separators' features as a sequence of two and returns them informed
    of each other."""

    def __init__(self, config: RSGANConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2 * config.z_appearance, config.z_appearance, batch_first=True, bidirectional=True)

    def forward(self, face: Tensor, hair: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B,2Zx) each -> the same shapes."""
        remembered, _ = self.lstm(torch.stack([face, hair], dim=1))  # (B, 2, 2Zx)
        return remembered[:, 0], remembered[:, 1]


class Prior(nn.Module):
    """First and second moments of inferred z_xf and z_xh and of the attributes c* that belong to them, over the
    training pictures.

    The Gaussian that has them is what random parts are drawn from, and what says how a part moves when its attributes
    do."""

    def __init__(self, config: RSGANConfig) -> None:
        super().__init__()
        zx, a = config.z_appearance, len(config.attributes)
        self.first = nn.ParameterDict({part: nn.Parameter(torch.zeros(zx + a)) for part in ("face", "hair")})
        self.second = nn.ParameterDict({part: nn.Parameter(torch.eye(zx + a)) for part in ("face", "hair")})
        self.zx = zx
        others = {"face": HAIR_ONLY, "hair": FACE_ONLY}
        self.shows = {part: [name not in others[part] for name in config.attributes] for part in others}

    def moments(self, z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """E y (Zx+A) and E yyᵀ (Zx+A,Zx+A) of y = (z, c), latents (B,Zx) of one part and attributes (B,A)."""
        with torch.autocast(z.device.type, enabled=False):
            y = torch.cat([full(z), full(c).to(full(z).dtype)], dim=1)
            return y.mean(dim=0), y.T @ y / len(y)

    def forward(self, part: Part, noise: Tensor) -> Tensor:
        """Standard normal noise (B,Zx) -> latents (B,Zx) of one part."""
        mean, covariance = self._gaussian(part)
        with torch.no_grad(), torch.autocast(noise.device.type, enabled=False):
            mean, covariance = mean[: self.zx], covariance[: self.zx, : self.zx]
            least = 1e-3 * covariance.diagonal().mean()  # pictures fewer than entries span no whole space
            root, failed = torch.linalg.cholesky_ex(
                covariance + least * torch.eye(len(mean), dtype=mean.dtype, device=mean.device)
            )
            if bool(failed):
                root = torch.diag(covariance.diagonal().clamp(min=0).sqrt())
            sampled: Tensor = mean + full(noise).to(mean.dtype) @ root.T
        return sampled

    def move(self, part: Part, change: Tensor) -> Tensor:
        """How far z_x of a part moves, (B,Zx), when its attributes change by (B,A): along the regression of z_x on c.

        Attributes that do not show in the part move nothing.
        """
        _, covariance = self._gaussian(part)
        with torch.no_grad(), torch.autocast(change.device.type, enabled=False):
            of_attributes = covariance[self.zx :, self.zx :] + 1e-2 * torch.eye(
                change.shape[1], dtype=covariance.dtype, device=change.device
            )
            slope = torch.linalg.solve(of_attributes, covariance[self.zx :, : self.zx])  # (A, Zx)
            shows = torch.tensor(self.shows[part], dtype=covariance.dtype, device=change.device)
            moved: Tensor = (full(change).to(covariance.dtype) * shows) @ slope
        return moved

    def distance(self, part: Part, z: Tensor, c: Tensor) -> Tensor:
        """½ squared distance, a scalar, of the moments of one part from those of latents (B,Zx) and attributes (B,A): a
        plain gradient step on it is a step of a running average."""
        first, second = self.moments(z, c)
        distance: Tensor = (self.first[part] - first).square().sum() + (self.second[part] - second).square().sum()
        return 0.5 * distance

    def _gaussian(self, part: Part) -> tuple[Tensor, Tensor]:
        mean = self.first[part].detach()
        return mean, self.second[part].detach() - torch.outer(mean, mean)


class RSGAN(nn.Module):
    """All networks of Fig. 2 and what they do together."""

    def __init__(self, config: RSGANConfig) -> None:
        super().__init__()
        self.config = config
        zx, zc = config.z_appearance, config.z_attributes
        self.separator_face, self.separator_hair = Separator(config), Separator(config)
        self.attributes_face, self.attributes_hair = AttributeEncoder(config), AttributeEncoder(config)
        self.memory = Memory(config) if config.lstm else None
        self.prior = Prior(config) if config.prior == "fitted" else None
        sizes = (config.size, config.widest, config.coarse, config.smooth)
        self.decoder_face = PictureDecoder(zx + zc, config.part_channels, *sizes)
        self.decoder_hair = PictureDecoder(zx + zc, config.part_channels, *sizes)
        self.composer = PictureDecoder(2 * (zx + zc), config.channels, *sizes)
        judge = partial(Judge, config.judge_channels, config.size, widest=config.widest)
        self.D_g = judge(to=4, outputs=1, patches=False)
        self.D_p = judge(to=max(4, config.size // 8), outputs=1, patches=True)
        self.C = judge(to=4, outputs=len(config.attributes), patches=False)

    def estimate(self, image: Tensor) -> Tensor:
        """c*: the attributes (B,A) in [0,1] that C sees in pictures (B,3,S,S)."""
        return torch.sigmoid(full(self.C(image)))

    def separate(self, x_f: Tensor, x_h: Tensor, c: Tensor) -> tuple[Gaussian, Gaussian]:
        """Where face and hair regions (B,3,S,S) lie, given attributes c (B,A): Gaussians over z_xf and z_xh."""
        face, hair = self.separator_face(x_f, c), self.separator_hair(x_h, c)
        if self.memory is not None:
            face, hair = self.memory(face, hair)
        return self.separator_face.infer(face, x_f), self.separator_hair.infer(hair, x_h)

    def encode(
        self, x_f: Tensor, x_h: Tensor, c: Tensor, c_face: Tensor | None = None, c_hair: Tensor | None = None
    ) -> RSGANLatents:
        """The latents' means of a batch of pictures.

        c: the attributes (B,A) the pictures have; c_face, c_hair: the ones their parts shall have (attribute editing),
        c if None."""
        face, hair = self.separate(x_f, x_h, c)
        return RSGANLatents(
            *self.with_attributes("face", face.mean, c, c if c_face is None else c_face),
            *self.with_attributes("hair", hair.mean, c, c if c_hair is None else c_hair),
        )

    def with_attributes(self, part: Part, z_x: Tensor, c: Tensor, c_new: Tensor) -> tuple[Tensor, Tensor]:
        """z_x and z_c of a part that was inferred with attributes c (B,A) and shall have c_new (B,A)."""
        encoder = self.attributes_face if part == "face" else self.attributes_hair
        if self.prior is not None:
            z_x = z_x + self.prior.move(part, c_new - c).to(z_x.dtype)
        return z_x, encoder(c_new).mean

    def draw(self, part: Part, noise: Tensor) -> Tensor:
        """ẑ_x of one part, (B,Zx), from standard normal noise of that shape."""
        sampled: Tensor = noise if self.prior is None else self.prior(part, noise)
        return sampled

    def decode_parts(self, latents: RSGANLatents) -> tuple[Tensor, Tensor]:
        """x'_f and x'_h (B,3,S,S) in [-1,1], what the part decoders make of their latents."""
        face: Tensor = self.decoder_face(torch.cat(latents.part("face"), dim=1))
        hair: Tensor = self.decoder_hair(torch.cat(latents.part("hair"), dim=1))
        return face, hair

    def compose(self, latents: RSGANLatents) -> Tensor:
        """x' = G(z_xf, z_cf, z_xh, z_ch): pictures (B,3,S,S) in [-1,1]."""
        picture: Tensor = self.composer(latents.joined())
        return picture
