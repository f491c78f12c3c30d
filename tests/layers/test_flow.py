"""Displacement fields: which pixel a field means, by OpenCV, and that a predicted one is smooth, bounded and still
where it shall be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from masque.layers.flow import REACH, FlowHead, mirrored_flow, room, warp
from masque.losses.flow import unevenness


def some(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(4))


def test_a_field_says_where_pixels_come_from():
    """Three to the right and two down: what was there is now here."""
    picture = some(1, 3, 32, 32)
    flow = torch.tensor([3.0, 2.0])[None, :, None, None].expand(1, 2, 32, 32)
    moved = warp(picture, flow)
    torch.testing.assert_close(moved[..., :30, :29], picture[..., 2:, 3:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [32, 24])
def test_pixels_are_interpolated_as_opencv_does(size):
    picture, flow = some(1, 3, size, size), 6 * some(1, 2, size, size) - 3
    y, x = np.mgrid[:size, :size].astype(np.float32)
    by_cv = cv2.remap(
        picture[0].permute(1, 2, 0).numpy(),
        x + flow[0, 0].numpy(),
        y + flow[0, 1].numpy(),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    # OpenCV rounds positions to a 32nd of a pixel.
    torch.testing.assert_close(warp(picture, flow)[0].permute(1, 2, 0), torch.from_numpy(by_cv), atol=0.04, rtol=0)


def test_no_displacement_leaves_every_bit():
    """Where the side is a power of two, so that the sampler's own coordinates are exact; else all but the last."""
    picture = 2 * some(2, 3, 64, 64) - 1
    assert torch.equal(warp(picture, torch.zeros(2, 2, 64, 64)), picture)
    picture = picture[..., :48, :48]
    torch.testing.assert_close(warp(picture, torch.zeros(2, 2, 48, 48)), picture, atol=2e-5, rtol=0)


def test_a_mirrored_field_bends_the_mirrored_picture():
    picture, flow = some(1, 3, 16, 16), 4 * some(1, 2, 16, 16) - 2
    torch.testing.assert_close(
        warp(picture.flip(3), mirrored_flow(flow)), warp(picture, flow).flip(3), atol=1e-5, rtol=0
    )


def trained(head: FlowHead, deviation: float) -> FlowHead:
    torch.manual_seed(2)
    nn.init.normal_(head.main[-1].weight, std=deviation)
    return head


def test_a_predicted_field_starts_as_none_and_is_bounded_smooth_and_fades_at_the_border():
    head, features, movable = FlowHead(8), some(1, 8, 16, 16), torch.ones(1, 1, 64, 64)
    with torch.no_grad():
        assert not head(features, movable).any()
        flow = trained(head, 30.0)(features, movable)
        assert REACH * 64 * 0.9 < flow.abs().max() <= REACH * 64
        gentle = trained(head, 0.03)(features, movable)
    border = torch.cat([gentle[..., 0], gentle[..., -1], gentle[..., 0, :], gentle[..., -1, :]])
    assert border.abs().max() < gentle.abs().max() / 30
    steps = torch.diff(gentle, dim=3)
    kinks = torch.diff(steps, dim=3)
    assert steps.abs().max() > 0.05
    assert kinks.abs().max() < 0.75 * steps.abs().max()  # linear pieces have kinks as high as their steps and higher


def test_what_may_not_move_does_not():
    movable = torch.zeros(1, 1, 64, 64)
    movable[..., 9:50, 13:47] = 1
    head = trained(FlowHead(8), 3.0)
    with torch.no_grad():
        flow = head(some(1, 8, 16, 16), movable)
    assert flow[..., 24:40, 24:40].abs().max() > 0.1
    assert not (flow * (1 - movable)).any()
    assert room(torch.ones(1, 1, 64, 64))[0, 0, 1:-1, 1:-1].min() == 1


def test_unevenness_by_hand():
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    sheared = torch.stack([0.5 * x + 0.25 * y, -0.125 * y])[None]
    torch.testing.assert_close(unevenness(sheared), torch.tensor(0.5**2 + 0.25**2 + 0.125**2))
    assert unevenness(torch.full((2, 2, 8, 8), 3.0)) == 0
