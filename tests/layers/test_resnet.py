"""ResNet trunks: the published sizes and costs, maps of every side, gradients everywhere, pictures alone in use."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from masque.layers.resnet import ResNet


@pytest.mark.parametrize(
    ("depth", "parameters", "multiplications"), [(18, 11_176_512, 1.81e9), (50, 23_508_032, 4.09e9)]
)
def test_as_large_and_as_dear_as_published(depth, parameters, multiplications):
    """Both numbers are those of the networks in common use, at 224 pixels; the layer that names classes is 1 of 1000 of
    the cost."""
    with torch.device("meta"):
        net = ResNet(depth, 224)
        assert sum(p.numel() for p in net.parameters()) == parameters
        with FlopCounterMode(display=False) as counter:
            assert net(torch.zeros(1, 3, 224, 224)).shape == (1, net.channels)
    assert counter.get_total_flops() / 2 == pytest.approx(multiplications, rel=0.005)


@pytest.mark.parametrize(
    ("depth", "size", "last"),
    [(50, 64, 4), *((18, *sides) for sides in ((32, 4), (48, 6), (64, 4), (96, 6), (112, 4), (128, 4), (256, 8)))],
)
def test_any_side_ends_in_a_map_that_is_averaged(depth, size, last):
    net, channels = ResNet(depth, size, width=4), {18: 8 * 4, 50: 32 * 4}[depth]
    maps = []
    net.blocks.register_forward_hook(lambda _module, _inputs, made: maps.append(made))
    features = net(torch.randn(2, 3, size, size))
    assert maps[0].shape == (2, channels, last, last)
    torch.testing.assert_close(features, maps[0].flatten(2).mean(dim=2))
    assert features.shape == (2, net.channels)


@pytest.mark.parametrize(("size", "width"), [(31, 64), (64, 0)])
def test_what_it_cannot_be(size, width):
    with pytest.raises(ValueError, match=rf"{width} channels cannot see {size} pixels"):
        ResNet(18, size, width)


@pytest.mark.parametrize("depth", [18, 50])
def test_every_weight_and_the_picture_have_gradients(depth):
    torch.manual_seed(0)
    net, picture = ResNet(depth, 32, width=4), torch.randn(4, 3, 32, 32, requires_grad=True)
    net(picture).square().sum().backward()
    assert picture.grad is not None
    assert (picture.grad.flatten(1).abs().sum(dim=1) > 0).all()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_in_use_a_picture_does_not_see_its_neighbours():
    torch.manual_seed(0)
    net, pictures = ResNet(18, 32, width=4), torch.randn(4, 3, 32, 32)
    alone = lambda: net(pictures[:1])  # noqa: E731
    assert not torch.allclose(net(pictures)[:1], alone())
    net.eval()
    torch.testing.assert_close(net(pictures)[:1], alone())


def test_under_autocast_the_average_is_in_full_precision():
    net = ResNet(18, 32, width=4)
    with torch.autocast("cpu", torch.bfloat16):
        assert net(torch.randn(2, 3, 32, 32)).dtype == torch.float32
