"""Hair on a curve of lightness, against what the curve says pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from masque.faces.strand_curve import dyed, sharp_detail


def curve() -> np.ndarray:
    steps = np.arange(101, dtype=np.float32)
    return np.stack([100 * (steps / 100) ** 1.3, 0.1 * steps, 20 - 0.05 * steps], axis=-1).astype(np.float32)


def test_even_hair_goes_where_the_curve_says() -> None:
    own = np.array([[4.0, 9.0]], np.float32)
    for light in (3.3, 47.81, 99.9):
        hair = np.full((20, 20, 3), (light, 6, 9), np.float32)
        new = dyed(hair, curve(), own, 0.25, 2.0)
        expected = [np.interp(light, np.arange(101), values) for values in curve().T]
        assert new[10, 10] == pytest.approx(np.add(expected, (0, 0.25 * 2, 0)), abs=0.02)


def test_fine_detail_is_as_strong_as_before() -> None:
    rng = np.random.default_rng(0)
    lab = np.zeros((120, 120, 3), np.float32)
    lab[..., 0] = 30 + rng.normal(0, 4, (120, 120))
    inside = np.ones((120, 120), bool)
    steep = curve()
    steep[:, 0] = np.clip(3 * np.arange(101) - 40, 0, 100)
    detail = sharp_detail(np.ascontiguousarray(lab[..., 0]), inside, steep, 3.0)
    new = dyed(lab, steep, np.zeros((1, 2), np.float32), 0.25, 3.0, detail)
    finer = [light - np.roll(light, 1, axis=1) for light in (lab[..., 0], new[..., 0])]
    assert 0.9 < finer[1].std() / finer[0].std() < 1.05
