"""Names of colours, and the colour that a network painted."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import masque
from masque.edits.hair_colour import COLOURS, colour_painted, hair_colour
from masque.edits.mattes import HAIR, find_mattes
from masque.errors import ValueRangeError


def painted(rgb: tuple[int, int, int]) -> np.ndarray:
    """Strands of one colour, from dark to light."""
    shade = np.linspace(0.7, 1.3, 64)[None, :, None]
    return np.repeat(np.clip(shade * np.array(rgb), 0, 255), 64, axis=0).astype(np.uint8)


@pytest.fixture
def shares() -> np.ndarray:
    found = np.zeros((11, 64, 64), np.float32)
    found[0], found[HAIR, :40] = 1, 1
    found[0, :40] = 0
    return found


def test_the_network_decides_the_colour(shares):
    before, after = painted((60, 40, 30)), painted((190, 160, 110))
    found = colour_painted(before, after, shares)
    assert found is not None
    red = hair_colour("#bea06e")
    assert (found.light, found.a, found.b) == pytest.approx((red.light, red.a, red.b), abs=3)
    assert found.tones[0, 0] < found.light < found.tones[2, 0]


def test_a_network_that_changed_nothing_decides_nothing(shares):
    before = painted((60, 40, 30))
    assert colour_painted(before, np.clip(before.astype(int) + 2, 0, 255).astype(np.uint8), shares) is None
    assert colour_painted(before, painted((190, 160, 110)), np.zeros_like(shares)) is None


@pytest.mark.parametrize("name", ["blond", "Auburn", " ginger ", "#8a2be2", "rebeccapurple", "rgb(10, 200, 30)"])
def test_colours_have_names(name):
    assert 0 <= hair_colour(name).light <= 100


def test_a_hex_colour_is_the_middle_of_the_hair():
    """CSS's own grey of half light has L* = 53.6."""
    found = hair_colour("#808080")
    assert (found.light, found.a, found.b) == pytest.approx((53.6, 0, 0), abs=0.2)


def test_what_is_no_colour_is_refused_with_the_nearest():
    with pytest.raises(ValueRangeError, match="did you mean auburn"):
        hair_colour("auburm")


def test_measured_tones_rise():
    for colour in COLOURS.values():
        assert (np.diff(colour.tones[:, 0]) > 4).all()


def test_a_network_decides_the_colour_and_the_photos_strands_take_it_on():
    photo = np.ascontiguousarray(data.astronaut())
    editor = masque.load("ccagan")
    kept, bare = (editor.edit(photo, {"Black_Hair": 1.0}, detail=detail) for detail in ("keep", "network"))
    assert "hair" in kept.record
    assert "hair" not in bare.record
    subject = editor.subject(photo)
    mattes = find_mattes(editor.parser, subject)
    hair = np.zeros(photo.shape[:2], bool)
    left, top, right, bottom = mattes.box
    hair[top:bottom, left:right] = mattes.hair > 250
    light, before = (picture[hair].mean(axis=1) for picture in (kept.picture, photo))
    assert light.mean() < before.mean() - 10
    assert np.corrcoef(light, before)[0, 1] > 0.9
    assert np.corrcoef(bare.picture[hair].mean(axis=1), before)[0, 1] < 0.9
    assert "hair" not in editor.edit(photo, {"Smiling": 0.0}).record
