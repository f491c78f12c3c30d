"""Losses on label maps, against torch's own and by hand; unknown pixels count for nothing."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from masque.faces.labels import UNKNOWN
from masque.losses.parsing import dice, label_cross_entropy


def test_cross_entropy_is_torchs_own_where_all_is_known():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 11, 5, 7), torch.randint(0, 11, (2, 5, 7))
    torch.testing.assert_close(label_cross_entropy(logits, labels), F.cross_entropy(logits, labels))


def test_unknown_pixels_count_for_nothing():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 11, 6, 6), torch.randint(0, 11, (2, 6, 6))
    labels[:, :3] = UNKNOWN
    changed = logits.clone()
    changed[:, :, :3] += torch.randn(2, 11, 3, 6)
    torch.testing.assert_close(label_cross_entropy(logits, labels), label_cross_entropy(changed, labels))
    torch.testing.assert_close(dice(logits, labels), dice(changed, labels))
    assert float(label_cross_entropy(logits, torch.full_like(labels, UNKNOWN))) == 0.0
    assert float(dice(logits, torch.full_like(labels, UNKNOWN))) == 0.0


def test_dice_by_hand():
    labels = torch.tensor([[[0, 0], [0, 1]]])
    sure = 40.0 * F.one_hot(labels, 2).movedim(3, 1).float()
    assert float(dice(sure, labels)) == pytest.approx(0.0, abs=1e-6)
    wrong = 40.0 * F.one_hot(1 - labels, 2).movedim(3, 1).float()
    # Nothing in common: label 0 has 1 asked and 3 given pixels, label 1 the other way round; 1 pixel is added above and
    # below.
    assert float(dice(wrong, labels)) == pytest.approx(1 - 1 / 5)
    even = torch.zeros(1, 2, 2, 2)
    both = [(2 * 1.5 + 1) / (2 + 3 + 1), (2 * 0.5 + 1) / (2 + 1 + 1)]
    assert float(dice(even, labels)) == pytest.approx(1 - sum(both) / 2)
