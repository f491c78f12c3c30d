"""Sliced Wasserstein distance: nothing between equal sets, more the more pictures differ, and at the level where they
differ."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from masque.metrics.sliced import sliced_wasserstein


@pytest.fixture
def pictures() -> torch.Tensor:
    """Noise with structure at all sizes."""
    generator = torch.Generator().manual_seed(0)
    coarse = [
        F.interpolate(torch.randn(12, 3, side, side, generator=generator), size=64, mode="bilinear")
        for side in (8, 16, 32, 64)
    ]
    return torch.stack(coarse).sum(dim=0) / 4


def test_equal_sets_are_at_no_distance(pictures):
    assert sliced_wasserstein(pictures, pictures) == {64: 0.0, 32: 0.0, 16: 0.0}
    again = sliced_wasserstein(pictures, pictures.flip(0), seed=1)
    assert again == sliced_wasserstein(pictures, pictures.flip(0), seed=1)
    assert max(again.values()) < 60  # chance, with twelve pictures


def test_what_is_lost_in_blurring_is_lost_at_the_finest_level(pictures):
    blurred = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2, mode="bilinear")
    distances = sliced_wasserstein(pictures, blurred)
    assert distances[64] > 3 * distances[16]
    harder = F.interpolate(F.avg_pool2d(pictures, 4), scale_factor=4, mode="bilinear")
    assert sliced_wasserstein(pictures, harder)[32] > distances[32]


def test_sets_that_do_not_compare(pictures):
    with pytest.raises(ValueError, match="as many pictures of one size"):
        sliced_wasserstein(pictures, pictures[:5])
