"""Results as bytes: photos that are held already are named, not packed again."""

from __future__ import annotations

import numpy as np

from masque.edits.result import Original, Result
from masque.faces.change import Change
from masque.faces.detect import Face
from masque.studio.packed import Held, pack, pack_faces, unpack, unpack_faces


def a_face() -> Face:
    return Face((1, 2, 30, 30), 0.5, np.arange(136, dtype=np.float32).reshape(68, 2))


def test_a_result_comes_back_with_the_photo_that_is_held() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (200, 100, 3), dtype=np.uint8)
    picture = 255 - photo
    result = Result(picture, {"edit": "edit"}, Change((100, 200)), Original("a.jpg", photo, a_face()))
    body, needs = pack(Held(result, "a.jpg"), {"key": photo, "other": picture.copy()})
    assert needs == ("key",)
    assert photo.nbytes < len(body) < 1.5 * photo.nbytes  # the picture, and not the photo beside it
    held = unpack(body, {"key": photo}.__getitem__)
    assert held.result.original is not None
    assert held.result.original.photo is photo
    np.testing.assert_array_equal(held.result.picture, picture)
    np.testing.assert_array_equal(held.result.original.face.landmarks, a_face().landmarks)
    assert held.result.record == {"edit": "edit"}


def test_faces_come_back() -> None:
    (face,) = unpack_faces(pack_faces([a_face()]))
    assert face.box == (1, 2, 30, 30)
    np.testing.assert_array_equal(face.landmarks, a_face().landmarks)
