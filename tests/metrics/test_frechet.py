"""Distances of distributions against closed forms and against sums written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import linalg

from masque.metrics.frechet import floor_in_words, frechet_distance, frechet_floor, kernel_distance


def samples(count: int, width: int, seed: int, shift: float = 0.0, stretch: float = 1.0) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * stretch + shift


def test_frechet_distance_by_its_formula():
    a, b = samples(200, 6, 0), samples(150, 6, 1, shift=0.5, stretch=1.7)
    (m1, c1), (m2, c2) = ((x.numpy().mean(axis=0), np.cov(x.numpy().astype(np.float64), rowvar=False)) for x in (a, b))
    expected = np.square(m1 - m2).sum() + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_the_floor_is_of_disjoint_samples_of_one_size():
    real, made = samples(41, 3, 0), samples(30, 3, 1, shift=2.0)
    floor = frechet_floor(real, made)
    assert floor["pictures"] == 20
    assert frechet_floor(real, made[:7])["pictures"] == 7
    # Of one distribution: far below the shift, which counts its square in each of the three features, and above
    # nothing.
    assert 0 < floor["real"] < 6 < floor["made"] < 24
    order = torch.randperm(41, generator=torch.Generator().manual_seed(0))
    assert floor["real"] == pytest.approx(frechet_distance(real[order[:20]], real[order[20:40]]), rel=1e-6)
    assert floor == frechet_floor(real, made) != frechet_floor(real, made, seed=5)
    assert frechet_floor(real[:3], made) is frechet_floor(real, made[:1]) is None
    assert "too few" in floor_in_words(None)
    assert floor_in_words(floor).startswith("of 20 each, ")


def test_a_shift_alone_counts_its_square():
    a = samples(500, 4, 2)
    assert frechet_distance(a, a + 3.0) == pytest.approx(4 * 9.0, rel=1e-4)


def test_kernel_distance_by_sums_written_out():
    """With subsets of all there is, up to their order, the estimate is one number: Eq. 4 of Bińkowski et al. 2018."""
    a, b = samples(200, 5, 3), samples(200, 5, 4, shift=0.4)
    mean, deviation = kernel_distance(a, b)
    kernel = lambda x, y: (x @ y.T / 5 + 1) ** 3  # noqa: E731
    xx, yy, xy = kernel(a, a).double(), kernel(b, b).double(), kernel(a, b).double()
    whole = (xx.sum() - xx.trace() + yy.sum() - yy.trace()) / (200 * 199) - 2 * xy.mean()
    assert mean == pytest.approx(float(whole), abs=3 * deviation / np.sqrt(50) + 0.02)
    assert kernel_distance(a, b) == (mean, deviation)  # the same seed, the same subsets
    assert kernel_distance(a, b, seed=1) != (mean, deviation)


def test_kernel_distance_tells_like_from_unlike():
    like, deviation = kernel_distance(samples(300, 8, 5), samples(300, 8, 6))
    assert abs(like) < 3 * deviation
    unlike, _ = kernel_distance(samples(300, 8, 5), samples(300, 8, 6, shift=1.0))
    assert unlike > 10 * abs(like)


@pytest.mark.parametrize(("distance", "count"), [(frechet_distance, 1), (kernel_distance, 3)])
def test_too_few_pictures(distance, count):
    with pytest.raises(ValueError, match="pictures of each kind at least"):
        distance(samples(count, 4, 0), samples(50, 4, 1))
