"""Measured attributes against the puppets' truth, and colours and mouths made by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from still_puppets import still_puppet

from masque.data.measured import MEASURED, hair_colour, hair_names, measure_attributes, mouth_open, smiling
from masque.data.prepared import BACKGROUND, BEYOND, PERSON
from masque.data.puppets import HAIR_COLOURS, Light, Puppet, Rendered, render, true_edit

PEOPLE = range(20)


def plain(seed: int, **changes: object) -> Puppet:
    """A person seen from the front in even light, at rest, with half-long hair."""
    light = Light(right=0.3, up=0.4, colour=(1.0, 1.0, 1.0))
    return still_puppet(seed, **({"light": light, "length": 0.5} | changes))


def mask_of(made: Rendered) -> np.ndarray:
    return np.where(made.background > 127, BACKGROUND, PERSON).astype(np.uint8)


def measured(puppet: Puppet) -> dict[str, float]:
    made = render(puppet)
    return measure_attributes(made.picture, made.landmarks, mask_of(made))


@pytest.mark.parametrize(("name", "least"), [("Smiling", 0.8), ("Mouth_Slightly_Open", 1.0)])
def test_mouths_agree_with_the_truth(name, least):
    values = np.array(
        [[measured(true_edit(plain(seed), name, asked))[name] for asked in (0.0, 0.9)] for seed in PEOPLE]
    )
    assert ((values > 0.5) == [False, True]).mean() >= least
    assert (values[:, 0] < values[:, 1]).all()  # everybody more so than at rest


@pytest.mark.parametrize("name", HAIR_COLOURS)
def test_hair_colours_agree_with_the_truth(name):
    """Of 20 people with hair of one colour that colour is the surest for at least 90 %."""
    values = [measured(true_edit(plain(seed), name, 1.0)) for seed in PEOPLE]
    surest = [max(HAIR_COLOURS, key=lambda colour: found.get(colour, -1.0)) for found in values]
    assert surest.count(name) >= 18
    assert sum(found.get(name, 0.0) > 0.5 for found in values) >= 18


def test_without_hair_in_sight_there_is_no_colour():
    for seed in PEOPLE:
        values = measured(plain(seed, bald=1.0, length=0.0))
        assert set(values) == {"Smiling", "Mouth_Slightly_Open"}


def test_hair_beyond_the_photo_is_not_in_sight():
    made = render(plain(1))
    mask = mask_of(made)
    assert hair_colour(made.picture, made.landmarks, mask) is not None
    mask[:110] = BEYOND
    assert hair_colour(made.picture, made.landmarks, mask) is None


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_scale_of_the_frame_hardly_matters(scale):
    for seed in range(4):
        made, other = render(plain(seed)), render(plain(seed), scale)
        first = measure_attributes(made.picture, made.landmarks, mask_of(made))
        second = measure_attributes(other.picture, other.landmarks, mask_of(other))
        assert first.keys() == second.keys() == set(MEASURED)
        assert max(abs(first[name] - second[name]) for name in MEASURED) < 0.15


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((18, 14, 12), "Black_Hair"),
        ((220, 190, 130), "Blond_Hair"),
        ((92, 62, 40), "Brown_Hair"),
        ((150, 150, 150), "Gray_Hair"),
    ],
)
def test_plain_colours_have_the_names_people_give_them(rgb, name):
    lab = cv2.cvtColor(np.array([[rgb]], np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    values = hair_names(lab)
    assert set(values) == set(HAIR_COLOURS)
    assert values[name] > 0.5
    assert all(value < 0.5 for other, value in values.items() if other != name)


@pytest.mark.parametrize("rgb", [(220, 30, 30), (30, 160, 60), (20, 60, 30), (40, 60, 220)])
def test_dyed_hair_has_none_of_the_names(rgb):
    lab = cv2.cvtColor(np.array([[rgb]], np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    assert all(value < 0.5 for value in hair_names(lab).values())


def test_mouths_do_not_depend_on_turning_moving_or_growing_the_whole_face():
    landmarks = render(plain(3)).landmarks.astype(np.float64)
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (landmarks @ turn.T * 3 + (40, -20)).astype(np.float32)
    assert mouth_open(moved) == pytest.approx(mouth_open(landmarks.astype(np.float32)), abs=1e-3)
    larger = (landmarks * 3 + (40, -20)).astype(np.float32)
    assert smiling(larger) == pytest.approx(smiling(landmarks.astype(np.float32)), abs=1e-3)


def test_a_gap_between_the_lips_opens_the_mouth():
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[42:48] = (100, 0)  # eyes 100 px apart
    for gap, value in ((0, 0.057), (7, 0.5), (30, 1.0)):
        landmarks[66] = (50, gap)
        landmarks[62] = (50, 0)
        assert mouth_open(landmarks) == pytest.approx(value, abs=0.002)


def test_values_stay_between_0_and_1_on_any_landmarks():
    generator = np.random.default_rng(0)
    frame = generator.integers(0, 255, (218, 178, 3)).astype(np.uint8)
    for spread in (0.0, 1.0, 60.0, 1000.0):
        points = (generator.normal(0, spread, (68, 2)) + 90).astype(np.float32)
        with np.errstate(all="ignore"):
            values = measure_attributes(frame, points, np.zeros((218, 178), np.uint8)) if spread else {}
        assert all(0.0 <= value <= 1.0 for value in values.values())
