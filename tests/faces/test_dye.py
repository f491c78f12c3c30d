"""Hair dyed on drawn strands whose matte is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.faces.change import Change
from masque.faces.dye import HairColour, colour_curve, colours_at, dye, mixed, tones_of
from masque.image import Picture

SIDE = 160
BOX = (0, 0, SIDE, SIDE)
WALL = (200, 190, 180)
BROWN = HairColour(27, 9, 15)
BLOND = HairColour(60, 5, 24)
GREY = HairColour(58, 0, 1)


def lab_of(picture: Picture) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def strands(colour: tuple[int, int, int] = (84, 62, 45), seed: int = 0) -> tuple[Picture, np.ndarray]:
    """A lock of hair on a wall: light and dark strands, with a soft rim; and its true matte (h,w) in [0,255]."""
    shine = np.random.default_rng(seed).normal(1, 0.35, (1, SIDE)).clip(0.3, 1.9)
    shine = cv2.GaussianBlur(np.repeat(shine, SIDE, axis=0), (0, 0), 1)[..., None]
    hair = np.clip(np.array(colour) * shine, 0, 255)
    alpha = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(alpha, (80, 80), 50, 1, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 4)[..., None]
    picture = np.rint(alpha * hair + (1 - alpha) * np.array(WALL)).astype(np.uint8)
    return picture, np.rint(255 * alpha[..., 0]).astype(np.uint8)


def dyed(picture: Picture, matte: np.ndarray, colour: HairColour, coloured: bool = True) -> Picture:
    layer = dye("hair", picture, BOX, matte, 120.0, colour, coloured)
    assert layer is not None
    return Change((SIDE, SIDE), (layer,)).apply(picture)


@pytest.mark.parametrize("colour", [BLOND, BROWN, GREY, HairColour(42, 60, -60)])
def test_hair_gets_the_asked_colour(colour: HairColour) -> None:
    picture, matte = strands()
    inside = matte > 250
    after = lab_of(dyed(picture, matte, colour))[inside]
    assert np.median(after[:, 0]) == pytest.approx(colour.light, abs=5)
    middle = np.abs(after[:, 0] - colour.light) < 5
    assert after[middle, 1].mean() == pytest.approx(colour.a, abs=6)
    assert after[middle, 2].mean() == pytest.approx(colour.b, abs=6)


def test_strands_stay_where_they_were() -> None:
    """The lighter of two strands stays the lighter one."""
    picture, matte = strands()
    row = slice(60, 100)
    before = lab_of(picture)[80, row, 0]
    for colour in (BLOND, GREY, BROWN):
        after = lab_of(dyed(picture, matte, colour))[80, row, 0]
        assert np.corrcoef(before, after)[0, 1] > 0.93


def test_grain_is_not_blown_up() -> None:
    """Very dark hair made blond gets steeper tones, but fine noise much less than the four times of its curve."""
    flat = np.full((SIDE, SIDE, 3), 25, np.int64) + np.random.default_rng(0).integers(-3, 4, (SIDE, SIDE, 1))
    picture, matte = flat.clip(0, 255).astype(np.uint8), np.full((SIDE, SIDE), 255, np.uint8)
    before, after = (lab_of(p)[..., 0] for p in (picture, dyed(picture, matte, BLOND)))
    fine = [light - cv2.GaussianBlur(light, (0, 0), 1) for light in (before, after)]
    assert fine[1].std() < 2.3 * fine[0].std()
    assert after.mean() > before.mean() + 30


def test_the_wall_shines_through_the_rim_in_its_own_colour() -> None:
    """At the rim the picture is near the one that is true: the new hair over the same wall."""
    picture, matte = strands()
    result = dyed(picture, matte, BLOND)
    solid = np.full_like(matte, 255)
    hair, _ = strands()
    alpha = matte[..., None] / 255
    bare = np.where(alpha > 0, (hair - (1 - alpha) * np.array(WALL)) / np.maximum(alpha, 0.05), 0)
    new = dyed(np.clip(np.rint(bare), 0, 255).astype(np.uint8), np.where(matte > 12, 255, 0).astype(np.uint8), BLOND)
    true = alpha * new + (1 - alpha) * np.array(WALL)
    rim = (matte > 60) & (matte < 200)
    assert solid.shape == matte.shape
    error = np.linalg.norm(lab_of(result)[rim] - lab_of(np.rint(true).astype(np.uint8))[rim], axis=1)
    assert error.mean() < 9
    assert np.array_equal(result[matte == 0], picture[matte == 0])


def test_without_a_hue_only_light_changes() -> None:
    grey = np.repeat(strands()[0][..., :1], 3, axis=2)
    result = dyed(grey, strands()[1], BLOND, coloured=False)
    assert np.ptp(result.astype(int), axis=2).max() <= 2
    assert result[80, 80].mean() > grey[80, 80].mean() + 20


def test_grey_hair_has_no_colour() -> None:
    picture, matte = strands((120, 50, 25))
    after = lab_of(dyed(picture, matte, GREY))[matte > 250]
    assert (np.hypot(after[:, 1], after[:, 2]) > 6).mean() < 0.1


def test_a_shaved_head_is_not_dyed() -> None:
    picture, matte = strands()
    assert dye("hair", picture, BOX, (matte * 0.3).astype(np.uint8), 120.0, BLOND) is None


def test_half_the_strength_goes_half_the_way() -> None:
    picture, matte = strands()
    layer = dye("hair", picture, BOX, matte, 120.0, BLOND)
    assert layer is not None
    none, half, all_ = (
        lab_of(Change((SIDE, SIDE), (layer.scaled(k),)).apply(picture))[matte > 250] for k in (0.0, 0.5, 1.0)
    )
    assert np.abs(half - (none + all_) / 2).mean() < 1
    assert np.array_equal(Change((SIDE, SIDE), (layer.scaled(0.0),)).apply(picture), picture)


def test_the_curve_rises_and_its_ends_are_the_colours_tones() -> None:
    light = np.random.default_rng(0).normal(26, 5, 5000).astype(np.float32)
    curve = colour_curve(light, BLOND)
    assert (np.diff(curve[:, 0]) >= 0).all()
    asked = np.interp(np.percentile(light, (4, 50, 97)), np.arange(101), curve[:, 0])
    assert asked == pytest.approx(BLOND.tones[:, 0], abs=3)
    assert colours_at(np.array([BLOND.light]), BLOND)[0] == pytest.approx((BLOND.a, BLOND.b))
    assert np.abs(colours_at(np.array([0.0, 100.0]), BLOND)).max() < 0.8 * BLOND.b


def test_black_hair_keeps_its_shadows() -> None:
    """Where a photo has no drawing in the dark, light hair would be a flat patch."""
    picture, matte = strands((20, 15, 12))
    before, after = (lab_of(p)[matte > 250, 0] for p in (picture, dyed(picture, matte, BLOND)))
    assert np.median(after) < np.median(before) + 40
    assert np.ptp(np.percentile(after, (4, 97))) > 2 * np.ptp(np.percentile(before, (4, 97)))
    assert np.median(after) > np.median(before) + 20


def test_tones_are_read_as_they_were_drawn() -> None:
    """Hair dyed in a colour is read as of that colour."""
    picture, matte = strands()
    read = tones_of(dyed(picture, matte, BROWN), matte > 250).tones
    assert read[1] == pytest.approx(BROWN.tones[1], abs=4)
    assert read[0, 0] < read[1, 0] - 8 < read[2, 0] - 16


def test_a_mixture_lies_between() -> None:
    half = mixed([BLOND, BROWN], [0.5, 0.5]).tones
    assert half == pytest.approx((BLOND.tones + BROWN.tones) / 2)
    assert mixed([BLOND, BROWN], [1, 0]).tones == pytest.approx(BLOND.tones)


@pytest.mark.parametrize("colour", [BLOND, BROWN, GREY, HairColour(6, 0.7, 1.6)])
@pytest.mark.parametrize("own", [(84, 62, 45), (190, 160, 120), (40, 32, 28)])
def test_hair_is_as_sharp_as_it_was(colour: HairColour, own: tuple[int, int, int]) -> None:
    picture, matte = strands(own)
    soft = cv2.GaussianBlur(picture, (0, 0), 5)
    noisy = np.clip(soft + np.random.default_rng(0).normal(0, 4, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)
    inside = matte > 250
    fine = [
        (light - cv2.GaussianBlur(light, (0, 0), 1.5))[inside].std()
        for light in (np.ascontiguousarray(lab_of(p)[..., 0]) for p in (noisy, dyed(noisy, matte, colour)))
    ]
    assert 0.9 < fine[1] / fine[0] < 1.12
