"""Edits of the photo's own pixels, by the weights that come with Masque, on a public-domain portrait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from skimage import data

import masque
from masque.edits.expression import BORNE, change_smile
from masque.edits.hair_colour import COLOURS, NO_HAIR, colour_hair, hair_colour
from masque.edits.loaded import PhotoEditor
from masque.edits.own import ATTRIBUTES, asked_colour, checked_values
from masque.edits.subject import find_subject
from masque.errors import CheckpointError, UnknownAttributeError, ValueRangeError
from masque.faces.bend import face_axes
from masque.faces.change import Move
from masque.image import Picture


@pytest.fixture(scope="module")
def photo() -> Picture:
    return np.ascontiguousarray(data.astronaut())


@pytest.fixture(scope="module")
def editor() -> PhotoEditor:
    return masque.load()


def test_hair_is_dyed_and_the_rest_left_alone(editor: PhotoEditor, photo: Picture) -> None:
    result = editor.edit(photo, {"Hair": "#8a2be2"})
    subject = find_subject(photo, 128)
    mattes = editor.mattes(subject)
    left, top, right, bottom = mattes.box
    untouched = np.ones(photo.shape[:2], bool)
    untouched[top:bottom, left:right] = mattes.hair == 0
    assert np.array_equal(result.picture[untouched], photo[untouched])
    hair = np.zeros_like(untouched)
    hair[top:bottom, left:right] = mattes.hair > 250
    red, green, blue = result.picture[hair].mean(axis=0)
    assert blue > red > green
    assert result.record["by"] == {"Hair": "own pixels"}
    assert result.change is not None
    assert np.array_equal(result.change.apply(photo), result.picture)
    assert np.array_equal(result.change.scaled(0).apply(photo), photo)


def test_a_smile_lifts_the_corners_of_the_mouth(editor: PhotoEditor, photo: Picture) -> None:
    """The corner of the mouth shows where the smile takes it, up and out; the jaw stays."""
    subject = find_subject(photo, 128)
    points = subject.face.landmarks
    mouth = np.linalg.norm(points[54] - points[48])
    across, down = face_axes(points)
    for strength in (1.0, 0.5, -0.5):
        change, values = change_smile(subject, points, strength)
        assert values == {"strength": strength}
        (move,) = change.layers
        assert isinstance(move, Move)
        for corner, outward in ((48, -1), (54, 1)):
            there = points[corner] + strength * BORNE * mouth * (0.15 * outward * across - 0.18 * down)
            x, y = (np.array([[value]], dtype=np.float32) for value in there)
            shown = np.concatenate(move.source_of(x, y), axis=None)
            assert np.linalg.norm(shown - points[corner]) < 0.05 * mouth
        jaw = np.linalg.norm((change.move_points(points) - points)[:17], axis=1)
        assert jaw.max() < 0.02 * mouth
    result = editor.edit(photo, {"Smiling": 0.0})
    assert result.record["by"] == {"Smiling": "own pixels"}


def test_a_smile_is_the_same_on_the_mirrored_photo(photo: Picture) -> None:
    subject = find_subject(photo, 128)
    mirrored = find_subject(np.ascontiguousarray(photo[:, ::-1]), 128)
    points = subject.face.landmarks
    width = photo.shape[1]
    from masque.faces.frame import MIRRORED

    turned = (points * (-1, 1) + (width - 1, 0)).astype(np.float32)[MIRRORED]
    a, _ = change_smile(subject, points, 1.0)
    b, _ = change_smile(mirrored, turned, 1.0)
    difference = np.abs(a.apply(photo)[:, ::-1].astype(int) - b.apply(mirrored.photo))
    assert difference.mean() < 0.05


def test_several_edits_are_one_change(editor: PhotoEditor, photo: Picture) -> None:
    result = editor.edit(photo, {"Smiling": 0.2, "Blond_Hair": 0.7})
    assert result.change is not None
    assert [layer.name for layer in result.change.layers] == ["hair", "smile"]


def test_a_head_turned_away_is_left_alone_and_the_record_says_so(photo: Picture) -> None:
    subject = find_subject(photo, 128)
    points = subject.face.landmarks.copy()
    points[30] = points[16]
    change, values = change_smile(subject, points, 1.0)
    assert not change.layers
    assert "turned" in str(values["note"])


def test_a_bald_head_gets_no_cap_of_colour(editor: PhotoEditor, photo: Picture) -> None:
    subject = find_subject(photo, 128)
    mattes = editor.mattes(subject)
    bald = replace(mattes, hair=(mattes.hair * 0.02).astype(np.uint8))
    change, values = colour_hair(subject, bald, COLOURS["Blond_Hair"])
    assert not change.layers
    assert values["note"] == NO_HAIR


def test_a_grey_photo_stays_grey(editor: PhotoEditor, photo: Picture) -> None:
    grey = np.repeat(photo.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    result = editor.edit(grey, {"Hair": "auburn", "Smiling": 0.5})
    assert np.ptp(result.picture.astype(int), axis=2).max() <= 1
    assert (result.picture != grey).any()


def test_what_is_not_known_otherwise_is_painted_by_a_network(editor: PhotoEditor, photo: Picture) -> None:
    result = editor.edit(photo, {"Mouth_Slightly_Open": 0})
    assert str(result.record["by"]).startswith("{'Mouth_Slightly_Open': 'rsgan ")
    assert (result.picture != photo).any()
    (note,) = result.texts("notes")
    assert note.startswith("Mouth_Slightly_Open is painted by rsgan: ")
    assert not editor.edit(photo, {"Hair": "red"}).texts("notes")


def test_a_sheet_shows_every_attribute_at_two_strengths(editor: PhotoEditor, photo: Picture) -> None:
    sheet = editor.sheet(photo)
    assert len(sheet.texts("shown")) == len(ATTRIBUTES) - 1  # the photo in place of Hair and Age
    assert {"Young=0", "Male=1"} <= set(sheet.texts("shown"))
    assert not sheet.texts("notes")
    assert sheet.picture.shape[1] > 4 * sheet.picture.shape[0] > 4 * 512


def test_a_sheet_of_a_face_that_reads_young_has_neither_age_nor_sex(
    editor: PhotoEditor, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masque.edits.own_sheet.read_face", lambda *_: (17.0, 0.0))
    sheet = editor.sheet(photo)
    assert not {"Young=0", "Male=1"} & set(sheet.texts("shown"))
    assert "reads under 25" in sheet.texts("notes")[0]


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"Smilng": 1}, UnknownAttributeError, "did you mean Smiling"),
        ({"Smiling": 2}, ValueRangeError, r"outside \[0, 1\]"),
        ({"Smiling": "much"}, ValueRangeError, "Smiling"),
        ({"Hair": 0.5}, ValueRangeError, "no colour"),
        ({"Hair": "aubrn"}, ValueRangeError, "did you mean auburn"),
        ({"Hair": "#12"}, ValueRangeError, "#rrggbb"),
        ({"Hair": "red", "Blond_Hair": 1}, ValueRangeError, "exclude one another"),
        ({"Black_Hair": 1, "Blond_Hair": 1}, ValueRangeError, "exclude one another"),
        ({"Age": 140}, ValueRangeError, "18 to 80"),
        ({"Age": "+20", "Young": 0}, ValueRangeError, "exclude one another"),
        ("Smiling", ValueRangeError, "values by name"),
    ],
)
def test_wrong_attributes_are_refused(values: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        checked_values(values)


def test_colours_have_names() -> None:
    assert hair_colour("Auburn") == hair_colour(" auburn ")
    light, a, b = (getattr(hair_colour("#ff0000"), axis) for axis in ("light", "a", "b"))
    assert (light, a, b) == pytest.approx((53.24, 80.09, 67.20), abs=0.1)  # sRGB red in CIELAB, D65
    mixed = asked_colour({"Blond_Hair": 0.5, "Brown_Hair": 0.5})
    assert mixed is not None
    assert mixed[0].light == pytest.approx((COLOURS["Blond_Hair"].light + COLOURS["Brown_Hair"].light) / 2)
    assert asked_colour({"Blond_Hair": 0.0}) is None
    assert asked_colour({"Smiling": 1.0}) is None


def test_without_a_parser_hair_cannot_be_found(photo: Picture, tmp_path: Path) -> None:  # noqa: ARG001
    def none(family: str = "ageing") -> NoReturn:
        raise AssertionError(family)

    with pytest.raises(CheckpointError, match="masque train parser"):
        PhotoEditor(None, none, none).edit(photo, {"Hair": "red"})
