import math

import cv2
import numpy as np
import pytest
import skimage.transform
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.registration import phase_cross_correlation

from masque.faces.detect import choose_face, find_faces
from masque.faces.frame import (
    HEIGHT,
    TEMPLATE,
    WIDTH,
    align,
    at_scale,
    chain,
    cut_frame,
    extend_softly,
    five_points,
    frame_size,
    identity_matrix,
    inside_photo,
    invert,
    scale_of,
    transform,
    warp,
)


def similarity(turn: float, zoom: float, x: float, y: float) -> np.ndarray:
    c, s = zoom * math.cos(turn), zoom * math.sin(turn)
    return np.array([[c, -s, x], [s, c, y]])


similarities = st.builds(
    similarity, st.floats(-3, 3), st.floats(0.05, 20), st.floats(-3000, 3000), st.floats(-3000, 3000)
)


def landmarks_with(points: np.ndarray) -> np.ndarray:
    """68 landmarks whose eyes and mouth corners are the four points."""
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[36:42], landmarks[42:48], landmarks[48], landmarks[54] = points
    return landmarks


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_align_is_umeyamas_similarity(scale):
    rng = np.random.default_rng(0)
    for _ in range(20):
        landmarks = (rng.normal(size=(68, 2)) * 40 + rng.uniform(0, 2000, 2)).astype(np.float32)
        theirs = skimage.transform.SimilarityTransform.from_estimate(five_points(landmarks), at_scale(TEMPLATE, scale))
        assert np.allclose(align(landmarks, scale), theirs.params[:2], atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(similarities)
def test_a_face_that_is_the_template_moved_lands_on_it_exactly(matrix):
    points = TEMPLATE @ matrix[:, :2].T + matrix[:, 2]
    found = align(landmarks_with(points.astype(np.float64)))
    landed = five_points(landmarks_with(points)) @ found[:, :2].T + found[:, 2]
    # Landmarks are float32: their rounding grows with the coordinates and with the zoom back to the template.
    assert np.abs(landed - TEMPLATE).max() < 1e-6 * np.abs(points).max() / scale_of(matrix) + 1e-4


def test_a_mirrored_face_is_not_mirrored_back():
    mirrored = TEMPLATE * (-1, 1) + (500, 0)
    assert np.linalg.det(align(landmarks_with(mirrored))[:, :2]) > 0


@settings(max_examples=60, deadline=None)
@given(
    similarities,
    similarities,
    st.lists(st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000)), min_size=1, max_size=5),
)
def test_chain_and_invert_are_those_of_homogeneous_matrices(first, second, points):
    one, two = (np.vstack([m, [0, 0, 1]]) for m in (first, second))
    assert np.allclose(chain(first, second), (two @ one)[:2], rtol=1e-9, atol=1e-6)
    assert np.allclose(invert(first), np.linalg.inv(one)[:2], rtol=1e-9, atol=1e-6)
    assert np.allclose(chain(first, invert(first)), identity_matrix(), atol=1e-6)
    homogeneous = np.column_stack([np.array(points), np.ones(len(points))]) @ one.T
    assert np.allclose(transform(np.array(points), first), homogeneous[:, :2], rtol=1e-5, atol=1e-2)
    assert math.isclose(scale_of(first), math.sqrt(abs(np.linalg.det(one))), rel_tol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 8), st.floats(0.1, 8), st.floats(0, 178), st.floats(0, 218))
def test_scales_compose_and_keep_the_frames_edges(a, b, x, y):
    point = np.array([[x, y]])
    assert np.allclose(at_scale(at_scale(point, a), b), at_scale(point, a * b), atol=1e-6)
    assert np.allclose(
        at_scale([[-0.5, -0.5], [WIDTH - 0.5, HEIGHT - 0.5]], a), [[-0.5, -0.5], [WIDTH * a - 0.5, HEIGHT * a - 0.5]]
    )


def test_frames_of_every_scale_show_the_same_part(photos):
    photo = photos["grace_hopper"]
    landmarks = choose_face(find_faces(photo)).landmarks
    frames = {scale: cut_frame(photo, landmarks, scale) for scale in (0.5, 1.0, 2.0)}
    coarse = frames[0.5]
    for scale, frame in frames.items():
        assert frame.picture.shape == (*frame_size(scale)[::-1], 3)
        assert np.abs(frame.landmarks - at_scale(frames[1.0].landmarks, scale)).max() < 1e-3
        small = cv2.resize(frame.picture, frame_size(0.5), interpolation=cv2.INTER_AREA)
        inside = (slice(20, 95), slice(15, 75))
        shift, _, _ = phase_cross_correlation(
            small[inside].mean(axis=2), coarse.picture[inside].mean(axis=2), upsample_factor=50
        )
        assert np.abs(shift).max() < 0.1
        assert np.abs(small.astype(int) - coarse.picture)[coarse.valid].mean() < 5
        share = cv2.resize(frame.valid.astype(np.float32), frame_size(0.5), interpolation=cv2.INTER_AREA)
        assert np.abs(share - coarse.valid).mean() < 0.01


def photo_of_a_dot(place: np.ndarray, size: float) -> np.ndarray:
    """A Gaussian spot of light centred at `place`, to a fraction of a pixel, with its whole skirt in the photo."""
    across, down = (np.exp(-((np.arange(int(v + 5 * size) + 2) - v) ** 2) / (2 * size**2)) for v in place)
    return np.repeat(np.rint(255 * np.outer(down, across)).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("turn", "zoom", "scale"), [(0.0, 1.0, 1.0), (0.4, 2.7, 1.0), (-0.7, 0.6, 0.5), (0.2, 6.0, 2.0), (-0.1, 4.0, 0.25)]
)
def test_dots_come_back_within_half_a_pixel(turn, zoom, scale):
    """Photo -> frame by the pixels, frame -> photo by the inverse transform."""
    rng = np.random.default_rng(1)
    to_photo = similarity(turn, zoom, 400.0, 300.0)
    landmarks = landmarks_with(TEMPLATE @ to_photo[:, :2].T + to_photo[:, 2])
    size = 2.0 * max(1.0, zoom / scale)
    for _ in range(4):
        true = rng.uniform((45, 45), (WIDTH - 45, HEIGHT - 45)) @ to_photo[:, :2].T + to_photo[:, 2]
        frame = cut_frame(photo_of_a_dot(true, size), landmarks, scale)
        light = np.where(frame.valid, frame.picture[..., 0], 0).astype(float)
        rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
        centre = np.array([[(light * columns).sum(), (light * rows).sum()]]) / light.sum()
        assert np.linalg.norm(transform(centre, invert(frame.matrix))[0] - true) < 0.5


@pytest.mark.parametrize("shrink", [3, 8, 20])
def test_shrinking_does_not_alias(shrink):
    side = 64 * shrink
    board = (np.indices((side, side)).sum(axis=0) % 2 * 255).astype(np.uint8)
    matrix = np.array([[1 / shrink, 0, 0.5 / shrink - 0.5], [0, 1 / shrink, 0.5 / shrink - 0.5]])
    seen = warp(board, matrix, (64, 64)).astype(int)
    # An odd square of a checkerboard is off its mean by half a cell.
    assert np.abs(seen - 127.5).max() <= (1 if shrink % 2 == 0 else 128 / shrink**2 + 1)


def test_warp_agrees_with_skimage(photos):
    photo = cv2.GaussianBlur(photos["astronaut"], (0, 0), 1.5)
    for matrix in (similarity(0.2, 1.1, -60, -20), similarity(-0.35, 0.9, 30, 80), similarity(0.1, 1.9, -200, -100)):
        ours = warp(photo, matrix, (300, 260)).astype(float)
        inverse = skimage.transform.AffineTransform(matrix=np.vstack([invert(matrix), [0, 0, 1]]))
        theirs = 255 * skimage.transform.warp(photo, inverse, output_shape=(260, 300), order=1, mode="edge")
        assert np.abs(ours - theirs).mean() < 0.6


@pytest.mark.parametrize("factor", [0.3, 0.12])
def test_a_shrinking_warp_keeps_its_place(photos, factor):
    """Compared with skimage's warp of a photo that was blurred first."""
    photo = photos["astronaut"]
    matrix = similarity(0.3, factor, 40.0 * factor, 30.0 * factor)
    ours = warp(photo, matrix, (60, 50)).astype(float)
    inverse = skimage.transform.AffineTransform(matrix=np.vstack([invert(matrix), [0, 0, 1]]))
    blurred = skimage.filters.gaussian(photo, 0.4 / factor, channel_axis=2, mode="nearest")
    theirs = 255 * skimage.transform.warp(blurred, inverse, output_shape=(50, 60), order=1, mode="edge")
    here = np.abs(ours - theirs).mean()
    assert here < 4
    assert all(here < 0.7 * np.abs(np.roll(ours, step, axis) - theirs).mean() for step in (-1, 1) for axis in (0, 1))


def test_seen_mask_against_going_through_every_pixel():
    rng = np.random.default_rng(2)
    for _ in range(6):
        matrix = similarity(rng.uniform(-3, 3), rng.uniform(0.3, 2), *rng.uniform(-20, 40, 2))
        height, width = (int(v) for v in rng.integers(5, 40, 2))
        inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
        expected = np.zeros((30, 25), bool)
        for y in range(30):
            for x in range(25):
                u, v, _ = inverse @ (x, y, 1)
                expected[y, x] = -0.5 <= u <= width - 0.5 and -0.5 <= v <= height - 0.5
        assert (inside_photo((height, width), matrix, (25, 30)) == expected).all()
    assert inside_photo((218, 178), identity_matrix(), (178, 218)).all()


def noise(shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    return np.random.default_rng(3).integers(low, high + 1, shape).astype(np.uint8)


def test_softly_extended_pixels_stay_within_what_is_known():
    picture = noise((218, 178, 3), 60, 180)
    valid = inside_photo((150, 120), similarity(0.2, 1.0, 35, 30), (178, 218))
    picture[~valid] = cv2.warpAffine(picture, identity_matrix(), (178, 218))[~valid]
    filled = extend_softly(picture, valid)
    assert (filled[valid] == picture[valid]).all()
    assert filled.min() >= 60
    assert filled.max() <= 180
    assert filled[~valid].std() < 0.7 * picture[valid].std(), "it is softer than what it extends"


def test_nothing_is_mirrored_over_the_photos_edge():
    """A bright bar just under the photo's top must not appear again above it."""
    photo = np.full((400, 300, 3), 60, np.uint8)
    photo[30:40] = 250
    matrix = np.array([[1.0, 0, -60], [0, 1.0, 80]])
    frame = cut_frame(photo, np.zeros((68, 2), np.float32), matrix=matrix)
    assert not frame.valid[:80].any()
    assert frame.valid[80:].all()
    assert (frame.picture[110:120] == 250).all()
    assert frame.picture[:80].max() < 90
    mirrored = cv2.copyMakeBorder(photo, 80, 0, 0, 0, cv2.BORDER_REFLECT)
    assert mirrored[:80].max() == 250, "as mirroring would show"


def test_a_frame_wholly_beside_its_photo_is_still_a_picture():
    frame = cut_frame(
        np.full((50, 50, 3), 90, np.uint8), np.zeros((68, 2), np.float32), matrix=np.array([[1.0, 0, 900], [0, 1.0, 0]])
    )
    assert not frame.valid.any()
    assert (frame.picture == 90).all()
