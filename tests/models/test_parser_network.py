"""The face parser: the thesis's sizes, small variants, mirrored pictures heard as well."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from masque.faces.labels import LABELS, OPPOSITE
from masque.models.parser import PARTS, FaceParser, ParserConfig


def network(**changes) -> FaceParser:
    torch.manual_seed(0)
    return FaceParser(ParserConfig(**{"size": 32, "channels": 8, "halvings": 3, **changes}))


def test_the_thesis_network():
    """Six 4×4 convolutions, 512×8×8 in the middle, transposed ones back up, eleven labels."""
    with torch.device("meta"):
        model = FaceParser(ParserConfig())
        seen = []
        model.P_F.middle.register_forward_hook(lambda _, __, made: seen.append(tuple(made.shape)))
        made = model.P_F(torch.zeros(1, 3, 256, 256))
    assert seen == [(1, 512, 8, 8)]
    assert made.shape == (1, 11, 256, 256)
    convolutions = [m for m in model.modules() if type(m) is nn.Conv2d]
    assert [m.kernel_size for m in convolutions] == [(4, 4)] * 6
    assert sum(isinstance(m, nn.ConvTranspose2d) for m in model.modules()) == 5
    assert len(LABELS) == PARTS


@pytest.mark.parametrize("fine", [0, 6])
@pytest.mark.parametrize(("size", "halvings"), [(32, 3), (64, 5)])
def test_shapes(size, halvings, fine):
    model = network(size=size, halvings=halvings, fine=fine)
    with torch.no_grad():
        assert model.P_F(torch.rand(2, 3, size, size) * 2 - 1).shape == (2, 11, size, size)


def test_every_map_on_the_way_down_is_seen_again():
    """An output pixel moves with the picture's own pixel: without the maps from the way down only the middle would
    reach it."""
    model = network(size=64, halvings=3)
    for layer in (model.P_F.middle, model.P_F.up[0], model.P_F.up[1]):
        nn.init.zeros_(layer.weight)
    picture = torch.rand(1, 3, 64, 64)
    moved = picture.clone()
    moved[:, :, 40, 40] += 1.0
    with torch.no_grad():
        change = (model.P_F(moved) - model.P_F(picture)).abs().amax(dim=(0, 1))
    assert change[40, 40] > 0
    assert change[:32, :32].max() == 0


def test_sizes_that_cannot_be_halved():
    with pytest.raises(ValueError, match="cannot be halved 5 times"):
        network(size=48, halvings=5)


def test_the_mirrored_picture_gives_the_mirrored_parts():
    model = network(fine=4)
    picture = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        shares, mirrored = model.shares(picture), model.shares(picture.flip(3))
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(2, 32, 32))
    torch.testing.assert_close(mirrored, shares[:, OPPOSITE.tolist()].flip(3))
    assert not torch.allclose(shares, torch.softmax(model.P_F(picture), dim=1), atol=1e-3)
