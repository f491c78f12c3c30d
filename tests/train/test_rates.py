"""Learning rates by hand."""

from __future__ import annotations

import pytest

from masque.train.rates import half_cosine


def test_half_a_cosine():
    assert [half_cosine(2.0, step, 10) for step in (0, 5, 10, 99)] == pytest.approx([2.0, 1.0, 0.0, 0.0])
    assert half_cosine(2.0, 1, 10) > 2 * 0.95
    assert half_cosine(2.0, 1000, 0) == 2.0
