"""Terms of a loss made comparable by their gradients, where a paper says no more than that they are to be so."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from masque.train.distributed import mean_over_processes

LARGEST = 1000.0
"""No term is strengthened more than this: one that hardly has a gradient is as good as it can be."""


def balanced(at: Tensor, terms: Mapping[str, Tensor], size: Tensor | None = None) -> tuple[dict[str, Tensor], Tensor]:
    """The terms, each with a factor λ before its gradient, so that at `at` all of their gradients have the same norm.

    at: what a network has made (B,…), with its history. terms: scalars that depend on it. size: that norm; without one, the first term's.
    Returns the terms, whose values stay as they are and whose gradients reach `at` times λ, and the norm. What the terms' own networks hold
    gets no gradient. Norms are over all processes, so that several weigh as one does. Where nothing behind `at` learns, the terms are as
    they were.
    """
    if not at.requires_grad:
        return dict(terms), torch.zeros((), device=at.device) if size is None else size
    gradients = {name: torch.autograd.grad(term, at, retain_graph=True)[0] for name, term in terms.items()}
    sizes = mean_over_processes(torch.stack([gradient.square().sum() for gradient in gradients.values()])).sqrt()
    size = sizes[0] if size is None else size
    made = {}
    for (name, gradient), own in zip(gradients.items(), sizes, strict=True):
        factor = (size / own.clamp_min(torch.finfo(own.dtype).tiny)).clamp(max=LARGEST)
        slope = factor * (at * gradient).sum()
        made[name] = terms[name].detach() + slope - slope.detach()
    return made, size
