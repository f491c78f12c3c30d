"""Loading VGG, on a narrow stand-in: its weights are not ours to ship."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from masque import runs
from masque.errors import CheckpointError
from masque.layers.vgg import CONVOLUTIONS, load_vgg


def published(width: int = 4) -> nn.Sequential:
    """The published network's `features`, narrow: written as torchvision lays it out."""
    layers: list[nn.Module] = []
    inputs = 3
    for count in (2, 2, 4, 4, 4):
        for _ in range(count):
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return published()


def saved(network: nn.Module, path):
    weights = {f"features.{name}": tensor for name, tensor in network.state_dict().items()} | {
        "classifier.0.weight": torch.zeros(2, 2)
    }
    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


def test_the_places_are_the_convolutions(network):
    assert [p for places in CONVOLUTIONS for p in places] == [
        i for i, m in enumerate(network) if isinstance(m, nn.Conv2d)
    ][:13]


@pytest.mark.parametrize("name", ["vgg.pth", "vgg.safetensors"])
def test_its_maps_are_the_published_networks(tmp_path, network, name):
    vgg = load_vgg(saved(network, tmp_path / name))
    x = 2 * torch.rand(2, 3, 32, 32) - 1
    h = ((x + 1) / 2 - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]
    wanted = []
    for place, layer in enumerate(network):
        h = layer(h)
        if place in (1, 6, 11, 20, 29):
            wanted.append(h)
    for got, true in zip(vgg.maps(x), wanted, strict=True):
        assert torch.allclose(got, true, atol=1e-6)
    assert not any(p.requires_grad for p in vgg.parameters())


def test_files_that_are_not_vgg(tmp_path, network):
    (tmp_path / "text.pth").write_text("no network")
    (tmp_path / "text.safetensors").write_text("no network")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save(network.state_dict(), tmp_path / "names.pth")
    whole = saved(network, tmp_path / "whole.pth").read_bytes()
    (tmp_path / "front.pth").write_bytes(whole[163:])  # an odd pickle: torch pops from an empty list
    weights = torch.load(tmp_path / "whole.pth", weights_only=True)
    torch.save({name: torch.full_like(value, torch.nan) for name, value in weights.items()}, tmp_path / "nan.pth")
    names = (
        "missing.pth",
        "missing.safetensors",
        "text.pth",
        "text.safetensors",
        "list.pth",
        "names.pth",
        "front.pth",
        "nan.pth",
    )
    for name in names:
        with pytest.raises(CheckpointError, match=r"does not hold VGG-19's weights"):
            load_vgg(tmp_path / name)


def test_a_portrait_is_trained_on_its_maps(tmp_path, network):
    path = saved(network, tmp_path / "vgg.pth")

    def term(*more: str) -> dict[str, float]:
        recipe = runs.build_recipe(runs.plan("portrait", "tiny", ("perceptual=1", *more)))
        generator = torch.Generator().manual_seed(0)
        batch = {
            "image": 2 * torch.rand(2, 3, 64, 64, generator=generator) - 1,
            "labels": torch.randint(0, 11, (2, 64, 64), generator=generator),
            "valid": torch.ones(2, 1, 64, 64),
            "seed": torch.arange(2),
        }
        recipe.P_F.requires_grad_(False)
        terms = recipe.paint_terms(batch, paired=True)
        terms["perceptual"].backward()
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in recipe.model.G.parameters())
        assert "vgg" not in recipe.nets
        return float(terms["perceptual"].detach())

    assert term(f"vgg={path}") > 0
    with pytest.raises(CheckpointError):
        term(f"vgg={tmp_path / 'missing.pth'}")
