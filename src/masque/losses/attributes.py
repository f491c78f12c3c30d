"""Cross entropy over attributes, some of which are unknown."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from masque.losses.precision import full


def known_bce(logits: Tensor, attributes: Tensor) -> Tensor:
    """L_BCE(c, c*) of RSGAN Eq. 6: −Σ_i (c_i log c*_i + (1−c_i) log(1−c*_i)), summed over attributes, averaged over the
    batch.

    logits: (B,A), c* before the sigmoid. attributes: (B,A) in [0,1]; an unknown one is NaN and counts for nothing, so a
    batch in which none is known gives 0."""
    known = ~torch.isnan(attributes)
    target = torch.where(known, attributes, torch.zeros_like(attributes))
    terms = F.binary_cross_entropy_with_logits(full(logits), target.to(full(logits).dtype), reduction="none")
    return (terms * known).sum(dim=1).mean()
