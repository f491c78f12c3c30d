"""RSGAN's recipe against Algorithm A1 and Section 3.1: the constants, and which term moves which network."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from masque import runs
from masque.recipes.rsgan import RSGANRecipe
from masque.train.phase import weight_at
from masque.train.rates import Schedule

SEPARATORS = {"separator_face", "separator_hair", "attributes_face", "attributes_hair"}
FACE = {"separator_face", "attributes_face", "decoder_face"}
HAIR = {"separator_hair", "attributes_hair", "decoder_hair"}
ADVERSARIAL = SEPARATORS | {"composer"}


def moved_by(recipe: RSGANRecipe, term: torch.Tensor) -> set[str]:
    """The networks that a term has a gradient for, by torch.autograd.grad."""
    names = [(name, parameter) for name, net in recipe.nets.items() for parameter in net.parameters()]
    gradients = torch.autograd.grad(term, [p for _, p in names], allow_unused=True, retain_graph=True)
    return {
        name
        for (name, _), gradient in zip(names, gradients, strict=True)
        if gradient is not None and bool(gradient.abs().max() > 0)
    }


def test_the_preset_is_the_paper():
    plan = runs.plan("rsgan", "paper")
    w = plan.training
    assert dataclasses.astuple(w.weights) == (4000, 1, 20, 30, 1, 50)  # rec, kl, adv_g, adv_p, C, GC
    assert w.beta == 0.5
    assert (w.lr, w.judge_lr, w.beta2) == (0.0002, 0.0002, 0.999)
    assert (plan.model.size, plan.run.batch_size, plan.run.steps) == (128, 50, 120_000)
    assert (plan.model.variational, plan.model.lstm) == (True, False)
    assert (w.random, w.rec_trains_separators, w.penalty.r1, w.warm_up, w.schedule) == (
        "prior",
        False,
        0,
        0,
        Schedule(),
    )
    assert (w.start.adversarial_from, plan.model.coarse, plan.model.prior) == (0, 0, "normal")


def test_the_optimizer_is_the_papers_adam_for_every_network(make_recipe):
    recipe = make_recipe()
    for name, net in recipe.nets.items():
        optimizer = recipe.optimizer(name, net.parameters())
        assert type(optimizer) is torch.optim.Adam
        assert optimizer.defaults["betas"] == (0.5, 0.999)
        assert {recipe.learning_rate(name, step) for step in (0, 1, 60_000, 119_999)} == {2e-4}


def test_the_weights_of_the_phases_are_section_3_1(make_recipe):
    compose, judge, classify = make_recipe().phases()
    assert compose.weights == {"rec_f": 4000, "rec_h": 4000, "rec": 4000, "kl": 1, "GC": 50, "fool_g": 20, "fool_p": 30}
    assert judge.weights == {"adv_g": 20, "adv_p": 30}
    assert classify.weights == {"C": 1}
    assert set(compose.nets) == SEPARATORS | {"decoder_face", "decoder_hair", "composer"}
    assert (set(judge.nets), set(classify.nets)) == ({"D_g", "D_p"}, {"C"})


def test_a_phase_trains_every_network_of_the_recipe_once(make_recipe):
    for model in ({}, {"lstm": True}):
        recipe = make_recipe(model)
        assert sorted(name for phase in recipe.phases() for name in phase.nets) == sorted(recipe.nets)


@pytest.mark.parametrize(
    ("term", "moved"),
    [
        ("rec_f", FACE),  # lines 20, 22, 24
        ("rec_h", HAIR),  # lines 21, 23, 25
        ("rec", {"composer"}),  # line 26, and of the separators nothing
        ("kl", SEPARATORS),  # lines 20-23
        ("fool_g", ADVERSARIAL | {"D_g"}),  # lines 19-23 and 26; D_g has a gradient but is not in the phase
        ("fool_p", ADVERSARIAL | {"D_p"}),
        ("GC", ADVERSARIAL | {"C"}),
    ],
)
def test_whom_a_composing_term_moves(make_recipe, batch, term, moved):
    recipe = make_recipe()
    assert moved_by(recipe, recipe.compose_terms(batch)[term]) == moved


def test_the_other_phases_move_their_own_networks_only(make_recipe, batch):
    recipe = make_recipe(r1=1.0)
    judged, smoothed = (
        recipe.judge_terms(batch),
        {"r1_g": recipe.r1(recipe.model.D_g, batch), "r1_p": recipe.r1(recipe.model.D_p, batch)},
    )
    assert moved_by(recipe, judged["adv_g"]) == moved_by(recipe, smoothed["r1_g"]) == {"D_g"}  # line 27
    assert moved_by(recipe, judged["adv_p"]) == moved_by(recipe, smoothed["r1_p"]) == {"D_p"}  # line 28
    assert moved_by(recipe, recipe.classify_terms(batch)["C"]) == {"C"}  # line 29


def test_rec_can_be_let_through_to_the_separators(make_recipe, batch):
    recipe = make_recipe(rec_trains_separators=True)
    assert moved_by(recipe, recipe.compose_terms(batch)["rec"]) == ADVERSARIAL


def test_both_ways_make_the_same_pictures(make_recipe, batch):
    to_the_letter, through = make_recipe(), make_recipe(rec_trains_separators=True)
    for a, b in zip(to_the_letter.compose_terms(batch).values(), through.compose_terms(batch).values(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_lstm_is_trained_with_the_separators_and_served(make_recipe, batch):
    recipe = make_recipe({"lstm": True})
    terms = recipe.compose_terms(batch)
    for name in ("rec_f", "rec_h", "kl", "fool_g", "GC"):
        assert "memory" in moved_by(recipe, terms[name])
    assert "memory" not in moved_by(recipe, terms["rec"])
    assert "memory" in recipe.served
    assert set(make_recipe().served) < set(make_recipe().nets)


def test_the_non_variational_variant_has_neither_noise_nor_kl(make_recipe, batch):
    recipe = make_recipe({"variational": False})
    made = recipe.make(batch)
    assert made.kl == 0
    other = recipe.make({**batch, "seed": batch["seed"] + 1})
    assert torch.equal(made.image, other.image)
    assert not torch.equal(made.random, other.random)


def test_rates_warm_up_and_decay(make_recipe):
    recipe = make_recipe(lr=1.0, judge_lr=0.5, warm_up=4, decay_from=10, decay_to=20)
    rate = [recipe.learning_rate("composer", step) for step in range(25)]
    assert rate[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert rate[9:21] == [1.0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    assert rate[24] == 0
    assert [recipe.learning_rate(name, 5) for name in ("D_g", "D_p", "C", "decoder_face")] == [0.5, 0.5, 0.5, 1.0]


def test_what_only_serves_training_may_catch_up_first(make_recipe):
    phases = make_recipe(lead=3, adversarial_ramp=2).phases()
    learning = lambda step: {name for phase in phases if phase.due(step) for name in phase.nets}  # noqa: E731
    assert learning(0) == learning(2) == {"decoder_face", "decoder_hair", "D_g", "D_p"}
    assert learning(3) == set(make_recipe().nets)
    (compose,) = (phase for phase in phases if phase.name == "compose")
    assert [weight_at(compose.weights["fool_g"], step) for step in (3, 4, 5)] == [0, 10, 20]


def test_part_decoders_that_catch_up_move_nothing_else(make_recipe, batch):
    recipe = make_recipe(lead=3)
    (phase,) = (phase for phase in recipe.phases() if phase.name == "decode")
    terms = phase.loss(batch)
    assert terms.keys() == phase.weights.keys()
    assert moved_by(recipe, terms["rec_f"]) == {"decoder_face"}
    assert moved_by(recipe, terms["rec_h"]) == {"decoder_hair"}


def test_the_penalty_is_lazy_with_the_same_pull(make_recipe):
    *_, smooth = make_recipe(r1=0.25).phases()
    due = [step for step in range(64) if smooth.due(step)]
    assert due == [0, 16, 32, 48]
    assert smooth.weights["r1_g"] * len(due) / 64 == 0.25
    assert len(make_recipe(r1=0.0).phases()) == 3


def test_adversarial_terms_rise_over_the_ramp(make_recipe):
    phases = {phase.name: phase for phase in make_recipe(adversarial_from=10, adversarial_ramp=4).phases()}
    weights = phases["compose"].weights
    for name, full in (("GC", 50), ("fool_g", 20), ("fool_p", 30)):
        assert [weight_at(weights[name], step) for step in (10, 11, 13, 14, 99)] == [
            0,
            full / 4,
            3 * full / 4,
            full,
            full,
        ]
    assert weights["rec"] == 4000
    assert phases["judge"].weights == {"adv_g": 20, "adv_p": 30}


def test_the_autoencoders_learn_alone_at_first(make_recipe, batch):
    recipe = make_recipe(adversarial_from=5, r1=0.25, rec_trains_separators=True)
    due = [[phase.name for phase in recipe.phases() if phase.due(step)] for step in (0, 4, 5, 16)]
    assert due == [
        ["autoencode", "classify"],
        ["autoencode", "classify"],
        ["compose", "judge", "classify"],
        ["compose", "judge", "classify", "smooth"],
    ]
    alone, phases = recipe.autoencode_terms(batch), {phase.name: phase for phase in recipe.phases()}
    together = recipe.compose_terms(batch)
    for name, term in alone.items():
        torch.testing.assert_close(term, together[name])
        assert phases["autoencode"].weights[name] == phases["compose"].weights[name]
    assert moved_by(recipe, alone["rec"]) == ADVERSARIAL
    to_the_letter = make_recipe(adversarial_from=5)
    assert moved_by(to_the_letter, to_the_letter.autoencode_terms(batch)["rec"]) == {"composer"}


def test_the_moments_are_running_averages(make_recipe, batch):
    recipe = make_recipe({"prior": "fitted"}, adversarial_from=5)
    (phase,) = (p for p in recipe.phases() if p.nets == ("prior",))
    optimizer = recipe.optimizer("prior", recipe.model.prior.parameters())
    expected = {part: (torch.zeros(14), torch.eye(14)) for part in ("face", "hair")}
    for step in range(3):
        seen = {**batch, "seed": batch["seed"] + step}
        recipe.infer(seen)
        _, z, c = recipe.inferred
        share = recipe.learning_rate("prior", step)
        for part, latents in (("face", z.xf), ("hair", z.xh)):
            y, (first, second) = torch.cat([latents, c], dim=1), expected[part]
            expected[part] = (first + share * (y.mean(dim=0) - first), second + share * (y.T @ y / 4 - second))
        phase.loss(seen)["moments"].backward()
        optimizer.param_groups[0]["lr"] = share
        optimizer.step()
        optimizer.zero_grad()
    for part, (first, second) in expected.items():
        torch.testing.assert_close(recipe.model.prior.first[part].data, first)
        torch.testing.assert_close(recipe.model.prior.second[part].data, second)
    assert recipe.learning_rate("prior", 10**6) == 0.004


def test_a_preview_needs_no_discriminators(make_recipe, batch):
    recipe = make_recipe()
    with torch.no_grad():
        pictures, columns = recipe.preview(
            batch, {name: recipe.nets[name] for name in recipe.served if name in recipe.nets}
        )
    assert (len(pictures), columns) == (5 * 4, 4)
