"""The swap without a network: what bending does is known where the two faces are one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import color

from masque.edits.warp import bend, control_points, match_colours, swap_by_warping
from masque.errors import NoFaceError
from masque.faces.detect import find_faces
from masque.faces.regions import hull_mask
from masque.image import read_picture


@pytest.fixture(scope="module")
def face(photos):
    photo = np.ascontiguousarray(photos["astronaut"][:300, 80:380])
    return photo, find_faces(photo)[0].landmarks


def inside(landmarks, shape):
    return cv2.erode(hull_mask(landmarks, shape[1::-1]), np.ones((5, 5))) > 127


def test_a_face_bent_onto_itself_stays(face):
    photo, landmarks = face
    bent = bend(photo, landmarks, landmarks, photo.shape)
    assert np.abs(bent.astype(int) - photo)[inside(landmarks, photo.shape)].max() <= 1


def test_a_face_bent_onto_its_shifted_and_doubled_self(face):
    """Against OpenCV's affine warp, which does the same where all triangles move alike."""
    photo, landmarks = face
    matrix = np.array([[1.5, 0.0, -40.0], [0.0, 1.5, -30.0]])
    moved = (landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    expected = cv2.warpAffine(photo, matrix, (420, 420))
    difference = np.abs(bend(photo, landmarks, moved, (420, 420)).astype(int) - expected)[inside(moved, (420, 420))]
    assert np.percentile(difference, 99) <= 6
    assert difference.mean() < 1


def test_the_face_covers_its_hull(face):
    photo, landmarks = face
    span = cv2.convexHull(control_points(landmarks).astype(np.float32))
    corners = cv2.findContours(hull_mask(landmarks, photo.shape[1::-1]), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][
        0
    ][:, 0]
    outside = [cv2.pointPolygonTest(span, (float(x), float(y)), True) for x, y in corners]
    assert min(outside) > -0.06 * np.ptp(landmarks[:, 0])


def test_colours_are_matched_where_asked():
    rng = np.random.default_rng(0)
    like = np.clip(rng.normal((160, 120, 100), 20, (40, 40, 3)), 0, 255).astype(np.uint8)
    picture = np.clip(rng.normal((100, 110, 140), 18, (40, 40, 3)), 0, 255).astype(np.uint8)
    where = np.zeros((40, 40), bool)
    where[5:35, 5:35] = True
    matched = match_colours(picture, like, where)
    means = [color.rgb2lab(p)[where].mean(axis=0) for p in (matched, like)]
    assert np.abs(means[0] - means[1]).max() < 1.5
    assert (match_colours(picture, like, np.zeros((40, 40), bool)) == picture).all()


def test_a_swap_with_itself_gives_the_photo_back(face):
    photo, _ = face
    result = swap_by_warping(photo, photo)
    assert np.abs(result.picture.astype(int) - photo).max() <= 3
    assert result.record["model"] == "warp"
    assert result.record["identity_distance"]["face"] < 0.02


def test_a_swap_changes_the_face_and_nothing_else(puppet_files):
    source, target = (read_picture(puppet_files[n]) for n in (0, 2))
    result = swap_by_warping(source, target)
    landmarks = find_faces(target)[0].landmarks
    face = hull_mask(landmarks, target.shape[1::-1])
    assert (result.picture[face == 0] == target[face == 0]).all()
    assert np.abs(result.picture.astype(int) - target)[face > 127].mean() > 2
    assert result.record["changed_outside_face_percent"] == 0
    assert result.record["landmark_drift_percent"] < 12


def test_no_face(photos):
    with pytest.raises(NoFaceError):
        swap_by_warping(photos["astronaut"], np.zeros((300, 300, 3), np.uint8))
