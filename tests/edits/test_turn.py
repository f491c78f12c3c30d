"""Heads turned on their photo's own pixels, read by another face's shape, and compared with puppets that are rendered
as they should come out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import PhotoEditor, Synthesizer
from masque.edits.subject import find_subject
from masque.edits.turn import BORNE, borne, head_of, turn
from masque.errors import ValueRangeError
from masque.faces.change import Change, Move
from masque.faces.detect import find_faces, main_face
from masque.faces.frame import similarity, transform
from masque.faces.turning import turn_pixels
from masque.image import Picture
from masque.tables.turn_measures import read_yaw

pytestmark = pytest.mark.usefixtures("unrecognised")


def landmarks(picture: Picture) -> np.ndarray:
    face = main_face(find_faces(picture))
    assert face is not None
    return face.landmarks.astype(np.float64)


def the_move(change: Change | None) -> Move:
    assert change is not None
    (layer,) = change.layers
    assert isinstance(layer, Move)
    return layer


def test_a_head_turns_as_far_as_asked_by_another_faces_shape(editor: PhotoEditor, photo: Picture) -> None:
    """One face is read to within some degrees, so both sides are asked for together."""
    results = {yaw: editor.turn(photo, yaw) for yaw in (-15.0, 15.0)}
    found = {yaw: read_yaw(landmarks(result.picture)) for yaw, result in results.items()}
    assert found[-15.0] < read_yaw(landmarks(photo)) < found[15.0]
    assert 0.7 < (found[15.0] - found[-15.0]) / 30 < 1.2
    for result in results.values():
        assert result.record["method"] == "own"
        assert result.change is not None
        assert np.array_equal(result.change.apply(photo), result.picture)
        left, top, right, bottom = the_move(result.change).box
        outside = np.ones(photo.shape[:2], bool)
        outside[max(0, top) : bottom, max(0, left) : right] = False
        assert outside.any()
        assert np.array_equal(result.picture[outside], photo[outside])


def test_no_pixel_comes_to_lie_beyond_its_neighbour(editor: PhotoEditor, photo: Picture) -> None:
    """Where pixels come from never runs backwards, by differences of the field itself."""
    subject = find_subject(photo, 128)
    head = head_of(editor.motion()[0], subject)
    for yaw, pitch in ((15, 0), (-15, 0), (0, 10), (0, -10), (8, -6)):
        move, share = turn_pixels("turn", head, yaw, pitch, (photo.shape[1], photo.shape[0]))
        assert share == 1
        step = (move.box[2] - move.box[0]) / len(move.field)
        down, across = np.gradient(move.field.astype(np.float64), step, axis=(0, 1))
        area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
        assert area.min() > 0
        rim = np.concatenate([move.field[[0, -1]].reshape(-1, 2), move.field[:, [0, -1]].reshape(-1, 2)])
        assert np.abs(rim).max() < 0.5


def test_a_turned_puppet_looks_as_one_that_is_rendered_so(editor: PhotoEditor) -> None:
    """A puppet of 10 degrees is the truth that a turned one of 0 degrees should come out as."""
    for seed in (3, 8):
        puppet = draw_puppet(seed)
        ahead, aside = (
            render(replace(puppet, pose=puppet.pose._replace(yaw=np.radians(yaw), pitch=0.0, roll=0.0)), 2.0).picture
            for yaw in (0, 10)
        )
        subject = find_subject(ahead, 128)
        head = head_of(editor.motion()[0], subject)
        move, _ = turn_pixels("turn", head, 10, 0, (ahead.shape[1], ahead.shape[0]))
        true = landmarks(aside)

        def apart(picture: Picture, true: np.ndarray = true) -> float:
            found = landmarks(picture)
            laid = transform(found, similarity(found[17:], true[17:]))
            return float(np.linalg.norm(laid - true, axis=1).mean())

        assert apart(Change((ahead.shape[1], ahead.shape[0]), (move,)).apply(ahead)) < 0.6 * apart(ahead)


def test_a_turn_back_is_the_photo_again_and_two_are_one(editor: PhotoEditor, photo: Picture) -> None:
    there = editor.turn(photo, 12.0)
    back = editor.turn(there, 0.0)
    assert back.change is not None
    assert len(back.change.layers) == 2
    apart = np.linalg.norm(landmarks(back.picture) - landmarks(photo), axis=1).mean()
    assert apart < 0.35 * np.linalg.norm(landmarks(there.picture) - landmarks(photo), axis=1).mean()


def test_a_grey_photo_stays_grey(editor: PhotoEditor, photo: Picture) -> None:
    grey = np.repeat(photo.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    made = editor.turn(grey, 10.0).picture
    assert (made == made[..., :1]).all()
    assert not np.array_equal(made, grey)


def test_what_own_pixels_do_not_bear_is_the_networks(
    editor: PhotoEditor, photo: Picture, synthesizer: Synthesizer
) -> None:
    with_network = PhotoEditor(None, editor.prototypes, editor.motion, "cpu", lambda: synthesizer)
    far = with_network.turn(photo, 40.0)
    assert far.record["method"] == "network"
    assert far.change is None
    assert np.array_equal(far.picture, synthesizer.modify(photo, [40.0]).picture)
    near = with_network.turn(photo, 10.0, method="network")
    assert near.record["method"] == "network"
    with pytest.raises(ValueRangeError, match="own pixels bear 20 degrees"):
        with_network.turn(photo, 40.0, method="own")
    with pytest.raises(ValueRangeError, match="leave out the pitch"):
        with_network.turn(photo, 40.0, 5.0)


@pytest.mark.parametrize(
    ("yaw", "pitch", "says"),
    [
        (61.0, 0.0, "60 degrees"),
        (None, 0.0, "No turn was asked for"),
        (0.0, 11.0, "10 degrees"),
        ("left", 0.0, "finite"),
    ],
)
def test_turns_that_are_none(editor: PhotoEditor, photo: Picture, yaw: float, pitch: float, says: str) -> None:
    with pytest.raises(ValueRangeError, match=says):
        turn(editor, photo, yaw, pitch)


def test_a_far_side_that_is_not_seen_is_not_turned_to_the_front(editor: PhotoEditor, photo: Picture) -> None:
    head = head_of(editor.motion()[0], find_subject(photo, 128))
    for yaw, to, may in ((10, 20, True), (24, 15, False), (24, 30, True), (42, 45, False), (-18, -5, True)):
        turned = replace(head, angles=np.radians([yaw, 0.0, 0.0]))
        assert borne(turned, float(to)) == (may and abs(to - yaw) <= BORNE)


def test_frontalized_by_own_pixels_or_by_the_network(
    editor: PhotoEditor, photo: Picture, synthesizer: Synthesizer
) -> None:
    both = Synthesizer(synthesizer.model, "facefeat", "0" * 16, own=editor)
    aside = editor.turn(photo, 12.0)
    made = both.frontalize(aside)
    assert made.picture.shape == photo.shape
    assert made.record["edit"] == "frontalize"
    assert made.record["method"] == "own"
    assert abs(read_yaw(landmarks(made.picture))) < 0.4 * abs(read_yaw(landmarks(aside.picture)))
    bare = both.frontalize(aside, detail="network")
    assert bare.record["method"] == "network"
    assert np.array_equal(bare.picture, synthesizer.frontalize(aside).picture)
