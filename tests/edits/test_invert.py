"""Finding latents: each method on a generator whose answers are known, clipping by hand, and what an interruption
leaves."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from masque.edits.invert import Options, clip_components, invert, is_recovered
from masque.errors import CheckpointError, ValueRangeError
from masque.models.dcgan import DCGAN, DCGANConfig
from masque.models.progan import ProGAN, ProGANConfig, pixel_norm


@pytest.fixture
def model() -> ProGAN:
    """A generator that is nearly linear in its few latents, and an encoder that has learnt nothing."""
    torch.manual_seed(0)
    made = ProGAN(ProGANConfig(size=8, channels=64, widest=32, z=6, encoder=4))
    return made.eval().requires_grad_(False)


@pytest.fixture
def true() -> torch.Tensor:
    return pixel_norm(torch.randn(3, 6, generator=torch.Generator().manual_seed(1)))


def test_refining_finds_generated_pictures_again(model, true):
    found = invert(model, model.generate(true), Options(method="refine", iterations=300, starts=8))
    assert is_recovered(model, found.z, true).all()
    assert float(found.error.max()) < 1e-3
    assert (found.iterations, found.interrupted) == (300, False)
    assert torch.allclose(found.z.square().mean(dim=1), torch.ones(3), atol=1e-5)


def test_gradient_descent_comes_nearer(model, true):
    pictures = model.generate(true)
    few, many = (invert(model, pictures, Options(method="lipton", iterations=n, rate=0.2)) for n in (1, 300))
    assert float(many.error.mean()) < 0.2 * float(few.error.mean())
    assert many.iterations == 300


def test_the_encoder_is_one_look_and_refining_starts_from_it(model, true):
    pictures = model.generate(true)
    model.E.forward = lambda _: true + 0.01
    seen = invert(model, pictures, Options(method="encoder"))
    assert seen.iterations == 0
    assert torch.allclose(seen.z, pixel_norm(true + 0.01))
    both = invert(model, pictures, Options(method="encoder+refine", iterations=20, starts=2))
    assert float(both.error.max()) <= float(seen.error.max())
    assert is_recovered(model, both.z, true).all()


def test_the_best_is_kept_and_enough_is_enough(model, true):
    pictures, errors = model.generate(true), []
    invert(
        model,
        pictures,
        Options(method="refine", iterations=60),
        watch=lambda _i, _z, error: errors.append(error.clone()),
    )
    assert all((later <= before).all() for before, later in pairwise(errors))
    assert len(errors) == 60
    quick = invert(model, pictures, Options(method="refine", iterations=300, starts=8, enough=0.05))
    assert quick.iterations < 300
    assert float(quick.error.max()) < 0.05


@pytest.mark.parametrize("method", ["lipton", "refine"])
def test_an_interruption_keeps_the_best_so_far(model, true, method):
    def stop(iteration: int, *_: object) -> None:
        if iteration == 5:
            raise KeyboardInterrupt

    found = invert(model, model.generate(true), Options(method=method, iterations=100), watch=stop)
    assert (found.interrupted, found.iterations) == (True, 5)
    assert found.error.isfinite().all()


def test_the_same_seed_searches_the_same_way(model, true):
    pictures = model.generate(true)
    runs = [invert(model, pictures, Options(method="lipton", iterations=20, seed=seed)).z for seed in (1, 1, 2)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_pictures_of_a_batch_do_not_depend_on_each_other(model, true):
    pictures = model.generate(true)
    options = Options(method="refine", iterations=30, starts=1)
    assert torch.allclose(invert(model, pictures, options).z[:1], invert(model, pictures[:1], options).z, atol=1e-4)


def test_likeness_counts_beside_the_pixels(model, true):
    """Features that are the two upper rows alone, of pictures that no latent makes: with them in the loss, those rows
    come nearer and the pictures as wholes do not."""
    pictures = model.generate(true) + 0.3 * torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    def features(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(x[:, :, :2].flatten(1), dim=1)

    apart, errors = [], []
    for likeness in (0.0, 10.0):
        options = Options(method="refine", iterations=60, starts=2, detail=0, likeness=likeness)
        found = invert(model, pictures, options, features)
        apart.append((features(model.generate(found.z)) - features(pictures)).square().sum(dim=1))
        errors.append(found.error)
    assert (apart[1] < 0.96 * apart[0]).all()
    assert (errors[1] > 1.01 * errors[0]).all()


def test_a_detail_says_what_no_latent_can(true):
    torch.manual_seed(0)
    model = ProGAN(ProGANConfig(size=16, channels=64, widest=16, z=6, encoder=4)).eval().requires_grad_(False)
    pictures = model.generate(true) + 0.3 * torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    seen = []
    alone = invert(model, pictures, Options(method="refine", iterations=60, detail=0))
    once = Options(method="refine", iterations=60, detail=100, restraint=0.0, tolerance=9.0)
    both = invert(model, pictures, once, watch=lambda *at: seen.append(at))
    assert alone.z.shape == (3, 6)
    assert both.z.shape == (3, 6 + 16 * 64)
    assert (both.error < 0.7 * alone.error).all()
    assert torch.allclose((model.generate(both.z) - pictures).square().mean(dim=(1, 2, 3)), both.error, atol=1e-5)
    assert (both.iterations, len(seen)) == (160, 160)
    assert Options(method="refine", iterations=60, detail=100).all_steps == 160
    assert Options(method="encoder").all_steps == 0
    assert Options(method="lipton").all_steps == 10_000
    held = invert(model, pictures, Options(method="refine", iterations=60, detail=100, restraint=10.0, tolerance=9.0))
    assert (held.z[:, 6:].square().mean(dim=1) < 0.2 * both.z[:, 6:].square().mean(dim=1)).all()
    found = invert(model, model.generate(true), Options(method="refine", iterations=60, detail=100, enough=10.0))
    assert found.z.shape == (3, 6)  # what is found already needs none


@pytest.mark.slow
def test_pictures_out_of_tolerance_go_on_by_themselves(true):
    torch.manual_seed(0)
    model = ProGAN(ProGANConfig(size=16, channels=64, widest=16, z=6, encoder=4)).eval().requires_grad_(False)
    pictures = model.generate(true)
    pictures[1] += 0.3 * torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0))
    options = Options(method="refine", iterations=200, starts=8, detail=20, restraint=0.0, tolerance=2e-3)
    errors = []
    alone = invert(model, pictures, replace(options, tolerance=9.0))
    assert (alone.error > 2e-3).tolist() == [False, True, False]
    found = invert(model, pictures, options, watch=lambda _i, _z, error: errors.append(error.clone()))
    assert (found.iterations, len(errors)) == (220 + 3 * 20, 280)
    assert torch.equal(found.z[[0, 2]], alone.z[[0, 2]])
    assert found.error[1] < 0.8 * alone.error[1]
    assert torch.allclose((model.generate(found.z) - pictures).square().mean(dim=(1, 2, 3)), found.error, atol=1e-5)

    def stop(step, *_):
        if step == 250:
            raise KeyboardInterrupt

    left = invert(model, pictures, options, watch=stop)
    assert (left.interrupted, left.iterations) == (True, 250)
    assert found.error[1] < left.error[1] < alone.error[1]


@pytest.mark.slow
def test_what_the_coarse_map_cannot_say_the_finer_one_does(true):
    torch.manual_seed(0)
    model = ProGAN(ProGANConfig(size=32, channels=64, widest=16, z=6, encoder=4)).eval().requires_grad_(False)
    assert model.widths == (6, 6 + 16 * 64, 6 + 16 * 64 + 8 * 256)
    pictures = model.generate(true[:1]) + 0.2 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    options = Options(method="refine", iterations=30, detail=60, restraint=0.0)
    coarse = invert(model, pictures, replace(options, tolerance=9.0))
    assert coarse.z.shape == (1, model.widths[1])
    finer = invert(model, pictures, options)
    assert finer.z.shape == (1, model.widths[2])
    assert finer.z[:, model.widths[1] :].abs().max() > 0
    assert finer.error < 0.8 * coarse.error
    assert torch.equal(model.generate(model.widened(coarse.z)), model.generate(coarse.z))
    held = invert(model, pictures, replace(options, restraint=0.3))
    maps = [[part.square().mean() for part in model.parts(found.z)[1:]] for found in (held, finer)]
    assert all(few < many for few, many in zip(*maps, strict=True))


def test_a_detail_is_part_of_what_is_recovered_only_in_the_picture(true):
    model = ProGAN(ProGANConfig(size=16, channels=64, widest=16, z=6, encoder=4)).eval()
    wide = model.widened(true)
    assert wide.shape == (3, 6 + 16 * 64)
    assert torch.equal(model.widened(wide), wide)
    assert torch.allclose(model.generate(wide), model.generate(true), atol=1e-6)
    wide[:, 6:] = 1.0
    assert is_recovered(model, wide, true).all()
    assert torch.equal(model.settle(wide)[:, 6:], wide[:, 6:])
    assert not torch.allclose(model.generate(wide), model.generate(true), atol=1e-2)


def test_clipping_by_hand(model):
    generator = torch.Generator().manual_seed(0)
    z = torch.tensor([[0.5, -4.0, 9.0, 2.5]]).repeat(500, 1)
    drawn = clip_components(model, z, "stochastic", generator)
    assert torch.equal(drawn[:, [0, 3]], z[:, [0, 3]])
    assert float(drawn.abs().max()) <= 2.5
    assert float(drawn[:, 1:3].std()) == pytest.approx(0.96, abs=0.06)  # a normal cut at ±2.5
    assert clip_components(model, z, "hard", generator)[0].tolist() == [0.5, -2.5, 2.5, 2.5]
    assert torch.equal(clip_components(model, z, "none", generator), z)


def test_a_uniform_prior_is_clipped_to_its_cube():
    uniform, generator = DCGAN(DCGANConfig(size=8, channels=4, z=4)), torch.Generator().manual_seed(0)
    z = torch.tensor([[0.5, -4.0, 9.0, 1.0]]).repeat(500, 1)
    drawn = clip_components(uniform, z, "stochastic", generator)
    assert torch.equal(drawn[:, [0, 3]], z[:, [0, 3]])
    assert float(drawn.abs().max()) <= 1
    assert float(drawn[:, 1:3].std()) == pytest.approx(3**-0.5, abs=0.03)


def test_a_model_without_an_encoder():
    uniform = DCGAN(DCGANConfig(size=8, channels=4, z=4)).eval().requires_grad_(False)
    true = uniform.draw(torch.arange(2), "true")
    pictures = uniform.generate(true)
    with pytest.raises(CheckpointError, match="has no encoder"):
        invert(uniform, pictures, Options())
    found = invert(uniform, pictures, Options(method="refine", iterations=60))
    assert float(found.z.abs().max()) <= 1
    assert float(found.error.max()) < float((uniform.generate(0 * true) - pictures).square().mean(dim=(1, 2, 3)).min())


def test_recovered_means_every_component(model):
    true = torch.ones(2, 6)
    found = true.clone()
    found[1, 4] = 1.2
    assert is_recovered(model, found, true).tolist() == [True, False]
    assert is_recovered(model, 5 * true, true).all()  # only directions count


@pytest.mark.parametrize("name", ["iterations", "rate", "starts", "likeness", "detail", "restraint", "tolerance"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 10**9])
def test_numbers_out_of_range_are_refused(name, value):
    with pytest.raises(ValueRangeError, match=name):
        Options(**{name: value})


def test_a_search_of_no_step_is_refused_where_nothing_else_finds_a_latent() -> None:
    for method in ("lipton", "refine"):
        with pytest.raises(ValueRangeError, match=f"iterations is 0, in which {method} finds nothing"):
            Options(method=method, iterations=0)
    assert Options(method="encoder+refine", iterations=0).steps == 0
