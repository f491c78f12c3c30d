"""Iris and white of eyes drawn by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.faces.eyes import EYES, IRIS, find_eye


def drawn(centre: float, iris: float = 30, height: float = 0.34) -> tuple[np.ndarray, np.ndarray, float]:
    """Lightness of a picture with an eye whose iris is `centre` of its width off the middle; landmarks; its width."""
    width = 60.0
    landmarks = np.zeros((68, 2), np.float32)
    x = 50 + width * np.array([-0.5, -0.2, 0.2, 0.5, 0.2, -0.2])
    y = 40 + width * height * np.array([0, -0.5, -0.5, 0, 0.5, 0.5])
    landmarks[EYES[0]] = np.stack([x, y], axis=1)
    light = np.full((80, 100), 60, np.float32)
    cv2.fillConvexPoly(light, np.rint(landmarks[EYES[0]]).astype(np.int32), 80)
    inside = np.zeros((80, 100), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(landmarks[EYES[0]]).astype(np.int32), 1)
    row, column = np.mgrid[:80, :100]
    distance = np.hypot(column - 50 - centre * width, row - 40)
    light[(distance < IRIS * width) & (inside > 0)] = iris
    light[(distance < 0.35 * IRIS * width) & (inside > 0)] = 5
    return light, landmarks, width


@pytest.mark.parametrize("centre", [-0.15, 0.0, 0.12])
def test_the_iris_is_where_it_is_dark(centre):
    light, landmarks, width = drawn(centre)
    eye = find_eye(light, landmarks, EYES[0])
    assert eye is not None
    row, column = np.mgrid[:80, :100]
    distance = np.hypot(column - 50 - centre * width, row - 40) / (IRIS * width)
    assert eye.iris[(distance > 0.55) & (distance < 0.8) & (light == 30)].mean() > 0.8
    assert eye.iris[distance < 0.2].max() < 0.2  # the pupil stays black
    assert eye.iris[distance > 1.25].max() < 0.05
    assert eye.white[distance < 0.9].max() < 0.1
    assert eye.white[(distance > 1.4) & (eye.opening > 0.9)].mean() > 0.6
    assert (eye.iris + eye.white).max() <= 1.01
    assert (eye.iris[eye.opening == 0] == 0).all()


def test_what_is_no_open_eye_with_an_iris_is_none():
    light, landmarks, _ = drawn(0.0, height=0.08)
    assert find_eye(light, landmarks, EYES[0]) is None
    light, landmarks, _ = drawn(0.0)
    assert find_eye(np.full_like(light, 50), landmarks, EYES[0]) is None
    assert find_eye(light, landmarks, EYES[1]) is None  # which lies nowhere
