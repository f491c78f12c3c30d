"""Loading Inception, on tiny stand-ins: its weights are not ours to ship."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from masque.errors import CheckpointError
from masque.metrics.inception import load_inception
from robustness import mutations


class StandIn(nn.Module):
    """Answers as NVIDIA's file does: features of uint8 pictures on request."""

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        means = img.float().mean(dim=(2, 3))
        return means if return_features else means[:, :1]


class Other(nn.Module):
    def forward(self, img: Tensor) -> Tensor:
        return img


class Endless(nn.Module):
    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        return img.float().mean(dim=(2, 3)) / (0.0 if return_features else 1.0)


def saved(module: nn.Module, path):
    torch.jit.script(module).save(str(path))
    return path


def test_features_of_pictures_in_batches(tmp_path):
    path = saved(StandIn(), tmp_path / "inception.pt")
    extract, weights = load_inception(path)
    pictures = list(np.random.default_rng(0).integers(0, 256, (70, 9, 7, 3), dtype=np.uint8))
    np.testing.assert_allclose(extract(pictures).numpy(), np.stack(pictures).mean(axis=(1, 2)), rtol=1e-5)
    assert weights == hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_files_that_are_not_inception(tmp_path):
    (tmp_path / "text.pt").write_text("no network")
    for path in (tmp_path / "missing.pt", tmp_path / "text.pt"):
        with pytest.raises(CheckpointError, match="not a TorchScript file"):
            load_inception(path)
    extract, _ = load_inception(saved(Other(), tmp_path / "other.pt"))
    with pytest.raises(CheckpointError, match="gives no features"):
        extract([np.zeros((8, 8, 3), np.uint8)])
    extract, _ = load_inception(saved(Endless(), tmp_path / "endless.pt"))
    with pytest.raises(CheckpointError, match="gives no features"):
        extract([np.ones((8, 8, 3), np.uint8)])


def test_damaged_files_are_refused_in_one_sentence(tmp_path):
    whole = saved(StandIn(), tmp_path / "whole.pt").read_bytes()
    for name, data in mutations.of_bytes(whole, 100, seed=1):
        (tmp_path / "a.pt").write_bytes(data)
        said = "it can be read"
        try:
            load_inception(tmp_path / "a.pt")[0]([np.ones((8, 8, 3), np.uint8)])
        except CheckpointError as error:
            said = str(error).replace(str(tmp_path), "")
        assert mutations.is_plain(said), name
