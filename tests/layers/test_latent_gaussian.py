"""The inferred distribution's samples against torch.distributions."""

from __future__ import annotations

import torch
from scipy import stats
from torch.distributions import Normal

from masque.layers.gaussian import Gaussian
from masque.layers.noise import normal


def test_a_sample_is_torchs_affine_transform_of_the_noise():
    mean, log_variance, noise = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    expected = Normal(mean, log_variance.exp().sqrt()).icdf(Normal(0.0, 1.0).cdf(noise))
    torch.testing.assert_close(Gaussian(mean, log_variance).sample(noise), expected)


def test_without_noise_the_mean_is_the_sample():
    mean = torch.randn(2, 3)
    assert torch.equal(Gaussian(mean, torch.ones(2, 3)).sample(None), mean)


def test_samples_have_the_distribution():
    rows = torch.arange(5000)
    drawn = Gaussian(torch.full((5000, 1), 3.0), torch.full((5000, 1), 2.0).log()).sample(normal(rows, "xf", 1))
    assert stats.kstest(drawn.squeeze(1).numpy().astype(float), "norm", args=(3.0, 2.0**0.5)).pvalue > 0.01


def test_gradients_reach_mean_and_log_variance():
    mean, log_variance, noise = (
        torch.zeros(1, 1, requires_grad=True),
        torch.full((1, 1), 0.8, requires_grad=True),
        torch.full((1, 1), 1.5),
    )
    Gaussian(mean, log_variance).sample(noise).sum().backward()
    assert mean.grad == 1
    torch.testing.assert_close(log_variance.grad, 0.5 * noise * torch.exp(0.5 * log_variance.detach()))
