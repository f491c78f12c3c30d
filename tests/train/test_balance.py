"""Terms whose gradients are made as large as each other."""

from __future__ import annotations

import pytest
import torch

from masque.train.balance import LARGEST, balanced


def test_gradients_become_as_large_as_the_first_and_values_stay():
    weight = torch.tensor([2.0, -1.0, 0.5], requires_grad=True)
    at = 3 * weight
    terms = {"one": (at * torch.tensor([1.0, 0.0, 0.0])).sum(), "other": 50 * (at * torch.tensor([0.0, 3.0, 4.0])).sum()}
    made, size = balanced(at, terms)
    assert float(size) == 1.0
    assert {name: float(term.detach()) for name, term in made.items()} == {name: float(term.detach()) for name, term in terms.items()}
    slopes = [torch.autograd.grad(made[name], weight, retain_graph=True)[0] for name in made]
    assert torch.allclose(slopes[0], torch.tensor([3.0, 0.0, 0.0]))
    assert torch.allclose(slopes[1], torch.tensor([0.0, 1.8, 2.4]))  # 3 from weight to at, and a unit vector there
    twice, _ = balanced(at, {"other": terms["other"]}, 2 * size)
    assert torch.allclose(torch.autograd.grad(twice["other"], weight)[0], torch.tensor([0.0, 3.6, 4.8]))


def test_the_networks_of_the_terms_learn_nothing():
    judge, weight = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    at = 2 * weight
    made, _ = balanced(at, {"term": (judge * at).sum()})
    made["term"].backward()
    assert judge.grad is None
    assert weight.grad is not None


def test_what_has_hardly_a_gradient_is_not_strengthened_without_end():
    at = torch.ones(2, requires_grad=True) * 1.0
    made, _ = balanced(at, {"one": at.sum(), "other": 1e-9 * at.sum(), "none": 0.0 * at.sum()})
    slope = torch.autograd.grad(made["other"], at, retain_graph=True)[0]
    assert torch.allclose(slope, torch.full((2,), 1e-9 * LARGEST))
    assert not torch.autograd.grad(made["none"], at)[0].any()


def test_without_anything_that_learns_there_is_nothing_to_balance():
    at = torch.ones(3)
    made, _ = balanced(at, {"term": at.sum()})
    assert float(made["term"]) == pytest.approx(3.0)
