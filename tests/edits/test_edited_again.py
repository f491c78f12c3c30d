"""Results that are edited again: the face is not looked for once more, and the photo is changed once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.edits import subject as subjects
from masque.edits.loaded import PhotoEditor
from masque.edits.result import Result
from masque.edits.subject import find_subject
from masque.edits.warp import swap_by_warping
from masque.faces.change import Change, Move
from masque.faces.detect import find_faces, main_face
from masque.image import Picture
from masque.studio.desk import smaller


@pytest.fixture
def never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Picture) -> None:
        raise AssertionError("the face was looked for again")

    monkeypatch.setattr(subjects, "find_faces", refuse)


@pytest.fixture(scope="module")
def smiled(editor: PhotoEditor, photo: Picture) -> Result:
    return editor.edit(photo, {"Smiling": 0.0})


@pytest.mark.usefixtures("never_again")
def test_an_edit_of_a_result_is_one_change_of_the_photo(editor: PhotoEditor, photo: Picture, smiled: Result) -> None:
    again = editor.edit(smiled, {"Hair": "#8a2be2"})
    assert smiled.change is not None
    assert again.change is not None
    assert again.change.layers[: len(smiled.change.layers)] == smiled.change.layers
    assert [layer.name for layer in again.change.layers[len(smiled.change.layers) :]] == ["hair"]
    assert np.array_equal(again.change.apply(photo), again.picture)
    third = editor.edit(again, {"Mouth_Slightly_Open": 1.0})
    assert third.change is not None
    assert len(third.change.layers) > len(again.change.layers)
    assert np.array_equal(third.change.apply(photo), third.picture)


@pytest.mark.usefixtures("never_again")
def test_a_sheet_of_a_result_is_of_the_face_that_was_edited(
    editor: PhotoEditor, smiled: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masque.edits.own_sheet.COLOURS", ("Blond_Hair",))
    monkeypatch.setattr("masque.edits.own_sheet.read_face", lambda *_: (17.0, 0.0))
    sheet = editor.sheet(smiled).picture
    photo, blond = sheet[:256, :256].astype(int), sheet[:256, 258:514].astype(int)
    assert np.abs(blond - photo)[:80].mean() > 3


def test_the_face_of_a_result_is_where_the_edit_left_it(photo: Picture, smiled: Result) -> None:
    left = find_subject(smiled, 128)
    face = main_face(find_faces(smiled.picture))
    assert face is not None
    assert smiled.change is not None
    width = np.linalg.norm(face.landmarks[16] - face.landmarks[0])
    assert np.linalg.norm(left.face.landmarks - face.landmarks, axis=1).mean() < 0.02 * width
    assert np.array_equal(left.photo, smiled.picture)
    assert np.array_equal(left.original.photo, photo)


def test_pixels_that_move_in_two_edits_are_resampled_once(photo: Picture) -> None:
    """There and back again is nearly the photo, which is sharper than when it is resampled twice."""
    there = np.zeros((40, 40, 2), np.float32)
    there[8:-8, 8:-8] = (0.5, 0.5)
    move = Change((512, 512), (Move("there", (100, 60, 300, 260), there),))
    back = Change((512, 512), (Move("back", (100, 60, 300, 260), -there),))
    first = Result(move.apply(photo), {}, move, find_subject(photo, 128).original)
    once, whole = find_subject(first, 128).changed(back)
    twice = back.apply(first.picture)
    inside = (slice(110, 210), slice(150, 250))
    lost = [np.abs(one[inside].astype(float) - photo[inside]).mean() for one in (once, twice)]
    assert lost[0] < 0.5 * lost[1]
    assert len(whole.layers) == 2


@pytest.mark.usefixtures("never_again")
def test_a_swap_is_edited_on(editor: PhotoEditor, photo: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as found:
        found.setattr(subjects, "find_faces", find_faces)
        swapped = swap_by_warping(np.ascontiguousarray(photo[:, ::-1]), photo)
    result = editor.edit(swapped, {"Blond_Hair": 1.0})
    assert result.change is not None
    assert [layer.name for layer in result.change.layers] == ["warp", "hair"]
    assert np.array_equal(result.change.apply(photo), result.picture)


def test_a_face_that_is_picked_is_looked_for(editor: PhotoEditor, smiled: Result) -> None:
    again = editor.edit(smiled, {"Hair": "red"}, pick=1)
    assert again.change is not None
    assert [layer.name for layer in again.change.layers] == ["hair"]


@pytest.mark.parametrize("colour", ["#20c050", "#8a2be2"])
def test_hair_in_a_colour_that_none_grows_in_is_found_again(editor: PhotoEditor, photo: Picture, colour: str) -> None:
    own, parser = find_subject(photo, 128), editor.require_parser()
    dyed = editor.edit(photo, {"Hair": colour, "Smiling": 0.3})
    left = find_subject(dyed, 128)
    before, after = editor.mattes(own), editor.mattes(left)
    assert after.hair_seen == pytest.approx(before.hair_seen, rel=0.1)
    assert (parser.labels(own) != parser.labels(left)).mean() < 0.02
    assert not np.array_equal(left.photo, photo)  # though it is the dyed one that is edited
    auburn = editor.edit(left, {"Hair": "auburn"})
    at_once = editor.edit(photo, {"Smiling": 0.3, "Hair": "auburn"})
    hair = cv2.resize(before.hair, (before.box[2] - before.box[0], before.box[3] - before.box[1])) > 250
    left_out, top, right, bottom = before.box
    seen = [one.picture[top:bottom, left_out:right][hair].astype(int) for one in (auburn, at_once, dyed)]
    assert np.abs(seen[0] - seen[1]).mean() < 0.4 * np.abs(seen[2] - seen[1]).mean()


def test_a_smaller_copy_of_dyed_hair_is_seen_undyed_as_well(editor: PhotoEditor, photo: Picture) -> None:
    left = find_subject(editor.edit(photo, {"Hair": "#20c050"}), 128)
    small, own = smaller(left, 256), smaller(find_subject(photo, 128), 256)
    assert small.photo.shape == own.photo.shape
    assert editor.mattes(small).hair_seen == pytest.approx(editor.mattes(own).hair_seen, rel=0.1)
