"""Lips parted and closed along a line that is known because the picture was drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.faces.change import Change
from masque.faces.lips import TEXTURE, find_seam, part_lips, show_teeth

SKIN, LIP, LINE = (200, 160, 140), (180, 90, 90), (60, 20, 20)
SIZE = 300
LEFT, RIGHT, MIDDLE = 90, 210, 150


def mouth(sag: float = 8.0, off: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A picture of closed lips whose line sags in the middle, and landmarks that miss it by `off` pixels there."""
    picture = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    x = np.arange(LEFT, RIGHT + 1)
    line = 150 + sag * (1 - ((x - MIDDLE) / 60) ** 2)
    for column, row in zip(x, line, strict=True):
        cv2.line(picture, (int(column), int(row - 14)), (int(column), int(row + 14)), LIP, 1)
    for column, row in zip(x, line, strict=True):
        cv2.line(picture, (int(column), round(row) - 1), (int(column), round(row) + 1), LINE, 1)
    landmarks = np.zeros((68, 2))
    for upper, lower, at in ((61, 67, 120), (62, 66, 150), (63, 65, 180)):
        landmarks[[upper, lower]] = at, 150 + sag * (1 - ((at - MIDDLE) / 60) ** 2) + off
    landmarks[60], landmarks[64] = (LEFT, 150), (RIGHT, 150)
    landmarks[48], landmarks[54] = (LEFT - 4, 150), (RIGHT + 4, 150)
    return picture, landmarks


@pytest.mark.parametrize("off", [-5.0, 0.0, 5.0])
def test_the_line_between_the_lips_is_found_where_landmarks_miss_it(off):
    picture, landmarks = mouth(off=off)
    seam = find_seam(picture, landmarks)
    x = np.linspace(LEFT + 10, RIGHT - 10, 30)
    _, below = seam.place(x, 150 + 8 * (1 - ((x - MIDDLE) / 60) ** 2))
    assert np.abs(below).max() < 1.5
    assert seam.middle == pytest.approx(0.5)


@pytest.mark.filterwarnings("error")
def test_a_mouth_in_profile_has_a_gap_between_its_lips() -> None:
    picture, landmarks = mouth(sag=0.0)
    corner = landmarks[64]
    for upper, lower, share in ((61, 67, 0.72), (62, 66, 0.88), (63, 65, 1.0)):
        landmarks[[upper, lower]] = landmarks[60] + share * (corner - landmarks[60]) + [[0, -6], [0, 6]]
    seam = find_seam(picture, landmarks, parted=True)
    heights = seam.height(np.linspace(0, 1, 21))
    assert heights[14] > 0.7
    assert (np.diff(heights[:14]) >= 0).all()


def test_a_seam_moves_with_its_points():
    picture, landmarks = mouth()
    seam = find_seam(picture, landmarks)
    angle, factor, shift = np.radians(20), 1.5, np.array([30.0, -12.0])
    turn = factor * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = seam.moved(lambda points: points @ turn + shift)
    x, y = np.array([120.0, 150.0, 171.0]), np.array([150.0, 140.0, 162.0])
    along, below = seam.place(x, y)
    at = np.stack([x, y], axis=1) @ turn + shift
    found, beneath = moved.place(at[:, 0], at[:, 1])
    assert found == pytest.approx(along, abs=1e-3)
    assert beneath == pytest.approx(factor * below, abs=0.1)


def test_lips_part_by_as_much_as_is_asked_and_close_again():
    """Marks above and below the line go up and down by just as much; those far away stay."""
    picture, landmarks = mouth()
    seam = find_seam(picture, landmarks)
    points = np.array([[150.0, 152.0], [150.0, 164.0], [150.0, 60.0], [150.0, 250.0], [60.0, 150.0]])
    parted = Change((SIZE, SIZE), (part_lips("lips", seam, 7.0, 10.0),))
    moved = parted.move_points(points) - points
    assert moved[:, 1] == pytest.approx([-7, 10, 0, 0, 0], abs=1.0)
    assert np.abs(moved[:, 0]).max() < 0.5
    result = parted.apply(picture)
    _, below = seam.place(*np.meshgrid(np.arange(SIZE), np.arange(SIZE)))
    far = (np.abs(below) > 0.8 * seam.width) | (np.arange(SIZE) < LEFT - 40) | (np.arange(SIZE) > RIGHT + 40)
    assert np.array_equal(result[far], picture[far])
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(result, picture)


def test_what_is_between_lips_goes_when_they_close():
    picture, landmarks = mouth(sag=0)
    cv2.ellipse(picture, (MIDDLE, 150), (60, 8), 0, 0, 360, (250, 250, 250), -1)
    landmarks[[61, 62, 63], 1] -= 8
    landmarks[[65, 66, 67], 1] += 8
    seam = find_seam(picture, landmarks, parted=True)
    closed = Change((SIZE, SIZE), (part_lips("lips", seam, -8.0, -8.0),)).apply(picture)
    white = (picture.min(axis=2) > 240).sum(), (closed.min(axis=2) > 240).sum()
    assert white[1] < 0.2 * white[0]


def test_teeth_show_in_the_gap_alone_and_in_half_of_it_at_half_strength():
    picture, landmarks = mouth()
    seam = find_seam(picture, landmarks)
    skin = (np.array([70.0, 12, 14]), np.array([70.0, 12, 14]))
    teeth = show_teeth("teeth", seam, 6.0, 12.0, np.ones(TEXTURE), skin)
    shown = {}
    for strength in (0.0, 0.5, 1.0):
        change = Change((SIZE, SIZE), (teeth.scaled(strength),))
        column = (change.apply(picture)[:, MIDDLE] != picture[:, MIDDLE]).any(axis=1).nonzero()[0]
        shown[strength] = len(column)
        if strength == 1.0:
            assert [column[0], column[-1]] == pytest.approx([158 - 6, 158 + 12], abs=2)
    assert shown[0.0] == 0
    assert shown[0.5] == pytest.approx(shown[1.0] / 2, abs=2)


def test_light_from_a_side_falls_on_the_teeth():
    picture, landmarks = mouth()
    seam = find_seam(picture, landmarks)
    skin = (np.array([80.0, 12, 14]), np.array([40.0, 12, 14]))
    colours = show_teeth("teeth", seam, 6.0, 12.0, np.ones(TEXTURE), skin).colours
    light = colours[colours.shape[0] // 2, :, 0]
    assert light[10] > 1.2 * light[-10]
