"""Measures of colour on pictures whose answer can be counted."""

from __future__ import annotations

import numpy as np
import pytest

from masque.metrics.colours import coloured_share, detail_ratio, hue_spread, lab_of, smoothed, visible_share

EVERYWHERE = np.ones((20, 20), bool)


def flat(*colour: float) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.float32), (20, 20, 3)).copy()


def test_lab_is_cielab() -> None:
    white, red = (lab_of(np.full((1, 1, 3), colour, np.uint8))[0, 0] for colour in ((255, 255, 255), (255, 0, 0)))
    assert white == pytest.approx([100, 0, 0], abs=0.1)
    assert red == pytest.approx([53.24, 80.09, 67.20], abs=0.2)  # the published values of sRGB's red


def test_a_change_is_visible_from_a_difference_of_six() -> None:
    after = flat(50, 0, 0)
    after[:5, :, 1] += 6.5
    after[5:10, :, 0] += 5.5
    assert visible_share(flat(50, 0, 0), after, EVERYWHERE) == 0.25
    assert np.isnan(visible_share(after, after, ~EVERYWHERE))


def test_hues_spread_as_far_as_they_were_made_to() -> None:
    normal = np.random.default_rng(0).normal(0, np.radians(20), (20, 20))
    lab = np.stack([np.full((20, 20), 50), 30 * np.cos(normal), 30 * np.sin(normal)], axis=-1).astype(np.float32)
    assert hue_spread(lab, EVERYWHERE) == pytest.approx(20, rel=0.1)
    assert hue_spread(flat(50, 20, 20), EVERYWHERE) < 0.1
    assert np.isnan(hue_spread(flat(50, 1, 1), EVERYWHERE))  # grey has no hue
    assert (coloured_share(lab, EVERYWHERE), coloured_share(flat(50, 1, 1), EVERYWHERE)) == (1, 0)


def test_detail_that_is_halved() -> None:
    lab = flat(50, 0, 0)
    lab[..., 0] += np.random.default_rng(0).normal(0, 5, (20, 20))
    softer = lab.copy()
    softer[..., 0] = 50 + (lab[..., 0] - 50) / 2
    assert detail_ratio(lab, softer, EVERYWHERE) == pytest.approx(0.5, abs=1e-3)
    assert np.isnan(detail_ratio(flat(50, 0, 0), lab, EVERYWHERE))


def test_a_mean_within_a_region_sees_nothing_beside_it() -> None:
    lab, left = flat(50, 0, 0), np.zeros((20, 20), bool)
    left[:, :10], lab[:, 10:] = True, 90
    assert smoothed(lab, left, 3)[left] == pytest.approx(np.broadcast_to([50, 0, 0], (200, 3)), abs=1e-3)
