"""Distances between the distributions of two sets of pictures, on the features of a network that the caller brings.

On Inception's features they are FID and KID. On any other they are not, and are never called so: on Masque's own face
features they are the Fréchet face distance (FFD) and the kernel face distance (KFD), and no number of theirs is
comparable with a published FID or KID."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from masque.layers.randomness import OwnRandomness
from masque.quiet import quieten_torchmetrics

quieten_torchmetrics()

SUBSETS = 50
LARGEST_SUBSET = 100


class _Handed(nn.Module):
    """Features that were made already, handed through torchmetrics' classes, which expect to make them."""

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
        feature=_Handed(real.shape[1]), input_img_size=(real.shape[1], 1, 1), normalize=True
    )
    metric.set_dtype(torch.float64)
    metric.update(real.double()[:, :, None, None], real=True)
    metric.update(made.double()[:, :, None, None], real=False)
    return float(metric.compute())


def frechet_floor(real: Tensor, made: Tensor, seed: int = 0) -> dict[str, float] | None:
    """What a Fréchet distance over so few pictures is worth: `real`, that of two disjoint random samples of the real
    ones, and `made`, that of as many made ones from the first of them; `pictures`, how many each sample has, as many as
    can be.

    real, made: features (N,F). The distance is biased by the number of pictures, so only distances of equally many
    compare. None below four real pictures or two made ones."""
    count = min(len(real) // 2, len(made))
    if count < 2:
        return None
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    first, second = real[order[:count]], real[order[count : 2 * count]]
    some = made[torch.randperm(len(made), generator=torch.Generator().manual_seed(seed + 1))[:count]]
    return {"pictures": count, "real": frechet_distance(second, first), "made": frechet_distance(first, some)}


def floor_in_words(floor: Mapping[str, float] | None) -> str:
    """The floor beside its distance; that there is none, where there were too few pictures."""
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
            feature=_Handed(real.shape[1]), subsets=SUBSETS, subset_size=size, normalize=True
        )
        metric.update(real.float()[:, :, None, None], real=True)
        metric.update(made.float()[:, :, None, None], real=False)
        mean, deviation = metric.compute()
    return float(mean), float(deviation)
