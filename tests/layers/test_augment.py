"""Differentiable augmentation: by hand, and gradients that come through."""

from __future__ import annotations

import math

import torch

from masque.layers.augment import DRAWS, LIGHTS, augment, in_grey_light

STILL = torch.tensor([[0.5, 0.5, 0.5, 0.5, 0.5]])


def test_the_middle_of_all_draws_changes_nothing():
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    assert torch.allclose(augment(x, STILL), x, atol=1e-6)


def test_each_draw_by_hand():
    x = torch.rand(1, 3, 16, 16) * 2 - 1

    def with_draw(place: int, value: float) -> torch.Tensor:
        draws = STILL.clone()
        draws[0, place] = value
        return augment(x, draws)

    assert torch.allclose(with_draw(0, 1.0), x + 0.5, atol=1e-6)
    assert torch.allclose(with_draw(1, 0.0), x.mean(dim=1, keepdim=True).expand_as(x), atol=1e-6)
    assert torch.allclose(with_draw(2, 0.0), x.mean() + (x - x.mean()) * 0.5, atol=1e-6)
    down, right = with_draw(3, 1.0), with_draw(4, 0.0)
    assert torch.allclose(down[:, :, 2:], x[:, :, :-2], atol=1e-6)
    assert not down[:, :, :2].any()
    assert torch.allclose(right[:, :, :, :-2], x[:, :, :, 2:], atol=1e-6)


def test_each_picture_has_its_own_draws_and_gradients_come_through():
    x = (torch.rand(2, 3, 16, 16, dtype=torch.float64) * 2 - 1).requires_grad_(True)
    draws = torch.rand(2, DRAWS, generator=torch.Generator().manual_seed(0))
    both = augment(x, draws)
    assert torch.allclose(both[1:], augment(x[1:], draws[1:]))
    assert torch.autograd.gradcheck(lambda x: augment(x, draws), (x,))


def test_grey_light_leaves_luminance_times_a_smooth_light():
    """With every draw in the middle the light is as it was; with all of them on top it is exp(strength) everywhere."""
    g = torch.Generator().manual_seed(4)
    x = torch.rand(3, 3, 16, 16, generator=g) * 2 - 1
    grey = (0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]).expand(-1, 3, -1, -1)
    torch.testing.assert_close(in_grey_light(x, torch.full((3, LIGHTS), 0.5), 0.7), grey)
    torch.testing.assert_close(in_grey_light(x, torch.ones(3, LIGHTS), 0.7), (grey + 1) * math.exp(0.7) - 1)
    light = (in_grey_light(x, torch.rand(3, LIGHTS, generator=g), 0.7) + 1) / (grey + 1)
    assert 1.5 < light.max() / light.min() < math.exp(1.4)
    assert (light[..., 1:] - light[..., :-1]).abs().max() < 0.4  # 5 pixels from one drawn light to the next
