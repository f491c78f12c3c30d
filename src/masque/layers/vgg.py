"""VGG-19's maps, for those who have its weights: what perceptual terms are usually measured on (portrait thesis, Eq.
2.12 and Fig. 4.5).

The network is that of Simonyan and Zisserman 2014, trained on ImageNet. It is not part of Masque, and is loaded from a
file that the user names: torchvision's `vgg19-dcbb9e9d.pth`, or a safetensors file with the same names in it."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from masque.errors import CheckpointError

CONVOLUTIONS = ((0, 2), (5, 7), (10, 12, 14, 16), (19, 21, 23, 25), (28,))
"""Places in the published network's `features`, up to the last that is needed; the picture is halved between two
groups."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of colours in [0,1]."""


class VGG(nn.Module):
    """Frozen; its widths are those of the weights it is given."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: dict[str, Tensor]) -> None:
        """weights: features.<place>.weight and .bias of every place in CONVOLUTIONS. Raises KeyError or RuntimeError
        otherwise."""
        super().__init__()
        groups: list[nn.Module] = []
        for places in CONVOLUTIONS:
            group: list[nn.Module] = []
            for place in places:
                kernel, bias = weights[f"features.{place}.weight"], weights[f"features.{place}.bias"]
                layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
                layer.load_state_dict({"weight": kernel, "bias": bias})
                group.append(layer)
            groups.append(nn.ModuleList(group))
        self.groups = nn.ModuleList(groups)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])
        self.eval().requires_grad_(False)

    def maps(self, picture: Tensor) -> list[Tensor]:
        """(B,3,H,W) in [-1,1], 16 px at least a side -> relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1, as in
        pix2pixHD."""
        h = ((picture + 1) / 2 - self.mean) / self.deviation
        taken = []
        for number, group in enumerate(self.groups):
            h = F.max_pool2d(h, 2) if number else h
            for place, layer in enumerate(group):  # type: ignore[arg-type, var-annotated]
                h = F.relu(layer(h))
                if place == 0:
                    taken.append(h)
        return taken


def load_vgg(path: Path) -> VGG:
    """VGG-19 with the weights of a file. Raises CheckpointError when it is missing, holds something else or is not
    finite."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on files of other kinds
            weights: dict[str, Tensor] = (
                load_file(path)
                if path.suffix == ".safetensors"
                else torch.load(path, map_location="cpu", weights_only=True)
            )
        network = VGG(weights)
        if not all(bool(value.isfinite().all()) for value in network.state_dict().values()):
            raise ValueError
        return network
    except MemoryError:
        raise
    except Exception:  # torch raises a different one for each kind of damage
        raise CheckpointError(
            f"{path} does not hold VGG-19's weights: name torchvision's vgg19-dcbb9e9d.pth, or leave vgg out."
        ) from None
