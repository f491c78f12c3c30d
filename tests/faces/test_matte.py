"""Mattes of drawn strands, whose alpha is known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.faces.matte import FAINT, FULL, mean_nearby, refine_along_edges, refine_along_strands, without_haze

SIDE, FACE = 360, 180


def strands(seed: int = 0) -> np.ndarray:
    """Alpha (SIDE,SIDE) of a disc of hair with thin strands around it, drawn four times as large and shrunk."""
    random, side = np.random.default_rng(seed), 4 * SIDE
    drawn = np.zeros((side, side), np.float32)
    cv2.circle(drawn, (side // 2, side // 2), side // 4, 1.0, -1)
    for angle in random.uniform(0, 2 * np.pi, 300):
        towards = np.array([np.cos(angle), np.sin(angle)])
        bent = np.array([np.cos(angle + 0.12), np.sin(angle + 0.12)])
        start, end = side / 2 + side / 4.2 * towards, side / 2 + side * random.uniform(0.26, 0.29) * bent
        cv2.line(drawn, start.astype(int).tolist(), end.astype(int).tolist(), 1.0, 3)
    return cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def as_parsed(alpha: np.ndarray) -> np.ndarray:
    """What a parser makes of an alpha: smooth, at half the size."""
    return cv2.resize(cv2.GaussianBlur(alpha, (0, 0), 4), (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def alpha() -> np.ndarray:
    return strands()


def photo_of(alpha: np.ndarray, hair: tuple[float, ...], wall: tuple[float, ...], grain: float = 0.01) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, grain, (*alpha.shape, 3))
    mixed = alpha[..., None] * np.array(hair) + (1 - alpha[..., None]) * np.array(wall)
    return np.clip(mixed + noise, 0, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("hair", "wall"),
    [
        ((0.1, 0.08, 0.07), (0.8, 0.78, 0.75)),
        ((0.75, 0.6, 0.4), (0.2, 0.25, 0.3)),
        ((0.3, 0.2, 0.12), (0.85, 0.6, 0.5)),
    ],
)
def test_strands_are_found_where_the_parser_sees_a_blur(alpha, hair, wall):
    share = as_parsed(alpha)
    found = refine_along_strands(photo_of(alpha, hair, wall), share, FACE)
    blurred = cv2.resize(share, (SIDE, SIDE))
    rim = (blurred > 0.02) & (blurred < 0.98)
    error, before = (np.abs(x - alpha)[rim].mean() for x in (found, blurred))
    assert error < 0.06
    assert error < 0.35 * before


def test_hair_of_the_walls_colour_is_left_to_the_parser(alpha):
    share = as_parsed(alpha)
    found = refine_along_strands(photo_of(alpha, (0.4, 0.3, 0.2), (0.4, 0.3, 0.2)), share, FACE)
    spread = np.clip((cv2.resize(share, (SIDE, SIDE)) - FAINT) / (FULL - FAINT), 0, 1)
    assert np.abs(found - spread).mean() < 0.005


def test_what_is_far_from_hair_stays_as_it_is(alpha):
    """Dark stripes of the hair's own colour on the wall are no hair."""
    photo = photo_of(alpha, (0.1, 0.08, 0.07), (0.8, 0.78, 0.75))
    photo[:, 5:15] = photo[5:15] = 0.08
    found = refine_along_strands(photo, as_parsed(alpha), FACE)
    assert found[:, 5:15].max() < 0.02
    assert found[5:15].max() < 0.02


def test_guesses_far_from_hair_are_none():
    share = np.zeros((100, 100), np.float32)
    share[40:60, 40:60] = 1
    hazy = np.maximum(share, 0.2)
    assert without_haze(hazy, 50)[0, 0] == 0
    assert without_haze(hazy, 50)[50, 50] == 1


def test_an_edge_is_put_where_the_photo_has_it():
    light = np.full((200, 200), 0.2, np.float32)
    light[:, 103:] = 0.7
    share = cv2.resize(light - 0.2, (100, 100), interpolation=cv2.INTER_AREA) * 2
    share = cv2.GaussianBlur(share, (0, 0), 2)
    found = refine_along_edges(light, share, 200)
    assert found[100, 102] < 0.3 < 0.7 < found[100, 104]


def test_the_mean_nearby_is_the_weighted_mean():
    values = np.random.default_rng(0).random((40, 40, 5)).astype(np.float32)
    one = np.zeros((40, 40), np.float32)
    one[20, 20] = 1
    assert mean_nearby(values, one, 20)[25, 22] == pytest.approx(values[20, 20], abs=0.02)
