"""Training of the face features: what counts, what does not, and how the rate falls."""

from __future__ import annotations

import math

import pytest
import torch

from masque.errors import SettingError
from masque.losses.identity import known_people
from masque.models.identity import IdentityConfig
from masque.recipes.identity import IdentityRecipe, IdentityTraining

CONFIG = IdentityConfig(size=32, channels=8, features=16, people=6, attributes=("Male", "Young"))


@pytest.fixture
def recipe() -> IdentityRecipe:
    torch.manual_seed(0)
    return IdentityRecipe(CONFIG, IdentityTraining(lr=1e-2, decay_to=10))


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(2)
    return {
        "image": torch.rand(4, 3, 32, 32, generator=g) * 2 - 1, "attributes": torch.rand(4, 2, generator=g),
        "identity": torch.tensor([0, 5, 2, -1]), "seed": torch.arange(4),
    }  # fmt: skip


def test_people_by_hand():
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [9.0, 9.0, 0.0]])
    expected = -math.log(math.exp(1) / (math.exp(2) + 1 + math.exp(1))) - math.log(math.exp(3) / (2 + math.exp(3)))
    assert float(known_people(logits, torch.tensor([2, 1, -1]))) == pytest.approx(expected / 3, rel=1e-6)
    assert float(known_people(logits, torch.tensor([-1, -1, -1]))) == 0.0


def test_unknown_people_and_attributes_teach_nothing(recipe, batch):
    batch["identity"][:], batch["attributes"][:] = -1, math.nan
    terms = recipe.tell_terms(batch)
    assert {name: float(term.detach()) for name, term in terms.items()} == {"people": 0.0, "bce": 0.0}
    sum(terms.values()).backward()
    assert all(p.grad is None or not p.grad.any() for p in recipe.model.parameters())


def test_more_people_than_the_head_has(recipe, batch):
    batch["identity"][0] = 6
    with pytest.raises(SettingError, match=r"more than people=6 people: set it higher, to 7 or more"):
        recipe.tell_terms(batch)


def test_it_learns_who_is_who(recipe, batch):
    phase = recipe.phases()[0]
    optimizers = [recipe.optimizer(name, recipe.nets[name].parameters()) for name in phase.nets]
    first = None
    for _ in range(40):
        terms = phase.loss(batch)
        first = first or float(terms["people"].detach())
        for optimizer in optimizers:
            optimizer.zero_grad()
        sum(weight * terms[name] for name, weight in phase.weights.items()).backward()
        for optimizer in optimizers:
            optimizer.step()
    people, _ = recipe.model.heads(recipe.model.features(batch["image"]))
    assert people.argmax(dim=1)[:3].tolist() == [0, 5, 2]
    assert float(terms["people"].detach()) < 0.5 * first


def test_the_rate_falls_along_half_a_cosine(recipe):
    assert [recipe.learning_rate("features", step) for step in (0, 5, 10, 99)] == pytest.approx([1e-2, 5e-3, 0, 0])


def test_preview_shows_below_each_picture_the_one_most_like_it(recipe, batch):
    batch["image"][3] = batch["image"][1] + 0.01
    pictures, columns = recipe.preview(batch, recipe.nets)
    assert (len(pictures), columns) == (8, 4)
    assert (pictures[4 + 1] == pictures[3]).all()
    assert (pictures[4 + 3] == pictures[1]).all()
