"""What is read of a face: it fits what the photo shows, and an edit to it changes nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from masque.edits.ageing_values import asked_ageing
from masque.edits.expression import CLOSED, OPEN, SMILE
from masque.edits.hair_colour import COLOURS, colour_shares, hair_colour, has_shares, shown_as
from masque.edits.loaded import PhotoEditor
from masque.edits.own import OwnSession
from masque.edits.read import Reading, read
from masque.edits.subject import Subject, find_subject
from masque.faces.lips import shown_gap
from masque.image import Picture

LITTLE = 0.05
"""Levels of 255 by which a photo may change on average."""


@pytest.fixture(scope="module", params=["astronaut", "grace_hopper"])
def face(request: pytest.FixtureRequest, photos: dict[str, Picture]) -> Subject:
    return find_subject(photos[request.param], 128)


@pytest.fixture(scope="module")
def reading(editor: PhotoEditor, face: Subject) -> Reading:
    return editor.read(face)


def changed(editor: PhotoEditor, face: Subject, values: dict[str, object]) -> float:
    result = editor.edit(face, values, measured=False)
    return float(np.abs(result.picture.astype(int) - face.photo).mean())


def test_an_edit_to_each_value_that_was_read_changes_nothing(
    editor: PhotoEditor, face: Subject, reading: Reading
) -> None:
    for name, value in reading.values.items():
        assert changed(editor, face, {name: value}) <= LITTLE, name


def test_nor_does_an_edit_to_all_of_them_as_a_slider_rounds_them(
    editor: PhotoEditor, face: Subject, reading: Reading
) -> None:
    together = {
        name: value if isinstance(value, str) else round(value, 0 if name == "Age" else 2)
        for name, value in reading.values.items()
        if name != "Young" and not name.endswith("_Hair")
    }
    assert changed(editor, face, together) <= LITTLE


def test_an_edit_to_another_value_does_change_it(editor: PhotoEditor, face: Subject, reading: Reading) -> None:
    assert reading.age is not None
    others = {"Smiling": 1 - reading.expression[SMILE], "Hair": "#8a2be2", "Age": reading.age - 15}
    for name, value in others.items():
        assert changed(editor, face, {name: value}) > 4 * LITTLE, name


def test_the_portraits_are_read_as_they_look(editor: PhotoEditor, photos: dict[str, Picture]) -> None:
    collins, hopper = (editor.read(photos[name]) for name in ("astronaut", "grace_hopper"))
    assert collins.expression[SMILE] > 0.7
    assert collins.expression[OPEN] > 0.5
    assert hopper.expression[OPEN] == 0
    assert max(collins.hair_shares, key=collins.hair_shares.__getitem__) == "Brown_Hair"
    assert collins.age is not None
    assert hopper.age is not None
    assert collins.age < hopper.age
    assert collins.male < 0.3
    assert not collins.beard
    assert (collins.glasses, hopper.glasses) == (False, True)


def test_hair_is_read_where_it_is_seen(editor: PhotoEditor, photos: dict[str, Picture]) -> None:
    photo = photos["astronaut"]
    dyed = editor.edit(photo, {"Hair": "#6a3050"})
    seen, asked = hair_colour(editor.read(dyed).hair or ""), hair_colour("#6a3050")
    assert np.linalg.norm([seen.light - asked.light, seen.a - asked.a, seen.b - asked.b]) < 8


def test_a_mouth_is_read_on_the_scale_of_the_edit(editor: PhotoEditor, photos: dict[str, Picture]) -> None:
    closed = editor.edit(photos["astronaut"], {"Mouth_Slightly_Open": 0.0})
    left = find_subject(closed, 128)
    assert shown_gap(left.face.landmarks.astype(float)) < 2 * CLOSED
    assert editor.read(left).expression[OPEN] < editor.read(photos["astronaut"]).expression[OPEN]


def test_it_can_be_written_as_json(reading: Reading) -> None:
    values = json.loads(json.dumps(reading.as_json()))
    assert {*values} == {*COLOURS, "Smiling", "Mouth_Slightly_Open", "Age", "Young", "Male", "Hair"} | {
        "glasses",
        "beard",
        "notes",
    }
    assert all(0 <= values[name] <= 1 for name in ("Smiling", "Mouth_Slightly_Open", "Male", *COLOURS))


def test_without_a_parser_hair_is_not_read(editor: PhotoEditor, face: Subject) -> None:
    without = OwnSession(None, editor.prototypes, editor.motion)
    found = read(without, face)
    assert found.hair is None
    assert found.hair_shares == {}
    assert "parser" in found.notes[0]
    assert found.as_json()["Hair"] is None


def test_a_face_that_reads_too_young_has_no_age(
    editor: PhotoEditor, face: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masque.edits.read.read_face", lambda *_: (17.0, 0.4))
    found = editor.read(face)
    assert found.age is None
    assert found.as_json()["Age"] is None
    assert "Age" not in found.values
    assert "under 25" in found.notes[-1]


@pytest.mark.parametrize("name", COLOURS)
def test_shares_of_colours_sum_to_one_and_name_the_nearest(name: str) -> None:
    shares = colour_shares(COLOURS[name])
    assert sum(shares.values()) == pytest.approx(1, abs=0.03)
    assert max(shares, key=shares.__getitem__) == name
    assert has_shares(COLOURS[name], {other: round(share, 2) for other, share in shares.items()})
    assert not has_shares(COLOURS[name], {name: 1.0})  # all of it is more than any hair has
    assert not has_shares(None, {name: 0.5})


def test_a_colour_is_shown_as_it_is_asked_for() -> None:
    for text in ("#8a2be2", "#201f1f", "#9c9f9f", "#653f2d"):
        assert shown_as(hair_colour(text)) == text


def test_ages_that_are_read_are_not_changed() -> None:
    for read_as, asked in ((43.3, 43.0), (12.0, 18.0), (95.0, 80.0), (33.46, 34.0)):
        found, _ = asked_ageing({"Age": asked}, read_as, 0.2)
        assert found.target == found.years
    found, _ = asked_ageing({"Age": "+0.3"}, 40.0, 0.2)
    assert found.target == 40.3
    assert asked_ageing({"Male": 0.2}, 40.0, 0.2049)[0].more_male == 0
