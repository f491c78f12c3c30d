"""Terms of a loss made comparable by their gradients, where a paper says no more than that they are to be so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from masque.train.distributed import mean_over_processes

LARGEST = 1000.0
"""The largest factor that a term gets: one that hardly has a gradient is as good as it can be."""


def balance_gradients(
    at: Tensor, terms: Mapping[str, Tensor], size: Tensor | None = None, pairs: Iterable[tuple[str, str]] = ()
) -> tuple[dict[str, Tensor], Tensor]:
    """The terms with a factor λ before the gradient of each, so that the gradients of all have the same norm at `at`.

    at: what a network has made, (B,…), with its history. terms: scalars that depend on it. size: the norm to reach;
    without one, that of the first term's gradient. pairs: names of two terms of which the first depends on the first
    half of `at` alone and the second on the other half: one pass gives the gradients of both.

    Returns the terms, whose values stay as they are and whose gradients reach `at` times λ, and the norm. The networks
    between `at` and a term get no gradient. Norms are over all processes, so that several of them weigh terms as one
    does. Where nothing behind `at` learns, the terms are returned as they are, and a norm of 0 unless `size` is
    given."""
    if not at.requires_grad:
        return dict(terms), torch.zeros((), device=at.device) if size is None else size
    whole, half = slice(None), len(at) // 2
    gradients: dict[str, tuple[slice, Tensor]] = {}
    for first, second in pairs:
        gradient = torch.autograd.grad(terms[first] + terms[second], at, retain_graph=True)[0]
        gradients |= {first: (slice(half), gradient[:half]), second: (slice(half, None), gradient[half:])}
    for name in terms.keys() - gradients.keys():
        gradients[name] = whole, torch.autograd.grad(terms[name], at, retain_graph=True)[0]
    sizes = mean_over_processes(torch.stack([gradients[name][1].square().sum() for name in terms])).sqrt()
    size = sizes[0] if size is None else size
    made = {}
    for name, own in zip(terms, sizes, strict=True):
        where, gradient = gradients[name]
        factor = (size / own.clamp_min(torch.finfo(own.dtype).tiny)).clamp(max=LARGEST)
        slope = factor * (at[where] * gradient).sum()
        made[name] = terms[name].detach() + slope - slope.detach()
    return made, size


def as_functions_of(term: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A term, for each tensor of `inputs` on which it depends, as a function of that one alone: with the term's value,
    its gradient at that tensor, and no gradient beyond it.

    One pass through what lies between them and the term gives all, however often they are balanced after. Where nothing
    behind the inputs learns, each is the term itself."""
    if not all(tensor.requires_grad for tensor in inputs):
        return [term] * len(inputs)
    gradients = torch.autograd.grad(term, list(inputs))
    slopes = [(tensor * gradient).sum() for tensor, gradient in zip(inputs, gradients, strict=True)]
    return [term.detach() + slope - slope.detach() for slope in slopes]
