"""CCA-GAN's networks: attention against loops and another library, StarGAN as published, and what γ = 0 means."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from masque.layers.flow import warp
from masque.layers.stacks import blurred
from masque.models.ccagan import CCAGAN, CCAGANConfig, CrossAttention, SelfAttention

ATTENTIONS = (CrossAttention, SelfAttention)
EVERYWHERE = torch.ones(1, 1, 1, 1)


def network(seed: int = 0, **changes: object) -> CCAGAN:
    torch.manual_seed(seed)
    return CCAGAN(CCAGANConfig(**({"size": 32, "channels": 8, "blocks": 2, "halvings": 4} | changes)))


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(m.weight.shape) for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


def test_plain_stargan_is_the_published_one():
    with torch.device("meta"):
        model = CCAGAN(CCAGANConfig(attention="none"))
    assert (
        sum(p.numel() for p in model.G.parameters()) == 8_430_528
    )  # what StarGAN's own code prints for five attributes
    assert sum(p.numel() for p in model.D.parameters()) == 44_762_048
    down, up = [(64, 8, 7, 7), (128, 64, 4, 4), (256, 128, 4, 4)], [(256, 128, 4, 4), (128, 64, 4, 4), (3, 64, 7, 7)]
    assert shapes(model.G) == down + [(256, 256, 3, 3)] * 12 + up
    widths = [3, 64, 128, 256, 512, 1024, 2048]
    assert shapes(model.D) == [(b, a, 4, 4) for a, b in itertools.pairwise(widths)] + [(1, 2048, 3, 3), (5, 2048, 2, 2)]


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("attention", ["cross", "self", "none"])
def test_shapes(attention, size):
    model = network(size=size, attention=attention, attributes=("Male", "Young", "Smiling"))
    s, t = torch.rand(2, 3, size, size) * 2 - 1, torch.rand(2, 3)
    with torch.no_grad():
        made = model.edit(s, t, EVERYWHERE)
        src, cls = model.D(made)
    assert made.shape == s.shape
    assert made.abs().max() <= 1
    assert (src.shape, cls.shape) == ((2, 1, size // 16, size // 16), (2, 3))


def test_where_attention_stands():
    """Before every convolution of G and before the first of D for CCA-GAN; once in each network, at a quarter of the
    side, for SAGAN's."""
    cross, other = network(attention="cross"), network(attention="self")
    convolutions = len(shapes(network(attention="none").G))
    assert sum(isinstance(m, CrossAttention) for m in cross.G.modules()) == convolutions
    widths = [m.qkv.in_channels for m in cross.G.modules() if isinstance(m, CrossAttention)]
    assert widths == [8, 8, 16, 32, 32, 32, 32, 32, 16, 8]
    (only,) = (m for m in cross.D.modules() if isinstance(m, CrossAttention))
    assert only is cross.D.main[0]
    assert (only.qkv.in_channels, only.widths) == (3, [1, 1, 1])
    seen = []
    for net in (other.G, other.D):
        (one,) = (m for m in net.modules() if isinstance(m, SelfAttention))
        one.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[2:]))
    with torch.no_grad():
        other.D(other.edit(torch.rand(1, 3, 32, 32), torch.rand(1, 5), EVERYWHERE))
    assert seen == [(8, 8), (8, 8)]


def without_attention(net: nn.Module) -> list[Tensor]:
    inside = {id(p) for m in net.modules() if isinstance(m, ATTENTIONS) for p in m.parameters()}
    return [p for p in net.parameters() if id(p) not in inside]


@pytest.mark.parametrize("attention", ["cross", "self"])
def test_with_gamma_0_it_is_plain_stargan(attention):
    plain, attending = network(attention="none"), network(seed=1, attention=attention)
    for net in ("G", "D"):
        for mine, theirs in zip(
            without_attention(getattr(attending, net)), without_attention(getattr(plain, net)), strict=True
        ):
            mine.data.copy_(theirs)
    plain, attending = plain.double(), attending.double()  # memory layouts differ, and with them the order of rounding
    s, t = torch.rand(2, 3, 32, 32, dtype=torch.float64) * 2 - 1, torch.rand(2, 5, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(attending.edit(s, t, EVERYWHERE), plain.edit(s, t, EVERYWHERE), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(attending.D(s), plain.D(s), rtol=1e-9, atol=1e-9)
        for m in attending.modules():
            if isinstance(m, ATTENTIONS):
                m.gamma.fill_(1.0)
        assert not torch.allclose(attending.edit(s, t, EVERYWHERE), plain.edit(s, t, EVERYWHERE))


def test_cross_attention_by_loops():
    """Eq. 1-4 written out pixel by pixel."""
    torch.manual_seed(0)
    module = CrossAttention(16).double()
    module.gamma.data.fill_(0.7)
    x = torch.randn(2, 16, 5, 4, dtype=torch.float64)
    with torch.no_grad():
        (q, k, v), mu = module.qkv(x).split([2, 2, 8], dim=1), module(x)
        for b in range(2):
            delta = torch.zeros(8, 5, 4, dtype=torch.float64)
            for j in range(5):
                weights = [math.exp(float((k[b, :, i] * q[b, :, j]).sum())) for i in range(5)]
                delta[:, j] = sum(w / sum(weights) * v[b, :, i] for i, w in enumerate(weights))
            torch.testing.assert_close(mu[b], 0.7 * module.back(delta[None])[0] + x[b])


def test_self_attention_against_torchs_own():
    torch.manual_seed(0)
    module = SelfAttention(16)
    module.gamma.data.fill_(0.5)
    x = torch.randn(2, 16, 6, 5)
    with torch.no_grad():
        q, k, v = (made.flatten(2).transpose(1, 2) for made in (module.q(x), module.k(x), module.v(x)))
        attended = nn.functional.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(1, 2).reshape(2, 8, 6, 5)
        torch.testing.assert_close(module(x), x + 0.5 * module.back(attended))


@pytest.mark.parametrize("attention", ["cross", "self", "none"])
def test_a_picture_is_edited_alike_alone_and_in_a_batch(attention):
    model = network(attention=attention).double()
    for m in model.modules():
        if isinstance(m, ATTENTIONS):
            m.gamma.data.fill_(0.3)
    s, t = torch.rand(3, 3, 32, 32, dtype=torch.float64), torch.rand(3, 5, dtype=torch.float64)
    with torch.no_grad():
        alone = torch.cat([model.edit(s[i : i + 1], t[i : i + 1], EVERYWHERE) for i in range(3)])
        torch.testing.assert_close(model.edit(s, t, EVERYWHERE), alone, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("size", "halvings"), [(32, 6), (48, 5)])
def test_sizes_that_do_not_fit(size, halvings):
    with pytest.raises(ValueError, match="cannot be halved"):
        network(size=size, halvings=halvings)


@pytest.mark.parametrize("attention", ["cross", "self", "none"])
def test_a_painted_change_starts_as_none_and_stays_a_picture(attention):
    model = network(attention=attention, paints="change")
    s, t = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 5)
    with torch.no_grad():
        assert torch.equal(model.edit(s, t, EVERYWHERE), s)
        nn.init.normal_(model.G.main[-1].weight)
        changed = model.edit(s, t, EVERYWHERE)
        assert changed.abs().max() == 1
        painted = torch.tanh(model.G.main(torch.cat([s, t[:, :, None, None].expand(-1, -1, 32, 32)], dim=1)))
        torch.testing.assert_close(changed, (s + painted).clamp(-1, 1))
    assert shapes(model.G) == shapes(network(attention=attention).G)


def test_a_smooth_change_has_no_pattern_of_single_pixels():
    model, plain = network(paints="smooth"), network(paints="change")
    for net in (model, plain):
        torch.manual_seed(5)
        nn.init.normal_(net.G.main[-1].weight, std=0.02)
    s, t = torch.zeros(2, 3, 32, 32), torch.rand(2, 5, generator=torch.Generator().manual_seed(1))
    line = torch.tensor([1.0, 2.0, 1.0]) / 4
    by_hand = nn.functional.conv2d(plain.edit(s, t, EVERYWHERE), (line[:, None] * line).expand(3, 1, 3, 3), groups=3)
    torch.testing.assert_close(model.edit(s, t, EVERYWHERE)[..., 1:-1, 1:-1], by_hand, atol=1e-6, rtol=0)
    assert by_hand.abs().max() > 0.01
    torch.testing.assert_close(blurred(torch.ones(1, 3, 8, 8)), torch.ones(1, 3, 8, 8))
    chessboard = (torch.arange(32)[:, None] + torch.arange(32)).remainder(2).float().expand(1, 3, 32, 32)
    assert (blurred(chessboard)[..., 1:-1, 1:-1] == 0.5).all()


@pytest.mark.parametrize("paints", ["change", "smooth"])
def test_a_confined_change_is_the_persons_alone(paints):
    free, confined = network(paints=paints), network(paints=paints, confined=True)
    for net in (free, confined):
        torch.manual_seed(5)
        nn.init.normal_(net.G.main[-1].weight, std=0.1)
    s, t = torch.rand(2, 3, 32, 32) - 0.5, torch.rand(2, 5)
    person = torch.zeros(2, 1, 32, 32)
    person[0, :, 8:24, 8:24] = 1
    changed = (confined.edit(s, t, person) - s).abs().sum(dim=1)
    edge = 1 if paints == "smooth" else 0  # a blurred change ends softly
    assert changed[0, 8 - edge : 24 + edge, 8 - edge : 24 + edge].min() > 0
    changed[0, 8 - edge : 24 + edge, 8 - edge : 24 + edge] = 0
    assert changed.max() == 0
    torch.testing.assert_close(confined.edit(s, t, EVERYWHERE), free.edit(s, t, EVERYWHERE))
    assert torch.equal(free.edit(s, t, person), free.edit(s, t, EVERYWHERE))


def test_a_whole_picture_cannot_be_confined():
    with pytest.raises(ValueError, match="set paints to change or smooth"):
        network(confined=True)


@pytest.mark.parametrize("judge", ["shared", "apart"])
def test_both_answers_of_the_discriminator(judge):
    """Apart, what D_cls learns leaves D_src as it is; shared, it does not. Either way `classify` is D_cls alone."""
    D = network(judge=judge).D
    picture = torch.rand(2, 3, 32, 32) * 2 - 1
    src, cls = D(picture)
    assert (src.shape, cls.shape) == ((2, 1, 2, 2), (2, 5))
    assert torch.equal(D.classify(picture), cls)
    cls.square().sum().backward()
    convolutions = [m for m in D.main if isinstance(m, nn.Conv2d)]
    assert all((m.weight.grad is None) is (judge == "apart") for m in convolutions)
    assert judge == "shared" or all(
        p.grad.abs().max() > 0 for m in D.classifier if isinstance(m, nn.Conv2d) for p in m.parameters()
    )


def test_judges_apart_begin_with_something_to_say():
    """PyTorch's own beginning halves what passes at each convolution; He's keeps it."""
    picture = torch.rand(8, 3, 64, 64) * 2 - 1
    sizes = {"size": 64, "channels": 16, "halvings": 5}
    shared, apart = (network(judge=judge, **sizes).D.main(picture).std() for judge in ("shared", "apart"))
    assert apart > 0.3
    assert shared < apart / 5


def test_a_mirrored_edit_is_the_same_of_both_sides():
    """The mean over a picture and its mirror image; whoever is mirrored gets the mirrored edit."""
    once, both = network(paints="smooth", confined=True), network(paints="smooth", confined=True, mirrored=True)
    for net in (once, both):
        torch.manual_seed(5)
        nn.init.normal_(net.G.main[-1].weight, std=0.1)
    s, t, person = torch.rand(2, 3, 32, 32) - 0.5, torch.rand(2, 5), torch.rand(2, 1, 32, 32).round()
    made = both.edit(s, t, person)
    torch.testing.assert_close(both.edit(s.flip(3), t, person.flip(3)), made.flip(3))
    torch.testing.assert_close(made, (once.edit(s, t, person) + once.edit(s.flip(3), t, person.flip(3)).flip(3)) / 2)
    assert (made - once.edit(s, t, person)).abs().max() > 0.01


def moving(**changes: object) -> CCAGAN:
    """A model with output=flow whose last layers are no longer zero."""
    model = network(**({"paints": "smooth", "output": "flow"} | changes))
    torch.manual_seed(6)
    nn.init.normal_(model.G.main[-1].weight, std=0.02)
    assert model.G.flow is not None
    nn.init.normal_(model.G.flow.main[-1].weight, std=0.3)
    return model


@pytest.mark.parametrize("paints", ["change", "smooth"])
def test_a_generator_that_moves_starts_as_the_one_that_does_not(paints):
    """Bit for bit, with the same weights: a displacement of zero is none, and the head stands beside the rest."""
    plain, model = network(paints=paints), network(seed=3, paints=paints, output="flow")
    nn.init.normal_(plain.G.main[-1].weight, std=0.1)
    missing = model.G.load_state_dict(plain.G.state_dict(), strict=False)
    assert missing.unexpected_keys == []
    assert all(key.startswith("flow.") for key in missing.missing_keys)
    s, t = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 5)
    with torch.no_grad():
        assert torch.equal(model.edit(s, t, EVERYWHERE), plain.edit(s, t, EVERYWHERE))
        assert torch.equal(model.G(s, t, EVERYWHERE), plain.G(s, t, EVERYWHERE))


def test_the_change_is_added_to_the_moved_picture():
    model = moving()
    s, t = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 5)
    with torch.no_grad():
        painted, flow = model.G.parts(s, t, EVERYWHERE)
        assert flow is not None
        assert flow.abs().max() > 0.3
        assert painted.abs().max() > 0.05
        made = model.edit(s, t, EVERYWHERE)
        torch.testing.assert_close(made, (warp(s, flow) + painted).clamp(-1, 1))
        assert (made - (s + painted).clamp(-1, 1)).abs().max() > 0.1


def test_a_confined_move_is_the_persons_alone():
    model = moving(confined=True)
    s, t, person = torch.rand(1, 3, 32, 32) - 0.5, torch.rand(1, 5), torch.zeros(1, 1, 32, 32)
    person[..., 4:28, 4:28] = 1
    with torch.no_grad():
        _, flow = model.G.parts(s, t, person)
    assert flow is not None
    assert flow.abs().max() > 0.1
    assert not (flow * (1 - person)).any()


def test_a_mirrored_move_is_the_same_of_both_sides():
    """One bend, the mean of both views', and not two pictures bent differently laid over one another."""
    model = moving(mirrored=True)
    s, t = torch.rand(2, 3, 32, 32) - 0.5, torch.rand(2, 5)
    with torch.no_grad():
        made = model.edit(s, t, EVERYWHERE)
        torch.testing.assert_close(model.edit(s.flip(3), t, EVERYWHERE), made.flip(3), atol=1e-5, rtol=0)
        painted, flow = model.moved(s, t, EVERYWHERE)
        torch.testing.assert_close(made, (warp(s, flow) + painted).clamp(-1, 1))


def test_what_moves_nothing_says_so():
    with pytest.raises(ValueError, match="moves nothing"):
        network(paints="smooth").moved(torch.zeros(1, 3, 32, 32), torch.zeros(1, 5), EVERYWHERE)
    with pytest.raises(ValueError, match="set paints to change or smooth"):
        network(output="flow")
