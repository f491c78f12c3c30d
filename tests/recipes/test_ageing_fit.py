"""Prototypes of age and sex recover what people were made to differ by."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from masque.data.frames import FrameSet, load_frames
from masque.errors import DataError
from masque.faces.frame import similarity, transform
from masque.faces.mean_face import INNER, JAW, aligned, mean_shape, mirrored_shapes, with_forehead
from masque.image import Picture
from masque.models.ageing import AgeingConfig, age_terms
from masque.recipes.ageing import AgeingFit, AgeingTraining
from masque.recipes.ageing_donors import folds_and_lines, stubble
from masque.recipes.ageing_groups import Person, learn_averages

SIDE = 260


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    return load_frames(["puppets:48"], 64, ("Age", "Male", "Young"))


@pytest.fixture(scope="module")
def base(frames: FrameSet) -> np.ndarray:
    """A symmetric face of some 120 pixels in the middle of a picture."""
    shape = mean_shape(frames.landmarks)
    return (shape - shape.mean(axis=0)) * 0.95 + SIDE / 2


def people(base: np.ndarray, count: int = 60) -> list[Person]:
    """Whose jaws are wider by 1.5 pixels on each side for each decade, and 3 pixels wider on men."""
    rng = np.random.default_rng(0)
    side = np.sign(base[:, 0] - SIDE / 2) * (np.arange(68) < 17) * (np.abs(base[:, 0] - SIDE / 2) > 5)
    found = []
    for _ in range(count):
        age, male = float(rng.uniform(20, 80)), float(rng.integers(0, 2))
        landmarks = base.copy()
        landmarks[:, 0] += side * (1.5 * (age - 40) / 10 + 3 * male)
        found.append(Person(landmarks.astype(np.float32), age, male, np.array([60, 5, 10], np.float32)))
    return found


def picture_of(person: Person) -> Picture:
    """Grey, and darker below the mouth by 2 of lightness for each decade."""
    photo = np.full((SIDE, SIDE, 3), 60, np.float32) * (1, 0, 0)
    photo[round(float(person.landmarks[57, 1])) + 4 :, :, 0] -= 2 * (person.age - 40) / 10
    rgb = cv2.cvtColor(photo.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.rint(255 * np.clip(rgb, 0, 1)), dtype=np.uint8)


def test_shape_and_colour_of_age_and_sex_are_recovered(base: np.ndarray) -> None:
    known = people(base)
    found = learn_averages(known, lambda i: picture_of(known[i]))
    pixels = JAW / np.mean([np.linalg.norm(p.landmarks[16] - p.landmarks[0]) for p in known])
    older = np.tensordot(age_terms(70, 0) - age_terms(40, 0), found.shape, 1)
    np.testing.assert_allclose(older[[12, 4], 0], np.array([4.5, -4.5]) * pixels, atol=0.4)
    np.testing.assert_allclose(older[INNER], 0, atol=0.3)
    male = np.tensordot(age_terms(40, 1) - age_terms(40, 0), found.shape, 1)
    np.testing.assert_allclose(male[[12, 4], 0], np.array([3.0, -3.0]) * pixels, atol=0.6)  # ridge shrinks it
    colour = np.tensordot(age_terms(70, 0) - age_terms(40, 0), found.colour, 1)
    chin = (found.points[8] * 0.5 + found.points[57] * 0.5) / 2
    assert colour[int(chin[1]) + 2, int(chin[0]), 0] == pytest.approx(np.log(62 / 68), abs=0.03)
    assert np.abs(colour[55:58, 30:66]).max() < 0.02  # at the nose nothing differs
    assert found.used == len(known)


def test_faces_are_aligned_whatever_their_pose_in_the_plane(base: np.ndarray) -> None:
    turned = transform(base, np.array([[0.8, -0.6, 3.0], [0.6, 0.8, -7.0]]) * [[1, 1, 1]])
    shape = mean_shape(np.stack([base, turned]))
    both = aligned(np.stack([base, turned]).astype(float), shape)
    np.testing.assert_allclose(both[0], both[1], atol=1e-3)
    assert np.linalg.norm(shape[16] - shape[0]) == pytest.approx(JAW)
    middle = shape - [2 * shape[27, 0], 0] * np.array([0.5, 0])
    np.testing.assert_allclose(mirrored_shapes(middle), middle, atol=1e-6)
    assert with_forehead(shape)[68:].mean(axis=0)[1] < shape[17:27, 1].min()
    assert similarity(shape, shape) == pytest.approx(np.eye(2, 3))


def test_a_fold_that_all_donors_have_stays_and_shading_does_not() -> None:
    y = np.mgrid[0:448, 0:384][0].astype(np.float32)
    fold = -0.2 * np.exp(-np.square((y - 200) / 3))
    shading = 0.5 * np.sin(y / 120)
    folds, lines = folds_and_lines([shading + fold, 0.5 * shading + fold])
    assert folds[200, 100] < folds[300, 100] - 0.1
    assert abs(folds[300, 100]) < 0.03
    assert np.abs(lines).max() < 0.15 < np.abs(fold).max()
    assert np.abs(stubble(shading)).max() < 0.02


def test_the_reader_tells_who_is_older(frames: FrameSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an embedding that has the puppet's youth in its first number."""
    youth = {frame.tobytes(): value for frame, value in zip(frames.frames, frames.attributes[:, 2], strict=True)}

    def embedding(picture: Picture, _: np.ndarray) -> np.ndarray:
        return np.r_[youth[picture.tobytes()], np.zeros(127)].astype(np.float32)

    monkeypatch.setattr("masque.recipes.ageing.identity", embedding)
    monkeypatch.setattr("masque.recipes.ageing.RIDGE_READER", 1e-3)
    fit = AgeingFit(AgeingConfig(size=64), AgeingTraining())
    lines = fit.fit(frames, lambda _done, _of: None)
    reader = fit.model.prototypes.reader.numpy()
    assert reader[0, 0] + reader[1, 0] == pytest.approx(28, abs=0.5)
    assert reader[0, 0] == pytest.approx(62, abs=0.5)
    assert any("0.0 years" in line or "0.1 years" in line for line in lines)


def test_known_ages_go_before_youth_and_too_few_people_are_refused(frames: FrameSet) -> None:
    known = frames.attributes.copy()
    known[:, 0] = np.where(np.arange(len(frames)) < 5, 0.3, np.nan)
    fit = AgeingFit(AgeingConfig(size=64), AgeingTraining())
    with pytest.raises(DataError, match=r"5 are of known age and sex, and 16 .* add UTKFace"):
        fit.fit(replace(frames, attributes=known), lambda _done, _of: None)
