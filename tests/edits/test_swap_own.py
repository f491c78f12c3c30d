"""Faces swapped by their own pixels: where they come to lie, what stays, and what is done where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
import pytest

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits import swap_change
from masque.edits.loaded import PhotoEditor
from masque.edits.result import Result
from masque.edits.swap_mask import part_zones
from masque.edits.swap_sides import Side, mirrored_share
from masque.errors import ValueRangeError
from masque.faces.beard import has_beard
from masque.faces.carried import Carried, canvas_around, face_width
from masque.faces.change import Pixels
from masque.faces.detect import find_faces, main_face
from masque.faces.glasses import WORN, wears_glasses
from masque.image import Picture, read_picture, write_picture


@pytest.fixture(scope="module")
def hopper() -> Picture:
    """A public-domain portrait of a woman with glasses."""
    return read_picture(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))


@pytest.fixture(scope="module")
def swapped(editor: PhotoEditor, hopper: Picture, photo: Picture) -> Result:
    """Hopper's face in the astronaut's photo."""
    return editor.swap(hopper, photo)


def landmarks(picture: Picture) -> np.ndarray:
    face = main_face(find_faces(picture))
    assert face is not None
    return face.landmarks.astype(np.float64)


def test_the_face_is_the_one_that_was_taken(swapped: Result) -> None:
    distances = swapped.record["identity_distance"]
    assert isinstance(distances, dict)
    assert swapped.record["method"] == "own"
    assert float(str(distances["face"])) < 0.3 < float(str(distances["hair"]))  # 0.36 is dlib's threshold


def test_beyond_the_face_not_one_pixel_changes(swapped: Result, photo: Picture) -> None:
    assert swapped.change is not None
    assert np.array_equal(swapped.change.apply(photo), swapped.picture)
    (layer,) = swapped.change.layers
    assert isinstance(layer, Pixels)
    left, top, right, bottom = layer.box
    matte = np.zeros(photo.shape[:2], np.uint8)
    matte[top:bottom, left:right] = layer.matte
    assert np.array_equal(swapped.picture[matte == 0], photo[matte == 0])
    assert (swapped.picture[matte == 255] != photo[matte == 255]).any(axis=1).mean() > 0.9


def test_eyes_and_mouth_come_to_lie_where_the_other_face_has_them(swapped: Result, photo: Picture) -> None:
    before, after = landmarks(photo), landmarks(swapped.picture)
    width = np.linalg.norm(before[16] - before[0])
    for part in (slice(36, 42), slice(42, 48), slice(48, 68)):
        assert np.linalg.norm(after[part].mean(axis=0) - before[part].mean(axis=0)) < 0.05 * width


def test_the_skin_has_the_colour_of_the_photo(swapped: Result, photo: Picture, hopper: Picture) -> None:
    """On the cheeks, by landmarks and plain means."""

    def cheeks(picture: Picture, points: np.ndarray) -> np.ndarray:
        lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        mask = np.zeros(picture.shape[:2], np.uint8)
        radius = max(2, int(0.07 * np.linalg.norm(points[16] - points[0])))
        for jaw, nostril in ((2, 31), (14, 35)):
            x, y = (points[jaw] + points[nostril]) / 2
            cv2.circle(mask, (round(x), round(y)), radius, (1,), -1)
        return np.asarray(np.median(lab[mask > 0], axis=0))

    there = landmarks(photo)
    wanted = cheeks(photo, there)
    found = cheeks(swapped.picture, there)
    assert np.linalg.norm(found - wanted) < 0.5 * np.linalg.norm(cheeks(hopper, landmarks(hopper)) - wanted)


def test_a_swap_of_a_photo_with_itself_changes_next_to_nothing(editor: PhotoEditor, photo: Picture) -> None:
    again = editor.swap(photo, photo).picture
    points = landmarks(photo)
    x0, y0, x1, y1 = (*points.min(axis=0).astype(int), *points.max(axis=0).astype(int))
    difference = np.abs(again[y0:y1, x0:x1].astype(int) - photo[y0:y1, x0:x1])
    assert difference.mean() < 4


def test_a_grey_photo_stays_grey(editor: PhotoEditor, photo: Picture, hopper: Picture) -> None:
    grey = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    picture = editor.swap(hopper, grey).picture
    assert np.ptp(picture, axis=2).max() == 0


def test_glasses_of_the_photo_stay_whole(editor: PhotoEditor, photo: Picture, hopper: Picture) -> None:
    assert wears_glasses(hopper, landmarks(hopper).astype(np.float32)) > WORN
    assert wears_glasses(photo, landmarks(photo).astype(np.float32)) < 0.5
    result = editor.swap(photo, hopper)
    assert swap_change.GLASSES in result.texts("notes")
    points = landmarks(hopper)
    x0, x1 = int(points[36, 0]), int(points[45, 0])
    y0, y1 = int(points[17:27, 1].min()), int(points[40:42, 1].max())
    assert np.array_equal(result.picture[y0:y1, x0:x1], hopper[y0:y1, x0:x1])
    mouth = points[48:68].mean(axis=0).astype(int)
    assert not np.array_equal(
        result.picture[mouth[1], mouth[0] - 5 : mouth[0]], hopper[mouth[1], mouth[0] - 5 : mouth[0]]
    )


def test_eyes_behind_dark_glasses_do_not_come_along(editor: PhotoEditor, photo: Picture, hopper: Picture) -> None:
    """Hopper's lenses are blackened."""
    points = landmarks(hopper)
    dark = hopper.copy()
    for eye in (points[36:42], points[42:48]):
        x, y = eye.mean(axis=0)
        cv2.ellipse(dark, (round(x), round(y)), (26, 20), 0, 0, 360, (15, 12, 10), -1)
    result = editor.swap(dark, photo)
    assert swap_change.DARK_GLASSES in result.texts("notes")
    there = landmarks(photo)
    x0, x1 = int(there[36, 0]), int(there[45, 0])
    y0, y1 = int(there[17:27, 1].min()), int(there[40:42, 1].max())
    assert np.array_equal(result.picture[y0:y1, x0:x1], photo[y0:y1, x0:x1])
    assert swap_change.DARK_GLASSES not in editor.swap(hopper, photo).texts("notes")


def test_a_photo_that_can_be_read_once_is_swapped_by_the_next_method_too(
    editor: PhotoEditor, photo: Picture, hopper: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a pipe: the faces are not looked for again."""

    class Pipe(BytesIO):
        def seek(self, *_: int) -> int:
            raise OSError("not seekable")

    monkeypatch.setattr(swap_change, "MOST_TURNED", -1.0)
    files = [write_picture(tmp_path / f"{name}.png", one) for name, one in (("a", hopper), ("b", photo))]
    piped = editor.swap(*(Pipe(file.read_bytes()) for file in files))
    assert piped.record["method"] == "network"
    network = masque.load("rsgan").swap(*files)
    assert np.array_equal(piped.picture, network.picture)


def test_a_beard_is_seen_by_its_darkness_and_its_hairs(photo: Picture) -> None:
    points = landmarks(photo)
    width = float(np.linalg.norm(points[16] - points[0]))
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    assert not has_beard(lab, points, width)
    hairs = np.random.default_rng(0).uniform(0, 1, photo.shape[:2]) < 0.5
    jaw = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(jaw, [np.rint(np.concatenate([points[2:15], points[[35, 31]]])).astype(np.int32)], (1,))
    lab[..., 0][(jaw > 0) & hairs] *= 0.35
    lab[..., 0][jaw > 0] *= 0.8
    assert has_beard(lab, points, width)


def test_it_is_edited_after_the_swap_in_one_change(editor: PhotoEditor, hopper: Picture, photo: Picture) -> None:
    result = editor.swap(hopper, photo, attributes={"Hair": "auburn"})
    assert result.record["edit"] == "swap"
    assert result.record["attributes"] == {"Hair": "auburn"}
    assert set(result.record["layers"]) >= {"face", "hair"}  # type: ignore[arg-type]
    assert result.change is not None
    assert np.array_equal(result.change.apply(photo), result.picture)


def test_the_targets_expression_can_be_had(editor: PhotoEditor, hopper: Picture, photo: Picture) -> None:
    """The astronaut smiles and Hopper does not: corners of the mouth go apart."""

    def broad(picture: Picture) -> float:
        points = landmarks(picture)
        return float(np.linalg.norm(points[54] - points[48]) / np.linalg.norm(points[45] - points[36]))

    assert broad(editor.swap(hopper, photo, expression="target").picture) > broad(editor.swap(hopper, photo).picture)
    with pytest.raises(ValueRangeError, match="expression"):
        editor.swap(hopper, photo, expression="sad")  # type: ignore[arg-type]


def test_heads_turned_far_apart_are_swapped_by_the_next_method_and_said_so(
    editor: PhotoEditor, hopper: Picture, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap_change, "MOST_TURNED", -1.0)
    result = editor.swap(hopper, photo)
    assert result.record["method"] == "network"
    assert "--method network" in result.texts("notes")[0]
    monkeypatch.setattr(editor, "swapper", lambda: None)
    result = editor.swap(hopper, photo)
    assert result.record["method"] == "warp"
    assert "turned" in result.texts("notes")[0]


def test_puppets_of_other_poses_are_read_as_turned_apart(editor: PhotoEditor) -> None:
    puppet = draw_puppet(5)
    pictures = [
        render(replace(puppet, pose=puppet.pose._replace(yaw=float(np.radians(yaw)))), 3.0).picture
        for yaw in (0.0, 10.0)
    ]
    assert 5 < float(str(editor.swap(*pictures).record["turned_apart"])) < 20


def test_a_hidden_brow_comes_whole_from_the_other_side(photo: Picture) -> None:
    """Half of one brow is hidden, and the mirrored face shows all of its own."""
    points = landmarks(photo)
    canvas = canvas_around(points, face_width(points), photo)
    carried = Carried(points, points, points, np.zeros((2, 3)))
    size = canvas.size[::-1]
    brow, other = part_zones(canvas.points(points), canvas)[:2]
    seen = np.ones(size, np.float32)
    hidden = (brow > 0) & (np.arange(size[1]) < np.nonzero(brow.any(axis=0))[0].mean())
    seen[hidden] = 0
    nothing = np.zeros((*size, 3), np.uint8)
    side = Side(carried, np.zeros((*size, 2), np.float32), np.zeros((11, *size), np.float32), seen, nothing, seen)
    taken = mirrored_share(side, replace(side, seen=np.ones(size, np.float32)), canvas)
    assert taken[brow > 0].mean() > 0.9
    assert taken[other > 0].mean() < 0.1
    assert mirrored_share(side, side, canvas)[brow > 0].max() < 0.01  # both hide the same
