"""Faces that were found already are photos as well: they are not looked for again, nor is what was found of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import pytest

from masque.edits import mattes as mattes_of
from masque.edits import subject as subjects
from masque.edits.found import Found
from masque.edits.heatmap import heatmap
from masque.edits.loaded import PhotoEditor, Swapper
from masque.edits.mattes import find_mattes
from masque.edits.parse import parse
from masque.edits.result import Result
from masque.edits.subject import Photo, Subject, as_photo, cut_again, find_subject
from masque.errors import ValueRangeError
from masque.image import Picture

Edit: TypeAlias = Callable[[PhotoEditor, Photo], Result]

EDITS: dict[str, Edit] = {
    "smile": lambda editor, photo: editor.edit(photo, {"Smiling": 0.9}),
    "hair": lambda editor, photo: editor.edit(photo, {"Hair": "#8a2be2", "Mouth_Slightly_Open": 0.0}),
    "older": lambda editor, photo: editor.edit(photo, {"Age": "+20"}, age=40),
    "swap": lambda editor, photo: editor.swap(photo, photo),
    "turn": lambda editor, photo: editor.turn(photo, yaw=10),
}


@pytest.fixture(scope="module")
def found(photo: Picture) -> Subject:
    return find_subject(photo, 128)


@pytest.fixture
def never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was looked for again")

    monkeypatch.setattr(subjects, "find_faces", refuse)


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_a_face_is_that_of_its_photo(
    editor: PhotoEditor, photo: Picture, found: Subject, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    of_photo = EDITS[name](editor, photo)
    of_face = EDITS[name](editor, found)
    monkeypatch.setattr(subjects, "find_faces", None)
    monkeypatch.setattr(mattes_of, "_looked", None)
    again = EDITS[name](editor, found)
    for one in (of_face, again):
        assert np.array_equal(one.picture, of_photo.picture)
        assert dict(one.record) == dict(of_photo.record)
        assert [layer.name for layer in one.change.layers] == [layer.name for layer in of_photo.change.layers]


@pytest.mark.usefixtures("never_again")
def test_networks_of_another_size_take_the_face_too(session: Swapper, found: Subject, photo: Picture) -> None:
    assert session.size != found.size
    own = session.subject(found)
    assert own.size == session.size
    assert own.image.shape[-1] == session.size
    assert own.face is found.face
    assert own.found is found.found
    assert session.swap(found, own).picture.shape == photo.shape


def test_a_face_of_the_right_size_is_taken_as_it_is(found: Subject) -> None:
    assert find_subject(found, 128) is found
    assert cut_again(found, 128, "cpu") is found


def test_the_face_of_a_result_keeps_its_photo_from_before(editor: PhotoEditor, photo: Picture) -> None:
    once = editor.edit(photo, {"Smiling": 0.0})
    left = find_subject(once, 64)
    by_face, by_result = (editor.edit(one, {"Hair": "#8a2be2"}) for one in (left, once))
    assert np.array_equal(by_face.picture, by_result.picture)
    assert by_face.original is not None
    assert by_face.original.photo is photo
    assert dict(by_face.record) == dict(by_result.record)


def test_a_pick_of_a_face_that_is_given_is_refused(editor: PhotoEditor, found: Subject) -> None:
    with pytest.raises(ValueRangeError, match="leave out the pick"):
        editor.edit(found, {"Smiling": 1.0}, pick=1)


def test_a_face_has_pixels_and_a_name(found: Subject, photo: Picture) -> None:
    assert as_photo(found)[0] is found.photo
    _, numbers = heatmap(found, photo)
    assert numbers["largest"] == 0


def test_what_was_found_cannot_be_written_into(editor: PhotoEditor, found: Subject) -> None:
    parser = editor.require_parser()
    mattes = find_mattes(parser, found)
    for values in (mattes.hair, mattes.skin, mattes.shares, parser.shares(found), parser.labels(found)):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


def test_a_parsed_map_can_be_painted_in(editor: PhotoEditor, found: Subject) -> None:
    parser = editor.require_parser()
    before = parser.labels(found).copy()
    parse(parser, found).labels[:] = 0
    assert np.array_equal(parser.labels(found), before)


def test_threads_that_ask_at_once_wait_for_one() -> None:
    found, calls, together = Found(), [], threading.Barrier(4)

    def ask(_: int) -> int:
        together.wait()
        return found.once("it", lambda: calls.append(1) or 7)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [7] * 4
    assert calls == [1]


def test_what_could_not_be_found_is_looked_for_again() -> None:
    found = Found()

    def fail() -> int:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        found.once("it", fail)
    assert found.once("it", lambda: 3) == 3
    assert found.once("it", fail) == 3


@pytest.mark.parametrize("name", ["smile", "older", "swap", "turn"])
def test_a_record_without_measures_goes_with_the_same_picture(editor: PhotoEditor, found: Subject, name: str) -> None:
    unmeasured: dict[str, Edit] = {
        "smile": lambda editor, photo: editor.edit(photo, {"Smiling": 0.9}, measured=False),
        "older": lambda editor, photo: editor.edit(photo, {"Age": "+20"}, age=40, measured=False),
        "swap": lambda editor, photo: editor.swap(photo, photo, measured=False),
        "turn": lambda editor, photo: editor.turn(photo, yaw=10, measured=False),
    }
    whole, short = EDITS[name](editor, found), unmeasured[name](editor, found)
    assert np.array_equal(whole.picture, short.picture)
    left_out = {"identity_distance", "landmark_drift_percent", "changed_outside_face_percent", "layers"}
    assert whole.record.keys() - short.record.keys() == left_out
    assert {key: value for key, value in whole.record.items() if key not in left_out} == dict(short.record)


def test_a_swap_that_is_edited_is_measured_as_a_whole(editor: PhotoEditor, found: Subject) -> None:
    result = editor.swap(found, found, attributes={"Smiling": 0.0})
    distances = result.record["identity_distance"]
    assert isinstance(distances, dict)
    assert set(distances) == {"face", "hair"}
    assert set(result.record["layers"]) == {layer.name for layer in result.change.layers}
    again = editor.swap(found, found, attributes={"Smiling": 0.0}, measured=False)
    assert np.array_equal(again.picture, result.picture)
