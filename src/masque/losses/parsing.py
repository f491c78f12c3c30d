"""Losses on label maps, parts of which are unknown."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from masque.faces.labels import UNKNOWN
from masque.losses.precision import full


def label_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Portrait Eq. 3.7, L_P = −E Σ_ij log P(p_ij | P_F(x)_ij), as a mean over all pixels of the batch.

    logits: (B,K,H,W). labels: (B,H,W) int64, UNKNOWN where not known.
    """
    return F.cross_entropy(full(logits), labels, ignore_index=UNKNOWN, reduction="sum") / labels.numel()


def dice(logits: Tensor, labels: Tensor, smooth: float = 1.0) -> Tensor:
    """1 − 2|A∩B| / (|A|+|B|) with soft sets, for each picture and label, averaged (Milletari et al. 2016).

    Small parts count as much as large ones. A label that is not in the picture is right where it gets no share.
    logits: (B,K,H,W). labels: (B,H,W) int64, UNKNOWN where not known."""
    known = (labels != UNKNOWN)[:, None]
    shares = torch.softmax(full(logits), dim=1) * known
    truth = F.one_hot(labels.masked_fill(labels == UNKNOWN, 0), logits.shape[1]).movedim(3, 1).to(shares.dtype) * known
    both, sizes = (shares * truth).sum(dim=(2, 3)), shares.sum(dim=(2, 3)) + truth.sum(dim=(2, 3))
    return (1 - (2 * both + smooth) / (sizes + smooth)).mean()
