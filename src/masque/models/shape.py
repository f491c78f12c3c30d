"""E_1 of FaceFeat-GAN (Section 3.1 and Section 4): a ResNet-18 that sees expression and yaw of a face, in terms of the
linear 3D model.

paper                  here         maps
E_1                    E_1          picture (B,3,S,S)  ->  f_1 (B,E+1): α_exp and the yaw β
S̄, A_id, A_exp, Eq. 6  its buffers  what the coefficients mean: masque.faces.shape3d

Each number of f_1 has mean 0 and variance 1 over the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from masque.faces.shape3d import LANDMARKS, Fit, ShapeModel, fit
from masque.layers.precision import full
from masque.layers.resnet import ResNet

SERVED = ("E_1",)
"""The networks that a trained model consists of."""


@dataclass(frozen=True)
class ShapeConfig:
    """Sizes."""

    size: int = 128
    """Side S of the picture in pixels: the hair crop."""
    width: int = 64
    """Channels of the ResNet's first stage."""
    identity: int = 20
    """Bases by which people differ; they are not seen by E_1, but faces are fitted with them."""
    expression: int = 29
    """E: bases by which pictures of a person differ. With the yaw the paper has 30 numbers."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes that the networks read: none."""


class ShapeEncoder(nn.Module):
    """E_1, and the 3D model whose coefficients it sees."""

    mean: Tensor
    identity: Tensor
    expression: Tensor
    noise: Tensor
    centre: Tensor
    deviation: Tensor

    def __init__(self, config: ShapeConfig) -> None:
        super().__init__()
        self.resnet = ResNet(18, config.size, config.width)
        self.head = nn.Linear(self.resnet.channels, config.expression + 1)
        # Until `take_model` is called they are no model of anything, and division by them shows it.
        numbers = (config.expression + 1,)
        shapes: Mapping[str, tuple[int, ...]] = {
            "mean": (LANDMARKS, 3),
            "identity": (config.identity, LANDMARKS, 3),
            "expression": (config.expression, LANDMARKS, 3),
            "noise": (),
            "centre": numbers,
            "deviation": numbers,
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))

    def forward(self, picture: Tensor) -> Tensor:
        """(B,3,S,S) in [-1,1] -> f_1 (B,E+1)."""
        return full(self.head(self.resnet(picture)))

    @property
    def shapes(self) -> ShapeModel:
        """The 3D model."""
        mean, identity, expression = (
            getattr(self, name).double().cpu().numpy() for name in ("mean", "identity", "expression")
        )
        return ShapeModel(mean, identity, expression, float(self.noise))

    def take_model(self, shapes: ShapeModel, fitted: Fit) -> None:
        """Take over a 3D model, and the mean and deviation of f_1 over faces fitted with it."""
        for name in ("mean", "identity", "expression"):
            getattr(self, name).copy_(torch.from_numpy(getattr(shapes, name)))
        self.noise.fill_(shapes.noise)
        raw = _raw(fitted)
        # A picture and its mirror image are as likely: no yaw is the mean, however the set leans.
        self.centre.copy_(raw.mean(dim=0))
        self.centre[-1] = 0.0
        self.deviation.copy_((raw - self.centre).square().mean(dim=0).sqrt().clamp_min(1e-3))

    def features(self, fitted: Fit) -> Tensor:
        """f_1 (N,E+1) of fitted faces."""
        return (_raw(fitted).to(self.centre) - self.centre) / self.deviation

    def yaw(self, f_1: Tensor) -> Tensor:
        """(B,E+1) -> yaws (B,) in radians, to the picture's right."""
        return f_1[:, -1] * self.deviation[-1] + self.centre[-1]

    def with_yaw(self, f_1: Tensor, yaw: Tensor | float) -> Tensor:
        """f_1 (B,E+1) turned to a yaw in radians, the expression left alone."""
        yaw = torch.as_tensor(yaw, dtype=f_1.dtype, device=f_1.device).expand(len(f_1))
        return torch.cat([f_1[:, :-1], ((yaw - self.centre[-1]) / self.deviation[-1])[:, None]], dim=1)

    def error(self, picture: Tensor, true: Tensor) -> Tensor:
        """Eq. 7, as a mean over the numbers: how far what is seen in pictures (B,3,S,S) is from the true f_1
        (B,E+1)."""
        found: Tensor = self(picture)
        return (self.importance() * (found - true.to(found)).square()).mean()

    def importance(self) -> Tensor:
        """W_3d of Eq. 7 (E+1,), of mean 1: the mean square by which one deviation of each number moves the landmarks as
        a camera sees them (Zhu et al. 2016 weigh theirs by that, too)."""
        flat = self.expression[..., :2].square().sum(dim=(1, 2)) * self.deviation[:-1].square()
        by_yaw = (self.mean[:, 2] * self.deviation[-1]).square().sum()  # x moves by depth times the angle
        weights = torch.cat([flat, by_yaw[None]])
        return weights / weights.mean()


def _raw(fitted: Fit) -> Tensor:
    """Coefficients of expression and yaws in radians of fitted faces, (N,E+1), not brought to mean 0 and variance 1."""
    return torch.from_numpy(np.concatenate([fitted.expression, fitted.angles[:, :1]], axis=1)).float()


class Fits:
    """The true f_1 of the pictures of a set, each fitted to its landmarks once: neither moving, turning nor enlarging
    them changes it, so that a picture has two, its own and its mirror image's."""

    def __init__(self, E_1: ShapeEncoder) -> None:
        self.E_1 = E_1
        self.fitted: dict[tuple[int, bool], Tensor] = {}

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        """f_1 (B,E+1) of a batch, on the CPU."""
        keys = list(zip(batch["index"].tolist(), batch["flipped"].tolist(), strict=True))
        if new := [place for place, key in enumerate(keys) if key not in self.fitted]:
            found = self.E_1.features(fit(self.E_1.shapes, batch["frame_landmarks"][new].double().cpu().numpy()))
            self.fitted |= {keys[place]: f_1.cpu() for place, f_1 in zip(new, found, strict=True)}
        return torch.stack([self.fitted[key] for key in keys])


class FaceShape(nn.Module):
    """E_1 alone, as a model."""

    def __init__(self, config: ShapeConfig) -> None:
        super().__init__()
        self.config = config
        self.E_1 = ShapeEncoder(config)
