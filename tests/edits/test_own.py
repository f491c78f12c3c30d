"""Edits of the photo's own pixels, by the weights that come with Masque, on a public-domain portrait."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from masque.edits.expression import NO_TEETH, OPEN, SMILE, TOO_OPEN, change_expression, closed_smile
from masque.edits.hair_colour import COLOURS, NO_HAIR, colour_hair, hair_colour
from masque.edits.loaded import PhotoEditor
from masque.edits.own import ATTRIBUTES, asked_colour, checked_values
from masque.edits.subject import find_subject
from masque.errors import CheckpointError, UnknownAttributeError, ValueRangeError
from masque.faces.bend import face_axes
from masque.faces.change import Change
from masque.faces.detect import find_faces, main_face
from masque.faces.frame import MIRRORED
from masque.faces.lips import Inside, shown_gap
from masque.image import Picture


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


def landmarks(picture: Picture) -> np.ndarray:
    face = main_face(find_faces(picture))
    assert face is not None
    return face.landmarks.astype(np.float64)


def test_less_of_a_smile_lowers_the_corners_of_the_mouth_and_the_jaw_stays(editor: PhotoEditor, photo: Picture) -> None:
    """The astronaut laughs: what dlib finds in the result is the mouth of somebody who does not."""
    before, after = landmarks(photo), landmarks(editor.edit(photo, {SMILE: 0.0}).picture)
    across, down = face_axes(before)
    mouth = np.linalg.norm(before[54] - before[48])
    moved = (after - before) / mouth
    assert ((moved[[48, 54]] - moved[[33]]) @ down > 0.03).all()  # farther below the nose
    assert moved[54] @ across < -0.03 < 0.03 < moved[48] @ across  # and nearer to each other
    assert np.linalg.norm(moved[:17], axis=1).max() < 0.08
    assert shown_gap(after) < 0.5 * shown_gap(before)


def test_lips_close_and_part_again_with_teeth_between(editor: PhotoEditor, photo: Picture) -> None:
    closed = editor.edit(photo, {OPEN: 0.0})
    assert closed.record["by"] == {OPEN: "own pixels"}
    assert shown_gap(landmarks(closed.picture)) < 0.4 * shown_gap(landmarks(photo))
    parted = editor.edit(closed.picture, {OPEN: 1.0, SMILE: 1.0})
    assert parted.change is not None
    (teeth,) = [layer for layer in parted.change.layers if isinstance(layer, Inside)]
    left, top, right, bottom = teeth.box
    changed = (closed.picture != parted.picture).any(axis=2)
    light = parted.picture[top:bottom, left:right].mean(axis=2) - closed.picture[top:bottom, left:right].mean(axis=2)
    assert np.percentile(light, 99) > 30  # white where the lips were
    assert changed.mean() < 0.3
    half = parted.change.scaled(0.5)
    shown = shown_gap(landmarks(half.apply(closed.picture)))
    assert shown < shown_gap(landmarks(parted.picture)) - 0.02


def test_a_mouth_that_is_open_wide_is_closed_as_far_as_holds_and_that_is_said(
    editor: PhotoEditor, photo: Picture
) -> None:
    subject = find_subject(photo, 128)
    landmarks = subject.face.landmarks.copy()
    mouth = np.linalg.norm(landmarks[54] - landmarks[48])
    landmarks[[65, 66, 67], 1] += 0.2 * mouth
    wide = replace(subject, face=replace(subject.face, landmarks=landmarks))
    nothing = Change((photo.shape[1], photo.shape[0]))
    found = {}
    for name, one in (("wide", wide), ("laughing", subject)):
        change, found[name] = change_expression(editor.motion()[0], one, nothing, {OPEN: 0.0})
        assert shown_gap(one.face.landmarks) - shown_gap(change.move_points(one.face.landmarks)) < 0.17
    assert found["wide"]["note"] == TOO_OPEN
    assert "note" not in found["laughing"]


def test_a_mouth_that_is_open_is_not_opened_again(editor: PhotoEditor, photo: Picture) -> None:
    result = editor.edit(photo, {OPEN: 1.0})
    assert np.array_equal(result.picture, photo)
    assert "open already" in result.texts("notes")[0]


@pytest.mark.parametrize("turned", [False, True])
def test_a_mouth_that_is_wide_open_is_not_closed(editor: PhotoEditor, photo: Picture, turned: bool) -> None:
    subject = find_subject(photo, 128)
    points = subject.face.landmarks.copy()
    points[[55, 56, 57, 58, 59, 65, 66, 67]] += (0, 30)
    if turned:
        points[30] = points[16]
    subject = replace(subject, face=replace(subject.face, landmarks=points))
    nothing = Change((photo.shape[1], photo.shape[0]))
    for asked in ({OPEN: 1.0}, {SMILE: 1.0}):
        change, values = change_expression(editor.motion()[0], subject, nothing, asked)
        assert not {"lips", "lip line"} & {layer.name for layer in change.layers}
        assert "lips" not in values


def test_a_change_of_expression_is_the_same_on_the_mirrored_photo(editor: PhotoEditor, photo: Picture) -> None:
    subject = find_subject(photo, 128)
    mirrored = find_subject(np.ascontiguousarray(photo[:, ::-1]), 128)
    width = photo.shape[1]
    points = subject.face.landmarks
    turned = (points * (-1, 1) + (width - 1, 0)).astype(np.float32)[MIRRORED]
    mirrored = replace(mirrored, face=replace(mirrored.face, landmarks=turned))
    nothing = Change((width, photo.shape[0]))
    a, _ = change_expression(editor.motion()[0], subject, nothing, {SMILE: 0.0})
    b, _ = change_expression(editor.motion()[0], mirrored, nothing, {SMILE: 0.0})
    difference = np.abs(a.apply(photo)[:, ::-1].astype(int) - b.apply(mirrored.photo))
    assert difference.mean() < 0.05


def test_without_teeth_lips_stay_together_and_that_is_said(editor: PhotoEditor, photo: Picture) -> None:
    calm = editor.edit(photo, {SMILE: 0.0}).picture
    motion = deepcopy(editor.motion()[0])
    motion.teeth.zero_()
    change, values = change_expression(
        motion, find_subject(calm, 128), Change((photo.shape[1], photo.shape[0])), {SMILE: 1.0, OPEN: 1.0}
    )
    assert [layer.name for layer in change.layers] == ["smile"]
    assert values["note"] == NO_TEETH


def test_several_edits_are_one_change(editor: PhotoEditor, photo: Picture) -> None:
    result = editor.edit(photo, {"Smiling": 0.2, "Blond_Hair": 0.7})
    assert result.change is not None
    assert [layer.name for layer in result.change.layers] == ["hair", "smile", "lips"]


def test_a_head_turned_away_is_left_alone_and_the_record_says_so(editor: PhotoEditor, photo: Picture) -> None:
    subject = find_subject(photo, 128)
    points = subject.face.landmarks.copy()
    points[30] = points[16]
    subject = replace(subject, face=replace(subject.face, landmarks=points))
    nothing = Change((photo.shape[1], photo.shape[0]))
    change, values = change_expression(editor.motion()[0], subject, nothing, {SMILE: 1.0})
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
        ({"Hair": "#12"}, ValueRangeError, "There is no colour #12: name .*#rrggbb"),
        ({"Hair": ""}, ValueRangeError, "There is no colour '': name"),
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


def test_a_smile_whose_lips_stay_together() -> None:
    smile = np.zeros((68, 2))
    smile[48], smile[54], smile[62], smile[66] = (-0.2, -0.15), (0.2, -0.15), (0, -0.1), (0, 0.06)
    closed = closed_smile(smile)
    assert closed[62] == pytest.approx(closed[66])
    assert closed[62] == pytest.approx((0, -0.02))
    assert closed[48] == pytest.approx(smile[48])
