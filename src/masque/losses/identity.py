"""Cross entropy over people, some of whom are unknown."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from masque.losses.precision import full


def known_people(logits: Tensor, identity: Tensor) -> Tensor:
    """−log of the share that the softmax gives to each picture's own person, averaged over the batch.

    logits: (B,P). identity: (B,) int64; -1 is an unknown person and counts for nothing, so a batch of unknown people gives 0.
    """
    return F.cross_entropy(full(logits), identity, ignore_index=-1, reduction="sum") / len(identity)
