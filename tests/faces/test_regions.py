import math

import cv2
import numpy as np
import pytest
from matplotlib.path import Path as Outline
from scipy.spatial import ConvexHull

from masque.data.puppets import draw_puppet, render
from masque.faces.frame import at_scale, chain, frame_size, invert, transform
from masque.faces.regions import FACE_CROP, HAIR_CROP, HULL_POINTS, background_mask, cut_crop, hull_mask, stretched_hull


def landmarks_of(seed: int, scale: float = 1.0) -> np.ndarray:
    return render(draw_puppet(seed), scale).landmarks


def test_the_hull_is_of_the_41_landmarks_of_nose_eyes_and_mouth():
    assert len(HULL_POINTS) == 41
    assert set(HULL_POINTS) == {*range(27, 36), *range(36, 48), *range(48, 68)}
    jaw_and_brows = np.arange(27)
    landmarks = landmarks_of(0)
    moved = landmarks.copy()
    moved[jaw_and_brows] += 50
    assert (stretched_hull(moved) == stretched_hull(landmarks)).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_stretched_hull_is_scipys_hull_stretched(seed):
    landmarks = landmarks_of(seed)
    points = landmarks[27:].astype(float)
    theirs = points[ConvexHull(points).vertices]
    low, high = theirs.min(axis=0), theirs.max(axis=0)
    expected = (low + high) / 2 + (theirs - (low + high) / 2) * (1.3, 1.4)
    ours = stretched_hull(landmarks)
    # Both list the same corners, from another first one and perhaps in the other direction; points on an edge may be in
    # one list only.
    distance = np.linalg.norm(ours[:, None] - expected[None], axis=2)
    assert distance.min(axis=1).max() < 0.05
    assert math.isclose(cv2.contourArea(ours), ConvexHull(expected).volume, rel_tol=1e-3)


def test_the_hull_grows_by_exactly_1_3_across_and_1_4_down():
    for seed in range(4):
        landmarks = landmarks_of(seed)
        before, after = (np.ptp(points, axis=0) for points in (landmarks[27:], stretched_hull(landmarks)))
        assert np.allclose(after / before, (1.3, 1.4), atol=1e-4)
        middles = [
            (points.min(axis=0) + points.max(axis=0)) / 2 for points in (landmarks[27:], stretched_hull(landmarks))
        ]
        assert np.allclose(*middles, atol=1e-3)


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_the_mask_is_the_inside_of_the_hull_and_every_pixel_it_touches(seed):
    landmarks = landmarks_of(seed)
    size = frame_size(1.0)
    mask = hull_mask(landmarks, size)
    outline = Outline(stretched_hull(landmarks), closed=False)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(size[0]), np.arange(size[1])))
    inside = outline.contains_points(np.stack([x, y], axis=1)).reshape(size[::-1])
    assert (mask[inside] > 127).all()
    assert (mask[cv2.dilate(inside.astype(np.uint8), np.ones((5, 5))) == 0] == 0).all()


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0, 4.0])
def test_the_mask_is_less_than_a_pixel_wider_than_the_hull(scale):
    landmarks = landmarks_of(5, scale)
    hull = ConvexHull(stretched_hull(landmarks))
    excess = hull_mask(landmarks, frame_size(scale)).sum() / 255 - hull.volume
    assert 0 < excess < 0.9 * hull.area, "in two dimensions scipy's area is the length of the edge"


@pytest.mark.parametrize(("crop", "left", "top", "side"), [(FACE_CROP, 30, 70, 118), (HAIR_CROP, 0, 20, 178)])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("size", [32, 118, 128, 256])
def test_the_crops_are_the_papers_squares(crop, left, top, side, scale, size):
    """Edges of the square in frame pixels (a pixel's edge is half a pixel from its centre) are the edges of the
    crop."""
    assert (crop.left, crop.top, crop.side) == (left, top, side)
    corners = np.array([[left, top], [left + side, top], [left, top + side], [left + side, top + side]]) * scale - 0.5
    expected = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - 0.5
    assert np.allclose(transform(corners, crop.to_crop(size, scale)), expected, atol=1e-3)


def test_a_crop_at_its_own_size_is_a_slice():
    frame = np.random.default_rng(0).integers(0, 256, (218, 178, 3)).astype(np.uint8)
    assert (cut_crop(frame, FACE_CROP, 118, 1.0) == frame[70:188, 30:148]).all()
    assert (cut_crop(frame, HAIR_CROP, 178, 1.0) == frame[20:198]).all()
    doubled = frame.repeat(2, axis=0).repeat(2, axis=1)
    assert (cut_crop(doubled, FACE_CROP, 236, 2.0) == doubled[140:376, 60:296]).all()


def test_one_hull_in_frame_crop_and_photo():
    landmarks = landmarks_of(2)
    in_frame = hull_mask(landmarks, (178, 218)).astype(float) / 255
    for crop in (FACE_CROP, HAIR_CROP):
        in_crop = hull_mask(landmarks, (crop.side, crop.side), crop.to_crop(crop.side, 1.0)) / 255
        square = in_frame[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
        assert np.abs(in_crop - square).mean() < 2e-3
    turned = np.array([[1.6, -0.9, 120.0], [0.9, 1.6, 40.0]])
    in_photo = hull_mask(landmarks, (700, 700), turned) / 255
    back = cv2.warpAffine(in_photo, turned, (178, 218), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    # Each mask is up to a pixel wider than its hull, and a pixel of the photo is about half one of the frame.
    assert np.abs(back - in_frame).sum() < 0.6 * cv2.arcLength(stretched_hull(landmarks), True)
    assert (in_frame[back > 0.99] > 0.8).all()
    # Stretching comes before the transform: the hull of turned landmarks is stretched along other axes and is not the
    # same.
    other = hull_mask(transform(landmarks, turned), (700, 700)) / 255
    assert np.abs(other - in_photo).sum() > 50


def test_a_hull_that_leaves_the_picture_is_cut_off():
    landmarks = landmarks_of(2)
    shifted = hull_mask(landmarks - (90, 0), (178, 218))
    whole = hull_mask(landmarks, (178, 218))
    assert (shifted[:, 2:88] == whole[:, 92:]).all()
    assert not hull_mask(landmarks + 5000, (178, 218)).any()


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def test_background_of_puppets():
    """Against the true background, over twelve puppets."""
    scores = []
    for seed in range(12):
        made = render(draw_puppet(seed))
        found = background_mask(made.picture, made.landmarks)
        assert found.dtype == np.uint8
        assert set(np.unique(found)) <= {0, 255}
        scores.append(overlap(found > 127, made.background > 127))
    assert np.mean(scores) >= 0.8, np.round(scores, 2)


def test_background_is_the_same_at_every_scale():
    small, large = (render(draw_puppet(3), scale) for scale in (0.5, 2.0))
    found = [background_mask(made.picture, made.landmarks) > 127 for made in (small, large)]
    shrunk = cv2.resize(found[1].astype(np.float32), frame_size(0.5), interpolation=cv2.INTER_AREA) > 0.5
    assert overlap(found[0], shrunk) > 0.9


def test_background_of_pictures_that_tell_nothing():
    landmarks = landmarks_of(0)
    for picture in (
        np.full((218, 178, 3), 90, np.uint8),
        np.zeros((218, 178, 3), np.uint8),
        np.full((218, 178, 3), 255, np.uint8),
    ):
        mask = background_mask(picture, landmarks)
        assert mask.shape == (218, 178)
        assert mask[:5, :5].min() == 255, "the upper corners are background"
        middle = landmarks[30].astype(int)
        assert mask[middle[1], middle[0]] == 0, "the nose is not"
    tiny = background_mask(np.zeros((54, 44, 3), np.uint8), at_scale(landmarks, 0.25).astype(np.float32))
    assert tiny.shape == (54, 44)


def test_what_the_photo_does_not_have_is_background():
    made = render(draw_puppet(3))
    valid = np.ones((218, 178), bool)
    valid[:, 120:] = False
    assert background_mask(made.picture, made.landmarks, valid)[:, 120:].min() == 255


def test_the_same_picture_has_the_same_background():
    made = render(draw_puppet(7))
    first = background_mask(made.picture, made.landmarks)
    cv2.setRNGSeed(123)
    assert (background_mask(made.picture, made.landmarks) == first).all()


def test_to_crop_and_back_is_where_one_was():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 200, (10, 2))
    for crop in (FACE_CROP, HAIR_CROP):
        matrix = crop.to_crop(64, 0.5)
        assert np.allclose(transform(points, chain(matrix, invert(matrix))), points, atol=1e-3)
