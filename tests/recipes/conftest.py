"""A tiny RSGAN recipe and a batch that needs no pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from masque.config import with_values
from masque.data.batches import Batch
from masque.models.rsgan import ATTRIBUTES, RSGANConfig
from masque.recipes.rsgan import RSGANRecipe, RSGANTraining

SIZES = {
    "size": 32,
    "channels": 4,
    "encoder_channels": 4,
    "part_channels": 4,
    "judge_channels": 4,
    "z_appearance": 6,
    "z_attributes": 3,
}
MakeRecipe = Callable[..., RSGANRecipe]


@pytest.fixture
def make_recipe() -> MakeRecipe:
    """A recipe with the paper's training settings unless told otherwise; `model` overrides sizes and variants."""

    def make(model: dict[str, object] | None = None, **training: object) -> RSGANRecipe:
        torch.manual_seed(0)
        return RSGANRecipe(RSGANConfig(**(SIZES | (model or {}))), with_values(RSGANTraining(), training))

    return make


@pytest.fixture
def batch() -> Batch:
    """Four samples of noise with every mask partly set and every attribute known."""
    g = torch.Generator().manual_seed(3)
    made: Batch = {name: torch.rand(4, 3, 32, 32, generator=g) * 2 - 1 for name in ("image", "face_crop")}
    for name in ("image_hull", "face_hull", "background", "valid", "face_valid"):
        made[name] = (torch.rand(4, 1, 32, 32, generator=g) < 0.7).float()
    made["attributes"] = torch.rand(4, len(ATTRIBUTES), generator=g)
    made["index"], made["seed"] = torch.arange(4), torch.arange(100, 104)
    return made
