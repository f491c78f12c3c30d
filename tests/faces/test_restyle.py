"""Colour and texture of one picture given to another, on pictures whose statistics are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.faces.restyle import GAIN, OFFSET, logarithmic, shift_to, style_of, texture_change

WIDTH = 128.0


def picture(light: float, a: float, b: float, noise: float, seed: int = 0) -> np.ndarray:
    """CIELAB (128,128,3) of a colour, with shading from left to right and grain as coarse as pores."""
    lab = np.empty((128, 128, 3), np.float32)
    lab[:] = light, a, b
    lab[..., 0] *= 1 + 0.2 * np.linspace(-1, 1, 128)
    grain = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((128, 128)), (0, 0), 1.0)
    lab[..., 0] += noise * grain / grain.std()
    return lab


@pytest.fixture
def inside() -> np.ndarray:
    mask = np.zeros((128, 128), np.bool_)
    mask[16:112, 16:112] = True
    return mask


def test_a_part_gets_the_others_mean_and_keeps_its_own_shading(inside):
    own, other = picture(60, 12, 18, 1.0), picture(35, 18, 22, 1.0, 1)
    shift = shift_to(own, inside, style_of(other, inside, WIDTH), WIDTH)
    made = own.copy()
    made[..., 0] = (own[..., 0] + OFFSET) * np.exp(shift[..., 0]) - OFFSET
    made[..., 1:] += shift[..., 1:]
    assert np.abs(made[inside].mean(axis=0) - other[inside].mean(axis=0)).max() < 1.5
    assert np.corrcoef(made[inside][:, 0], own[inside][:, 0])[0, 1] > 0.98
    rough = np.abs(np.diff(shift[16:112, 16:112, 0], axis=1)).max()
    assert rough < 0.02  # smooth: grain is not shifted


def test_gloss_does_not_become_white(inside):
    own, other = picture(60, 12, 18, 0.5), picture(88, 5, 10, 0.5)
    own[40:60, 40:60, 0] = 80
    shift = shift_to(own, inside, style_of(other, inside, WIDTH), WIDTH)
    made = (own[..., 0] + OFFSET) * np.exp(shift[..., 0]) - OFFSET
    assert made[40:60, 40:60].mean() < 112
    assert (made > 100).mean() < (own[..., 0] * 88 / 60 > 100).mean()


@pytest.mark.parametrize(("have", "want"), [(2.0, 1.4), (1.0, 1.3), (1.0, 9.0)])
def test_texture_becomes_as_strong_as_the_others_within_limits(inside, have, want):
    own, other = picture(60, 12, 18, have), picture(50, 12, 18, want, 1)
    change = texture_change(own, inside, style_of(other, inside, WIDTH), WIDTH)
    made = own.copy()
    made[..., 0] += change
    before, after = (style_of(one, inside, WIDTH).texture for one in (own, made))
    wanted = np.clip(style_of(other, inside, WIDTH).texture / before, *GAIN)
    assert after / before == pytest.approx(wanted, rel=0.25)


def test_the_logarithm_is_undone_by_its_inverse():
    lab = picture(40, 1, 2, 3)
    values = logarithmic(lab)
    assert np.allclose(np.exp(values[..., 0]) - OFFSET, lab[..., 0], atol=1e-3)
    assert (values[..., 1:] == lab[..., 1:]).all()
