"""Distances between the distributions of two sets of pictures, on the features of a network that the caller brings.

On Inception's features they are FID and KID. On any other they are not, and are never called so: on Masque's own face
features they are the Fréchet face distance (FFD) and the kernel face distance (KFD), and no number of theirs is
comparable with a published FID or KID."""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from masque.layers.randomness import OwnRandomness
from masque.quiet import quieten_torchmetrics

quieten_torchmetrics()

SUBSETS = 50
"""Random subsets over which a kernel distance is averaged."""

LARGEST_SUBSET = 100
"""Pictures of each kind in a subset, at most."""


class FrechetFloor(TypedDict):
    """What a Fréchet distance over few pictures is worth: distances of equally small random samples."""

    pictures: int
    """How many pictures each sample has"""
    real: float
    """Distance of two disjoint samples of real pictures"""
    made: float
    """Distance of a sample of made pictures from one of real pictures"""


class _PassThrough(nn.Module):
    """Passes ready features through torchmetrics' classes, which expect a network that makes them from pictures."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, features: Tensor) -> Tensor:
        """(B,F,1,1) -> (B,F)."""
        return features.flatten(1)


def frechet_distance(real: Tensor, made: Tensor) -> float:
    """‖μ₁ − μ₂‖² + tr(C₁ + C₂ − 2√(C₁C₂)) of two sets of features (N,F) (Heusel et al. 2017). Raises ValueError below
    two pictures each."""
    if min(len(real), len(made)) < 2:
        raise ValueError("a Fréchet distance needs two pictures of each kind at least")
    metric = FrechetInceptionDistance(
        feature=_PassThrough(real.shape[1]), input_img_size=(real.shape[1], 1, 1), normalize=True
    )
    metric.set_dtype(torch.float64)
    metric.update(real.double()[:, :, None, None], real=True)
    metric.update(made.double()[:, :, None, None], real=False)
    return float(metric.compute())


def frechet_floor(real: Tensor, made: Tensor, seed: int = 0) -> FrechetFloor | None:
    """Distances of samples as large as the sets allow: of two disjoint samples of the real pictures, and of made
    pictures from the first of these.

    real, made: features (N,F). A Fréchet distance is biased by the number of pictures, so only distances of equally
    many pictures compare. None below four real pictures or two made ones."""
    count = min(len(real) // 2, len(made))
    if count < 2:
        return None
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    first, second = real[order[:count]], real[order[count : 2 * count]]
    some = made[torch.randperm(len(made), generator=torch.Generator().manual_seed(seed + 1))[:count]]
    return {"pictures": count, "real": frechet_distance(second, first), "made": frechet_distance(first, some)}


def floor_in_words(floor: FrechetFloor | None) -> str:
    """The floor as half a sentence to stand beside its distance; None, for too few pictures, is said as well."""
    if floor is None:
        return "too few to tell what real ones have among themselves"
    return f"of {floor['pictures']} each, {floor['made']:.4f}, and {floor['real']:.4f} between real ones"


def kernel_distance(real: Tensor, made: Tensor, seed: int = 0) -> tuple[float, float]:
    """Mean and standard deviation of the squared maximum mean discrepancy with a cubic kernel over random subsets
    (Bińkowski et al. 2018).

    real, made: features (N,F). The estimate is unbiased, so it may fall below 0. Raises ValueError below four pictures
    of each kind."""
    size = min(LARGEST_SUBSET, min(len(real), len(made)) // 2)
    if size < 2:
        raise ValueError("a kernel distance needs four pictures of each kind at least")
    with OwnRandomness(seed):  # torchmetrics draws the subsets from torch's global state
        metric = KernelInceptionDistance(
            feature=_PassThrough(real.shape[1]), subsets=SUBSETS, subset_size=size, normalize=True
        )
        metric.update(real.float()[:, :, None, None], real=True)
        metric.update(made.float()[:, :, None, None], real=False)
        mean, deviation = metric.compute()
    return float(mean), float(deviation)
