"""Whether a state that was read fits the networks and optimizers it is for, found out before anything of it is taken
over."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from masque.errors import printable


def check_state(
    state: Mapping[str, object], nets: Mapping[str, nn.Module], average: nn.Module, optimizers: Mapping[str, Optimizer]
) -> None:
    """Raise ValueError, with half a sentence that says what is wrong, unless all of these can go on from `state`, which
    is then a `masque.train.state.RunState`."""
    for name, net in nets.items():
        check_tensors(_part(state, "nets", name), net.state_dict(), f"network {name}")
    check_tensors(state.get("average"), average.state_dict(), "average")
    for name, optimizer in optimizers.items():
        check_optimizer(_part(state, "optimizers", name), optimizer, name)


def _part(state: Mapping[str, object], group: str, name: str) -> object:
    found = state.get(group)
    if not isinstance(found, Mapping) or name not in found:
        raise ValueError(f"it has no {name} among its {group}")
    return found[name]


def check_tensors(
    found: object, expected: Mapping[str, Tensor], whose: str, any_kind: bool = False
) -> Mapping[str, Tensor]:
    """`found` itself. Raises ValueError unless it has exactly the expected tensors, in shape and kind of number, and
    all are finite.

    whose: what they are the tensors of, for the sentence. any_kind: whatever the kind of number is.
    """
    if not isinstance(found, Mapping) or found.keys() != expected.keys():
        raise ValueError(f"its {whose} has other weights")
    for name, like in expected.items():
        value = _tensor_like(found[name], like.shape, None if any_kind else like.dtype, f"{whose}: {name}")
        if not bool(value.isfinite().all()):
            raise ValueError(f"its {whose} holds numbers that are not finite")
    return found


def check_optimizer(found: object, optimizer: Optimizer, whose: str) -> None:
    """Raise ValueError unless `found` is a state dict whose memory of past gradients fits the optimizer's parameters.

    whose: the network that it is the optimizer of, for the sentence. What else is in a state dict, such as betas, is
    not looked at, since settings decide that.
    """
    other = ValueError(f"its optimizer of {whose} is another")
    if not isinstance(found, Mapping):
        raise other
    groups, memory = found.get("param_groups"), found.get("state")
    if not isinstance(groups, list) or not all(map(_is_group, groups)) or not isinstance(memory, Mapping):
        raise other
    if [group["params"] for group in groups] != [group["params"] for group in optimizer.state_dict()["param_groups"]]:
        raise other
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    like = remembered(optimizer)
    for number, entry in memory.items():
        if type(number) is not int or not 0 <= number < len(parameters):
            raise other
        _check_memory(entry, like, parameters[number], whose)


def _check_memory(entry: object, like: Mapping[str, object], parameter: Tensor, whose: str) -> None:
    """Raise ValueError unless what an optimizer remembers of a parameter is what one remembers. like: what it remembers
    of a parameter of one number."""
    other = ValueError(f"its optimizer of {whose} is another")
    if not isinstance(entry, Mapping) or entry.keys() != like.keys():
        raise other
    for name, value in entry.items():
        wanted = like[name]
        if isinstance(wanted, Tensor):
            shape = parameter.shape if wanted.dim() else wanted.shape
            tensor = _tensor_like(value, shape, wanted.dtype, f"optimizer of {whose}: {name}")
            if bool(tensor.isnan().any()) or (not wanted.dim() and not tensor >= 0):
                raise ValueError(f"its optimizer of {whose} holds numbers that cannot be")
        elif value is not None:
            raise other


def remembered(optimizer: Optimizer) -> dict[str, object]:
    """What an optimizer of this kind and these settings remembers of a parameter of one number after a step."""
    known, group = inspect.signature(type(optimizer)).parameters, optimizer.param_groups[0]
    probe = torch.zeros(1, dtype=group["params"][0].dtype, requires_grad=True)
    probe.grad = torch.zeros_like(probe)
    settings = {name: value for name, value in group.items() if name in known and name != "params"}
    twin = type(optimizer)([probe], **settings)
    twin.step()
    return dict(twin.state[probe])


def _is_group(group: object) -> bool:
    """Whether this is a group of a state dict, with numbers of parameters and a learning rate that can be."""
    if not isinstance(group, Mapping):
        return False
    numbers, rate = group.get("params"), group.get("lr")
    plain = isinstance(numbers, list) and all(type(value) is int for value in numbers)
    return plain and isinstance(rate, int | float) and type(rate) is not bool and 0 <= rate < math.inf


def _tensor_like(value: object, shape: torch.Size, dtype: torch.dtype | None, what: str) -> Tensor:
    """The value, where it is a plain tensor of this shape and, unless that is None, of this type. Raises ValueError."""
    wrong = ValueError(f"its {printable(what)} is of another shape or kind")
    if not isinstance(value, Tensor) or value.shape != shape or dtype not in (None, value.dtype):
        raise wrong
    if value.layout != torch.strided or value.device.type != "cpu" or value.is_quantized:
        raise wrong
    return value
