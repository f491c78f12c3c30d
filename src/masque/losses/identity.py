"""Cross entropy over people, some of whom are unknown, and the margin by which each must stand out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from masque.losses.precision import full


def known_people(logits: Tensor, identity: Tensor) -> Tensor:
    """−log of the share that the softmax gives to each picture's own person, averaged over the batch.

    logits: (B,P). identity: (B,) int64; -1 is an unknown person and counts for nothing, so a batch of unknown people
    gives 0."""
    return F.cross_entropy(full(logits), identity, ignore_index=-1, reduction="sum") / len(identity)


def with_margin(cosines: Tensor, identity: Tensor, margin: float, scale: float) -> Tensor:
    """The logits of CosFace (Wang et al. 2018, Eq. 4): s(cos θ − m) for each picture's own person, s cos θ for all
    others.

    cosines: (B,P) in [-1,1]. identity: (B,) int64; -1 is an unknown person, whom no logit belongs to. margin: m. scale:
    s."""
    own = identity[:, None] == torch.arange(cosines.shape[1], device=cosines.device)
    return scale * (full(cosines) - margin * own)
