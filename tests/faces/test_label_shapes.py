"""Faces bent from one label map to another, on maps drawn by hand whose parts are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.faces.label_shapes import FADE, MOUTH, bend_to, carried, matched, outline

WIDTH = 120.0


def face(mouth: float = 1.0, brows: int = 0, gap: int = 0, wide: int = 0) -> np.ndarray:
    """A face: how large its mouth is, by how many pixels its brows are raised, how far its lips are parted, and how
    much wider it is."""
    labels = np.zeros((220, 200), np.uint8)
    cv2.ellipse(labels, (100, 110), (60 + wide, 80), 0, 0, 360, 1, -1)
    for x, brow, eye in ((75, 2, 4), (125, 3, 5)):
        cv2.ellipse(labels, (x, 75 - brows), (16, 4), 0, 0, 360, brow, -1)
        cv2.ellipse(labels, (x, 92), (12, 5), 0, 0, 360, eye, -1)
    cv2.ellipse(labels, (100, 118), (12, 16), 0, 0, 360, 6, -1)
    half = round(24 * mouth), round(9 * mouth) + gap
    upper, lower = np.zeros_like(labels), np.zeros_like(labels)
    cv2.ellipse(upper, (100, 155), half, 0, 180, 360, 1, -1)
    cv2.ellipse(lower, (100, 156), half, 0, 0, 180, 1, -1)
    labels[upper > 0], labels[lower > 0] = 7, 9
    if gap:
        inner = np.zeros_like(labels)
        cv2.ellipse(inner, (100, 155), (half[0] - 3, gap), 0, 0, 360, 1, -1)
        labels[inner > 0] = 8
    return labels


def overlap(one: np.ndarray, other: np.ndarray, labels: tuple[int, ...]) -> float:
    a, b = np.isin(one, labels), np.isin(other, labels)
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(
    ("asked", "part"), [({"mouth": 1.3}, MOUTH), ({"mouth": 0.8}, MOUTH), ({"brows": 7}, (2, 3)), ({"gap": 6}, (7, 9))]
)
def test_a_part_comes_to_lie_where_it_is_asked_for(asked, part):
    own, wanted = face(), face(**asked)
    bending = bend_to(own, wanted, WIDTH)
    moved = np.where(wanted == 8, 8, carried(own, bending.field))  # between parted lips teeth are shown
    assert overlap(moved, wanted, part) > max(0.8, overlap(own, wanted, part) + 0.1)
    assert bending.share == 1
    for other in ((4, 5), (6,)):
        assert overlap(carried(own, bending.field), own, other) > 0.85
    outside = own == 0
    assert not bending.field[outside].any()
    rim = (cv2.distanceTransform((own > 0).astype(np.uint8), cv2.DIST_L2, 5) < FADE * WIDTH / 4) & ~outside
    assert np.abs(bending.field[rim]).max() < 1.5


def test_the_same_map_moves_nothing_and_what_is_missing_is_named():
    own = face()
    still = bend_to(own, own, WIDTH)
    assert (still.moved, still.missing) == ((), ())
    assert not still.field.any()
    bare = np.where(np.isin(own, (2, 3)), 1, own).astype(np.uint8)
    assert bend_to(bare, own, WIDTH).missing == ("left brow", "right brow")
    assert bend_to(own, face(gap=6), WIDTH).missing == ("mouth",)


def test_lips_that_part_leap_away_from_the_line_between_them():
    own, wanted = face(), face(gap=8)
    field = bend_to(own, wanted, WIDTH).field
    above, below = field[143, 100, 1], field[168, 100, 1]  # what is shown there comes from nearer to the line
    assert above > 4
    assert below < -4
    assert np.abs(field[:, 30]).max() < 2


def test_the_outline_moves_only_where_it_is_asked_to():
    own, wider = face(), face(wide=8)
    bending = bend_to(own, wider, WIDTH)
    assert "face" in bending.moved
    assert overlap(carried(own, bending.field), wider, tuple(range(1, 10))) > 0.97
    assert np.abs(bending.field[:, :4]).max() < 2.5


def test_what_would_fold_a_face_goes_only_part_of_the_way():
    own = face()
    crossed = np.where(np.isin(own, (4, 5)), 1, own)
    crossed[:-13][np.isin(own[13:], (4, 5))] = own[13:][np.isin(own[13:], (4, 5))]  # eyes upon the brows
    bending = bend_to(own, crossed.astype(np.uint8), WIDTH)
    assert bending.share < 0.9
    y, x = (np.gradient(bending.field[..., i]) for i in (1, 0))
    area = (1 + x[1]) * (1 + y[0]) - x[0] * y[1]
    assert cv2.blur(area, (5, 5))[60:130, 50:150].min() > 0


def test_an_outline_is_matched_in_order():
    one, other = (np.isin(face(mouth=m), MOUTH) for m in (1.0, 1.3))
    points = outline(one, 24)
    assert points is not None
    there = matched(one, other, points)
    distance = np.abs(cv2.distanceTransform(other.astype(np.uint8), cv2.DIST_L2, 5))
    at = np.rint(there).astype(int)
    assert distance[at[:, 1], at[:, 0]].max() < 3  # on the outline
    turned = [np.arctan2(*(p - p.mean(axis=0)).T[::-1]) for p in (points, there)]
    assert np.abs(np.angle(np.exp(1j * (turned[0] - turned[1])))).max() < 0.35
    assert outline(np.zeros_like(one), 24) is None
