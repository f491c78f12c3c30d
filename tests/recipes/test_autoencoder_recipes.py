"""VAE-GAN, ALI and α-GAN: as many parameters as RSGAN, their equations by hand, and that each can learn."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import softplus

from masque import runs
from masque.data.batches import Batch, Batches
from masque.data.frames import load_frames
from masque.recipes.autoencoders import AutoencoderRecipe
from masque.train.phase import Phase

FAMILIES = ("vaegan", "ali", "alphagan")


@pytest.fixture(scope="module")
def batch() -> Batch:
    return Batches(load_frames(["puppets:16"], 32, ()), "train", 32, 4, 0)(0)


def recipe_of(family: str, *assignments: str) -> AutoencoderRecipe:
    made = runs.build_recipe(runs.plan(family, "tiny", assignments))
    assert isinstance(made, AutoencoderRecipe)
    return made


def phase_of(recipe: AutoencoderRecipe, name: str) -> Phase:
    (phase,) = (phase for phase in recipe.phases() if phase.name == name)
    return phase


def parameters(family: str, preset: str) -> int:
    plan = runs.plan(family, preset)
    with torch.device("meta"):
        recipe = runs.catalog.family(family).load("recipe")(plan.model, plan.training)
    return sum(p.numel() for net in recipe.nets.values() for p in net.parameters())


@pytest.mark.parametrize("preset", ["paper", "slim", "small", "table", "tiny"])
def test_as_many_parameters_as_rsgan(preset):
    wanted = parameters("rsgan", preset)
    assert {family: parameters(family, preset) / wanted for family in FAMILIES} == dict.fromkeys(
        FAMILIES, pytest.approx(1.0, abs=0.1)
    )


@pytest.mark.parametrize("preset", ["paper", "slim", "small", "table"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_budget_and_rates_as_rsgan(family, preset):
    ours, theirs = runs.plan(family, preset), runs.plan("rsgan", preset)
    assert ours.run == theirs.run
    assert ours.model.size == theirs.model.size
    assert ours.training.lr == (2e-4 if family == "ali" else theirs.training.lr)
    for name in ("judge_lr", "beta2", "warm_up", "schedule"):
        assert getattr(ours.training, name) == getattr(theirs.training, name), name
    # RSGAN's D_g learns from adv_g times its loss, theirs from their loss alone: the penalty must be as large beside it
    assert ours.training.penalty.r1 == theirs.training.penalty.r1 / theirs.training.weights.adv_g
    latents = 2 * (theirs.model.z_appearance + theirs.model.z_attributes)
    assert ours.model.z == latents


@pytest.mark.parametrize("family", FAMILIES)
def test_every_phase_moves_what_it_says_and_nothing_else(family, batch):
    recipe = recipe_of(family, "r1=0.5")
    for net in recipe.nets.values():
        net.requires_grad_(False)
    for phase in recipe.phases():
        for name in phase.nets:
            recipe.nets[name].requires_grad_(True)
        terms = phase.loss(batch)
        assert terms.keys() == phase.weights.keys()
        sum(terms.values()).backward()
        for name, net in recipe.nets.items():
            moved = any(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())
            assert moved is (name in phase.nets), (phase.name, name)
            net.zero_grad(set_to_none=True)
            net.requires_grad_(False)


def test_vae_gan_by_hand(batch, monkeypatch):
    recipe = recipe_of("vaegan")
    x = batch["image"]
    monkeypatch.setattr(
        recipe.D,
        "forward",
        lambda pictures: pictures.new_tensor([2.0, 0.5, -1.0]).repeat_interleave(4)[: len(pictures), None],
    )
    adv = softplus(torch.tensor(-2.0)) + softplus(torch.tensor(0.5)) + softplus(torch.tensor(-1.0))
    assert float(recipe.judge_terms(batch)["adv"]) == pytest.approx(float(adv))
    monkeypatch.setattr(recipe.D, "features", lambda pictures: 3 * pictures)
    with torch.no_grad():
        inferred = recipe.model.E(x)
        made = recipe.model.G(inferred.sample(recipe.noise(batch, "z")))
        terms = recipe.encode_terms(batch)
    assert float(terms["like"]) == pytest.approx(float(4.5 * (made - x).square().mean()), rel=1e-5)
    kl = 0.5 * (inferred.mean.square() + inferred.log_variance.exp() - inferred.log_variance - 1).sum(dim=1).mean()
    assert float(terms["kl"]) == pytest.approx(float(kl), rel=1e-5)


def test_ali_sees_pictures_and_latents_in_pairs(batch, monkeypatch):
    recipe, seen = recipe_of("ali"), []
    monkeypatch.setattr(
        recipe.D, "forward", lambda x, z: seen.append((x, z)) or z.new_tensor([2.0, -1.0]).repeat_interleave(4)[:, None]
    )
    with torch.no_grad():
        judged, fooled = recipe.judge_terms(batch), recipe.fool_terms(batch)
        drawn = recipe.noise(batch, "z")
        painted = recipe.model.G(drawn)
    ((pictures, latents), _) = seen
    assert torch.equal(pictures[:4], batch["image"])
    assert torch.allclose(pictures[4:], painted)
    assert torch.equal(latents[4:], drawn)
    assert not torch.allclose(latents[:4], drawn)
    plus = {value: float(softplus(torch.tensor(value))) for value in (-2.0, 2.0, -1.0, 1.0)}
    assert float(judged["adv"]) == pytest.approx(plus[-2.0] + plus[-1.0])
    assert {name: float(term) for name, term in fooled.items()} == pytest.approx(
        {"seen": plus[2.0], "painted": plus[1.0]}
    )


def test_alpha_gan_by_hand(batch, monkeypatch):
    recipe = recipe_of("alphagan")
    x = batch["image"]
    batch = {**batch, "valid": torch.ones_like(batch["valid"])}
    with torch.no_grad():
        inferred = recipe.model.E(x).mean
        again = recipe.model.G(inferred)
        rec = float(recipe.autoencode_terms(batch)["rec"])
    assert rec == pytest.approx(float((x - again).abs().mean()), rel=1e-5)
    monkeypatch.setattr(recipe.C, "forward", lambda z: torch.where((z == inferred).all(dim=1, keepdim=True), 0.5, 2.0))
    with torch.no_grad():
        code = float(recipe.judge_latents_terms(batch)["code"])
        assert float(recipe.autoencode_terms(batch)["fool_C"]) == pytest.approx(float(softplus(torch.tensor(-0.5))))
    assert code == pytest.approx(float(softplus(torch.tensor(-2.0)) + softplus(torch.tensor(0.5))))
    # E learns from no judge of pictures.
    recipe.model.E.requires_grad_(True)
    recipe.model.G.requires_grad_(True)
    recipe.autoencode_terms(batch)["fool"].backward()
    assert all(p.grad is None for p in recipe.model.E.parameters())
    assert any(p.grad is not None for p in recipe.model.G.parameters())


LEARNING = [("vaegan", "encode", "like"), ("ali", "judge", "adv"), ("alphagan", "autoencode", "rec")]


@pytest.mark.parametrize(("family", "phase", "term"), LEARNING)
def test_each_learns(family, phase, term, batch):
    """What one phase trains learns one batch by heart, while its adversary stands still: against one that learns too,
    no loss need fall."""
    recipe = recipe_of(family)
    learning = phase_of(recipe, phase)
    for name, net in recipe.nets.items():
        net.requires_grad_(name in learning.nets)
    optimizer = torch.optim.Adam(
        [p for name in learning.nets for p in recipe.nets[name].parameters()], lr=2e-3, betas=(0.5, 0.999)
    )
    values = []
    for _ in range(40):
        loss = learning.loss(batch)[term]
        values.append(float(loss.detach()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    assert values[-1] < 0.6 * values[0]  # they come to 0.34, 0.0001 and 0.13 of it
