"""Planes of light, against pictures whose light is a plane by construction."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.data.puppets import draw_puppet, render
from masque.faces.change import Change
from masque.faces.shading import MOST, light_slopes, relit


def lit_plane(landmarks: np.ndarray, across: float, down: float) -> np.ndarray:
    """A grey picture (218,178,3) in which ln(L + 8) rises by so much over a face's width."""
    width = np.linalg.norm(landmarks[16] - landmarks[0])
    y, x = np.mgrid[0:218, 0:178]
    middle = landmarks[27:36].mean(axis=0)
    light = 58 * np.exp((across * (x - middle[0]) + down * (y - middle[1])) / width) - 8
    lab = np.stack([light, np.zeros_like(light), np.zeros_like(light)], axis=-1).astype(np.float32)
    return np.rint(255 * np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)).astype(np.uint8)


@pytest.fixture
def landmarks() -> np.ndarray:
    """Of a face whose eyes are level."""
    points = render(draw_puppet(3)).landmarks.astype(np.float64)
    points[[36, 45], 1] = points[[36, 45], 1].mean()
    return points


@pytest.mark.parametrize(("across", "down"), [(0.3, 0.0), (-0.2, 0.25), (0.0, -0.3)])
def test_the_slopes_of_a_plane_are_found(landmarks: np.ndarray, across: float, down: float) -> None:
    picture = lit_plane(landmarks, across, down)
    assert light_slopes(picture, landmarks) == pytest.approx([across, down], abs=0.02)
    eyes = picture.copy()
    for eye in (slice(36, 42), slice(42, 48)):  # dark holes, as eyes are, are no light
        x, y = landmarks[eye].mean(axis=0).round().astype(int)
        cv2.circle(eyes, (int(x), int(y)), 6, (5, 5, 5), -1)
    assert light_slopes(eyes, landmarks) == pytest.approx([across, down], abs=0.07)


def test_light_that_is_added_is_found_again(landmarks: np.ndarray) -> None:
    picture = lit_plane(landmarks, 0.1, 0.0)
    matte = np.full((218, 178), 255, np.uint8)
    layer = relit("light", np.array([-0.3, 0.1]), landmarks, (0, 0, 178, 218), matte)
    made = Change((178, 218), (layer,)).apply(picture)
    assert light_slopes(made, landmarks) == pytest.approx([-0.2, 0.1], abs=0.06)
    much = relit("light", np.array([9.0, 0.0]), landmarks, (0, 0, 178, 218), matte)
    most = relit("light", np.array([MOST, 0.0]), landmarks, (0, 0, 178, 218), matte)
    assert np.array_equal(much.field, most.field)
