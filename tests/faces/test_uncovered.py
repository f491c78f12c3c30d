"""What is filled in where hair goes and let grow where hair comes, on pictures whose every pixel is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.faces.continued import copied, places_to_copy
from masque.faces.grown_hair import FARTHEST, grow_hair
from masque.faces.opened_mouth import DARK, above_dark, seam_between, seam_of_gap
from masque.faces.uncovered import grain_of, scalp


def test_a_hole_in_a_pattern_is_filled_with_the_pattern():
    y, x = np.mgrid[:96, :96]
    stripes = np.where((x // 6 + 0 * y) % 2, 200, 60).astype(np.float32)
    picture = np.repeat(stripes[..., None], 3, axis=2)
    hole = np.zeros((96, 96), np.bool_)
    hole[30:66, 36:60] = True
    broken = np.where(hole[..., None], 0, picture).astype(np.float32)
    shift = places_to_copy(broken, hole, ~hole)
    assert shift is not None
    assert not shift[~hole].any()
    from_where = np.stack([x, y], axis=-1)[hole] + shift[hole].astype(int)
    assert not hole[from_where[:, 1], from_where[:, 0]].any()
    large = cv2.resize(picture, (192, 192), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    filled = copied(large, shift)
    inner = np.s_[66:126, 78:114]
    assert np.abs(filled[inner] - large[inner]).mean() < 25
    assert places_to_copy(broken, hole, hole) is None


def test_grain_has_the_strength_and_fineness_of_the_skins():
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.standard_normal((200, 200)).astype(np.float32), (0, 0), 0.8)
    light = 60 + 2 * noise / noise.std()
    like = np.zeros((200, 200), np.bool_)
    like[100:, 100:] = True
    made = grain_of(light.astype(np.float32), like)
    fine = light - cv2.GaussianBlur(light, (0, 0), 1.5)
    assert made.std() == pytest.approx(fine[like].std(), rel=0.35)
    neighbours = [np.corrcoef(one[:, :-1].ravel(), one[:, 1:].ravel())[0, 1] for one in (made, fine)]
    assert neighbours[0] == pytest.approx(neighbours[1], abs=0.15)
    assert not grain_of(light.astype(np.float32), np.zeros_like(like)).any()


def test_scalp_goes_on_from_the_forehead_and_is_darker_at_its_outline():
    lab = np.full((200, 200, 3), (30, 5, 5), np.float32)  # hair
    lab[90:] = (65, 14, 18)
    skin, hidden, bare = (np.zeros((200, 200), np.bool_) for _ in range(3))
    skin[90:180, 50:150], hidden[20:90, 40:160] = True, True
    bare[35:180, 50:150] = True
    made = scalp(lab, skin, hidden, bare, np.array([100.0, 125.0]), 100.0)
    assert np.abs(made[80, 100] - (65, 14, 18)).max() < 6
    assert np.abs(made[60, 80:120, 1:] - (14, 18)).max() < 3
    assert made[37, 100, 0] < made[70, 100, 0] - 8


def test_hair_grows_as_far_as_it_is_thick_and_is_stretched_from_its_roots():
    own, asked = np.zeros((160, 160), np.bool_), np.zeros((160, 160), np.bool_)
    own[60:100], asked[48:100] = True, True
    growth = grow_hair(own, asked, 100.0)
    assert growth is not None
    assert not growth.short
    column = np.arange(160) + growth.source[:, 80, 1]
    assert column[49:98].min() > 58  # new hair comes from hair
    assert (np.diff(column[50:78]) > 0).all()  # in order, from the outline to the roots
    assert growth.where[50, 80] > 0.9
    assert growth.where[120, 80] == 0
    asked[:] = True
    far = grow_hair(own, asked, 100.0)
    assert far is not None
    assert far.short
    assert far.where[: int(60 - 50 * FARTHEST), 80].max() < 0.1
    assert grow_hair(own, own, 100.0) is None


def test_seams_are_where_lips_part_or_meet():
    landmarks = np.zeros((68, 2))
    landmarks[36], landmarks[45], landmarks[51] = (30, 40), (110, 40), (70, 95)
    y, x = np.mgrid[:160, :160]
    gap = np.square((x - 70) / 30) + np.square((y - 100) / 8) < 1
    found = seam_of_gap(np.argwhere(gap)[:, ::-1].astype(float), landmarks)
    assert found is not None
    seam, half = found
    assert half == pytest.approx(8, abs=1)
    assert seam.width == pytest.approx(60, abs=2.5)
    along, depth = seam.place(np.array([70.0]), np.array([100.0]))
    assert (along[0], depth[0]) == (pytest.approx(0.5, abs=0.03), pytest.approx(0, abs=0.8))
    assert seam.height(np.array([0.5]))[0] > 0.9
    assert seam.height(np.array([0.02]))[0] < 0.45
    assert seam_of_gap(np.array([[70.0, 100.0], [71, 100]]), landmarks) is None
    line = np.stack([np.arange(45, 96), 100 + 0.004 * (np.arange(45, 96) - 70.0) ** 2], axis=1)
    met = seam_between(line, landmarks)
    assert met is not None
    assert np.abs(met.place(line[:, 0], line[:, 1])[1]).max() < 0.5


def test_teeth_keep_their_height_in_a_mouth_that_is_wide_open():
    teeth = np.tile(np.linspace(1, 0.8, 48)[:, None], (1, 192))
    assert np.allclose(above_dark(teeth, 0.2), teeth)
    wide = above_dark(teeth, 0.9)
    assert wide.shape == teeth.shape
    assert wide[:12].mean() > 0.8
    assert np.abs(wide[24:] - DARK).max() < 0.02
