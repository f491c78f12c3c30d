"""Mixtures of two portraits: their ends, their shape and how sharp they are, and parts of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from masque.edits.mixing import ingredient
from masque.edits.subject import find_subject
from masque.faces.crop import HeadCrop, cut_head, moved_grid, own_size
from masque.faces.detect import eye_distance, landmarks_near
from masque.faces.frame import align
from masque.faces.head_mixture import Mixture, Proportions, bending
from masque.faces.head_parts import Ingredient, opacities
from masque.faces.labels import LABELS
from masque.loading import installed_parser

SIZE = 256


@pytest.fixture(scope="module")
def subjects(photos):
    return [find_subject(photo, 128) for photo in photos.values()]


@pytest.fixture(scope="module")
def mixture(subjects):
    parser = installed_parser()
    return Mixture([ingredient(subject, parser, SIZE) for subject in subjects])


def half(weight=0.5):
    return Proportions.all_of(np.array([1 - weight, weight]))


def sharpness(picture):
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    return np.abs(cv2.Laplacian(light, cv2.CV_64F)).mean()


@pytest.mark.parametrize("size", [64, 150, 512])
def test_ends_are_the_photos_resampled_once(subjects, size):
    """What OpenCV gives that is told, in one matrix, where the crop lies in the photo, or in its averaged areas."""
    for subject in subjects:
        zoom = size / 178
        frame = align(subject.face.landmarks)  # CelebA's 178 x 218, of which the crop is the rows from 20 on
        matrix = zoom * frame + [[0, 0, 0.5 * zoom - 0.5], [0, 0, zoom * (0.5 - 20) - 0.5]]
        photo, factor = subject.photo, np.sqrt(np.linalg.det(matrix[:, :2]))
        if factor < 1:
            height, width = photo.shape[:2]
            photo = cv2.resize(photo, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_AREA)
            ratio = np.array([width / photo.shape[1], height / photo.shape[0]])
            matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, 2] + matrix[:, :2] @ (0.5 * ratio - 0.5)])
        wanted = cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        crop = cut_head(subject.photo, subject.face.landmarks, size)
        inside = cv2.erode(crop.valid.astype(np.uint8), np.ones((7, 7)), borderValue=0) > 0
        assert inside.mean() > 0.5
        assert (crop.picture[inside] == wanted[inside]).mean() > 0.999
        assert np.abs(crop.picture[inside].astype(int) - wanted[inside]).max() <= 2


def test_a_mixture_of_one_is_that_one(mixture):
    for number, weight in enumerate((0.0, 1.0)):
        assert half(weight).one == number
        assert (mixture.mixed(half(weight)) == mixture.ingredients[number].crop.picture).all()
    assert half(0.3).one is None


def test_near_an_end_a_mixture_is_nearly_that_end(mixture):
    near = mixture.mixed(half(0.01))
    assert np.abs(near.astype(int) - mixture.ingredients[0].crop.picture).mean() < 3


@pytest.mark.parametrize("weight", [0.3, 0.5])
def test_landmarks_are_found_as_far_on_their_way_as_the_mixture_is(mixture, weight):
    first, last = (one.crop.landmarks for one in mixture.ingredients)
    found = landmarks_near(mixture.mixed(half(weight)), first + weight * (last - first))
    way, gone = (last - first).ravel(), (found - first).ravel()
    assert (gone @ way) / (way @ way) == pytest.approx(weight, abs=0.15)  # as the predictor finds them


def test_a_dot_on_a_landmark_goes_where_the_mixture_has_the_landmark(mixture):
    points = mixture.shape(half(0.4))
    own = mixture.ingredients[0].crop.landmarks
    assert np.allclose(points[:68], own + 0.4 * (mixture.ingredients[1].crop.landmarks - own), atol=1e-3)
    field = bending(points, mixture.points[0], SIZE)
    for number in (8, 30, 36, 45, 48, 54):
        dot = np.zeros((SIZE, SIZE), np.float32)
        dot[tuple(np.rint(own[number]).astype(int)[::-1])] = 1
        x, y = moved_grid(field, SIZE)
        moved = cv2.remap(cv2.GaussianBlur(dot, (0, 0), 2), x, y, cv2.INTER_LINEAR)
        at = np.unravel_index(moved.argmax(), moved.shape)[::-1]
        assert np.linalg.norm(at - points[number]) < 2


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.75])
def test_mixtures_are_as_sharp_as_their_photos(mixture, weight):
    ends = [sharpness(one.crop.picture) for one in mixture.ingredients]
    ratio = sharpness(mixture.mixed(half(weight))) / ((1 - weight) * ends[0] + weight * ends[1])
    assert 0.85 < ratio < 1.15


def test_mixtures_of_grey_pictures_are_grey(subjects):
    parser, mixed = installed_parser(), []
    for subject in subjects:
        light = cv2.cvtColor(subject.photo, cv2.COLOR_RGB2GRAY)
        grey = find_subject(np.repeat(light[..., None], 3, axis=2), 128)
        mixed.append(ingredient(grey, parser, 128))
    picture = Mixture(mixed).mixed(half())
    assert (picture == picture[..., :1]).all()


def test_one_outline_goes_from_one_head_to_the_other():
    """Disks as heads: half way there is one disk between both, and no trace of either's rim."""
    y, x = np.mgrid[0:128, 0:128]
    pictures = []
    for radius in (30, 50):
        inside = (x - 63.5) ** 2 + (y - 63.5) ** 2 < radius**2
        pictures.append(np.where(inside[..., None], 200, 40).astype(np.uint8).repeat(3, axis=2))
    landmarks = np.stack([64 + 20 * np.cos(np.arange(68)), 64 + 20 * np.sin(np.arange(68))], axis=1).astype(np.float32)
    mixture = Mixture([shown(picture, landmarks) for picture in pictures])
    row = mixture.mixed(half())[64, :, 0].astype(int)
    assert abs(int((row > 120).sum()) - 80) <= 3
    assert np.abs(row[:16] - 40).max() <= 6
    assert np.abs(row[30:98] - 200).max() <= 6


def shown(picture, landmarks):
    """A crop of which what is bright is face and all else is behind."""
    shares = np.zeros((len(LABELS), *picture.shape[:2]), np.float32)
    shares[1] = picture[..., 0] > 120
    shares[0] = 1 - shares[1]
    whole = np.ones(picture.shape[:2], bool)
    return Ingredient(HeadCrop(picture, landmarks, picture, np.eye(2, 3), whole), shares)


def test_what_no_picture_shows_is_not_shown_between_them():
    """One picture has hair beside a face, the other the wall: between them there is some of both, and no wider face."""
    x = np.arange(128)
    landmarks = np.stack([64 + 20 * np.cos(np.arange(68)), 64 + 20 * np.sin(np.arange(68))], axis=1).astype(np.float32)
    pictures = []
    for label, grey in ((10, 20), (0, 120)):
        labels = np.where(np.abs(x - 63.5) < 30, 1, label)
        row = np.where(labels == 1, 220, grey).astype(np.uint8)
        picture = np.broadcast_to(row[None, :, None], (128, 128, 3)).copy()
        shares = np.stack([np.broadcast_to(labels == number, (128, 128)) for number in range(11)]).astype(np.float32)
        crop = HeadCrop(picture, landmarks, picture, np.eye(2, 3), np.ones((128, 128), bool))
        pictures.append(Ingredient(crop, shares))
    row = Mixture(pictures).mixed(half())[64, :, 0]
    assert abs(int((row > 180).sum()) - 60) <= 5


def test_hair_beyond_the_photos_edge_has_no_shape():
    picture = np.full((64, 64, 3), 90, np.uint8)
    shares = np.zeros((11, 64, 64), np.float32)
    shares[10, :40] = shares[0, 40:] = 1
    valid = np.ones((64, 64), bool)
    valid[:20] = False
    crop = HeadCrop(picture, np.zeros((68, 2), np.float32), picture, np.eye(2, 3), valid)
    hair = Ingredient(crop, shares).distances[..., 2] > 0
    assert not hair[:18].any()
    assert hair[22:38].all()


def test_opacities_sum_to_one_and_hair_may_end_by_itself():
    distances = np.random.default_rng(0).normal(0, 0.02, (50, 3)).astype(np.float32)
    for apart in (False, True):
        assert np.allclose(opacities(distances, apart=apart).sum(axis=1), 1, atol=1e-5)
    outside = np.array([[-0.2, -0.3, -0.1]], np.float32)  # outside everything, hair being nearest
    assert opacities(outside)[0, 2] > 0.9
    assert opacities(outside, apart=True)[0, 2] < 0.1
    assert opacities(outside, apart=True)[0, 0] > 0.9


def test_a_crop_has_as_many_pixels_as_the_photo(subjects):
    for subject in subjects:
        size = own_size(subject.face.landmarks)
        eyes = eye_distance(cut_head(subject.photo, subject.face.landmarks, size).landmarks)
        assert eyes == pytest.approx(eye_distance(subject.face.landmarks), rel=0.01)
