"""Terms whose gradients are made as large as each other."""

from __future__ import annotations

import pytest
import torch

from masque.train.balance import LARGEST, as_functions_of, balance_gradients


def test_gradients_become_as_large_as_the_first_and_values_stay():
    weight = torch.tensor([2.0, -1.0, 0.5], requires_grad=True)
    at = 3 * weight
    terms = {
        "one": (at * torch.tensor([1.0, 0.0, 0.0])).sum(),
        "other": 50 * (at * torch.tensor([0.0, 3.0, 4.0])).sum(),
    }
    made, size = balance_gradients(at, terms)
    assert float(size) == 1.0
    assert {name: float(term.detach()) for name, term in made.items()} == {
        name: float(term.detach()) for name, term in terms.items()
    }
    slopes = [torch.autograd.grad(made[name], weight, retain_graph=True)[0] for name in made]
    assert torch.allclose(slopes[0], torch.tensor([3.0, 0.0, 0.0]))
    assert torch.allclose(slopes[1], torch.tensor([0.0, 1.8, 2.4]))  # 3 from weight to at, and a unit vector there
    twice, _ = balance_gradients(at, {"other": terms["other"]}, 2 * size)
    assert torch.allclose(torch.autograd.grad(twice["other"], weight)[0], torch.tensor([0.0, 3.6, 4.8]))


def test_the_networks_of_the_terms_learn_nothing():
    judge, weight = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    at = 2 * weight
    made, _ = balance_gradients(at, {"term": (judge * at).sum()})
    made["term"].backward()
    assert judge.grad is None
    assert weight.grad is not None


def test_what_has_hardly_a_gradient_is_not_strengthened_without_end():
    at = torch.ones(2, requires_grad=True) * 1.0
    made, _ = balance_gradients(at, {"one": at.sum(), "other": 1e-9 * at.sum(), "none": 0.0 * at.sum()})
    slope = torch.autograd.grad(made["other"], at, retain_graph=True)[0]
    assert torch.allclose(slope, torch.full((2,), 1e-9 * LARGEST))
    assert not torch.autograd.grad(made["none"], at)[0].any()


def test_without_anything_that_learns_there_is_nothing_to_balance():
    at = torch.ones(3)
    made, _ = balance_gradients(at, {"term": at.sum()})
    assert float(made["term"]) == pytest.approx(3.0)


def test_terms_of_the_two_halves_are_weighed_apart_though_seen_together():
    weight = torch.tensor([[1.0, 2.0], [3.0, -1.0]], requires_grad=True)
    at = 2 * weight
    terms = {"rec": at[0].sum(), "first": (5 * at[0].square()).sum(), "second": (0.1 * at[1]).sum()}
    together, size = balance_gradients(at, terms, pairs=[("first", "second")])
    apart, same = balance_gradients(at, terms)
    assert float(size) == pytest.approx(2**0.5) == float(same)
    for name, term in terms.items():
        assert float(together[name].detach()) == pytest.approx(float(term.detach()))
        slopes = [torch.autograd.grad(made[name], weight, retain_graph=True)[0] for made in (together, apart)]
        assert torch.allclose(*slopes)
        assert float(slopes[0].norm()) == pytest.approx(2 * 2**0.5)


def test_a_term_as_functions_of_two_places_has_its_value_and_both_slopes():
    weight = torch.tensor([1.0, 2.0], requires_grad=True)
    ats = [3 * weight, weight.square()]
    term = (ats[0] * ats[1]).sum()
    seen = as_functions_of(term, ats)
    assert [float(part.detach()) for part in seen] == [float(term.detach())] * 2
    assert torch.allclose(torch.autograd.grad(seen[0], weight, retain_graph=True)[0], 3 * weight.square())
    assert torch.allclose(torch.autograd.grad(seen[1], weight)[0], 3 * weight * 2 * weight)
    fixed = torch.ones(2)
    assert as_functions_of(fixed.sum(), [fixed, fixed]) == [fixed.sum()] * 2
