"""The progressive GAN's training: how it grows, what D sees, both losses, and the encoder's turn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from masque import modelfile
from masque.config import as_dict, with_values
from masque.errors import CheckpointError, SettingError
from masque.layers.augment import DRAWS, augment
from masque.layers.noise import uniform
from masque.losses.adversarial import fake_loss, real_loss
from masque.models.parser import FaceParser, ParserConfig
from masque.models.progan import Equalized, ProGANConfig, pixel_norm, widened
from masque.recipes.progan import ProGANRecipe, ProGANTraining, stage_at
from masque.train.start import take_judges
from masque.train.state import save_state

CONFIG = ProGANConfig(size=16, channels=64, widest=8, z=8, encoder=4, group=2)


def recipe(**changes) -> ProGANRecipe:
    torch.manual_seed(0)
    return ProGANRecipe(CONFIG, with_values(ProGANTraining(), {"hold": 40, "fade": 40, **changes}))


def batch(step: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    return {
        "image": torch.rand(4, 3, 16, 16, generator=generator) * 2 - 1,
        "valid": torch.ones(4, 1, 16, 16),
        "step": torch.full((4,), step),
        "seed": 4 * step + torch.arange(4),
    }


def test_sizes_are_held_and_faded_in_by_turns():
    at = [stage_at(images, hold=40, fade=20, most=2) for images in (0, 39, 40, 45, 60, 99, 100, 110, 119, 120, 10**6)]
    assert at == pytest.approx([0, 0, 0, 0.25, 1, 1, 1, 1.5, 1.95, 2, 2])
    assert stage_at(10, hold=10, fade=0, most=3) == 1
    assert [stage_at(images, hold=40, fade=20, most=3, first=2) for images in (0, 39, 50, 1000)] == [2, 2, 2.5, 3]


def test_real_pictures_have_the_side_and_the_details_of_the_stage():
    made = recipe()
    assert made.real(batch(0)).shape == (4, 3, 4, 4)
    begun = made.real(batch(10))  # 40 images: the fade to 8×8 begins
    assert begun.shape == (4, 3, 4, 4)
    quarter = batch(12)
    faded, whole = made.real(quarter), torch.nn.functional.avg_pool2d(quarter["image"], 2)
    assert faded.shape == (4, 3, 8, 8)
    coarse = torch.nn.functional.avg_pool2d(whole, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.allclose(faded, 0.8 * coarse + 0.2 * whole, atol=1e-6)
    assert torch.equal(made.real(batch(10_000)), batch(10_000)["image"])


def test_wasserstein_terms_by_hand():
    made, one = recipe(), batch(3)
    made.D.forward = lambda pictures, _: (pictures * 2).sum(dim=(1, 2, 3))[
        :, None
    ]  # a gradient of 2 in each of 48 entries
    terms = made.judge_terms(one)
    with torch.no_grad():
        x, fake = made.real(one), made.model.G(made.latent(one, "z"), 0.0)
    assert torch.allclose(terms["adv"], 2 * (fake.sum(dim=(1, 2, 3)).mean() - x.sum(dim=(1, 2, 3)).mean()), atol=1e-4)
    assert float(terms["gp"]) == pytest.approx((2 * 48**0.5 - 1) ** 2, rel=1e-4)
    assert torch.allclose(terms["drift"], (2 * x.sum(dim=(1, 2, 3))).square().mean(), rtol=1e-4)
    assert made.paint_terms(one)["fool"] != 0


def test_the_logistic_loss_has_its_penalty_seldom_but_as_heavily():
    phases = {phase.name: phase for phase in recipe(adversarial="logistic", r1=2.0, r1_every=8).phases()}
    assert (phases["smooth"].every, phases["smooth"].weights) == (8, {"r1": 16.0})
    assert set(phases) == {"judge", "smooth", "paint"}


def test_d_sees_real_and_made_pictures_changed_alike():
    made, one = recipe(adversarial="logistic", augment="diff"), batch(3)
    seen = []

    def look(pictures, _stage):
        seen.append(pictures.detach())
        return pictures.mean(dim=(1, 2, 3))[:, None]

    made.D.forward = look
    made.judge_terms(one)
    assert torch.allclose(seen[0], augment(made.real(one), uniform(one["seed"], "augment real", DRAWS)))
    assert not torch.equal(seen[0], made.real(one))
    assert len(seen) == 2


def test_g_remembers_its_stage_and_only_in_its_own_phase():
    made = recipe()
    made.judge_terms(batch(15))
    assert float(made.model.G.stage) == 2.0
    made.paint_terms(batch(15))
    assert float(made.model.G.stage) == 0.5


def test_the_encoder_learns_once_g_is_finished():
    phases = {phase.name: phase for phase in recipe(encoder_since=100).phases()}
    assert [phases[name].due(step) for name in ("judge", "paint", "encode") for step in (99, 100)] == [
        True,
        False,
        True,
        False,
        False,
        True,
    ]
    made, one = recipe(encoder_since=100), batch(100)
    z = pixel_norm(made.latent(one, "z"))
    made.model.E.forward = lambda _: z
    terms = made.encode_terms(one)
    assert float(terms["z"].detach()) == float(terms["again"].detach()) == 0.0
    assert float(terms["photo"]) > 0


def test_rates_fall_where_a_network_is_finished():
    made = recipe(lr=1.0, encoder_lr=2.0, encoder_since=100, decay_from=80, decay_to=200)
    assert [made.learning_rate("G", step) for step in (0, 80, 90, 100)] == [1.0, 1.0, 0.5, 0.0]
    assert [made.learning_rate("E", step) for step in (0, 100, 150, 200)] == pytest.approx([2.0, 2.0, 1.0, 0.0])
    assert recipe(lr=0.3).learning_rate("D", 10**7) == 0.3


@pytest.fixture(scope="module")
def parser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parser")
    torch.manual_seed(1)
    config = ParserConfig(size=16, channels=4, halvings=2)
    modelfile.write(folder, "parser", as_dict(config), FaceParser(config).state_dict(), "a parser")
    return str(folder)


def test_a_lead_lets_d_learn_alone_at_first():
    phases = {phase.name: phase for phase in recipe(lead=5).phases()}
    assert [(phases["judge"].due(step), phases["paint"].due(step)) for step in (0, 4, 5)] == [
        (True, False),
        (True, False),
        (True, True),
    ]


def test_a_second_discriminator_sees_the_maps_of_a_parser(parser):
    made, one = recipe(adversarial="logistic", parser=parser, maps=0.5, grown=16), batch(3)
    phases = {phase.name: phase for phase in made.phases()}
    assert phases["judge"].nets == ("D", "D_maps")
    assert (phases["smooth"].nets, phases["smooth_maps"].nets) == (("D",), ("D_maps",))
    assert phases["paint"].weights == {"fool": 1.0, "fool_maps": 0.5}
    terms = made.judge_terms(one)
    with torch.no_grad():
        real, fake = (made.maps.D_maps(x) for x in (one["image"], made.model.G(made.latent(one, "z"), 2.0)))
    assert real.shape == (4, 3 * 16)  # 4×4 scores on the picture and on each of the two maps
    assert torch.allclose(terms["adv_maps"], real_loss(real) + fake_loss(fake))
    phases["smooth_maps"].loss(one)["r1_maps"].backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in made.maps.D_maps.parameters())
    assert all(p.grad is None for p in made.maps.P_F.parameters())


def test_the_second_discriminator_may_judge_alone(parser):
    made, one = recipe(adversarial="logistic", parser=parser, adv=0.0, grown=16), batch(3)
    phases = {phase.name: phase for phase in made.phases()}
    assert phases["judge"].nets == phases["smooth_maps"].nets == ("D_maps",)
    assert "smooth" not in phases
    assert (set(made.judge_terms(one)), set(made.paint_terms(one))) == ({"adv_maps"}, {"fool_maps"})
    assert set(phases["smooth_maps"].loss(one)) == {"r1_maps"}
    with pytest.raises(SettingError, match="something else has to judge"):
        recipe(adv=0.0)


def test_a_second_discriminator_that_nothing_would_teach_is_refused(parser):
    with pytest.raises(SettingError, match="adversarial=logistic"):
        recipe(adversarial="wgan-gp", parser=parser)


def test_the_second_discriminator_sees_tints(parser):
    """Which the maps' directions hardly show."""
    made, one = recipe(adversarial="logistic", parser=parser, grown=16), batch(3)
    made.maps.D_maps(one["image"])[:, :16].sum().backward()
    assert made.maps.D_maps.heads[0][0].weight.grad.abs().sum() > 0
    assert all(not p.grad.any() for p in made.maps.D_maps.heads[1].parameters())


def test_what_the_parser_sees_moves_g(parser):
    made, one = recipe(adversarial="logistic", parser=parser, grown=16), batch(3)
    made.paint_terms(one)["fool_maps"].backward()
    assert made.model.G.first.weight.grad.abs().sum() > 0


def test_small_pictures_are_enlarged_for_the_parser(parser):
    made = recipe(adversarial="logistic", parser=parser)
    seen = []
    made.maps.P_F.maps = lambda x: seen.append(x.shape) or [torch.rand(4, 4, 8, 8), torch.rand(4, 8, 4, 4)]
    made.judge_terms(batch(0))
    assert seen == [(4, 3, 16, 16)] * 2


def small(tmp_path, **changes):
    """A model folder of half the size."""
    torch.manual_seed(3)
    config = replace(CONFIG, **{"size": 8, **changes})
    net = ProGANRecipe(config, ProGANTraining()).model
    modelfile.write(tmp_path, "progan", as_dict(config), net.state_dict(), "small")
    return modelfile.read(tmp_path), net


def test_growing_from_a_smaller_model(tmp_path):
    """At the smaller side it paints what the smaller one paints; growth goes on from there."""
    start, smaller = small(tmp_path)
    made = recipe(grown=8)
    made.grow_from(start)
    z = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(made.model.G(z, 1.0), smaller.G(z, 1.0))
        assert made.model.G(z).shape == (3, 3, 8, 8)
    assert [made.stage(batch(step)) for step in (0, 10, 15)] == [1.0, 1.0, 1.5]


@pytest.mark.parametrize(("q", "r"), [(1, 1), (2, 1), (1, 3), (2, 2)])
def test_a_widened_layer_does_the_same_with_repeated_inputs(q, r):
    torch.manual_seed(2)
    narrow, wide = Equalized(4, 6, 3), Equalized(4 * r, 6 * q, 3)
    wide.load_state_dict(widened(wide, narrow.weight, narrow.bias))
    x = torch.randn(2, 4, 5, 5)
    assert torch.allclose(wide(x.repeat(1, r, 1, 1)), narrow(x).repeat(1, q, 1, 1), atol=1e-5)
    copies = wide.weight.detach().unflatten(1, (r, 4))
    assert all(
        not torch.allclose(copies[:, 0], copies[:, k], atol=0.1) for k in range(1, r)
    )  # which would learn the same for ever
    with pytest.raises(ValueError, match="cannot be widened"):
        widened(Equalized(5, 6, 3), narrow.weight, narrow.bias)


def test_growing_wider(tmp_path):
    """What a narrower model paints is painted; the encoder does not depend on it."""
    start, narrow = small(tmp_path, size=16, channels=16)
    made = recipe(grown=16)
    assert made.model.G.convolutions[2][1].weight.shape[:2] == (8, 8)
    assert narrow.G.convolutions[2][1].weight.shape[:2] == (2, 2)
    made.grow_from(start)
    z, x = torch.randn(3, 8), torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        assert float((made.model.G(z) - narrow.G(z)).abs().max()) < 1e-3
        assert torch.equal(made.model.E(x), narrow.E(x))
    odd, _ = small(tmp_path / "odd", size=16, channels=24)  # 3 channels at 16×16, where 8 are wanted
    with pytest.raises(SettingError, match="choose multiples"):
        recipe(grown=16).grow_from(odd)


def test_an_encoder_that_looks_at_the_smaller_side_goes_on(tmp_path):
    start, smaller = small(tmp_path)
    torch.manual_seed(4)
    made = ProGANRecipe(replace(CONFIG, seen=8), with_values(ProGANTraining(), {"grown": 8}))
    made.grow_from(start)
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(made.model.E(x), smaller.E(torch.nn.functional.avg_pool2d(x, 2)), atol=1e-6)


def test_models_that_growth_cannot_begin_with(tmp_path):
    start, _ = small(tmp_path)
    with pytest.raises(SettingError, match="add --set grown=8"):
        recipe().grow_from(start)
    other, _ = small(tmp_path / "other", z=4)
    with pytest.raises(SettingError, match="nothing but its size and width"):
        recipe(grown=8).grow_from(other)
    damaged = replace(start, weights={**start.weights, "G.first.weight": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="train it again"):
        recipe(grown=8).grow_from(damaged)
    with pytest.raises(SettingError, match="beyond the size of 16"):
        recipe(grown=32)


def test_a_discriminator_of_the_maps_goes_on_where_g_is_widened(tmp_path, parser):
    """The paper's D, whose width is G's, begins anew."""
    start, _ = small(tmp_path / "run" / "model", size=16, channels=16)
    torch.manual_seed(5)
    before = ProGANRecipe(
        replace(CONFIG, channels=16),
        with_values(ProGANTraining(), {"adversarial": "logistic", "parser": parser, "grown": 16}),
    )
    save_state(tmp_path / "run", 3, {"nets": {name: net.state_dict() for name, net in before.nets.items()}}, keep=1)
    made = recipe(adversarial="logistic", parser=parser, grown=16)
    own = {key: value.clone() for key, value in made.D.state_dict().items()}
    take_judges(made, start, where_they_fit=True)
    assert all(
        torch.equal(value, before.maps.D_maps.state_dict()[key]) for key, value in made.maps.D_maps.state_dict().items()
    )
    assert all(torch.equal(value, own[key]) for key, value in made.D.state_dict().items())
    with pytest.raises(CheckpointError, match=r"another D than .*masque export"):
        take_judges(made, start)
