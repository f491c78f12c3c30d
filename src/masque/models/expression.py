"""How a face moves when it smiles or opens its mouth: a linear 3D model of the landmarks, and what an attribute does to
them.

symbol          here        what
S̄, A            mean, ways  shapes of faces, S = S̄ + Σ α_k A_k, as `masque.faces.shape3d` has them
D(α)            moves       displacement (68,3) of a face's landmarks for one unit of an attribute: D_0 + Σ α_k D_k
a(α)            readout     how much of the attribute a face shows: 0 as those without it on average, 1 as those with it
                teeth       teeth to be shown where lips are parted, (48,192) of `masque.recipes.teeth.find_teeth`

All of it are buffers, computed by `masque.recipes.expression`; shapes are in distances between the mean's eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from masque.faces.lips import TEXTURE
from masque.faces.shape3d import LANDMARKS, Fit, Floats, ShapeModel, fit, rotations

SERVED = ("motion",)
"""The networks that a trained model consists of."""

FARTHEST = 10.0
"""What no number of a face exceeds, in distances between the mean's eyes; learnt ones stay below 1.2."""
LEAST_NOISE = 1e-6
"""Noise from which on faces can be fitted."""
LEAST_SPREAD = 0.05
"""How far from their middle a mean face's landmarks lie at least in each direction, in distances between its eyes,
by root mean square; learnt ones lie 0.5 away."""


@dataclass(frozen=True)
class ExpressionConfig:
    """Sizes."""

    size: int = 256
    """Side in pixels of the pictures that are loaded when it is computed. Moves are learnt from landmarks alone; teeth
    are only found where a mouth is 50 pixels wide, so in pictures of some 192 and more."""
    ways: int = 24
    """K: ways in which faces differ, by which a face is described."""
    attributes: tuple[str, ...] = ("Smiling", "Mouth_Slightly_Open")
    """Attributes whose moves are learnt, each with the others held still."""


class Motion(nn.Module):
    """The numbers, and what they say of a face."""

    mean: Tensor
    ways: Tensor
    noise: Tensor
    moves: Tensor
    readout: Tensor
    teeth: Tensor

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        self.attributes = config.attributes
        count = len(config.attributes)
        # Until `take` is called they are no model of anything.
        self.register_buffer("mean", torch.zeros(LANDMARKS, 3))
        self.register_buffer("ways", torch.zeros(config.ways, LANDMARKS, 3))
        self.register_buffer("noise", torch.zeros(()))
        self.register_buffer("moves", torch.zeros(count, 1 + config.ways, LANDMARKS, 3))
        self.register_buffer("readout", torch.zeros(count, 1 + config.ways))
        self.register_buffer("teeth", torch.zeros(TEXTURE))

    def take(self, shapes: ShapeModel, moves: Floats, readout: Floats, teeth: NDArray[np.float32]) -> None:
        """Take over a 3D model of K ways without expression, moves (A,1+K,68,3), readout (A,1+K), and teeth (48,192),
        of zeros where none were found."""
        found = {"mean": shapes.mean, "ways": shapes.identity, "moves": moves, "readout": readout, "teeth": teeth}
        for name, values in found.items():
            getattr(self, name).copy_(torch.from_numpy(values))
        self.noise.fill_(shapes.noise)

    @property
    def sound(self) -> bool:
        """Whether its numbers may be those of faces: a mean that is solid, and nothing far beyond it. What was never
        learnt is all zeros."""
        found = [self.mean, self.ways, self.moves, self.readout, self.noise]
        if max(float(tensor.abs().max()) for tensor in found) > FARTHEST or float(self.noise) < LEAST_NOISE:
            return False
        mean = self.mean.double().cpu().numpy()
        spread = np.linalg.svd(mean - mean.mean(axis=0), compute_uv=False) / np.sqrt(LANDMARKS)
        return bool(spread.min() >= LEAST_SPREAD)

    @property
    def shapes(self) -> ShapeModel:
        """The 3D model."""
        mean, ways = (tensor.double().cpu().numpy() for tensor in (self.mean, self.ways))
        return ShapeModel(mean, ways, np.zeros((0, LANDMARKS, 3)), float(self.noise))

    def fitted(self, landmarks: NDArray[np.floating]) -> Fit:
        """Pose and coefficients of faces by their landmarks (N,68,2), in pixels, y down."""
        return fit(self.shapes, landmarks)

    def shown(self, fitted: Fit) -> Floats:
        """(N,A): how much of each attribute fitted faces show, 0 as those without it on average and 1 as those with it;
        a face may show less than 0 or more than 1."""
        shown: Floats = with_one(fitted.identity) @ self.readout.double().cpu().numpy().T
        return shown

    def displacements(self, fitted: Fit, amounts: Sequence[float] | Floats) -> Floats:
        """By how many pixels (N,68,2), y down, the landmarks of fitted faces move as they are seen.

        amounts: (A,), or (N,A) for each face its own, in units of the attributes."""
        moves = self.moves.double().cpu().numpy()
        each = np.broadcast_to(np.asarray(amounts, dtype=float), (len(fitted.scale), len(moves)))
        solid = np.einsum("na,nk,akjx->njx", each, with_one(fitted.identity), moves)
        seen: Floats = (solid @ rotations(fitted.angles).swapaxes(1, 2))[:, :, :2] * [1, -1]
        return fitted.scale[:, None, None] * seen


def with_one(alpha: Floats) -> Floats:
    """Coefficients (N,K) behind a column of ones, (N,1+K)."""
    return np.concatenate([np.ones((len(alpha), 1)), alpha], axis=1)


class ExpressionModel(nn.Module):
    """`Motion` alone, as a model."""

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        self.config = config
        self.motion = Motion(config)
