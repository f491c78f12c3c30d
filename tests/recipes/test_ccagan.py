"""CCA-GAN's recipe against Eq. 5-10 and Section 4.1."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

import masque
from masque import runs
from masque.config import with_values
from masque.data.batches import Batch
from masque.errors import SettingError
from masque.layers.augment import LIGHTS, in_grey_light
from masque.layers.noise import uniform
from masque.models.ccagan import ATTRIBUTES, CCAGANConfig
from masque.recipes.ccagan import CCAGANRecipe, CCAGANTraining, fill_unknown, flip_attribute


def make(model: dict[str, object] | None = None, **training: object) -> CCAGANRecipe:
    torch.manual_seed(0)
    sizes: dict[str, object] = {"size": 32, "channels": 4, "blocks": 1, "halvings": 4}
    return CCAGANRecipe(CCAGANConfig(**(sizes | (model or {}))), with_values(CCAGANTraining(), training))


@pytest.fixture
def pictures() -> Batch:
    g = torch.Generator().manual_seed(3)
    valid = (torch.rand(4, 1, 32, 32, generator=g) < 0.8).float()
    return {
        "image": torch.rand(4, 3, 32, 32, generator=g) * 2 - 1,
        "valid": valid,
        "background": torch.zeros(4, 1, 32, 32),
        "seed": torch.arange(100, 104),
        "attributes": torch.rand(4, len(ATTRIBUTES), generator=g),
        "index": torch.arange(4),
    }


def test_the_preset_is_the_paper():
    plan = runs.plan("ccagan", "paper")
    w = plan.training
    assert (w.cls, w.rec, w.adversarial, w.judge_steps) == (1, 1, "logistic", 5)
    assert (w.lr, w.beta2) == (1e-4, 0.999)
    assert (plan.model.size, plan.model.attention, plan.run.batch_size, plan.run.flip) == (128, "cross", 32, True)
    assert plan.run.steps * 32 == 20 * 200_000  # 20 epochs of about 200k pictures
    assert w.schedule.decay_from * 2 == w.schedule.decay_to == plan.run.steps
    stargan = runs.plan("ccagan", "stargan")
    assert (stargan.model.attention, stargan.training.adversarial, stargan.training.rec) == (
        "none",
        "wgan-gp",
        10,
    )


def test_terms_by_hand(pictures):
    recipe = make()
    model, s, own = recipe.model, pictures["image"], pictures["attributes"]
    target = own[[1, 0, 3, 2]]
    with torch.no_grad():
        judged, edited = recipe.judge_terms(pictures), recipe.edit_terms(pictures)
        made = model.G(s, target, 1 - pictures["background"])
        (src, cls), (fake_src, fake_cls) = model.D(s), model.D(made)
        again = model.G(made, own, 1 - pictures["background"])
    adv = src.sigmoid().log().mean() + (1 - fake_src.sigmoid()).log().mean()  # Eq. 5
    torch.testing.assert_close(judged["adv"], -adv)  # Eq. 9

    def bce(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return F.binary_cross_entropy(logits.sigmoid(), wanted, reduction="none").sum(dim=1).mean()

    torch.testing.assert_close(judged["cls_r"], bce(cls, own))  # Eq. 6
    torch.testing.assert_close(edited["cls_f"], bce(fake_cls, target))  # Eq. 7
    torch.testing.assert_close(edited["rec"], (pictures["valid"] * (s - again).abs()).mean())  # Eq. 8
    torch.testing.assert_close(edited["fool"], -fake_src.sigmoid().log().mean())


def test_wgan_gp_and_hinge_by_hand(pictures):
    for kind in ("wgan-gp", "hinge"):
        recipe = make(adversarial=kind)
        judged, edited = recipe.judge_terms(pictures), recipe.edit_terms(pictures)
        with torch.no_grad():
            made = recipe.model.G(pictures["image"], pictures["attributes"][[1, 0, 3, 2]], 1 - pictures["background"])
            real, fake = recipe.model.D(pictures["image"])[0], recipe.model.D(made)[0]
        expected = (
            fake.mean() - real.mean()
            if kind == "wgan-gp"
            else (1 - real).clamp(min=0).mean() + (1 + fake).clamp(min=0).mean()
        )
        torch.testing.assert_close(judged["adv"], expected)
        torch.testing.assert_close(edited["fool"], -fake.mean())
        assert ("gp" in judged) is (kind == "wgan-gp")
        assert {p.name: set(p.weights) for p in recipe.phases()} == {"judge": set(judged), "edit": set(edited)}


def test_g_is_trained_once_while_d_is_trained_five_times():
    judge, edit = make().phases()
    assert [step for step in range(11) if edit.due(step)] == [0, 5, 10]
    assert all(judge.due(step) for step in range(11))
    assert judge.weights == {"adv": 1, "cls_r": 1}
    assert edit.weights == {"fool": 1, "cls_f": 1, "rec": 1}


def test_without_its_weight_the_reconstruction_is_not_computed(pictures):
    recipe = make(rec=0.0)
    calls = []
    recipe.model.G.register_forward_hook(lambda *_: calls.append(1))
    assert set(recipe.edit_terms(pictures)) == {"fool", "cls_f"} == set(recipe.phases()[1].weights)
    assert len(calls) == 1


def test_the_background_is_asked_to_stay(pictures):
    recipe = make(background=2.0)
    assert recipe.phases()[-1].weights["background"] == 2.0
    assert "background" not in make().edit_terms(pictures)
    background = (torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(4)) < 0.5).float()
    s, target = pictures["image"], pictures["attributes"][[1, 0, 3, 2]]
    with torch.no_grad():
        term = recipe.edit_terms({**pictures, "background": background})["background"]
        changed = (recipe.model.G(s, target, 1 - background) - s).abs()
    torch.testing.assert_close(term, (pictures["valid"] * background * changed).mean())
    recipe.model.G.forward = lambda s, *_: s + background.logical_not() * 1.0  # the background stays, all else changes
    assert recipe.edit_terms({**pictures, "background": background})["background"].item() == 0.0


def test_the_penalty_is_lazy_and_of_both_answers(pictures):
    assert [phase.name for phase in make().phases()] == ["judge", "edit"]
    recipe = make(r1=0.5)
    _, smooth, _ = recipe.phases()
    assert (smooth.nets, smooth.every, dict(smooth.weights)) == (("D",), 16, {"r1_src": 8.0, "r1_cls": 8.0})
    terms = smooth.loss(pictures)
    s = pictures["image"].clone().requires_grad_(True)
    for name, answer in zip(("r1_src", "r1_cls"), recipe.model.D(s), strict=True):
        (gradient,) = torch.autograd.grad(answer.flatten(1).mean(dim=1).sum(), s, retain_graph=True)
        torch.testing.assert_close(terms[name], 0.5 * gradient.square().sum() / len(s))


def test_unknown_attributes_are_asked_of_nobody(pictures):
    recipe = make()
    pictures["attributes"] = torch.full((4, len(ATTRIBUTES)), torch.nan)
    assert recipe.judge_terms(pictures)["cls_r"] == 0
    assert recipe.edit_terms(pictures)["cls_f"] == 0
    assert all(term.isfinite() for term in recipe.edit_terms(pictures).values())
    assert fill_unknown(pictures["attributes"]).unique().tolist() == [0.5]


def test_the_rate_is_constant_for_half_the_run_and_then_falls_to_0():
    recipe = make(lr=1.0, decay_from=10, decay_to=20)
    assert [recipe.learning_rate("G", step) for step in (0, 9, 10, 15, 19, 20, 30)] == [1, 1, 1, 0.5, 0.1, 0, 0]
    assert make(lr=0.5).learning_rate("D", 10**6) == 0.5


def test_turning_an_attribute_round():
    names = ("Black_Hair", "Blond_Hair", "Male")
    c = torch.tensor([[1.0, 0.2, 0.3], [0.0, 0.9, 1.0]])
    assert flip_attribute(c, names, "Blond_Hair").tolist() == [[0, 1, pytest.approx(0.3)], [0, 1, 1]]
    assert flip_attribute(c, names, "Male")[:, 2].tolist() == [1, 0]
    assert torch.equal(flip_attribute(c, names, "Male")[:, :2], c[:, :2])


def test_the_preview_shows_every_attribute(pictures):
    recipe = make()
    with torch.no_grad():
        shown, columns = recipe.preview(pictures, {"G": recipe.model.G})
    assert (len(shown), columns) == (4 * (1 + len(ATTRIBUTES)), 4)


def test_binary_labels_leave_out_what_is_neither(pictures):
    measured = torch.tensor([[0.0, 0.29, 0.31, 0.5, 0.71], [1.0, torch.nan, 0.69, 0.9, 0.1]])
    pictures = {name: value[:2] for name, value in pictures.items()} | {"attributes": measured}
    own, target = make(labels="binary").own_and_target(pictures)
    wanted = torch.tensor([[0, 0, torch.nan, torch.nan, 1], [1, torch.nan, torch.nan, 1, 0]])
    torch.testing.assert_close(own, wanted, equal_nan=True)
    torch.testing.assert_close(target, wanted.flip(0), equal_nan=True)


def test_turned_targets_ask_for_any_one_attribute(pictures):
    """The same picture at the same step is asked for the same; over many, each attribute is asked for about as
    often."""
    many = 200
    own = torch.tensor([0.0, 0.0, 1.0, 0.0, 1.0]).expand(many, -1)
    recipe = make(targets="flipped")
    batch = pictures | {"attributes": own, "seed": torch.arange(many)}
    same, target = recipe.own_and_target(batch)
    torch.testing.assert_close(same, own)
    torch.testing.assert_close(target, recipe.own_and_target(batch)[1])
    choices = [flip_attribute(own[:1], ATTRIBUTES, name)[0] for name in ATTRIBUTES]
    counts = [int((target == choice).all(dim=1).sum()) for choice in choices]
    assert sum(counts) == many
    assert all(20 < count < 60 for count in counts)


def test_with_light_faces_are_told_without_colours_and_hair_with_them(pictures):
    names = ("Black_Hair", "Blond_Hair", "Male")
    recipe = make({"attributes": names}, light=0.5)
    s, seeds = pictures["image"], pictures["seed"]
    with torch.no_grad():
        src, cls = recipe.logits(s, seeds, "light")
        plain_src, plain_cls = recipe.model.D(s)
        (_, lit), (_, otherwise) = (
            recipe.model.D(in_grey_light(s, uniform(seeds, name, LIGHTS, s.device), 0.5)) for name in ("light", "x")
        )
    assert torch.equal(src, plain_src)
    assert torch.equal(cls[:, :2], plain_cls[:, :2])
    assert torch.equal(cls[:, 2], lit[:, 2])
    assert not torch.equal(lit, otherwise)
    dark = make({"attributes": names})
    assert torch.equal(dark.logits(s, seeds, "light")[1], dark.model.D(s)[1])


def test_d_may_lead_and_learn_faster():
    recipe = make(lead=7, judge_steps=2, lr=1.0, judge_lr=4.0, decay_from=10, decay_to=20)
    judge, edit = recipe.phases()
    assert [step for step in range(12) if edit.due(step)] == [8, 10]
    assert all(judge.due(step) for step in range(12))
    assert [(recipe.learning_rate("D", step), recipe.learning_rate("G", step)) for step in (0, 15)] == [
        (4.0, 1.0),
        (2.0, 0.5),
    ]


@pytest.mark.parametrize(
    ("model", "training", "says"),
    [
        ({"confined": True}, {}, "set paints to change or smooth"),
        ({"output": "flow"}, {}, "set paints to change or smooth"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_in_words(model, training, says):
    with pytest.raises(SettingError, match=says):
        make(model, **training)


MOVES = {"paints": "smooth", "output": "flow"}


def test_uneven_moves_are_a_term_of_their_own(pictures):
    recipe = make(MOVES)
    (phase,) = (phase for phase in recipe.phases() if phase.name == "edit")
    assert phase.weights["flow"] == 3.0
    flow_head = recipe.model.G.flow
    torch.nn.init.normal_(flow_head.main[-1].weight, std=1.0)
    with torch.no_grad():
        terms = recipe.edit_terms(pictures)
        _, flow = recipe.model.G.parts(
            pictures["image"], pictures["attributes"][[1, 0, 3, 2]], torch.ones(4, 1, 32, 32)
        )
    uneven = (flow.diff(dim=3) ** 2).sum(dim=1).mean() + (flow.diff(dim=2) ** 2).sum(dim=1).mean()
    torch.testing.assert_close(terms["flow"], uneven)
    assert uneven > 1e-3
    assert "flow" not in make(MOVES, flow=0.0).edit_terms(pictures)
    assert "flow" not in make({"paints": "smooth"}).edit_terms(pictures)
    assert "flow" not in next(phase.weights for phase in make().phases() if phase.name == "edit")


def test_the_head_that_moves_learns_from_the_first_step(pictures):
    recipe = make(MOVES)
    sum(recipe.edit_terms(pictures).values()).backward()
    assert recipe.model.G.flow.main[-1].weight.grad.abs().max() > 0


def test_a_model_may_be_given_moves(tmp_path):
    """`--from` a model without, with output=flow: it paints what the model painted, and goes on; nothing else may
    differ."""
    changes = ("paints=smooth", "confined=true")
    short = {"steps": 1, "batch_size": 4, "precision": "32"}
    run, data = tmp_path / "plain", ["puppets:24"]
    runs.train(runs.plan("ccagan", "tiny", changes, short), data, run, accelerator="cpu")
    start = str(run / "model")
    other = runs.plan("ccagan", "tiny", ("output=flow", "blocks=2"), short, start)
    with pytest.raises(SettingError, match="but for output=flow"):
        runs.train(other, data, tmp_path / "other", accelerator="cpu")
    plan = runs.plan("ccagan", "tiny", ("output=flow",), short, start)
    assert (plan.model.paints, plan.model.confined, plan.model.output) == ("smooth", True, "flow")
    recipe = runs.build_recipe(plan)
    recipe.grow_from(plan.start)
    plain = runs.build_recipe(runs.plan("ccagan", "tiny", changes)).model.G
    plan.start.fill(plain, "G")
    s, t, person = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, len(ATTRIBUTES)), torch.ones(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(recipe.model.G(s, t, person), plain(s, t, person))
    runs.train(plan, data, tmp_path / "moves", accelerator="cpu")
    loaded = masque.load(tmp_path / "moves" / "model", "edit")
    assert loaded.model.config.output == "flow"
    assert loaded.model.G.flow is not None
