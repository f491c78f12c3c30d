"""RSGAN's networks: shapes of every size and variant, what an output depends on, and what an edit needs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from masque.layers.gaussian import as_gaussian
from masque.layers.stacks import blurred
from masque.models.rsgan import ATTRIBUTES, FACE_ONLY, HAIR_ONLY, RSGAN, SERVED, RSGANConfig, RSGANLatents, with_planes

SMALL = {
    "channels": 4,
    "encoder_channels": 4,
    "part_channels": 4,
    "judge_channels": 4,
    "z_appearance": 6,
    "z_attributes": 3,
}


def network(seed: int = 0, **changes: object) -> RSGAN:
    torch.manual_seed(seed)
    return RSGAN(RSGANConfig(**({"size": 32} | SMALL | changes))).eval()  # type: ignore[arg-type]


def inputs(count: int = 2, size: int = 32, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Face regions, hair regions and attributes."""
    g = torch.Generator().manual_seed(seed)
    return (
        *(torch.rand(count, 3, size, size, generator=g) * 2 - 1 for _ in range(2)),
        torch.rand(count, len(ATTRIBUTES), generator=g),
    )


@pytest.mark.parametrize("variational", [True, False])
@pytest.mark.parametrize("lstm", [True, False])
@pytest.mark.parametrize("coarse", [0, 16])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_shapes(size, coarse, lstm, variational):
    model = network(size=size, lstm=lstm, variational=variational, coarse=coarse)
    x_f, x_h, c = inputs(size=size)
    with torch.no_grad():
        for gaussian in model.separate(x_f, x_h, c):
            assert gaussian.mean.shape == gaussian.log_variance.shape == (2, 6)
        assert model.attributes_face(c).mean.shape == (2, 3)
        z = model.encode(x_f, x_h, c)
        picture = model.compose(z)
        parts = [
            net(torch.cat(z.part(part), dim=1))
            for part, net in (("face", model.decoder_face), ("hair", model.decoder_hair))
        ]
        for made in (picture, *parts):
            assert made.shape == (2, 3, size, size)
            assert made.abs().max() <= 1
        assert model.D_g(x_h).shape == (2, 1)
        assert model.D_p(x_h).shape == (2, 1, max(4, size // 8), max(4, size // 8))
        assert model.estimate(x_h).shape == (2, 8)
        assert (model.estimate(x_h) - 0.5).abs().max() < 0.5
    assert (model.memory is not None) is lstm


def weights_of(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_sizes_of_the_paper_preset_by_closed_form():
    with torch.device("meta"):
        model = RSGAN(RSGANConfig())
    convolution = lambda a, b: 16 * a * b + b  # noqa: E731
    linear = lambda a, b: a * b + b  # noqa: E731
    encoder = sum(convolution(a, b) for a, b in ((11, 48), (48, 96), (96, 192), (192, 384), (384, 512)))
    assert weights_of(model.separator_face) == encoder + linear(512 * 16, 512) + linear(512, 512)
    assert weights_of(model.attributes_face) == linear(8, 64) + linear(64, 32)
    painter = sum(convolution(a, b) for a, b in ((512, 512), (512, 512), (512, 256), (256, 128), (128, 64)))
    assert weights_of(model.composer) == painter + 9 * 64 * 3 + 3 + linear(2 * (256 + 16), 512 * 16)
    assert weights_of(model.D_p) == sum(convolution(a, b) for a, b in ((3, 32), (32, 64), (64, 128))) + 9 * 128 + 1


def test_attributes_stand_as_planes_behind_the_colours():
    picture, _, c = inputs()
    joined = with_planes(picture, c)
    assert joined.shape == (2, 11, 32, 32)
    assert torch.equal(joined[:, :3], picture)
    for b in range(2):
        for a in range(8):
            assert torch.equal(joined[b, 3 + a], torch.full((32, 32), float(2 * c[b, a] - 1)))


def test_latents_are_joined_in_the_order_of_the_paper():
    z = RSGANLatents(*(torch.full((1, n), float(n)) for n in (4, 1, 3, 2)))
    assert z.joined().tolist() == [[4.0] * 4 + [1.0] + [3.0] * 3 + [2.0] * 2]
    assert z.part("face") == (z.xf, z.cf)
    assert z.part("hair") == (z.xh, z.ch)


def test_the_log_variance_is_kept_harmless():
    gaussian = as_gaussian(torch.tensor([[1.0, 2.0, -100.0, 100.0]], dtype=torch.bfloat16))
    assert gaussian.mean.tolist() == [[1.0, 2.0]]
    assert gaussian.log_variance.tolist() == [[-8.0, 4.0]]
    assert gaussian.mean.dtype == torch.float32


def test_encoding_is_deterministic_and_swapping_a_picture_with_itself_reconstructs_it():
    model = network()
    x_f, x_h, c = inputs()
    with torch.no_grad():
        z, again = model.encode(x_f, x_h, c), model.encode(x_f, x_h, c)
        assert torch.equal(z.joined(), again.joined())
        swapped = model.compose(RSGANLatents(*z.part("face"), *again.part("hair")))
        assert torch.equal(swapped, model.compose(z))


def test_asked_attributes_change_their_own_latents_only():
    model = network()
    x_f, x_h, c = inputs()
    with torch.no_grad():
        plain, edited = model.encode(x_f, x_h, c), model.encode(x_f, x_h, c, c_hair=1 - c)
        assert torch.equal(edited.cf, plain.cf)
        assert torch.equal(edited.xf, plain.xf)
        assert torch.equal(edited.xh, plain.xh)
        assert torch.equal(edited.ch, model.attributes_hair(1 - c).mean)
        assert not torch.equal(edited.ch, plain.ch)


@pytest.mark.parametrize("lstm", [False, True])
def test_what_a_latent_depends_on(lstm):
    """Without the LSTM of Fig. A5 a part's latent depends on its own region; with it on both."""
    model = network(lstm=lstm)
    x_f, x_h, c = inputs()
    x_f.requires_grad_()
    x_h.requires_grad_()
    face, hair = model.separate(x_f, x_h, c)
    for latent, own, other in ((face.mean, x_f, x_h), (hair.mean, x_h, x_f)):
        reach = torch.autograd.grad(latent.sum(), (own, other), retain_graph=True, allow_unused=True)
        assert reach[0].abs().max() > 0
        assert (reach[1] is not None and bool(reach[1].abs().max() > 0)) is lstm


@pytest.mark.parametrize("lstm", [False, True])
def test_a_batch_of_three_equals_three_single_pictures(lstm):
    model = network(lstm=lstm).double()
    x_f, x_h, c = (t.double() for t in inputs(3))

    def everything(x_f: Tensor, x_h: Tensor, c: Tensor) -> list[Tensor]:
        z = model.encode(x_f, x_h, c)
        picture = model.compose(z)
        return [
            z.joined(),
            picture,
            model.decoder_face(torch.cat(z.part("face"), dim=1)),
            *(d(picture) for d in (model.D_g, model.D_p, model.C)),
        ]

    with torch.no_grad():
        together = everything(x_f, x_h, c)
        singly = [
            torch.cat(parts)
            for parts in zip(*(everything(x_f[i : i + 1], x_h[i : i + 1], c[i : i + 1]) for i in range(3)), strict=True)
        ]
    for a, b in zip(together, singly, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def silent(*layers: nn.Module) -> None:
    """Make these layers answer zero."""
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)


def test_the_coarse_path_of_a_painter_is_a_linear_map_enlarged():
    model = network(coarse=8)
    painter = model.decoder_face
    silent(painter.body)
    z = torch.randn(2, 9, generator=torch.Generator().manual_seed(5)) / 10
    with torch.no_grad():
        low = (z @ painter.wash.weight.T).view(2, 3, 8, 8)
        enlarged = np.stack(
            [[cv2.resize(c.numpy(), (32, 32), interpolation=cv2.INTER_LINEAR) for c in picture] for picture in low]
        )
        np.testing.assert_allclose(painter(z).numpy(), np.tanh(enlarged), atol=1e-5)


def test_the_coarse_path_of_a_separator_sees_means_of_its_own_region_only():
    model = network(coarse=8, lstm=True)
    for separator in (model.separator_face, model.separator_hair):
        silent(separator.head)
    x_f, x_h, c = inputs()
    means = torch.from_numpy(
        np.stack([[cv2.resize(p.numpy(), (8, 8), interpolation=cv2.INTER_AREA) for p in x] for x in x_f])
    )
    with torch.no_grad():
        face, hair = model.separate(x_f, x_h, c)
        expected = means.flatten(1) @ model.separator_face.glance.weight.T
        torch.testing.assert_close(face.mean, expected[:, :6])
        assert not torch.isclose(face.mean, hair.mean).any()


def remembered(seed: int = 8) -> tuple[RSGAN, Tensor, Tensor, Tensor]:
    """A network whose prior remembers 5,000 hair latents, (5000,4), that follow their attributes, (5000,8), along a
    slope (8,4)."""
    model = network(prior="fitted", z_appearance=4)
    g = torch.Generator().manual_seed(seed)
    c, slope = torch.rand(5000, 8, generator=g), torch.randn(8, 4, generator=g)
    mixing = torch.randn(4, 4, generator=g)
    latents = torch.randn(5000, 4, generator=g) @ mixing + torch.tensor([1.0, -2.0, 0.0, 3.0]) + c @ slope
    for store, moment in zip((model.prior.first, model.prior.second), model.prior.moments(latents, c), strict=True):
        store["hair"].data.copy_(moment)
    return model, latents, c, slope


def test_fitted_draws_have_the_moments_that_are_remembered():
    model, latents, _, _ = remembered()
    noise = torch.randn(50_000, 4, generator=torch.Generator().manual_seed(1))
    drawn = model.draw("hair", noise)
    torch.testing.assert_close(drawn.mean(dim=0), latents.mean(dim=0), atol=0.05, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(latents.T), atol=0.15, rtol=0.02)
    torch.testing.assert_close(model.draw("face", noise), noise, atol=2e-3, rtol=1e-3)  # nothing remembered yet: N(0,1)
    assert torch.equal(network().draw("hair", noise), noise)  # the paper's


def test_latents_move_with_their_attributes_along_numpys_regression():
    model, latents, c, _ = remembered()
    change = torch.rand(3, 8, generator=torch.Generator().manual_seed(2)) - 0.5
    change[:, [ATTRIBUTES.index(name) for name in FACE_ONLY]] = 0
    design = np.column_stack([c.numpy(), np.ones(len(c))]).astype(np.float64)
    fitted = np.linalg.lstsq(design, latents.numpy().astype(np.float64), rcond=None)[0][:8]
    moved = model.prior.move("hair", change)
    assert (
        np.abs(moved.numpy() - change.numpy() @ fitted).max() < 0.2 * np.abs(change.numpy() @ fitted).max()
    )  # the ridge
    alone = torch.zeros(1, 8)
    alone[0, ATTRIBUTES.index("Smiling")] = 1.0
    assert not model.prior.move("hair", alone).any()  # a smile does not show in the hair
    assert not model.prior.move("face", alone).any()  # of which nothing is remembered yet


def test_asked_attributes_move_the_appearance_too_where_moments_are_remembered():
    model, _, _, _ = remembered()
    x_f, x_h, c = inputs()
    wanted = c.clone()
    wanted[:, ATTRIBUTES.index("Blond_Hair")] = 1 - c[:, ATTRIBUTES.index("Blond_Hair")]
    with torch.no_grad():
        plain, edited = model.encode(x_f, x_h, c), model.encode(x_f, x_h, c, c_hair=wanted)
    assert torch.equal(edited.xf, plain.xf)
    torch.testing.assert_close(edited.xh - plain.xh, model.prior.move("hair", wanted - c))
    assert (edited.xh - plain.xh).abs().max() > 0.01
    assert torch.equal(model.encode(x_f, x_h, c, c_hair=c).xh, plain.xh)


def test_moments_that_no_gaussian_has_are_drawn_from_all_the_same():
    model = network(prior="fitted")
    model.prior.second["face"].data[0, 1] = model.prior.second["face"].data[1, 0] = 5.0
    assert model.draw("face", torch.randn(3, 6)).isfinite().all()


def test_the_served_networks_suffice_for_an_edit():
    trained, fresh = network(seed=0, prior="fitted"), network(seed=1, prior="fitted")
    x_f, x_h, c = inputs()
    for name in SERVED:
        getattr(fresh, name).load_state_dict(getattr(trained, name).state_dict())
    with torch.no_grad():
        assert torch.equal(fresh.estimate(x_h), trained.estimate(x_h))
        assert torch.equal(fresh.compose(fresh.encode(x_f, x_h, c)), trained.compose(trained.encode(x_f, x_h, c)))
    assert {name for name, _ in trained.named_children()} - set(SERVED) == {
        "decoder_face",
        "decoder_hair",
        "D_g",
        "D_p",
    }


def test_attributes_by_where_they_show():
    assert len(set(ATTRIBUTES)) == 8
    assert set(ATTRIBUTES) > FACE_ONLY | HAIR_ONLY
    assert not FACE_ONLY & HAIR_ONLY
    assert set(ATTRIBUTES) - FACE_ONLY - HAIR_ONLY == {"Male", "Young"}


@pytest.mark.parametrize("size", [48, 100, 2])
def test_sizes_that_do_not_fit(size):
    with pytest.raises(ValueError, match="times a power of two"):
        network(size=size)


def test_a_smooth_painter_blurs_what_it_would_paint():
    smooth, rough = network(smooth=True, coarse=8), network(coarse=8)
    smooth.load_state_dict(rough.state_dict())
    z = torch.randn(2, 2 * (smooth.config.z_appearance + smooth.config.z_attributes))
    torch.testing.assert_close(smooth.composer(z), blurred(rough.composer(z)))
    assert (smooth.composer(z) - rough.composer(z)).abs().max() > 1e-3
