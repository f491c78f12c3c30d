"""Differences that are added to moved pixels: exact at full strength, and half of all at half."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from masque.errors import PictureError
from masque.faces.added import Added, difference_between
from masque.faces.change import Change, Move
from masque.faces.changefile import load_change, save_change
from masque.image import Picture

WIDTH, HEIGHT = 64, 48
INNER = (slice(20, 28), slice(28, 36))


@pytest.fixture
def photo() -> Picture:
    """Lighter by 3 levels with each pixel to the right."""
    return np.repeat(np.tile(3 * np.arange(WIDTH), (HEIGHT, 1))[..., None], 3, axis=2).astype(np.uint8)


def moved_right(pixels: float) -> Move:
    field = np.zeros((32, 40, 2), np.float32)
    field[4:-4, 4:-4, 0] = pixels
    return Move("move", (12, 8, 52, 40), field)


def test_added_pixels_are_the_edited_ones_bit_for_bit() -> None:
    generator = np.random.default_rng(3)
    photo, edited = (generator.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(2))
    edited[:10], edited[:, 50:] = photo[:10], photo[:, 50:]
    change = difference_between(photo, edited, "painted")
    assert change.layers[0].box == (0, 10, 50, HEIGHT)
    assert np.array_equal(change.apply(photo), edited)
    assert difference_between(photo, photo, "painted").layers == ()


def test_half_of_an_edit_moves_half_as_far_and_adds_half(photo: Picture) -> None:
    """Moved by four pixels a slope of 3 levels is 12 lighter: half of that, and half of what is added."""
    move = Change((WIDTH, HEIGHT), (moved_right(4),))
    moved = move.apply(photo)
    edited = moved.copy()
    edited[INNER] += np.array([20, 10, 0], np.uint8)
    change = move.then(difference_between(moved, edited, "painted"))
    for strength in (1.0, 0.5, 0.25):
        made = change.scaled(strength).apply(photo)[INNER].astype(float) - photo[INNER]
        expected = strength * (12 + np.array([20, 10, 0]))
        assert np.abs(made - expected).max() <= 1
    assert np.array_equal(change.scaled(0).apply(photo), photo)


def test_an_enlarged_photo_gets_the_same_added(photo: Picture) -> None:
    edited = photo.copy()
    edited[INNER] += 30
    large = np.repeat(np.repeat(photo, 2, axis=0), 2, axis=1)
    made = difference_between(photo, edited, "painted").enlarged(2 * WIDTH, 2 * HEIGHT).apply(large).astype(int) - large
    assert (made[44:52, 60:68] == 30).all()
    made[38:58, 54:74] = 0
    assert not made.any()


def test_it_is_stored_and_a_damaged_one_is_refused(photo: Picture, tmp_path: Path) -> None:
    change = difference_between(photo, 255 - photo, "painted")
    stored = load_change(save_change(tmp_path / "a.change", change, photo), photo)
    assert np.array_equal(stored.apply(photo), 255 - photo)
    (added,) = change.layers
    assert isinstance(added, Added)
    for broken in (replace(added, strength=2.0), replace(added, difference=2 * added.difference)):
        path = save_change(tmp_path / "b.change", Change(change.size, (broken,)), photo)
        with pytest.raises(PictureError, match="numbers that no layer has"):
            load_change(path, photo)
