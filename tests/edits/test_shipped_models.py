"""The weights that come with Masque, each at its main task on two real photos in the public domain: a model that was
damaged, exchanged or fed the wrong way round does none of this."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import masque
from masque.catalog import model_folder
from masque.edits.estimate import attribute_estimator, face_features
from masque.edits.invert import Options
from masque.faces.detect import SURE_FROM, Face, find_faces, identity
from masque.faces.frame import cut_frame
from masque.faces.labels import LABELS, Labels
from masque.image import Picture, to_pictures
from masque.tables.facefeat import embedding_of_crop

HAIR = LABELS.index("hair")
LIPS = [LABELS.index("upper lip"), LABELS.index("lower lip")]
MOUTH = LABELS.index("mouth")
"""What an open mouth shows between the lips."""


@pytest.fixture(scope="module")
def astronaut(photos: dict[str, Picture]) -> Picture:
    """A woman with brown hair, laughing."""
    return photos["astronaut"]


@pytest.fixture(scope="module")
def admiral(photos: dict[str, Picture]) -> Picture:
    """An elderly woman in uniform, with closed lips and hair that is nearly black."""
    return photos["grace_hopper"]


@pytest.fixture(scope="module")
def labels(astronaut: Picture, admiral: Picture) -> dict[str, Labels]:
    parser = masque.load("parser")
    return {"astronaut": parser.parse(astronaut).labels, "admiral": parser.parse(admiral).labels}


def face_in(photo: Picture) -> Face:
    return find_faces(photo)[0]


def between_eyes(face: Face) -> float:
    """Pixels from eye to eye."""
    return float(np.linalg.norm(face.landmarks[36:42].mean(axis=0) - face.landmarks[42:48].mean(axis=0)))


def embedding(photo: Picture) -> NDArray[np.float32]:
    """By dlib's recogniser, which none of Masque's models was trained with."""
    return identity(photo, face_in(photo).landmarks)


def squared(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.square(a - b).sum())


def lab(photo: Picture) -> NDArray[np.float64]:
    """Lightness and the two colour axes, of 255 each."""
    return cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float64)


def mean_change(before: Picture, after: Picture, where: NDArray[np.bool_]) -> float:
    """Mean absolute difference of the pixels there, of 255."""
    return float(np.abs(after.astype(float) - before)[where].mean())


def test_a_swap_has_the_face_of_the_one_where_that_of_the_other_was(astronaut: Picture, admiral: Picture) -> None:
    swapper, before = masque.load("rsgan"), face_in(admiral)
    swapped, painted = (swapper.swap(astronaut, admiral, detail=detail).picture for detail in ("keep", "network"))
    for picture in (swapped, painted):  # the second as the networks paint it, without the photo's own pixels
        assert picture.shape == admiral.shape
        there = face_in(picture)
        assert there.score > SURE_FROM
        assert np.linalg.norm(there.landmarks - before.landmarks, axis=1).mean() < 0.15 * between_eyes(before)
    to_face, to_hair = (squared(embedding(swapped), embedding(photo)) for photo in (astronaut, admiral))
    assert to_face < to_hair
    assert to_face < 0.7 * squared(embedding(astronaut), embedding(admiral))


def test_hair_becomes_blond_or_black_and_all_else_stays(astronaut: Picture, labels: dict[str, Labels]) -> None:
    editor, hair = masque.load("ccagan"), labels["astronaut"] == HAIR
    blond, black = (editor.edit(astronaut, {name: 1.0}).picture for name in ("Blond_Hair", "Black_Hair"))
    lighter, darker = ((lab(edited) - lab(astronaut))[hair].mean(axis=0) for edited in (blond, black))
    assert lighter[0] > 20
    assert lighter[2] > 3  # more yellow
    assert darker[0] < -20
    for edited in (blond, black):
        assert mean_change(astronaut, edited, ~hair) < 1


def test_parts_of_a_face_are_found_where_its_landmarks_are(
    astronaut: Picture, admiral: Picture, labels: dict[str, Labels]
) -> None:
    for photo, found in ((astronaut, labels["astronaut"]), (admiral, labels["admiral"])):
        face = face_in(photo)
        near = 0.25 * between_eyes(face)
        for names, points in (
            (("left eye",), slice(36, 42)),
            (("right eye",), slice(42, 48)),
            (("left brow",), slice(17, 22)),
            (("right brow",), slice(22, 27)),
            (("nose",), slice(27, 36)),
            (("upper lip", "mouth", "lower lip"), slice(48, 68)),
        ):
            rows, columns = np.nonzero(np.isin(found, [LABELS.index(name) for name in names]))
            middle = np.array([columns.mean(), rows.mean()])
            assert np.linalg.norm(middle - face.landmarks[points].mean(axis=0)) < near, names
        left, top, width, height = face.box
        inside = found[top : top + height, left : left + width]
        assert (inside == LABELS.index("skin")).mean() > 0.4
        assert (found == HAIR).any()
        assert (found[:5, :5] == LABELS.index("background")).all()


def test_a_laughing_mouth_is_closed_as_the_others_is(
    astronaut: Picture, admiral: Picture, labels: dict[str, Labels]
) -> None:
    repainted = masque.load("portrait").repaint(astronaut, shape_from=admiral, part="mouth").picture
    own = labels["astronaut"]
    after = masque.load("parser").parse(repainted).labels
    assert (own == MOUTH).sum() > 0.5 * np.isin(own, LIPS).sum()
    assert (after == MOUTH).sum() < 0.1 * np.isin(after, LIPS).sum()
    around = cv2.dilate(np.isin(own, [*LIPS, MOUTH]).astype(np.uint8), np.ones((25, 25))) > 0
    assert mean_change(astronaut, repainted, around) > 2
    assert mean_change(astronaut, repainted, ~around) < 0.1


def test_hair_in_the_style_of_another_has_its_colour(
    astronaut: Picture, admiral: Picture, labels: dict[str, Labels]
) -> None:
    styled = masque.load("portrait").transfer(admiral, astronaut, part="hair").picture
    hair = labels["admiral"] == HAIR
    wanted, before = lab(astronaut)[labels["astronaut"] == HAIR].mean(axis=0), lab(admiral)[hair].mean(axis=0)
    assert np.linalg.norm(lab(styled)[hair].mean(axis=0) - wanted) < 0.5 * np.linalg.norm(before - wanted)
    assert mean_change(admiral, styled, ~hair) < 1


def test_a_photo_is_found_again_in_few_steps_and_no_other(astronaut: Picture, admiral: Picture) -> None:
    latents = masque.load("progan")
    found = latents.find(astronaut, Options(iterations=10, detail=0))
    (picture,) = latents.pictures(found.z[None])
    own, other = (
        float(np.sqrt(np.square(picture.astype(float) - to_pictures(latents.subject(photo).image)[0]).mean()))
        for photo in (astronaut, admiral)
    )
    assert own < 50  # of 255, root mean square
    assert own < 0.6 * other


def test_new_pictures_show_faces_and_are_of_the_photos_person(astronaut: Picture, admiral: Picture) -> None:
    """By a recogniser that had no part in training: the astronaut's new pictures are hers rather than the admiral's."""
    synthesizer = masque.load("facefeat")
    hers, the_admirals = (
        embedding_of_crop(to_pictures(synthesizer.subject(photo).image)[0]) for photo in (astronaut, admiral)
    )
    pictures = list(synthesizer.synthesize_pictures(astronaut, 8))
    drawn = np.stack([embedding_of_crop(picture) for picture in pictures])
    nearer = np.square(drawn - hers).sum(axis=1) < np.square(drawn - the_admirals).sum(axis=1)
    assert nearer.mean() > 0.7
    assert np.ptp(drawn, axis=0).max() > 0.05  # and not one picture eight times
    with_faces = [bool(find_faces(cv2.resize(picture, (256, 256)))) for picture in pictures]
    assert np.mean(with_faces) > 0.7


def frame_of(photo: Picture) -> Picture:
    return cut_frame(photo, face_in(photo).landmarks).picture


def test_a_person_is_known_again_in_other_light_size_and_direction(astronaut: Picture, admiral: Picture) -> None:
    extract, _ = face_features(model_folder("identity"))
    darker = (0.6 * astronaut).astype(np.uint8)
    smaller = cv2.resize(astronaut, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    photos = [astronaut, darker, smaller, mirrored, admiral]
    features = extract([frame_of(photo) for photo in photos])
    *same, other = (features[1:] - features[0]).square().sum(dim=1).tolist()
    assert max(same) < 0.4
    assert other > 1.0


def test_the_sex_and_age_of_both_are_read_off_their_faces(astronaut: Picture, admiral: Picture) -> None:
    classify = attribute_estimator(model_folder("attributes"))
    young, old = classify([frame_of(astronaut), frame_of(admiral)])
    assert max(young["Male"], old["Male"]) < 0.3
    assert young["Young"] > 0.5 > old["Young"]
