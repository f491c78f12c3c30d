"""Measures of likeness against torchmetrics and numbers that can be seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from masque.metrics.similarity import absolute_error, ms_ssim
from masque.metrics.streaming import Spread


def pairs(count: int = 3, size: int = 192, noise: float = 0.2) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth pictures, and the same with noise."""
    g = torch.Generator().manual_seed(4)
    small = torch.rand(count, 3, size // 16, size // 16, generator=g) * 2 - 1
    a = torch.nn.functional.interpolate(small, size=size, mode="bicubic").clamp(-1, 1)
    return a, (a + noise * torch.randn(a.shape, generator=g)).clamp(-1, 1)


def test_ms_ssim_is_the_textbooks_where_five_scales_fit():
    a, b = pairs()
    theirs = [
        multiscale_structural_similarity_index_measure(
            (p[None] + 1) / 2, (q[None] + 1) / 2, gaussian_kernel=True, data_range=1.0
        )
        for p, q in zip(a, b, strict=True)
    ]
    # torchmetrics pads each scale and crops it again, which is the same but for rounding.
    torch.testing.assert_close(ms_ssim(a, b), torch.stack(theirs), atol=0.02, rtol=0)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_ms_ssim_of_small_pictures(size):
    a, b = pairs(size=size)
    _, worse = pairs(size=size, noise=0.6)
    assert torch.allclose(ms_ssim(a, a), torch.ones(3), atol=1e-5)
    assert (ms_ssim(a, b) < 0.99).all()
    assert (ms_ssim(a, worse) < ms_ssim(a, b)).all()


def test_pixels_that_are_not_valid_count_for_nothing():
    a, b = pairs(size=64)
    valid = torch.ones(3, 1, 64, 64)
    valid[..., 40:] = 0
    spoilt = b.clone()
    spoilt[..., 40:] = 1.0
    torch.testing.assert_close(absolute_error(a, spoilt, valid), absolute_error(a[..., :40], b[..., :40]))
    assert (absolute_error(a, spoilt) - absolute_error(a, b)).min() > 0.05
    assert (ms_ssim(a, spoilt, valid) > ms_ssim(a, spoilt)).all()


def test_absolute_error_is_on_a_scale_from_0_to_1():
    white, black = torch.ones(2, 3, 4, 4), -torch.ones(2, 3, 4, 4)
    assert absolute_error(white, black).tolist() == [1, 1]
    assert absolute_error(white, torch.zeros(2, 3, 4, 4)).tolist() == [0.5, 0.5]


def test_spread_against_numpy():
    values = torch.rand(100, generator=torch.Generator().manual_seed(0))
    spread = Spread()
    for some in values.split(7):
        spread.update(some)
    computed = spread.compute()
    assert computed["mean"] == pytest.approx(float(values.double().mean()))
    assert computed["std"] == pytest.approx(float(np.std(values.numpy().astype(np.float64))))
    assert np.isnan(Spread().compute()["mean"])
