"""What label maps are taken as a portrait's new shape, and which are refused in words."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from masque.data.puppets import draw_puppet, render
from masque.errors import PictureError
from masque.faces.label_edits import align_labels, check_aspect, check_face_left, check_skin_left, check_upright
from masque.faces.labels import Labels, mirror, swap_sides


@pytest.fixture(scope="module")
def own() -> Labels:
    labels = cv2.resize(render(draw_puppet(3)).labels, (128, 128), interpolation=cv2.INTER_NEAREST)
    assert set(range(11)) - {8} <= set(np.unique(labels))
    return labels.astype(np.uint8)


def moved(labels: Labels, across: int) -> Labels:
    return cv2.warpAffine(
        labels, np.array([[1.0, 0, across], [0, 1, 0]]), labels.shape, flags=cv2.INTER_NEAREST
    ).astype(np.uint8)


EDITS = {
    "bald": lambda own: np.where(own == 10, 0, own),
    "bald with skin": lambda own: np.where(own == 10, 1, own),
    "no brows": lambda own: np.where(np.isin(own, (2, 3)), 1, own),
    "closed mouth": lambda own: np.where(own == 8, 7, own),
    "no mouth": lambda own: np.where(np.isin(own, (7, 8, 9)), 1, own),
    "hair everywhere else": lambda own: np.where(own == 0, 10, own),
    "a fringe": lambda own: np.where((np.arange(128)[:, None] < 50) & (own > 0), 10, own),
    "skin alone": lambda own: np.where((own > 0) & (own < 10), 1, 0),
    "a little aside": lambda own: moved(own, 12),
    "mirrored with its names": mirror,
    "one eye closed": lambda own: np.where(own == 4, 1, own),
    "both eyes of one name": lambda own: np.where(own == 5, 4, own),
}

LOST = {
    "all background": lambda own: np.zeros_like(own),
    "all hair": lambda own: np.full_like(own, 10),
    "hair alone": lambda own: np.where(own == 10, 10, 0),
    "the face erased": lambda own: np.where((own < 10) & (np.arange(128)[:, None] < 95), 0, own),
    "elsewhere": lambda own: moved(own, 90),
    "no skin": lambda own: np.where(own == 1, 0, own),
    "all nose": lambda own: np.full_like(own, 6),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edits_are_taken(own: Labels, edit: str) -> None:
    wanted = EDITS[edit](own).astype(np.uint8)
    check_face_left(own, wanted)
    check_upright(own, wanted)


@pytest.mark.parametrize(
    "turned",
    [
        lambda own: own[::-1],
        lambda own: own[:, ::-1],
        lambda own: own[::-1, ::-1],
        lambda own: own.T,
        np.rot90,
        swap_sides,
        lambda own: np.where(own == 4, 1, own)[::-1],
    ],
)
def test_a_map_that_is_turned_or_mirrored_is_refused(own: Labels, turned: Callable[[Labels], Labels]) -> None:
    with pytest.raises(PictureError, match="turned or mirrored"):
        check_upright(own, turned(own).astype(np.uint8))


@pytest.mark.parametrize("edit", LOST)
def test_a_map_without_the_face_is_refused(own: Labels, edit: str) -> None:
    with pytest.raises(PictureError, match=r"no face where the photo has one .*masque parse"):
        check_face_left(own, LOST[edit](own).astype(np.uint8))


def test_where_the_parser_sees_nothing_any_face_will_do(own: Labels) -> None:
    check_face_left(np.zeros_like(own), own)
    with pytest.raises(PictureError, match="no face"):
        check_face_left(np.zeros_like(own), np.zeros_like(own))


@pytest.mark.parametrize("size", [(400, 300), (200, 150), (1200, 900), (133, 100), (134, 100), (1001, 751), (57, 43)])
def test_a_map_of_the_photos_shape_is_taken(size: tuple[int, int]) -> None:
    check_aspect(np.zeros(size[::-1], np.uint8), 400, 300)


@pytest.mark.parametrize(
    "size", [(400, 301 + 1), (300, 300), (400, 200), (390, 300), (512, 512), (200, 140), (4000, 3020)]
)
def test_a_map_of_another_shape_is_not_stretched(size: tuple[int, int]) -> None:
    with pytest.raises(
        PictureError,
        match=f"The label map has {size[0]}×{size[1]} pixels and the photo 400×300, which is another ratio",
    ):
        check_aspect(np.zeros(size[::-1], np.uint8), 400, 300)


def test_a_map_on_its_side_is_named_as_that() -> None:
    with pytest.raises(PictureError, match=r"300×400 .*400×300: turn"):
        check_aspect(np.zeros((400, 300), np.uint8), 400, 300)


def test_eyes_and_mouth_must_lie_as_in_a_face(own: Labels) -> None:
    for turn in range(4):  # a face on its side is one
        assert np.isfinite(align_labels(np.rot90(own, turn), 64)).all()
    one_line = np.ones((40, 40), np.uint8)
    one_line[20, 10], one_line[20, 20], one_line[20, 15] = 4, 5, 8
    for wrong in (own[:, ::-1], swap_sides(own), one_line):
        with pytest.raises(PictureError, match="do not lie as in a face"):
            align_labels(wrong, 64)
    check_skin_left(own)
    with pytest.raises(PictureError, match="no skin around its eyes and mouth"):
        check_skin_left(np.where(own == 1, 0, own).astype(np.uint8))
