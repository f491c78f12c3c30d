"""Hair that turns grey strand by strand, on painted strands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from masque.errors import PictureError
from masque.faces.change import Change
from masque.faces.changefile import load_change, save_change
from masque.faces.greying import Greying, greying
from masque.image import Picture

SIDE = 120
BOX = (0, 0, SIDE, SIDE)
EARS = np.array([[0.0, 60.0], [119.0, 60.0]])


@pytest.fixture(scope="module")
def strands() -> Picture:
    """Brown strands, every fourth column lighter than those around."""
    photo = np.full((SIDE, SIDE, 3), (70, 45, 30), np.uint8)
    photo[:, ::4] = (96, 66, 46)
    return photo


def layer(photo: Picture, amount: float) -> Greying:
    import cv2

    light = cv2.cvtColor(photo.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)[..., 0]
    matte = np.zeros((SIDE, SIDE), np.uint8)
    matte[:60] = 255
    found = greying("grey", np.ascontiguousarray(light), BOX, matte, 100.0, EARS, amount)
    assert found is not None
    return found


def turned(photo: Picture, amount: float) -> Picture:
    return Change((SIDE, SIDE), (layer(photo, amount),)).apply(photo)


def chroma(pixels: np.ndarray) -> float:
    return float(np.ptp(pixels.astype(int), axis=-1).mean())


def test_light_strands_turn_first_and_all_hair_in_the_end(strands: Picture) -> None:
    light, dark = np.s_[10:50, 40:80:4], np.s_[10:50, 42:80:4]
    half = turned(strands, 0.3)
    assert chroma(half[light]) / chroma(strands[light]) < 0.75 * chroma(half[dark]) / chroma(strands[dark])
    whole = turned(strands, 1.0)
    for strand in (light, dark):
        assert chroma(whole[strand]) < 0.35 * chroma(strands[strand])
        assert whole[strand].mean() > strands[strand].mean() + 20


def test_temples_turn_before_the_crown(strands: Picture) -> None:
    result = turned(strands, 0.3)
    assert chroma(result[45:55, 2:14]) < chroma(result[2:12, 54:66]) - 1


def test_what_is_no_hair_stays_and_no_greyness_changes_nothing(strands: Picture) -> None:
    assert np.array_equal(turned(strands, 0.7)[60:], strands[60:])
    none = Change((SIDE, SIDE), (layer(strands, 0.7),)).scaled(0)
    assert np.array_equal(none.apply(strands), strands)


def test_a_larger_copy_of_the_photo_is_greyed_alike(strands: Picture) -> None:
    once = turned(strands, 0.5)
    twice = np.repeat(np.repeat(strands, 2, axis=0), 2, axis=1)
    large = Change((SIDE, SIDE), (layer(strands, 0.5),)).enlarged(2 * SIDE, 2 * SIDE).apply(twice)
    difference = np.abs(large[::2, ::2].astype(int) - once)[5:50, 5:-5]
    assert difference.mean() < 6


def test_a_head_without_hair_has_none_to_turn() -> None:
    light = np.full((SIDE, SIDE), 40, np.float32)
    assert greying("grey", light, BOX, np.zeros((SIDE, SIDE), np.uint8), 100.0, EARS, 1.0) is None
    assert greying("grey", light, BOX, np.full((SIDE, SIDE), 255, np.uint8), 100.0, EARS, 0.0) is None


def test_a_stored_change_greys_alike_and_impossible_numbers_are_refused(strands: Picture, tmp_path: Path) -> None:
    change = Change((SIDE, SIDE), (layer(strands, 0.6),))
    stored = load_change(save_change(tmp_path / "a.change", change, strands), strands)
    assert np.array_equal(stored.apply(strands), change.apply(strands))
    for wrong in ({"amount": 1.5}, {"amount": -0.1}, {"spread": 0.0}, {"blur": 50.0}):
        bad = Change((SIDE, SIDE), (replace(layer(strands, 0.6), **wrong),))
        path = save_change(tmp_path / "b.change", bad, strands)
        with pytest.raises(PictureError, match="numbers that no layer has"):
            load_change(path, strands)
