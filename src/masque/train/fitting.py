"""Whether a state that was read fits the networks and optimizers it is for, found out before anything of it is taken
over."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from masque.errors import printable


def check_state(
    state: Mapping[str, Any], nets: Mapping[str, nn.Module], average: nn.Module, optimizers: Mapping[str, Optimizer]
) -> None:
    """Raise ValueError, with half a sentence that says what is wrong, unless all of these can go on from `state`."""
    for name, net in nets.items():
        check_tensors(_part(state, "nets", name), net.state_dict(), f"network {name}")
    check_tensors(state.get("average"), average.state_dict(), "average")
    for name, optimizer in optimizers.items():
        check_optimizer(_part(state, "optimizers", name), optimizer, name)


def _part(state: Mapping[str, Any], group: str, name: str) -> Any:
    found = state.get(group)
    if not isinstance(found, Mapping) or name not in found:
        raise ValueError(f"it has no {name} among its {group}")
    return found[name]


def check_tensors(found: Any, expected: Mapping[str, Tensor], whose: str, any_kind: bool = False) -> None:
    """Raise ValueError unless `found` has exactly the expected tensors, in shape and kind of number, and all are
    finite.

    any_kind: whatever the kind of number is.
    """
    if not isinstance(found, Mapping) or found.keys() != expected.keys():
        raise ValueError(f"its {whose} has other weights")
    for name, like in expected.items():
        _check_tensor(found[name], like.shape, None if any_kind else like.dtype, f"{whose}: {name}")
        if not bool(found[name].isfinite().all()):
            raise ValueError(f"its {whose} holds numbers that are not finite")


def check_optimizer(found: Any, optimizer: Optimizer, whose: str) -> None:
    """Raise ValueError unless `found` is a state dict whose memory of past gradients fits the optimizer's parameters.

    What else is in a state dict, such as betas, is not looked at, since settings decide that.
    """
    groups: Any = found.get("param_groups") if isinstance(found, Mapping) else None
    numbers = [group["params"] for group in optimizer.state_dict()["param_groups"]]
    plain = isinstance(groups, list) and all(
        isinstance(g, Mapping) and _whole_numbers(g.get("params")) and _rate(g) for g in groups
    )
    if (
        not plain
        or [list(group["params"]) for group in groups] != numbers
        or not isinstance(found.get("state"), Mapping)
    ):
        raise ValueError(f"its optimizer of {whose} is another")
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    like = remembered(optimizer)
    for number, entry in found["state"].items():
        if (
            type(number) is not int
            or not 0 <= number < len(parameters)
            or not isinstance(entry, Mapping)
            or entry.keys() != like.keys()
        ):
            raise ValueError(f"its optimizer of {whose} is another")
        for name, value in entry.items():
            if isinstance(like[name], Tensor):
                shape = parameters[number].shape if like[name].dim() else like[name].shape
                _check_tensor(value, shape, like[name].dtype, f"optimizer of {whose}: {name}")
                if bool(value.isnan().any()) or (not like[name].dim() and not value >= 0):
                    raise ValueError(f"its optimizer of {whose} holds numbers that cannot be")
            elif value is not None:
                raise ValueError(f"its optimizer of {whose} is another")


def remembered(optimizer: Optimizer) -> dict[str, Any]:
    """What an optimizer of this kind and these settings remembers of a parameter of one number after a step."""
    known, group = inspect.signature(type(optimizer)).parameters, optimizer.param_groups[0]
    probe = torch.zeros(1, dtype=group["params"][0].dtype, requires_grad=True)
    probe.grad = torch.zeros_like(probe)
    twin = type(optimizer)(
        [probe], **{name: value for name, value in group.items() if name in known and name != "params"}
    )
    twin.step()
    return dict(twin.state[probe])


def _rate(group: Mapping[str, Any]) -> bool:
    return type(group.get("lr")) in (int, float) and 0 <= group["lr"] < math.inf


def _whole_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int for value in values)


def _check_tensor(value: Any, shape: torch.Size, dtype: torch.dtype | None, what: str) -> None:
    plain = (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )
    if not plain or value.shape != shape or dtype not in (None, value.dtype):
        raise ValueError(f"its {printable(what)} is of another shape or kind")
