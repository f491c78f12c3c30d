"""Noise belongs to a sample: whoever draws it, in whatever company, gets the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from masque.layers.noise import normal, uniform

SEEDS = torch.tensor([5, 0, 2**62, 123_456_789_012], dtype=torch.int64)


@pytest.mark.parametrize("draw", [normal, uniform])
def test_a_row_depends_on_its_seed_alone(draw):
    together = draw(SEEDS, "xf", 9)
    assert (together.shape, together.dtype) == ((4, 9), torch.float32)
    assert torch.equal(torch.cat([draw(SEEDS[:1], "xf", 9), draw(SEEDS[1:], "xf", 9)]), together)
    assert torch.equal(draw(SEEDS.flip(0), "xf", 9), together.flip(0))
    assert len({tuple(row.tolist()) for row in together}) == 4


@pytest.mark.parametrize("draw", [normal, uniform])
def test_names_and_global_seeds(draw):
    first = draw(SEEDS, "xf", 9)
    assert not torch.isclose(first, draw(SEEDS, "xh", 9)).any()
    torch.manual_seed(1)
    np.random.seed(1)
    assert torch.equal(draw(SEEDS, "xf", 9), first)


def test_a_wider_draw_begins_with_the_narrower_one():
    assert torch.equal(normal(SEEDS, "xf", 20)[:, :9], normal(SEEDS, "xf", 9))


def test_normal_noise_is_standard_normal_across_and_along_samples():
    noise = normal(torch.arange(400), "xf", 50).numpy().astype(float)
    assert stats.kstest(noise.ravel(), "norm").pvalue > 0.01
    assert stats.kstest(noise[:, 0], "norm").pvalue > 0.01
    # Neighbouring seeds and neighbouring entries are uncorrelated: 4.5 standard errors.
    for a, b in ((noise[:-1], noise[1:]), (noise[:, :-1], noise[:, 1:])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4.5 / np.sqrt(a.size)


def test_uniform_noise_is_uniform_below_one():
    noise = uniform(torch.arange(400), "coins", 50).numpy().astype(float)
    assert stats.kstest(noise.ravel(), "uniform").pvalue > 0.01
    assert noise.min() >= 0
    assert noise.max() < 1
