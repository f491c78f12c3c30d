"""Another portrait's hair put on a person."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import masque
from masque.edits.loaded import PhotoEditor
from masque.edits.repaint_hair import HAIR, without_other_hair, worn_hair
from masque.edits.subject import find_subject
from masque.faces.change import Pixels
from masque.image import Picture

pytestmark = pytest.mark.usefixtures("unrecognised")


def test_the_same_persons_hair_comes_to_lie_where_it_was(editor: PhotoEditor, photo: Picture) -> None:
    subject = find_subject(photo, 128)
    hair = worn_hair(editor, subject, subject, subject.face.landmarks)
    assert hair is not None
    mattes = editor.mattes(subject)
    own = np.zeros(photo.shape[:2], np.uint8)
    left, top, right, bottom = mattes.box
    own[top:bottom, left:right] = cv2.resize(mattes.hair, (right - left, bottom - top))
    there = np.zeros_like(own)
    left, top, right, bottom = hair.box
    there[top:bottom, left:right] = hair.matte
    both, either = (own > 127) & (there > 127), (own > 127) | (there > 127)
    assert both.sum() > 0.9 * either.sum()
    shown = photo[top:bottom, left:right][hair.matte > 250].astype(int)
    assert np.abs(hair.picture[hair.matte > 250] - shown).mean() < 12  # its own tones, by a curve


def test_its_colour_is_that_of_the_persons_own_hair(editor: PhotoEditor, photo: Picture) -> None:
    """The other is the same person with hair dyed black."""
    subject = find_subject(photo, 128)
    dark = find_subject(editor.edit(photo, {"Black_Hair": 1.0}).picture, 128)
    hair = worn_hair(editor, subject, dark, subject.face.landmarks)
    assert hair is not None
    left, top, right, bottom = hair.box
    inside = hair.matte > 250

    def mean(picture: Picture) -> np.ndarray:
        return np.asarray(picture[top:bottom, left:right][inside].mean(axis=0))

    worn = hair.picture[inside].mean(axis=0)
    assert np.linalg.norm(worn - mean(photo)) < 0.5 * np.linalg.norm(mean(dark.photo) - mean(photo))


def test_own_hair_grows_nowhere_and_stays_where_it_is_covered() -> None:
    own, wanted = np.ones((4, 6), np.uint8), np.ones((4, 6), np.uint8)
    own[:, :3] = HAIR
    wanted[:, 2:5] = HAIR
    matte = np.zeros((4, 3), np.uint8)
    matte[:2] = 255
    hair = Pixels("hair", (-1, 0, 2, 4), np.zeros((4, 3, 3), np.uint8), matte)
    result = without_other_hair(wanted, own, hair)
    assert (result[:2, :2] == HAIR).all()  # covered
    assert (result[2:, :2] == 1).all()  # to go, and uncovered
    assert (result[:, 2] == HAIR).all()  # stays anyway
    assert (result[:, 3:] == 1).all()  # no hair of one's own grows there


def test_hair_of_another_is_the_last_layer_of_repainting(photo: Picture) -> None:
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    result = masque.load("portrait").repaint(photo, shape_from=mirrored, part="hair")
    assert result.change is not None
    last = result.change.layers[-1]
    assert isinstance(last, Pixels)
    assert last.name == "hair"
    assert np.array_equal(result.change.apply(photo), result.picture)
