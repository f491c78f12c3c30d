"""Training of the face features: what counts, what does not, each softmax by hand, and how the rate falls."""

from __future__ import annotations

import math

import pytest
import torch

from masque import runs
from masque.data.frames import load_frames
from masque.errors import SettingError
from masque.losses.identity import known_people, with_margin
from masque.models.identity import IdentityConfig
from masque.recipes.identity import IdentityRecipe, IdentityTraining
from masque.train.rates import Schedule

CONFIG = IdentityConfig(size=32, channels=8, features=16, people=6, attributes=("Male", "Young"))


@pytest.fixture
def recipe() -> IdentityRecipe:
    torch.manual_seed(0)
    return IdentityRecipe(CONFIG, IdentityTraining(lr=1e-2, schedule=Schedule("cosine", decay_to=10)))


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(2)
    return {
        "image": torch.rand(4, 3, 32, 32, generator=g) * 2 - 1,
        "attributes": torch.rand(4, 2, generator=g),
        "identity": torch.tensor([0, 5, 2, -1]),
        "seed": torch.arange(4),
    }


def test_people_by_hand():
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [9.0, 9.0, 0.0]])
    expected = -math.log(math.exp(1) / (math.exp(2) + 1 + math.exp(1))) - math.log(math.exp(3) / (2 + math.exp(3)))
    assert float(known_people(logits, torch.tensor([2, 1, -1]))) == pytest.approx(expected / 3, rel=1e-6)
    assert float(known_people(logits, torch.tensor([-1, -1, -1]))) == 0.0


def test_margin_by_hand():
    cosines = torch.tensor([[0.5, -0.25, 1.0], [0.0, 0.5, -1.0]])
    logits = with_margin(cosines, torch.tensor([0, -1]), margin=0.3, scale=10.0)
    torch.testing.assert_close(logits, torch.tensor([[2.0, -2.5, 10.0], [0.0, 5.0, -10.0]]))
    expected = -math.log(math.exp(2) / (math.exp(2) + math.exp(-2.5) + math.exp(10)))
    assert float(known_people(logits, torch.tensor([0, -1]))) == pytest.approx(expected / 2, rel=1e-6)


LOGITS = {  # of cosines 0.6 and 0.8 to two people, the first of whom it is
    "angles": (16 * 0.6, 16 * 0.8),
    "linear": (64 * 2 * 0.6 + 1.5, 64 * 3 * 0.8 - 0.5),
    "margin": (30 * (0.6 - 0.25), 30 * 0.8),
}


@pytest.mark.parametrize("softmax", LOGITS)
def test_each_softmax_by_hand(softmax):
    config = IdentityConfig(size=32, channels=8, features=2, people=2, attributes=("Male",))
    recipe = IdentityRecipe(config, IdentityTraining(softmax=softmax, margin=0.25, scale=30.0))
    heads, angles = recipe.model.heads, torch.tensor([0.6, 0.8]).arccos()
    with torch.no_grad():
        heads.people[0], heads.people[1] = (
            length * torch.stack([angle.cos(), sign * angle.sin()])
            for length, angle, sign in ((2, angles[0], 1), (3, angles[1], -1))
        )
        if softmax == "linear":
            heads.bias[0], heads.bias[1] = 1.5, -0.5
    recipe.model.features.forward = lambda *_: torch.tensor([[1.0, 0.0]])  # type: ignore[method-assign]
    terms = recipe.tell_terms(
        {
            "image": torch.zeros(1),
            "seed": torch.zeros(1),
            "identity": torch.tensor([0]),
            "attributes": torch.tensor([[1.0]]),
        }
    )
    own, other = LOGITS[softmax]
    assert float(terms["people"].detach()) == pytest.approx(math.log1p(math.exp(other - own)), rel=1e-5)


@pytest.mark.parametrize(
    ("setting", "says"), [("margin=1", "below 1"), ("margin=-0.1", "at least 0"), ("scale=0", "above 0")]
)
def test_margins_and_scales_that_are_none(setting, says):
    with pytest.raises(SettingError, match=says):
        runs.plan("identity", "facefeat", [setting])


def test_unknown_people_and_attributes_teach_nothing(recipe, batch):
    batch["identity"][:], batch["attributes"][:] = -1, math.nan
    terms = recipe.tell_terms(batch)
    assert {name: float(term.detach()) for name, term in terms.items()} == {"people": 0.0, "bce": 0.0}
    sum(terms.values()).backward()
    assert all(p.grad is None or not p.grad.any() for p in recipe.model.parameters())


def test_more_people_than_the_head_has(recipe):
    frames = load_frames(["puppets:28"], 32, ())
    recipe.begin(load_frames(["puppets:24"], 32, ()))
    with pytest.raises(SettingError, match=r"more than people=6 people: set it higher, to 7 or more"):
        recipe.begin(frames)


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


def test_the_papers_rate_changes_once():
    """Section 4 of FaceFeat-GAN: Adam, 8e-5, and 5e-5 from the 100,000th step on; a ResNet-50 of 256 features, batches
    of 96."""
    plan = runs.plan("identity", "paper")
    assert (plan.model.network, plan.model.width, plan.model.size, plan.model.features) == ("resnet50", 64, 128, 256)
    assert (plan.training.softmax, plan.training.attribute_weight, plan.run.batch_size, plan.run.steps) == (
        "linear",
        0.0,
        96,
        200_000,
    )
    recipe = IdentityRecipe(CONFIG, plan.training)
    assert [recipe.learning_rate("features", step) for step in (0, 99_999, 100_000, 199_999)] == [
        8e-5,
        8e-5,
        5e-5,
        5e-5,
    ]
    settings = recipe.optimizer("features", recipe.model.features.parameters()).defaults
    assert (settings["weight_decay"], settings["betas"]) == (0.0, (0.9, 0.999))  # AdamW without decay is Adam


def test_preview_shows_below_each_picture_the_one_most_like_it(recipe, batch):
    batch["image"][3] = batch["image"][1] + 0.01
    pictures, columns = recipe.preview(batch, recipe.nets)
    assert (len(pictures), columns) == (8, 4)
    assert (pictures[4 + 1] == pictures[3]).all()
    assert (pictures[4 + 3] == pictures[1]).all()
