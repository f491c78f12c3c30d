"""Edits of a model with output=flow: the photo's own pixels are moved, by the right way and the right amount, and only
what is painted is added."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from masque import runs
from masque.edits.loaded import AttributeEditor
from masque.edits.moving import Painting, add_painting, moves_of
from masque.faces.added import Added
from masque.faces.change import Change, Move, Shift
from masque.faces.change import sampled as field_at
from masque.faces.changefile import load_change, save_change
from masque.faces.frame import transform

pytestmark = pytest.mark.usefixtures("unrecognised")


SIDE = 32


@pytest.fixture(scope="module")
def editor():
    plan = runs.plan("ccagan", "tiny", ("paints=smooth", "output=flow"))
    model = runs.build_recipe(plan).model
    return AttributeEditor(
        model, "ccagan", "0" * 16, classify=lambda frames: [{"Male": 0.25, "Young": 0.75}] * len(frames)
    )


@pytest.fixture(scope="module")
def photo(photos):
    return np.ascontiguousarray(photos["astronaut"][:300, 80:380])


def flat(level: int = 120) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), level, np.uint8)


def bump(x: float, y: float) -> np.ndarray:
    """A field that moves the middle of a crop by (x, y) crop pixels and fades towards its edge."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    far = np.hypot(rows - SIDE / 2 + 0.5, columns - SIDE / 2 + 0.5) / (SIDE / 2)
    share = np.clip(1.5 - 2 * far, 0, 1)[..., None]
    return (share * np.array([x, y])).astype(np.float32)


def gives(editor, monkeypatch, painted: float, across: float, down: float):
    """From here on the generator paints one change and moves the middle by so many crop pixels wherever Male is above
    a half, and does nothing else."""

    def moved(s, t, _person):
        asked = float(t[0, editor.attributes.index("Male")] > 0.5)
        flow = torch.from_numpy(bump(across, down)).permute(2, 0, 1)[None]
        return torch.full_like(s, asked * painted), asked * flow

    monkeypatch.setattr(editor.model, "moved", moved)


@pytest.mark.parametrize("turn", [0.0, 0.6])
def test_a_field_of_the_crop_becomes_one_of_the_photo(turn):
    """A pixel that comes from two crop pixels to the right of it: in a photo four times as large eight to the right,
    and turned with the photo."""
    scale, (sine, cosine) = 0.25, (np.sin(turn), np.cos(turn))
    linear = scale * np.array([[cosine, sine], [-sine, cosine]])
    middle = np.array([100.0, 90.0])
    matrix = np.column_stack([linear, np.array([15.5, 15.5]) - linear @ middle])
    painting = Painting(flat(), flat(), flat(), bump(2, 0))
    photo = np.zeros((180, 200, 3), np.uint8)
    (move,) = moves_of(painting, photo, matrix, np.full((SIDE, SIDE), 255, np.uint8), "smile")
    assert isinstance(move, Move)
    assert (move.name, move.reach) == ("smile", 0)
    found = field_at(move.field, move.box, *(np.full((1, 1), v, np.float32) for v in middle))[0, 0]
    np.testing.assert_allclose(found, 8 * np.array([cosine, sine]), atol=0.15)
    source = transform((middle + found)[None], matrix)[0]
    np.testing.assert_allclose(source, [17.5, 15.5], atol=0.05)
    rim = np.concatenate([move.field[0], move.field[-1], move.field[:, 0], move.field[:, -1]])
    assert not rim.any()


def test_a_face_at_the_photos_edge_leaves_the_edge():
    """Where the crop reaches beyond the photo, the field ends at the photo's edge."""
    matrix = np.array([[0.25, 0, 12.0], [0, 0.25, 2.0]])  # the photo begins in the middle of the crop
    photo = np.zeros((100, 60, 3), np.uint8)
    (move,) = moves_of(
        Painting(flat(), flat(), flat(), bump(2, 0)), photo, matrix, np.full((SIDE, SIDE), 255, np.uint8), "m"
    )
    assert move.box[0] == 0
    assert not move.field[:, 0].any()
    assert np.abs(move.field).max() > 4


def test_nothing_is_moved_where_nothing_may_show():
    identity = np.eye(2, 3)
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    half = np.full((SIDE, SIDE), 255, np.uint8)
    half[:, : SIDE // 2] = 0
    (move,) = moves_of(Painting(flat(), flat(), flat(), bump(2, 1)), photo, identity, half, "m")
    assert not move.field[:, : SIDE // 2].any()
    assert move.field[:, SIDE // 2 :].any()
    still = Painting(flat(), flat(), flat(), np.zeros((SIDE, SIDE, 2), np.float32))
    assert moves_of(still, photo, identity, half, "m") == ()
    assert moves_of(Painting(flat(), flat(), flat()), photo, identity, half, "m") == ()


def test_pixels_are_moved_before_anything_is_painted():
    photo = np.random.default_rng(1).integers(0, 200, (SIDE, SIDE, 3), dtype=np.uint8)
    painting = Painting(flat(100), flat(110), flat(110), np.zeros((SIDE, SIDE, 2), np.float32))
    mask, identity = np.full((SIDE, SIDE), 255, np.uint8), np.eye(2, 3)
    field = np.zeros((SIDE, SIDE, 2), np.float32)
    field[4:-4, 4:-4] = (3, -2)
    made = add_painting(photo, painting, identity, mask, (Move("m", (0, 0, SIDE, SIDE), field),))
    there = photo[8 - 2 : 24 - 2, 8 + 3 : 24 + 3].astype(int)
    assert np.abs(made[8:24, 8:24].astype(int) - there - 10).max() <= 1


def test_an_untrained_model_that_moves_leaves_every_pixel(editor, photo):
    result = editor.edit(photo, {"Male": 1.0})
    assert (result.picture == photo).all()
    assert result.change is not None
    assert result.change.layers == ()


def test_an_edit_moves_the_photos_own_pixels(editor, photo, monkeypatch):
    """The change that comes back moves them, at any strength and in a file too; nothing is painted where the network
    painted nothing."""
    gives(editor, monkeypatch, 0.0, 2.0, 0.0)
    result = editor.edit(photo, {"Male": 1.0})
    assert [type(layer).__name__ for layer in result.change.layers] == ["Move"]
    subject = editor.subject(photo)
    middle = transform(np.array([[15.5, 15.5]]), np.linalg.inv(np.vstack([subject.matrix, [0, 0, 1]]))[:2])
    move = result.change.layers[0]
    shift = field_at(move.field, move.box, middle[None, :, 0], middle[None, :, 1])[0, 0]
    expected = np.linalg.solve(subject.matrix[:, :2], [2.0, 0.0])
    np.testing.assert_allclose(shift, expected, rtol=0.1, atol=0.5)
    assert (result.change.apply(photo) == result.picture).all()
    assert (result.picture != photo).any()


def test_what_is_painted_comes_on_top_and_the_change_can_be_kept(editor, photo, monkeypatch, tmp_path):
    gives(editor, monkeypatch, 0.2, 1.0, 1.0)
    result = editor.edit(photo, {"Male": 1.0})
    assert [type(layer).__name__ for layer in result.change.layers] == ["Move", "Added"]
    assert (result.change.apply(photo) == result.picture).all()
    only_moved = result.change.layers[:1]
    gives(editor, monkeypatch, 0.0, 1.0, 1.0)
    moved = editor.edit(photo, {"Male": 1.0}).picture
    np.testing.assert_array_equal(type(result.change)(result.change.size, only_moved).apply(photo), moved)
    save_change(tmp_path / "m.change", result.change, photo)
    assert (load_change(tmp_path / "m.change", photo).apply(photo) == result.picture).all()
    lighter = result.picture.astype(int) - moved
    assert lighter[100:140, 120:160].mean() == pytest.approx(0.2 * 127.5, abs=4)


def test_a_face_as_it_is_is_neither_moved_nor_painted(editor, photo, monkeypatch):
    """What the generator does to a face without an edit is taken off both parts."""

    def moved(s, _t, _person):
        return torch.full_like(s, 0.3), torch.from_numpy(bump(2, 2)).permute(2, 0, 1)[None]

    monkeypatch.setattr(editor.model, "moved", moved)
    assert (editor.edit(photo, {"Male": 1.0}).picture == photo).all()


def test_the_hair_alone_is_not_moved_by_a_hair_colour(editor, photo, monkeypatch):
    """A hair colour paints within the hair and moves nothing, whatever the network would."""
    names = editor.attributes
    shares = np.zeros((11, SIDE, SIDE), np.float32)
    shares[10, :16], shares[1, 16:] = 1, 1
    monkeypatch.setattr(editor, "shares", lambda _subject: shares)

    def moved(s, t, _person):
        blond = float(t[0, names.index("Blond_Hair")] == 1)
        return torch.full_like(s, 0.3 * blond), blond * torch.from_numpy(bump(2, 2)).permute(2, 0, 1)[None]

    monkeypatch.setattr(editor.model, "moved", moved)
    result = editor.edit(photo, {"Blond_Hair": 1.0})
    assert [type(layer).__name__ for layer in result.change.layers] == ["Pixels"]
    sheet = editor.sheet(photo)
    assert sheet.record["shown"][2] == "Blond_Hair=1"
    assert (editor.edit(photo, {"Blond_Hair": 1.0}, detail="network").picture != photo).any()


def test_hair_that_is_dyed_stays_where_it_is(editor, photo, monkeypatch):
    """The dye is found on the photo as it was: what lies under it is not moved away, and the face is."""
    shares = np.zeros((11, SIDE, SIDE), np.float32)
    shares[10, :14], shares[1, 14:] = 1, 1
    monkeypatch.setattr(editor, "shares", lambda _subject: shares)
    size = (photo.shape[1], photo.shape[0])
    tint = Shift("hair", (0, 0, *size), np.full((4, 4), 255, np.uint8), np.full((2, 2, 3), (0.0, 9.0, 0.0), np.float32))
    monkeypatch.setattr("masque.edits.attributes._dyed", lambda *_: (Change(size, (tint,)), {}))
    gives(editor, monkeypatch, 0.1, 3.0, 0.0)
    result = editor.edit(photo, {"Male": 1.0, "Blond_Hair": 1.0})
    move, added = result.change.layers
    assert (type(move), type(added)) == (Move, Added)
    assert (result.change.apply(photo) == result.picture).all()
    subject = editor.subject(photo)
    to_photo = np.linalg.inv(np.vstack([subject.matrix, [0, 0, 1]]))[:2]
    hair, face = (transform(np.array([[15.5, row]]), to_photo) for row in (10.0, 18.0))
    still, moved = (
        np.linalg.norm(field_at(move.field, move.box, at[:, :1].astype(np.float32), at[:, 1:].astype(np.float32)))
        for at in (hair, face)
    )
    assert still < 0.02 < 1 < moved
