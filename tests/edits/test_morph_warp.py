"""The classical morph, against transforms whose half way is known."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masque.data.puppets import draw_puppet, render
from masque.edits.morph_warp import WarpMorph, barycentric_maps, features, lookup_maps, owners
from masque.errors import ValueRangeError
from masque.faces.frame import transform
from masque.faces.regions import hull_mask

SIZE = 128


def face(seed):
    """A puppet's face (128,128,3) and its landmarks."""
    rendered = render(draw_puppet(seed))
    corner = np.array([25, 55])
    picture = rendered.picture[corner[1] : corner[1] + SIZE, corner[0] : corner[0] + SIZE]
    return np.ascontiguousarray(picture), (rendered.landmarks - corner).astype(np.float32)


@pytest.fixture(scope="module")
def three():
    pictures, landmarks = zip(*(face(seed) for seed in (1, 3, 4)), strict=True)
    return WarpMorph(pictures, landmarks), pictures, landmarks


def moved(picture, landmarks, matrix):
    return cv2.warpAffine(picture, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE), transform(landmarks, matrix)


def inside(landmarks):
    """Where the triangles between landmarks alone are: the convex hull, less its rim."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(landmarks).astype(np.int32)), 255)
    return cv2.erode(mask, np.ones((5, 5))) > 0


def test_whole_numbers_give_the_pictures_themselves(three):
    morph, pictures, _ = three
    for index, picture in enumerate(pictures):
        frame = morph.frame(index)
        assert frame.dtype == np.uint8
        assert np.array_equal(frame, picture)
        frame[:] = 0
        assert np.array_equal(morph.frame(float(index)), picture)


def test_the_morph_keeps_its_own_pictures():
    picture, landmarks = face(1)
    morph = WarpMorph([picture, picture], [landmarks, landmarks])
    expected = picture.copy()
    picture[:] = landmarks[:] = 0
    assert np.array_equal(morph.frame(0), expected)
    assert np.array_equal(morph.frame(0.3), expected)


@pytest.mark.parametrize("at", [0.01, 0.25, 0.5, 0.77, 0.999])
def test_a_picture_morphed_into_itself_stays(at):
    picture, landmarks = face(3)
    assert np.array_equal(WarpMorph([picture, picture], [landmarks, landmarks]).frame(at), picture)


def test_with_equal_landmarks_only_the_colours_change():
    (picture, landmarks), (other, _) = face(1), face(3)
    expected = 0.75 * picture + 0.25 * other
    assert np.abs(WarpMorph([picture, other], [landmarks, landmarks]).frame(0.25) - expected).max() <= 0.51


def test_a_shifted_picture_is_shifted_half_as_far_half_way():
    """Where all landmarks move alike, so do the triangles between them: exactly, as half the shift is whole pixels."""
    picture, landmarks = face(1)
    shifted = moved(picture, landmarks, np.array([[1.0, 0, 8], [0, 1.0, -4]]))
    half = moved(picture, landmarks, np.array([[1.0, 0, 4], [0, 1.0, -2]]))
    frame = WarpMorph([picture, shifted[0]], [landmarks, shifted[1]]).frame(0.5)
    where = inside(half[1])
    assert where.sum() > 3000
    assert np.abs(frame.astype(int) - half[0])[where].max() <= 1
    assert np.abs(frame.astype(int) - picture)[where].mean() > 3


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_between_affine_images_lies_the_mean_affine_image(at):
    """Landmarks at p and at Mp are at ((1−t) + tM)p on the way, so the face is the first picture through that
    matrix."""
    picture, landmarks = face(3)
    matrix = np.array([[1.1, 0.15, -12.0], [-0.1, 0.95, 9.0]])
    other = moved(picture, landmarks, matrix)
    frame = WarpMorph([picture, other[0]], [landmarks, other[1]]).frame(at)
    expected = moved(picture, landmarks, (1 - at) * np.eye(2, 3) + at * matrix)
    difference = np.abs(frame.astype(int) - expected[0])[inside(expected[1])]
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) < 16


def test_a_spot_on_the_nose_moves_evenly(three):
    """The spot is at a landmark of two different faces, so in every frame it is at the landmark's place between
    them."""
    _, _, landmarks = three
    spots, nose = [], [points[30] for points in landmarks[:2]]
    for centre in nose:
        spot = np.zeros((SIZE, SIZE, 3), np.uint8)
        spots.append(
            cv2.circle(spot, np.rint(centre * 16).astype(int).tolist(), 48, (255, 255, 255), -1, cv2.LINE_AA, 4)
        )
    morph = WarpMorph(spots, landmarks[:2])
    places = []
    for at in np.linspace(0, 1, 11):
        light = morph.frame(at)[..., 0].astype(float)
        places.append([(light * axis).sum() / light.sum() for axis in np.meshgrid(np.arange(SIZE), np.arange(SIZE))])
        assert np.abs(places[-1] - ((1 - at) * nose[0] + at * nose[1])).max() < 0.7
    way = np.diff(places @ (nose[1] - nose[0]))
    assert np.linalg.norm(nose[1] - nose[0]) > 3
    assert (way > 0).all()


def test_repeats_are_bit_identical(three):
    morph, pictures, landmarks = three
    again = WarpMorph(pictures, landmarks)
    for at in (1.7, 0.3, 1.7):
        assert np.array_equal(morph.frame(at), again.frame(at))


def test_turned_round_it_is_the_same_morph(three):
    morph, pictures, landmarks = three
    back = WarpMorph(pictures[::-1], landmarks[::-1])
    difference = np.abs(morph.frame(0.25).astype(int) - back.frame(1.75))
    assert difference.max() <= 2


def test_near_a_whole_number_it_is_nearly_the_picture(three):
    morph, pictures, _ = three
    for at in (1 - 1e-6, 1 + 1e-6):
        assert np.abs(morph.frame(at).astype(int) - pictures[1]).max() <= 1


def test_neighbouring_frames_differ_little(three):
    morph, _, _ = three
    frames = [morph.frame(at).astype(int) for at in np.linspace(0, 2, 41)]
    steps = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    assert max(steps) < 0.2 * np.abs(frames[20] - frames[0]).mean()


def test_landmarks_outside_the_picture(three):
    """A chin below the picture counts as one on its last row."""
    _, pictures, landmarks = three
    low = landmarks[0] + np.float32([0, 70])
    assert (low[:, 1] > SIZE).any()
    frame = WarpMorph(pictures[:2], [low, landmarks[1]]).frame(0.5)
    assert np.array_equal(frame, WarpMorph(pictures[:2], [np.clip(low, 0, SIZE - 1), landmarks[1]]).frame(0.5))
    far = WarpMorph(pictures[:2], [landmarks[0] + 1000, landmarks[1] - 1000]).frame(0.5)
    assert far.shape == (SIZE, SIZE, 3)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: np.zeros_like(p),
        lambda p: p.mean(axis=0) + 0 * p,
        lambda p: p * (1, 0),
        lambda p: np.stack([p[:, 0]] * 2, 1),
        lambda p: p[::-1],
    ],
    ids=["in the corner", "in one point", "on the rim", "on a line", "in the wrong order"],
)
def test_landmarks_that_coincide_or_lie_on_a_line(three, spoil):
    _, pictures, landmarks = three
    spoilt = spoil(landmarks[0]).astype(np.float32)
    for pair in ([spoilt, landmarks[1]], [landmarks[0], spoilt], [spoilt, spoilt]):
        morph = WarpMorph(pictures[:2], pair)
        for at in (0.001, 0.5, 0.999):
            assert morph.frame(at).shape == (SIZE, SIZE, 3)


def test_triangles_without_area_are_left_out():
    points = np.array([[0, 0], [10, 0], [0, 10], [5, 0], [5, 0]], float)
    triangles = np.array([[0, 1, 3], [0, 1, 2], [2, 3, 4]])
    barycentric, kept = barycentric_maps(points, triangles)
    assert kept.tolist() == [[0, 1, 2]]
    assert np.allclose(barycentric[0] @ (2, 3, 1), (0.5, 0.2, 0.3))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.001, 0.999))
def test_every_pixel_comes_from_a_triangle_that_it_is_in(seed, at):
    """Of any landmarks, however the mesh folds; so no pixel comes from outside a picture, or from far off because a
    triangle is narrow."""
    rng = np.random.default_rng(seed)
    size = (30, 40)
    pair = [features(rng.uniform(-10, 45, (68, 2)).astype(np.float32), size) for _ in range(2)]
    picture = np.zeros((*size, 3), np.uint8)
    triangles = WarpMorph([picture, picture], [points[:68] for points in pair]).triangles[0]
    points = (1 - at) * pair[0] + at * pair[1]
    barycentric, kept = barycentric_maps(points, triangles)
    owner = owners(points, kept, barycentric, size)
    y, x = np.mgrid[: size[0], : size[1]]
    shares = np.einsum("hwij,hwj->hwi", barycentric[owner], np.stack([x, y, np.ones_like(x)], axis=-1))
    assert shares.min() > -1e-6
    for found, source in zip(lookup_maps(points, triangles, pair, size), pair, strict=True):
        assert found.shape == (2, *size)
        assert np.abs(found - np.einsum("hwi,hwic->chw", shares, source[kept[owner]])).max() < 1e-3
        assert found.min() > -1e-3
        assert (found.max(axis=(1, 2)) < np.array(size[::-1]) - 1 + 1e-3).all()


def test_pictures_need_not_be_square():
    rendered = [render(draw_puppet(seed)) for seed in (1, 3)]
    morph = WarpMorph([r.picture for r in rendered], [r.landmarks for r in rendered])
    frame = morph.frame(0.5)
    assert frame.shape == (218, 178, 3)
    mean = (rendered[0].landmarks + rendered[1].landmarks) / 2
    where = hull_mask(mean, (178, 218)) > 127
    plain = (rendered[0].picture.astype(float) + rendered[1].picture) / 2
    assert np.abs(frame - plain)[where].mean() > 1


@pytest.mark.parametrize("at", [-0.01, 2.01, float("nan"), float("inf"), -1])
def test_a_place_outside(three, at):
    with pytest.raises(ValueRangeError, match="from 0, its first picture, to 2, its last"):
        three[0].frame(at)


def test_what_is_no_morph(three):
    _, pictures, landmarks = three
    with pytest.raises(ValueError, match="two or more"):
        WarpMorph(pictures[:1], landmarks[:1])
    with pytest.raises(ValueError, match="two or more"):
        WarpMorph(pictures, landmarks[:2])
    with pytest.raises(ValueError, match="uint8"):
        WarpMorph([pictures[0], pictures[1][:-1]], landmarks[:2])
    with pytest.raises(ValueError, match="uint8"):
        WarpMorph([p.astype(np.float32) for p in pictures], landmarks)
    with pytest.raises(ValueError, match="landmarks"):
        WarpMorph(pictures[:2], [landmarks[0], landmarks[1][:5]])
    with pytest.raises(ValueError, match="landmarks"):
        WarpMorph(pictures[:2], [landmarks[0], np.full_like(landmarks[1], np.nan)])
