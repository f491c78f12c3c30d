"""The face features: shapes, length 1, dropout that belongs to the sample, heads of three kinds, the weights that
ship."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from masque import modelfile
from masque.catalog import SHIPPED
from masque.config import from_dict
from masque.edits.estimate import face_features
from masque.models.identity import FaceFeatures, IdentityConfig

CONFIG = IdentityConfig(size=32, channels=8, features=16, people=10, attributes=("Male", "Young", "Smiling"))


@pytest.fixture
def model() -> FaceFeatures:
    torch.manual_seed(0)
    made = FaceFeatures(CONFIG)
    torch.nn.init.normal_(
        made.features.refine.second.weight, std=0.1
    )  # the block starts as nothing, and would hide mistakes after it
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


@pytest.mark.parametrize(("network", "channels"), [("resnet18", 8 * 4), ("resnet50", 32 * 4)])
def test_a_resnet_in_their_place(pictures, network, channels):
    model = FaceFeatures(dataclasses.replace(CONFIG, network=network, width=4))
    features = model.features(pictures, torch.arange(4))
    assert features.shape == (4, 16)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(4))
    assert model.features.embed.weight.shape == (16, channels)


@pytest.mark.parametrize("network", ["plain", "resnet18"])
def test_the_view_of_the_face_sees_no_hair(pictures, network):
    torch.manual_seed(0)
    config = dataclasses.replace(CONFIG, network=network, width=4)
    views = {view: FaceFeatures(dataclasses.replace(config, view=view)).features.eval() for view in ("hair", "face")}
    views["face"].load_state_dict(views["hair"].state_dict())
    around = pictures.clone()
    around[..., :9, :] = 1.0  # the face crop begins 50/178 down, 30/178 from the left, and ends 30/178 from the right
    around[..., :, :5] = around[..., :, 27:] = -1.0
    assert torch.equal(views["face"](around), views["face"](pictures))
    assert not torch.isclose(views["hair"](around), views["hair"](pictures)).all()
    around[..., 20, 16] += 1.0
    assert not torch.isclose(views["face"](around), views["face"](pictures)).all()


def test_the_weights_that_ship_are_the_plain_network():
    stored = modelfile.read(SHIPPED / "identity")
    assert "network" not in stored.config  # they are older than the choice
    assert from_dict(IdentityConfig, stored.config).network == "plain"
    extract, weights = face_features(SHIPPED / "identity")
    frame = torch.randint(0, 255, (109, 89, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8).numpy()
    assert (extract([frame]).shape, weights) == ((1, 128), stored.hash)


@pytest.mark.parametrize("network", ["plain", "resnet18"])
def test_dropout_belongs_to_the_sample(pictures, network):
    torch.manual_seed(0)
    model = FaceFeatures(dataclasses.replace(CONFIG, network=network, width=4)).eval()
    seeds = torch.tensor([3, 1, 4, 1_000_003])
    together = model.features(pictures, seeds)
    assert not torch.isclose(together, model.features(pictures)).all()
    torch.testing.assert_close(
        torch.cat([model.features(pictures[:1], seeds[:1]), model.features(pictures[1:], seeds[1:])]), together
    )
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


def test_linear_is_a_linear_layer_on_features_of_length_64(pictures):
    """Eq. 5 of FaceFeat-GAN: W and b are of any length."""
    torch.manual_seed(0)
    model = FaceFeatures(CONFIG, "linear")
    features = model.features(pictures)
    begin, _ = model.heads(torch.nn.functional.normalize(torch.randn(500, 16), dim=1))
    assert 0.5 < float(begin.detach().std()) < 1.5
    with torch.no_grad():
        model.heads.people[3] *= 7.0
        model.heads.bias += torch.arange(10)
        people, _ = model.heads(features)
        torch.testing.assert_close(
            people, torch.nn.functional.linear(64 * features, model.heads.people, torch.arange(10.0))
        )


def test_margin_heads_give_cosines(pictures):
    torch.manual_seed(0)
    model = FaceFeatures(CONFIG, "margin")
    features = model.features(pictures)
    people, _ = model.heads(features)
    torch.testing.assert_close(
        people, torch.nn.functional.cosine_similarity(features[:, None], model.heads.people[None], dim=2)
    )
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(model.heads(features)[0], people)
    assert {name for name, _ in model.heads.named_parameters()} == {"people", "attributes.weight", "attributes.bias"}
