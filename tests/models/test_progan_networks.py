"""The progressive GAN's networks: the published sizes, growing, and what each block does."""

from __future__ import annotations

import pytest
import torch

from masque.models.progan import (
    Discriminator,
    Encoder,
    Equalized,
    Generator,
    ProGAN,
    ProGANConfig,
    minibatch_deviation,
    pixel_norm,
    side_at,
    stages,
    width,
)

SMALL = ProGANConfig(size=32, channels=64, widest=16, z=16, encoder=4)


def parameters(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_the_published_sizes():
    config = ProGANConfig()
    with torch.device("meta"):
        generator, discriminator = Generator(config), Discriminator(config)
    assert parameters(generator) / 1e6 == pytest.approx(23.1, abs=0.05)  # Table 2: 23.1M each
    assert parameters(discriminator) / 1e6 == pytest.approx(23.1, abs=0.05)
    assert [width(config, side) for side in (4, 32, 64, 128, 256, 512, 1024)] == [512, 512, 256, 128, 64, 32, 16]
    with torch.device("meta"):
        assert generator(torch.zeros(1, 512), 8.0).shape == (1, 3, 1024, 1024)


@pytest.mark.parametrize(("stage", "side"), [(0.0, 4), (0.5, 8), (1.0, 8), (1.25, 16), (3.0, 32)])
def test_every_stage_makes_and_judges_pictures_of_its_side(stage, side):
    generator, discriminator = Generator(SMALL), Discriminator(SMALL)
    assert side_at(stage) == side
    made = generator(torch.randn(4, 16), stage)
    assert made.shape == (4, 3, side, side)
    assert discriminator(made, stage).shape == (4, 1)


def test_a_size_that_is_faded_in_begins_as_the_smaller_one_enlarged():
    torch.manual_seed(0)
    generator, discriminator = Generator(SMALL), Discriminator(SMALL)
    z = torch.randn(4, 16)
    small, begun = generator(z, 1.0), generator(z, 1.0 + 1e-6)
    assert torch.allclose(begun, small.repeat_interleave(2, 2).repeat_interleave(2, 3), atol=1e-4)
    assert torch.allclose(generator(z, 2.0 - 1e-6), generator(z, 2.0), atol=1e-4)
    assert torch.allclose(discriminator(begun, 1.0 + 1e-6), discriminator(small, 1.0), atol=1e-4)
    large = generator(z, 2.0)
    assert torch.allclose(discriminator(large, 2.0 - 1e-6), discriminator(large, 2.0), atol=1e-4)


def test_a_state_of_any_stage_fits():
    early, late = ProGAN(SMALL), ProGAN(SMALL)
    early.G.stage.fill_(1.0)
    late.load_state_dict(early.state_dict())
    z = torch.randn(2, 16)
    assert late.G(z).shape == (2, 3, 8, 8)
    assert late.generate(z).shape == (2, 3, 32, 32)
    assert torch.equal(late.generate(z)[:, :, ::4, ::4], late.G(z))


def test_only_the_direction_of_z_counts():
    generator, z = Generator(SMALL).double(), torch.randn(3, 16, dtype=torch.float64)
    assert torch.allclose(generator(z), generator(3.7 * z), atol=1e-6)


def test_truncation_goes_so_much_of_the_way_from_the_mean():
    torch.manual_seed(0)
    net, z = ProGAN(SMALL), torch.randn(4, SMALL.z)
    seen = []
    net.G.convolutions[0][0].register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    first, bias = net.G.first, torch.randn_like(net.G.first.bias)
    first.bias.data.copy_(bias)
    with torch.no_grad():
        assert torch.equal(net.generate(z, 1.0), net.generate(z))
        plain, mean = net.generate(z, 0.5), net.generate(z, 0.0)
        wanted = bias + 0.5 * (first(pixel_norm(z)) - bias)  # the mean over the sphere is the bias
        assert torch.allclose(
            seen[2], pixel_norm(torch.nn.functional.leaky_relu(wanted.unflatten(1, (-1, 4, 4)), 0.2)), atol=1e-5
        )
    assert not torch.allclose(plain, net.generate(z))
    assert torch.allclose(mean, mean[:1].expand_as(mean), atol=1e-5)


def test_pixels_have_mean_square_one():
    x = 5 * torch.randn(2, 8, 3, 3)
    assert torch.allclose(pixel_norm(x).square().mean(dim=1), torch.ones(2, 3, 3), atol=1e-5)


def test_layers_learn_at_one_pace():
    """Weights are of one size in memory, whatever the layer; outputs keep the size of the inputs."""
    torch.manual_seed(0)
    for layer, x in (
        (Equalized(64, 64, 3, gain=1.0), torch.randn(4, 64, 8, 8)),
        (Equalized(512, 64, 0, gain=1.0), torch.randn(64, 512)),
    ):
        assert float(layer.weight.detach().std()) == pytest.approx(1.0, abs=0.05)
        inside = layer(x)[..., 1:-1, 1:-1] if x.dim() == 4 else layer(x)
        assert float(inside.detach().std()) == pytest.approx(1.0, abs=0.1)


def test_how_much_pictures_differ_by_hand():
    x = torch.zeros(4, 2, 3, 3)
    x[1] = 2.0  # the first pair differs by 2 everywhere: a deviation of 1; the second pair not at all
    added = minibatch_deviation(x, group=2)
    assert added.shape == (4, 3, 3, 3)
    assert torch.allclose(added[:, 2, 0, 0], torch.tensor([1.0, 1.0, 0.0, 0.0]), atol=1e-3)
    assert torch.equal(added[:, :2], x)
    assert minibatch_deviation(x[:3], group=2).shape == (3, 3, 3, 3)  # three have no pairs


def test_the_encoder_answers_on_the_sphere():
    assert torch.allclose(Encoder(SMALL)(torch.randn(2, 3, 32, 32)).square().mean(dim=1), torch.ones(2), atol=1e-5)


@pytest.mark.parametrize("size", [2, 48, 100])
def test_sizes_that_do_not_fit(size):
    with pytest.raises(ValueError, match="power of two"):
        stages(size)
