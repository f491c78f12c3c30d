"""Each loss against a closed form, torch's own functions or finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from masque.losses.adversarial import fake_loss, gradient_penalty, hinge_fake, hinge_real, r1_penalty, real_loss
from masque.losses.attributes import known_bce
from masque.losses.gaussian import kl_to_standard
from masque.losses.precision import full
from masque.losses.reconstruction import weighted_l1

NAN = float("nan")


@pytest.fixture
def draw():
    """Standard normal float64 tensors of any shape, the same ones in every test."""
    generator = torch.Generator().manual_seed(1)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_kl_against_torch_distributions(draw):
    mean, log_variance = 3 * draw(7, 5), draw(7, 5)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1).mean()
    torch.testing.assert_close(kl_to_standard(mean, log_variance), expected)


def test_kl_of_the_standard_normal_is_zero_and_its_minimum(draw):
    mean, log_variance = torch.zeros(2, 3, requires_grad=True), torch.zeros(2, 3, requires_grad=True)
    loss = kl_to_standard(mean, log_variance)
    loss.backward()
    assert loss == 0
    assert not mean.grad.any()
    assert not log_variance.grad.any()
    assert kl_to_standard(0.1 * draw(2, 3), 0.1 * draw(2, 3)) > 0


def test_kl_of_one_entry_by_hand():
    # mu = 2, sigma^2 = e: (4 + e - 1 - 1) / 2
    assert kl_to_standard(torch.tensor([[2.0]]), torch.tensor([[1.0]])) == pytest.approx((4 + math.e - 2) / 2, rel=1e-6)


def test_known_attributes_against_torch(draw):
    logits, attributes = 4 * draw(6, 3), draw(6, 3).sigmoid()
    expected = F.binary_cross_entropy(logits.sigmoid(), attributes, reduction="none").sum(dim=1).mean()
    torch.testing.assert_close(known_bce(logits, attributes), expected)


def test_unknown_attributes_count_for_nothing(draw):
    logits, attributes = draw(4, 3).requires_grad_(), draw(4, 3).sigmoid()
    unknown = torch.zeros(4, 3, dtype=torch.bool)
    unknown[0], unknown[1, 2], unknown[3, 0] = True, True, True
    loss = known_bce(logits, attributes.masked_fill(unknown, NAN))
    expected = F.binary_cross_entropy(logits.detach().sigmoid()[~unknown], attributes[~unknown], reduction="sum") / 4
    torch.testing.assert_close(loss.detach(), expected)
    loss.backward()
    assert not logits.grad[unknown].any()
    assert logits.grad[~unknown].abs().min() > 0


def test_a_batch_without_any_known_attribute_gives_zero_and_no_pull():
    logits = torch.tensor([[50.0, -50.0]], requires_grad=True)
    loss = known_bce(logits, torch.full((1, 2), NAN))
    loss.backward()
    assert loss == 0
    assert torch.equal(logits.grad, torch.zeros(1, 2))


def test_cross_entropy_stays_finite_for_sure_and_wrong_logits():
    assert known_bce(torch.tensor([[1000.0]]), torch.tensor([[0.0]])) == 1000


def test_weighted_l1_by_hand_and_against_torch(draw):
    target, picture = draw(2, 3, 4, 5), draw(2, 3, 4, 5)
    torch.testing.assert_close(weighted_l1(target, picture), F.l1_loss(picture, target))
    # One row of two pixels, three colours: errors 1 and 2 per pixel, the second counts half.
    target = torch.zeros(1, 3, 1, 2)
    picture = torch.tensor([1.0, -2.0]).expand(1, 3, 1, 2)
    assert weighted_l1(target, picture, torch.tensor([1.0, 0.5]).view(1, 1, 1, 2)) == 1.0


def test_weighted_l1_of_a_batch_is_the_mean_of_its_halves(draw):
    target, picture, weight = draw(4, 3, 2, 2), draw(4, 3, 2, 2), draw(4, 1, 2, 2).sigmoid()
    halves = [weighted_l1(target[s], picture[s], weight[s]) for s in (slice(0, 2), slice(2, 4))]
    torch.testing.assert_close(weighted_l1(target, picture, weight), torch.stack(halves).mean())


def test_adversarial_losses_are_the_logarithms_of_eq_5(draw):
    logits = 3 * draw(4, 1, 5, 5)
    torch.testing.assert_close(real_loss(logits), -logits.sigmoid().log().mean())
    torch.testing.assert_close(fake_loss(logits), -(1 - logits.sigmoid()).log().mean())
    assert real_loss(torch.tensor(-500.0)) == 500
    assert fake_loss(torch.tensor(500.0)) == 500
    assert real_loss(torch.tensor(500.0)) == 0


def test_r1_of_a_linear_discriminator_is_half_its_squared_weights(draw):
    weight = draw(3, 4, 4).requires_grad_()
    penalty = r1_penalty(lambda x: (x * weight).flatten(1).sum(dim=1, keepdim=True) + 7.0, draw(5, 3, 4, 4))
    torch.testing.assert_close(penalty, 0.5 * weight.square().sum())
    penalty.backward()
    torch.testing.assert_close(weight.grad, weight.detach())


def test_r1_against_finite_differences(draw):
    first, second, pictures = draw(8, 3 * 2 * 2), draw(1, 8), draw(2, 3, 2, 2)

    def judge(x):
        return torch.tanh(x.flatten(1) @ first.T) @ second.T

    step = 1e-6
    squares = torch.zeros(2, dtype=torch.float64)
    for place in range(12):
        nudge = torch.zeros(12, dtype=torch.float64)
        nudge[place] = step
        nudge = nudge.view(3, 2, 2)
        squares += ((judge(pictures + nudge) - judge(pictures - nudge)) / (2 * step)).squeeze(1).square()
    torch.testing.assert_close(r1_penalty(judge, pictures), 0.5 * squares.mean(), rtol=1e-6, atol=0)


def test_r1_of_patches_is_that_of_their_mean(draw):
    kernel, pictures = draw(1, 3, 2, 2), draw(2, 3, 4, 4)
    patches = r1_penalty(lambda x: F.conv2d(x, kernel, stride=2), pictures)
    mean = r1_penalty(lambda x: F.conv2d(x, kernel, stride=2).mean(dim=(1, 2, 3)).unsqueeze(1), pictures)
    torch.testing.assert_close(patches, mean)


@pytest.mark.parametrize(
    ("given", "kept"), [(torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)]
)
def test_losses_are_computed_in_fp32_at_least(given, kept):
    values, share = torch.ones(2, 3, dtype=given), torch.ones(2, 3, dtype=given)
    assert full(values).dtype == kept
    losses = [
        kl_to_standard(values, share),
        known_bce(values, share),
        weighted_l1(values, share),
        real_loss(values),
        fake_loss(values),
    ]
    assert {loss.dtype for loss in losses} == {kept}
    assert r1_penalty(lambda x: x.flatten(1), values[:, :, None, None]).dtype == kept


def test_hinge_by_hand():
    scores = torch.tensor([-2.0, 0.5, 3.0])
    assert hinge_real(scores).item() == pytest.approx((3.0 + 0.5 + 0.0) / 3)
    assert hinge_fake(scores).item() == pytest.approx((0.0 + 1.5 + 4.0) / 3)


def test_gradient_penalty_of_a_linear_critic_by_hand():
    """The gradient of <w, x> is w whatever is between, so the penalty is (‖w‖ − 1)²; a quadratic critic shows that the
    share counts."""
    w = torch.zeros(1, 3, 4, 4)
    w[0, 0, 0, :3] = torch.tensor([2.0, 3.0, 6.0])  # norm 7
    real, fake = torch.rand(5, 3, 4, 4), torch.rand(5, 3, 4, 4)
    assert gradient_penalty(
        lambda x: (w * x).flatten(1).sum(dim=1, keepdim=True), real, fake, torch.rand(5)
    ).item() == pytest.approx(36)
    ones, zeros = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
    for share, slope in ((1.0, 2.0), (0.0, 0.0), (0.25, 0.5)):
        penalty = gradient_penalty(lambda x: x.square().flatten(1), ones, zeros, torch.tensor([share]))
        assert penalty.item() == pytest.approx((slope - 1) ** 2, abs=1e-6)


def test_entries_may_weigh_differently_within_each_picture():
    logits = torch.tensor([[[[3.0, -1.0]]], [[[0.5, 2.0]]]])
    weight = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])
    for loss in (real_loss, fake_loss, hinge_real, hinge_fake):
        each = [loss(logits[:1, ..., :1]), loss(logits[1:])]
        assert torch.allclose(loss(logits, weight), torch.stack(each).mean())
        assert float(loss(logits, torch.zeros_like(weight))) == 0.0
