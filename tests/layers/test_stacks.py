"""Stacks of convolutions: shapes, sizes by closed form, the range of their maps at the start."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from masque.layers.stacks import Residual, down_stack, halvings, up_stack


def weights_of(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("size", "to", "steps"), [(128, 4, 5), (32, 4, 3), (4, 4, 0), (96, 3, 5), (256, 1, 8)])
def test_halvings(size, to, steps):
    assert halvings(size, to) == steps


@pytest.mark.parametrize(("size", "to"), [(48, 4), (100, 4), (2, 4), (5, 4), (0, 4)])
def test_sizes_that_cannot_be_halved(size, to):
    with pytest.raises(ValueError, match=f"{size} is not {to} times a power of two"):
        halvings(size, to)


@pytest.mark.parametrize(
    ("size", "channels", "widest", "widths"), [(32, 8, 512, [8, 16, 32]), (64, 100, 250, [100, 200, 250, 250])]
)
def test_down_stack(size, channels, widest, widths):
    stack, last = down_stack(5, channels, size, to=4, widest=widest)
    assert last == widths[-1]
    assert stack(torch.zeros(2, 5, size, size)).shape == (2, last, 4, 4)
    assert weights_of(stack) == sum(16 * a * b + b for a, b in itertools.pairwise([5, *widths]))


@pytest.mark.parametrize(
    ("size", "channels", "widest", "widths"), [(32, 8, 512, [64, 32, 16, 8]), (64, 100, 250, [250, 250, 250, 200, 100])]
)
def test_up_stack(size, channels, widest, widths):
    stack, first = up_stack(channels, size, start=4, widest=widest)
    assert first == widths[0]
    assert stack(torch.zeros(2, first, 4, 4)).shape == (2, 3, size, size)
    assert weights_of(stack) == sum(16 * a * b + b for a, b in itertools.pairwise(widths)) + 9 * widths[-1] * 3 + 3


def test_a_stack_without_a_step_only_rectifies():
    stack, last = down_stack(3, 8, 4, to=4)
    x = torch.randn(1, 3, 4, 4)
    assert last == 3
    assert torch.equal(stack(x), x)


def test_maps_keep_their_range_through_either_stack():
    torch.manual_seed(0)
    down, _ = down_stack(3, 32, 128, to=4)
    up, first = up_stack(32, 128, start=4)
    with torch.no_grad():
        # White noise of unit mean square; He et al. 2015 keep it so from layer to layer, apart from the border's zeros.
        seen = down(torch.randn(4, 3, 128, 128)).square().mean()
        painted = up[:-1](torch.randn(4, first, 4, 4) * 2**0.5).square().mean()
    assert 0.3 < seen < 2
    assert 0.3 < painted < 2


def test_pictures_of_a_batch_do_not_touch_each_other():
    torch.manual_seed(0)
    stack = nn.Sequential(down_stack(3, 8, 32, to=4)[0], Residual(32), up_stack(4, 32, start=4)[0])
    x = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(stack(x), torch.cat([stack(p[None]) for p in x]), rtol=1e-4, atol=1e-5)


def test_a_residual_block_starts_as_nothing_and_still_learns():
    torch.manual_seed(0)
    block, x = Residual(6), torch.randn(2, 6, 5, 7)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.second.weight.grad.abs().max() > 0
