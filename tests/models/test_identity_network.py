"""The face features: shapes, length 1, dropout that belongs to the sample, heads that read angles."""

from __future__ import annotations

import math

import pytest
import torch

from masque.models.identity import FaceFeatures, IdentityConfig

CONFIG = IdentityConfig(size=32, channels=8, features=16, people=10, attributes=("Male", "Young", "Smiling"))


@pytest.fixture
def model() -> FaceFeatures:
    torch.manual_seed(0)
    made = FaceFeatures(CONFIG)
    torch.nn.init.normal_(made.features.refine.second.weight, std=0.1)  # the block starts as nothing, and would hide mistakes after it
    return made


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_shapes_sizes_and_length(model, pictures):
    features = model.features(pictures)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(4))
    people, attributes = model.heads(features)
    assert (features.shape, people.shape, attributes.shape) == ((4, 16), (4, 10), (4, 3))
    convolutions = sum(16 * a * b + b for a, b in ((3, 8), (8, 16), (16, 32)))
    assert sum(p.numel() for p in model.features.parameters()) == convolutions + 2 * (9 * 32 * 32 + 32) + 16 * 32 * 16
    assert sum(p.numel() for p in model.heads.parameters()) == 10 * 16 + 1 + 16 * 3 + 3


def test_dropout_belongs_to_the_sample(model, pictures):
    seeds = torch.tensor([3, 1, 4, 1_000_003])
    together = model.features(pictures, seeds)
    assert not torch.isclose(together, model.features(pictures)).all()
    torch.testing.assert_close(torch.cat([model.features(pictures[:1], seeds[:1]), model.features(pictures[1:], seeds[1:])]), together)
    assert not torch.isclose(model.features(pictures, seeds + 1), together).all()


def test_people_are_told_by_angle_alone(model, pictures):
    features = model.features(pictures)
    with torch.no_grad():
        before, _ = model.heads(features)
        model.heads.people[3] *= 7.0
        after, _ = model.heads(features)
        torch.testing.assert_close(before, after)
        cosine = torch.nn.functional.cosine_similarity(features[:, None], model.heads.people[None], dim=2)
        torch.testing.assert_close(after, 16.0 * cosine)


def test_attributes_are_read_off_features_of_unit_variance(model, pictures):
    features = model.features(pictures)
    _, attributes = model.heads(features)
    torch.testing.assert_close(attributes, model.heads.attributes(features * math.sqrt(16)))
