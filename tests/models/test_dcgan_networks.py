"""DCGAN's networks: the sizes of Fig. 1, where batches are normalised, and its prior."""

from __future__ import annotations

import torch
from torch import nn

from masque.layers.batchnorm import BatchNorm
from masque.models.dcgan import DCGAN, DCGANConfig, Discriminator, Generator


def test_the_sizes_of_figure_1():
    with torch.device("meta"):
        generator, discriminator = Generator(DCGANConfig()), Discriminator(DCGANConfig())
        assert generator(torch.zeros(1, 100)).shape == (1, 3, 64, 64)
        assert discriminator(torch.zeros(2, 3, 64, 64)).shape == (2, 1)
    widths = [layer.in_channels for layer in generator.layers if isinstance(layer, nn.ConvTranspose2d)]
    assert widths == [1024, 512, 256, 128]


def test_neither_gs_last_nor_ds_first_layer_is_normalised():
    small = DCGANConfig(size=16, channels=4, critic=4, z=8)
    generator, discriminator = list(Generator(small).layers), list(Discriminator(small).layers)
    assert isinstance(generator[0], BatchNorm)
    assert isinstance(generator[-1], nn.ConvTranspose2d)
    assert not isinstance(discriminator[1], BatchNorm)
    assert sum(isinstance(layer, BatchNorm) for layer in discriminator) == 1


def test_its_prior_is_the_cube():
    model = DCGAN(DCGANConfig(size=8, channels=4, z=4))
    z = model.draw(torch.arange(2000), "z")
    assert float(z.min()) >= -1
    assert float(z.max()) <= 1
    assert abs(float(z.std()) - 3**-0.5) < 0.01
    assert model.settle(torch.tensor([[3.0, -0.2]])).tolist() == [[1.0, -0.20000000298023224]]
    assert model.generate(z[:3]).shape == (3, 3, 8, 8)
    assert float(model.generate(z[:3]).detach().abs().max()) <= 1


def test_alone_it_is_torchs_batch_norm_and_a_frozen_one_learns_nothing():
    torch.manual_seed(0)
    mine, theirs, x = BatchNorm(3), nn.BatchNorm2d(3), torch.randn(4, 3, 5, 5)
    assert torch.equal(mine(x), theirs(x))
    assert torch.equal(mine.variance, theirs.running_var)
    assert torch.equal(mine.eval()(x), theirs.eval()(x))
    mine.train().requires_grad_(False)
    before = mine.mean.clone()
    assert torch.allclose(mine(x + 5).mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.equal(mine.mean, before)
