"""The engine's parts alone: phases and their weights, the running average, averages over processes."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from torch import nn

from masque.train.distributed import average_gradients, mean_over_processes
from masque.train.ema import Average
from masque.train.phase import Phase, check_terms, weight_at


def test_terms_and_weights_must_have_the_same_names():
    phase = Phase("compose", ("G",), dict, {"rec": 1.0, "kl": 1.0})
    check_terms(phase, {"kl": torch.tensor(0.0), "rec": torch.tensor(0.0)})
    with pytest.raises(
        ValueError, match=r"phase compose: terms without a weight: \['GC'\]; weights without a term: \['kl'\]"
    ):
        check_terms(phase, {"rec": torch.tensor(0.0), "GC": torch.tensor(0.0)})


def test_weights_may_depend_on_the_step():
    assert weight_at(2.5, 100) == 2.5
    assert [weight_at(lambda step: 1 / (1 + step), step) for step in (0, 1, 3)] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("when", "due"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"every": 4}, [0, 4]),
        ({"since": 2}, [2, 3, 4, 5]),
        ({"until": 2}, [0, 1]),
        ({"every": 2, "since": 1, "until": 5}, [2, 4]),
    ],
)
def test_when_a_phase_is_due(when, due):
    phase = Phase("p", (), dict, {}, **when)
    assert [step for step in range(6) if phase.due(step)] == due


def test_the_average_by_closed_form():
    """After steps 0..n−1 an average is the first value times all decays, plus each value times its share and the decays
    after it."""
    net = nn.Linear(1, 1, bias=False).double()
    values = [3.0, -1.0, 4.0, 1.5, -9.0, 2.0]
    net.weight.data.fill_(values[0])
    average = Average({"net": net}, decay=0.35)
    for step, value in enumerate(values[1:]):
        net.weight.data.fill_(value)
        average.update({"net": net}, step)
    decays = [min(0.35, (1 + step) / (10 + step)) for step in range(5)]
    expected = values[0]
    for value, decay in zip(values[1:], decays, strict=True):
        expected = decay * expected + (1 - decay) * value
    assert decays[0] == 0.1  # short memory at first,
    assert decays[-1] == 0.35  # the asked-for one later
    assert average.nets["net"].weight.item() == pytest.approx(expected, rel=1e-12)


def test_averaged_networks_are_frozen_copies_and_take_buffers_as_they_are():
    net = nn.BatchNorm1d(2)
    average = Average({"net": net}, decay=0.9)
    net(torch.randn(8, 2))
    average.update({"net": net}, 0)
    mine = average.nets["net"]
    assert torch.equal(mine.running_mean, net.running_mean)
    assert mine.num_batches_tracked == 1
    assert not mine.training
    assert not any(p.requires_grad for p in mine.parameters())
    assert mine.running_mean.data_ptr() != net.running_mean.data_ptr()


@pytest.fixture
def two_processes(monkeypatch):
    """This process as one of two; the list holds what the other one brings to each all-reduce, and then what was
    reduced."""
    brought: list[torch.Tensor] = []
    reduced: list[torch.Tensor] = []

    def all_reduce(tensor):
        reduced.append(tensor.clone())
        tensor += brought.pop(0)

    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    return brought, reduced


def test_gradients_are_averaged_flat_in_one_reduce(two_processes):
    brought, reduced = two_processes
    first, none, second = (
        nn.Parameter(torch.zeros(2, 3)),
        nn.Parameter(torch.zeros(4)),
        nn.Parameter(torch.zeros(1, 2, 2, 2)),
    )
    first.grad = torch.arange(6.0).view(2, 3)
    second.grad = torch.arange(8.0).view(1, 2, 2, 2).to(memory_format=torch.channels_last)
    brought.append(torch.arange(14.0) * 10)
    average_gradients([first, none, second])
    assert len(reduced) == 1
    assert torch.equal(reduced[0], torch.cat([torch.arange(6.0), torch.arange(8.0)]))
    assert torch.equal(first.grad, ((torch.arange(6.0) + torch.arange(6.0) * 10) / 2).view(2, 3))
    assert torch.equal(second.grad.flatten(), (torch.arange(8.0) + torch.arange(6.0, 14.0) * 10) / 2)
    assert none.grad is None


def test_without_any_gradient_nothing_is_reduced(two_processes):
    _, reduced = two_processes
    average_gradients([nn.Parameter(torch.zeros(3))])
    assert reduced == []


def test_values_are_averaged_and_what_is_not_finite_spreads(two_processes):
    brought, _ = two_processes
    values = torch.tensor([1.0, 5.0, 2.0])
    brought.append(torch.tensor([3.0, torch.inf, torch.nan]))
    mean = mean_over_processes(values)
    assert mean[0] == 2
    assert mean[1] == torch.inf
    assert mean[2].isnan()
    assert values.tolist() == [1.0, 5.0, 2.0]


def test_one_process_is_left_as_it_is():
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    average_gradients([parameter])
    assert parameter.grad.tolist() == [1.0, 2.0]
    assert mean_over_processes(torch.tensor([4.0])) == 4
