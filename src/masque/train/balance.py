"""Terms of a loss made comparable by their gradients, where a paper says no more than that they are to be so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from masque.train.distributed import mean_over_processes

LARGEST = 1000.0
"""No term is strengthened more than this: one that hardly has a gradient is as good as it can be."""


def balanced(
    at: Tensor, terms: Mapping[str, Tensor], size: Tensor | None = None, pairs: Iterable[tuple[str, str]] = ()
) -> tuple[dict[str, Tensor], Tensor]:
    """The terms, each with a factor λ before its gradient, so that at `at` all of their gradients have the same norm.

    at: what a network has made (B,…), with its history. terms: scalars that depend on it. size: that norm; without one,
    the first term's. pairs: terms of which one depends on the first half of `at` alone and the other on the second: one
    pass gives both gradients. Returns the terms, whose values stay as they are and whose gradients reach `at` times λ,
    and the norm. What the terms' own networks hold gets no gradient. Norms are over all processes, so that several
    weigh as one does. Where nothing behind `at` learns, the terms are as they were."""
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


def seen_from(term: Tensor, ats: Sequence[Tensor]) -> list[Tensor]:
    """For each of `ats`, on which a term depends, a term of the same value and with the same gradient there and nothing
    behind it: one pass through what lies between, however often they are balanced. The term itself where nothing behind
    them learns."""
    if not all(at.requires_grad for at in ats):
        return [term] * len(ats)
    gradients = torch.autograd.grad(term, list(ats))
    slopes = [(at * gradient).sum() for at, gradient in zip(ats, gradients, strict=True)]
    return [term.detach() + slope - slope.detach() for slope in slopes]
