"""The features on which two sets of pictures are compared, and their distances on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict

from torch import Tensor

from masque.catalog import model_folder
from masque.edits.estimate import face_features
from masque.image import Picture
from masque.metrics.frechet import FrechetFloor, frechet_distance, frechet_floor, kernel_distance
from masque.metrics.inception import load_inception
from masque.metrics.streaming import MeanStd


@dataclass(frozen=True)
class Features:
    """A network that turns pictures into features. It played no part in training what is measured."""

    extract: Callable[[list[Picture]], Tensor]
    """Face frames, RGB uint8 (H,W,3) of one size, to features (N,F)"""
    hash: str
    """Hash of the network's weights: distances on other weights do not compare"""
    inception: bool = False
    """Whether it is Inception, on whose features, and no others, the distances are called FID and KID"""


def load_features(inception: Path | None = None) -> Features:
    """Masque's own face features, or those of Inception from the file named (see `load_inception`). Raises
    CheckpointError."""
    if inception is None:
        return Features(*face_features(model_folder("identity")))
    return Features(*load_inception(inception), inception=True)


class Distances(TypedDict, total=False):
    """Distances of made pictures from real ones: FFD and KFD on Masque's face features, FID and KID on Inception's."""

    compared: Required[int]
    """Pictures of each kind"""
    ffd: float | None
    """Fréchet distance; None with fewer than two pictures"""
    ffd_floor: FrechetFloor | None
    kfd: MeanStd | None
    """Kernel distance; None with fewer than four pictures"""
    fid: float | None
    fid_floor: FrechetFloor | None
    kid: MeanStd | None


def distances(features: Features, real: Tensor, made: Tensor) -> Distances:
    """Distances of made pictures from real ones. real, made: their features (N,F) and (M,F); `compared` is M."""
    fewest = min(len(real), len(made))
    frechet = frechet_distance(real, made) if fewest >= 2 else None
    floor = frechet_floor(real, made)
    kernel = as_mean_std(kernel_distance(real, made)) if fewest >= 4 else None
    if features.inception:
        return {"compared": len(made), "fid": frechet, "fid_floor": floor, "kid": kernel}
    return {"compared": len(made), "ffd": frechet, "ffd_floor": floor, "kfd": kernel}


def as_mean_std(pair: tuple[float, float]) -> MeanStd:
    """A mean and a standard deviation under their names."""
    return {"mean": pair[0], "std": pair[1]}
