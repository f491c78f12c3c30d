"""Edits of label maps by which repainting is measured, and the measures themselves, on maps drawn by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.tables.repaint_measures import (
    BROWS,
    EDITS,
    EYES,
    HAIR,
    MOUTH,
    SKIN,
    agreement,
    changed_part,
    hair_grown,
    hair_removed,
    sharpness,
)

WIDTH = 100.0


@pytest.fixture
def face() -> np.ndarray:
    """A face a hundred pixels wide, with hair above and beside it."""
    labels = np.zeros((240, 200), np.uint8)
    cv2.ellipse(labels, (100, 105), (62, 80), 0, 0, 360, HAIR, -1)
    labels[150:] = 0
    cv2.ellipse(labels, (100, 120), (50, 65), 0, 0, 360, SKIN, -1)
    for x, brow, eye in ((78, 2, 4), (122, 3, 5)):
        cv2.ellipse(labels, (x, 96), (13, 3), 0, 0, 360, brow, -1)
        cv2.ellipse(labels, (x, 108), (10, 4), 0, 0, 360, eye, -1)
    cv2.ellipse(labels, (100, 128), (9, 14), 0, 0, 360, 6, -1)
    cv2.ellipse(labels, (100, 155), (20, 8), 0, 0, 360, 7, -1)
    labels[155:164][labels[155:164] == 7] = 9
    return labels


@pytest.mark.parametrize(
    ("name", "area"), [("mouth larger", 1.25**2), ("eyes larger", 1.25**2), ("nose narrower", 0.8)]
)
def test_a_part_is_so_much_larger(face, name, area):
    edit, part = EDITS[name]
    edited = edit(face, WIDTH)
    before, after = np.isin(face, part), np.isin(edited, part)
    assert after.sum() / before.sum() == pytest.approx(area, rel=0.08)
    assert np.linalg.norm(np.argwhere(after).mean(axis=0) - np.argwhere(before).mean(axis=0)) < 1
    rest = ~np.isin(face, (*part, SKIN)) & ~np.isin(edited, part)
    assert (edited[rest] == face[rest]).all()


def test_brows_are_raised_by_what_is_asked_and_no_farther_than_the_forehead_goes(face):
    edited = EDITS["brows raised"][0](face, WIDTH)
    for brow in BROWS:
        up = np.argwhere(face == brow).mean(axis=0)[0] - np.argwhere(edited == brow).mean(axis=0)[0]
        assert up == pytest.approx(0.04 * WIDTH, abs=0.6)
    low = face.copy()
    low[:93][np.isin(low[:93], (SKIN, 2, 3))] = HAIR  # hair down to the brows
    assert (EDITS["brows raised"][0](low, WIDTH) == low).mean() > 0.999


def test_a_head_without_hair_and_one_with_more(face):
    bald, more = hair_removed(face, WIDTH), hair_grown(face, WIDTH)
    assert not (bald == HAIR).any()
    assert (bald[face != HAIR] == face[face != HAIR]).all()
    above = (face == HAIR) & (np.arange(240)[:, None] < 60) & (np.abs(np.arange(200) - 100) < 20)
    assert (bald[above] == SKIN).mean() > 0.5

    assert ((more != face) <= (face == 0)).all()
    assert (more[face == HAIR] == HAIR).all()
    out = cv2.distanceTransform((face != HAIR).astype(np.uint8), cv2.DIST_L2, 5)[(more == HAIR) & (face == 0)]
    assert out.max() == pytest.approx(0.08 * WIDTH, abs=1.5)


def test_agreement_is_of_what_has_changed(face):
    asked = EDITS["eyes larger"][0](face, WIDTH)
    where = changed_part(face, asked, EYES, WIDTH)
    assert agreement(asked, asked, EYES, where) == 1.0
    one, other = (np.isin(m, EYES) & where for m in (face, asked))
    assert agreement(asked, face, EYES, where) == pytest.approx((one & other).sum() / (one | other).sum())
    assert agreement(asked, face, MOUTH, where) is None
    swapped = np.where(asked == 4, 5, asked)
    assert agreement(asked, swapped, EYES, where) == 1.0


def test_sharpness_is_that_of_the_same_material(face):
    noise = np.random.default_rng(0).normal(0, 10, (*face.shape, 1))
    photo = np.clip(128 + np.repeat(noise, 3, axis=2), 0, 255).astype(np.uint8)
    soft = cv2.GaussianBlur(photo, (0, 0), 1.5)
    for name in ("mouth larger", "hair removed", "hair grown"):
        edit, part = EDITS[name]
        asked = edit(face, WIDTH)
        assert sharpness(photo, photo, face, asked, part, WIDTH) == pytest.approx(1, abs=0.1)
        found = sharpness(photo, soft, face, asked, part, WIDTH)
        assert found is not None
        assert found < 0.4
    assert sharpness(photo, photo, face, face, (HAIR,), WIDTH) is None  # nothing is new
