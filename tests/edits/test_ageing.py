"""Faces made older, younger, more male or more female, by the weights that come with Masque, on a public-domain
portrait."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from masque.edits.ageing import ADULT, change_age, check_adult, read_face
from masque.edits.ageing_tint import Asked
from masque.edits.loaded import PhotoEditor
from masque.edits.mattes import Mattes
from masque.edits.subject import Subject, cut_subject, find_subject
from masque.errors import ValueRangeError
from masque.faces.change import Change, Move, Shift
from masque.faces.detect import find_faces, main_face
from masque.faces.greying import Greying
from masque.image import Picture
from masque.models.ageing import Prototypes


@pytest.fixture(scope="module")
def photo() -> Picture:
    return np.ascontiguousarray(data.astronaut()[:300, 90:390])


@pytest.fixture(scope="module")
def subject(photo: Picture) -> Subject:
    return find_subject(photo, 128)


@pytest.fixture(scope="module")
def mattes(editor: PhotoEditor, subject: Subject) -> Mattes:
    return editor.mattes(subject)


@pytest.fixture(scope="module")
def prototypes(editor: PhotoEditor) -> Prototypes:
    return editor.prototypes()[0]


def changed(prototypes: Prototypes, subject: Subject, mattes: Mattes, asked: Asked) -> Change:
    return change_age(prototypes, subject, mattes, asked)[0]


def fine_detail(picture: Picture, inside: np.ndarray) -> float:
    """Deviation of lightness from that around, over what is as wide as a line of the skin."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
    return float((cv2.GaussianBlur(light, (0, 0), 0.8) - cv2.GaussianBlur(light, (0, 0), 4))[inside].std())


def test_the_astronaut_reads_as_the_woman_near_forty_that_she_is(prototypes: Prototypes, subject: Subject) -> None:
    age, male = read_face(prototypes, subject)
    assert 30 < age < 50
    assert male < 0.2


def test_older_has_lines_and_grey_hair_and_younger_smoother_skin(
    prototypes: Prototypes, subject: Subject, mattes: Mattes, photo: Picture
) -> None:
    older = changed(prototypes, subject, mattes, Asked(40, 75, 0.0, 0.0))
    younger = changed(prototypes, subject, mattes, Asked(40, 20, 0.0, 0.0))
    assert [type(layer) for layer in older.layers] == [Shift, Greying, Move]
    assert [type(layer) for layer in younger.layers] == [Shift, Move]
    points = subject.face.landmarks
    cheeks = np.zeros(photo.shape[:2], np.uint8)
    for number, nose in ((2, 31), (14, 35)):
        x, y = np.rint(0.45 * points[number] + 0.55 * points[nose]).astype(int).tolist()
        cv2.circle(cheeks, (x, y), 9, 1, -1)
    inside = cheeks > 0
    before = fine_detail(photo, inside)
    assert fine_detail(older.apply(photo), inside) > 1.2 * before
    assert fine_detail(younger.apply(photo), inside) < 0.9 * before
    left, top, right, bottom = mattes.box
    hair = np.zeros_like(inside)
    hair[top:bottom, left:right] = cv2.resize(mattes.hair, (right - left, bottom - top)) > 250
    grey = older.apply(photo)
    assert np.ptp(grey[hair].astype(int), axis=1).mean() < 0.5 * np.ptp(photo[hair].astype(int), axis=1).mean()


def test_the_jaw_moves_as_the_groups_differ_in_shape(prototypes: Prototypes, subject: Subject, mattes: Mattes) -> None:
    """A man's jaw is wider than a woman's."""
    points = subject.face.landmarks
    male = changed(prototypes, subject, mattes, Asked(40, 40, 0.0, 1.0)).move_points(points)
    female = changed(prototypes, subject, mattes, Asked(40, 40, 1.0, -1.0)).move_points(points)
    width = [float(np.linalg.norm(one[12] - one[4])) for one in (female, points, male)]
    assert width[0] < width[1] < width[2]


def test_half_the_strength_is_between_and_none_is_the_photo(
    prototypes: Prototypes, subject: Subject, mattes: Mattes, photo: Picture
) -> None:
    change = changed(prototypes, subject, mattes, Asked(40, 75, 0.0, 0.0))
    assert np.array_equal(change.scaled(0).apply(photo), photo)
    half, whole = (np.abs(change.scaled(s).apply(photo).astype(int) - photo).mean() for s in (0.5, 1.0))
    assert 0.3 * whole < half < 0.8 * whole


def test_a_grey_photo_stays_grey(editor: PhotoEditor, photo: Picture) -> None:
    plain = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    for values in ({"Age": "+30"}, {"Male": 1.0}):
        result = editor.edit(plain, values)
        assert np.ptp(result.picture.astype(int), axis=2).max() <= 1
        assert (result.picture != plain).any()


def test_what_is_neither_near_the_face_nor_hair_stays_bit_for_bit(
    editor: PhotoEditor, photo: Picture, subject: Subject, mattes: Mattes
) -> None:
    result = editor.edit(photo, {"Age": 70})
    y, x = np.mgrid[0 : photo.shape[0], 0 : photo.shape[1]]
    centre = subject.face.landmarks[27:36].mean(axis=0)
    far = np.hypot(x - centre[0], y - centre[1]) > 1.05 * mattes.face_width
    left, top, right, bottom = mattes.box
    far[top:bottom, left:right] &= cv2.resize(mattes.hair, (right - left, bottom - top)) == 0
    assert far.sum() > 5000
    assert np.array_equal(result.picture[far], photo[far])


def test_the_record_says_what_was_read_and_what_was_asked(editor: PhotoEditor, photo: Picture) -> None:
    record = editor.edit(photo, {"Age": "+20", "Male": 1}, age=45).record
    assert record["by"] == {"Age": "own pixels", "Male": "own pixels"}
    ageing = record["ageing"]
    assert isinstance(ageing, dict)
    assert ageing["stated"] == 45
    assert ageing["target"] == 65
    assert 30 < ageing["age"] < 50
    assert "notes" not in record
    younger = editor.edit(photo, {"Young": 1.0}).record
    assert "fresher skin" in str(younger["notes"])


def test_hair_that_is_dyed_does_not_turn_grey(editor: PhotoEditor, photo: Picture) -> None:
    result = editor.edit(photo, {"Age": "+30", "Hair": "auburn"})
    assert result.change is not None
    assert not [layer for layer in result.change.layers if isinstance(layer, Greying)]


def test_faces_that_read_young_are_refused_unless_an_adults_age_is_stated(
    editor: PhotoEditor, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masque.edits.own.read_face", lambda *_: (ADULT - 1, 0.0))
    for values in ({"Age": "+20"}, {"Age": 30}, {"Young": 0.0}, {"Male": 1.0}):
        with pytest.raises(ValueRangeError, match=r"reads 24 years old.*--age"):
            editor.edit(photo, values)
    assert editor.edit(photo, {"Age": "+20"}, age=22).record["ageing"]["target"] == 42  # type: ignore[index,call-overload]
    with pytest.raises(ValueRangeError, match="only an adult's age"):
        editor.edit(photo, {"Age": "+20"}, age=17)
    assert editor.edit(photo, {"Smiling": 1}).record["by"] == {"Smiling": "own pixels"}
    check_adult(ADULT, None)


def test_a_face_of_few_pixels_gets_no_lines(editor: PhotoEditor, prototypes: Prototypes, photo: Picture) -> None:
    small = np.asarray(cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    face = main_face(find_faces(small))
    subject = cut_subject(small, face, 128)
    _, notes = change_age(prototypes, subject, editor.mattes(subject), Asked(40, 75, 0.0, 0.0))
    assert notes == ["The face is small: it gets no fine lines."]


def test_who_would_hardly_be_known_any_more_is_aged_less(
    editor: PhotoEditor, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = editor.edit(photo, {"Young": 0.0})
    known = float(str(whole.record["identity_distance"]["photo"]))  # type: ignore[index,call-overload]
    assert not whole.texts("notes")
    monkeypatch.setattr("masque.edits.ageing.FARTHEST", known - 0.01)
    less = editor.edit(photo, {"Young": 0.0})
    assert float(str(less.record["identity_distance"]["photo"])) < known  # type: ignore[index,call-overload]
    assert "hardly be known" in less.texts("notes")[0]
    assert whole.change is not None
    assert less.change is not None
    assert np.array_equal(whole.change.scaled(0.8).apply(photo), less.picture)
