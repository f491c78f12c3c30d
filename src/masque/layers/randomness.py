"""Random numbers of torch's that leave its global random state alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.overrides import TorchFunctionMode

DRAWING = frozenset(
    {
        *("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"),
        *("uniform_", "normal_", "exponential_", "bernoulli_", "random_"),
        *("trunc_normal_", "orthogonal_", "sparse_"),
        *("kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_"),
    }
)
"""Functions of torch and of torch.nn.init that draw from the global generator unless they are given another."""


class OwnRandomness(TorchFunctionMode):
    """A context, of one thread, in which whatever torch draws on the CPU comes from a generator of its own: the same
    for the same seed.

    A network that is about to be given its weights is first built with random ones. A program that loads it in the
    middle of its own random numbers must not find those moved on; saving and restoring the global state would not do,
    since other threads may draw meanwhile."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Called by torch in place of `func`."""
        named = dict(kwargs or {})
        if getattr(func, "__name__", "") in DRAWING and named.get("generator") is None:
            named["generator"] = self.generator
        return func(*args, **named)
