"""The attribute classifier: shapes, dropout that belongs to the sample, mirrored pictures heard as well."""

from __future__ import annotations

import pytest
import torch

from masque.models.attributes import AttributeClassifier, AttributesConfig


@pytest.fixture
def classifier() -> AttributeClassifier:
    torch.manual_seed(0)
    net = AttributeClassifier(AttributesConfig(size=32, channels=8))
    torch.nn.init.normal_(
        net.refine.second.weight, std=0.1
    )  # the block starts as nothing, and would hide mistakes after it
    return net


@pytest.fixture
def crops() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_shapes_and_sizes(classifier, crops):
    assert classifier(crops).shape == (4, 2)
    convolutions = sum(16 * a * b + b for a, b in ((3, 8), (8, 16), (16, 32)))
    residual, head = 2 * (9 * 32 * 32 + 32), 32 * 2 + 2
    assert sum(p.numel() for p in classifier.parameters()) == convolutions + residual + head


def test_dropout_belongs_to_the_sample(classifier, crops):
    seeds = torch.tensor([3, 1, 4, 1_000_003])
    together = classifier(crops, seeds)
    assert not torch.isclose(together, classifier(crops)).all()
    torch.testing.assert_close(
        torch.cat([classifier(crops[:1], seeds[:1]), classifier(crops[1:], seeds[1:])]), together
    )
    torch.testing.assert_close(classifier(crops, seeds), together)
    assert not torch.isclose(classifier(crops, seeds + 1), together).all()


def test_dropout_keeps_the_mean_and_drops_the_share_asked_for(classifier, crops):
    one = crops[:1]
    seeds = torch.arange(4000)
    with torch.no_grad():
        features = classifier.refine(classifier.body(one)).mean(dim=(2, 3))
        classifier.body, classifier.refine = torch.nn.Identity(), torch.nn.Identity()
        dropped = classifier(features[:, :, None, None].expand(4000, -1, 1, 1), seeds)
        spread = (
            features.square() @ classifier.head[1].weight.square().T
        )  # variance of a sum of w·f·(0 or 2) by fair coins
        expected = classifier(features[:, :, None, None])
    assert ((dropped.mean(dim=0) - expected[0]).abs() < 4.5 * (spread[0] / 4000).sqrt()).all()
    torch.testing.assert_close(dropped.var(dim=0), spread[0], rtol=0.15, atol=0)


def test_estimates_hear_the_mirrored_picture_too(classifier, crops):
    with torch.no_grad():
        values = classifier.estimate(crops)
        expected = (classifier(crops).sigmoid() + classifier(crops.flip(3)).sigmoid()) / 2
        torch.testing.assert_close(values, expected)
        torch.testing.assert_close(classifier.estimate(crops.flip(3)), values)
