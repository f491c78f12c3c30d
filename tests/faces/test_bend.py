"""A face bent by its landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from masque.faces.bend import bend, face_axes
from masque.faces.change import Change

CENTRE = np.array([200.0, 180.0])
WIDTH = 120.0


def points() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(160, 240, 6), np.linspace(140, 230, 6))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def test_points_go_where_they_are_sent() -> None:
    shifts = np.zeros((36, 2))
    shifts[14] = (6, -4)
    move = bend("smile", points(), shifts, CENTRE, WIDTH)
    moved = Change((400, 400), (move,)).move_points(points())
    assert moved[14] - points()[14] == pytest.approx((6, -4), abs=0.8)
    others = np.delete(moved - points(), 14, axis=0)
    assert np.abs(others).max() < 0.8


def test_nothing_moves_beyond_the_face() -> None:
    move = bend("smile", points(), np.full((36, 2), 5.0), CENTRE, WIDTH)
    photo = np.random.default_rng(0).integers(0, 256, (400, 400, 3)).astype(np.uint8)
    result = Change((400, 400), (move,)).apply(photo)
    y, x = np.mgrid[0:400, 0:400]
    far = np.hypot(x - CENTRE[0], y - CENTRE[1]) > 1.02 * WIDTH
    assert np.array_equal(result[far], photo[far])
    assert (result[180, 200] != photo[180, 200]).any()


def test_no_shift_is_no_movement() -> None:
    assert np.abs(bend("smile", points(), np.zeros((36, 2)), CENTRE, WIDTH).field).max() < 1e-6


def test_the_axes_of_a_tilted_face() -> None:
    landmarks = np.zeros((68, 2))
    landmarks[36], landmarks[45] = (0, 0), (3, 4)
    across, down = face_axes(landmarks)
    assert across == pytest.approx((0.6, 0.8))
    assert down == pytest.approx((-0.8, 0.6))
