"""The heat map against colour differences that are known."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color

from masque.edits.heatmap import colour_change, heatmap
from masque.errors import PictureError
from masque.image import write_picture


def pictures() -> tuple[np.ndarray, np.ndarray]:
    before = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    after = before.copy()
    after[10:20, 10:30] = 255 - after[10:20, 10:30]
    return before, after


def test_colour_change_against_scikit_image():
    before, after = pictures()
    expected = color.deltaE_cie76(color.rgb2lab(before), color.rgb2lab(after))
    assert np.abs(colour_change(before, after) - expected).max() < 0.6  # OpenCV looks its cube roots up in a table


def test_what_did_not_change_is_grey_and_what_did_glows():
    before, after = pictures()
    shown, numbers = heatmap(before, after)
    same = np.ones((40, 50), bool)
    same[10:20, 10:30] = False
    assert (np.ptp(shown[same].astype(int), axis=1) == 0).all()
    assert np.ptp(shown[~same].astype(int), axis=1).mean() > 60
    assert numbers["visibly_changed_percent"] == pytest.approx(10, abs=0.5)
    assert numbers["largest"] == pytest.approx(float(colour_change(before, after).max()))


def test_the_hottest_is_red_and_the_mildest_blue():
    grey = np.full((8, 8, 3), 128, np.uint8)
    hot, _ = heatmap(grey, np.full((8, 8, 3), 255, np.uint8))
    mild, _ = heatmap(grey, np.full((8, 8, 3), 140, np.uint8))
    assert hot[0, 0, 0] > hot[0, 0, 2] + 30
    assert mild[0, 0, 2] > mild[0, 0, 0] + 30


def test_pictures_of_two_sizes(tmp_path):
    before, after = pictures()
    write_picture(tmp_path / "a.png", before)
    with pytest.raises(PictureError, match=r"a.png has 50×40 pixels and the photo 49×40"):
        heatmap(tmp_path / "a.png", after[:, :49].copy())
