import cv2
import dlib
import numpy as np
import pytest

from masque.errors import NoFaceError
from masque.faces.detect import (
    SMALLEST_FACE,
    SURE_FROM,
    Face,
    _model_file,
    choose_face,
    find_faces,
    identity,
    landmarks_in,
)
from masque.image import read_picture


def resized(photo: np.ndarray, factor: float) -> np.ndarray:
    return cv2.resize(
        photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    )


def face(size: int, score: float) -> Face:
    return Face((0, 0, size, size), score, np.zeros((68, 2), np.float32))


# Where the faces are, by eye: middle between the eyes, in pixels of the sample photos.
@pytest.mark.parametrize(("name", "between_eyes"), [("astronaut", (228, 106)), ("grace_hopper", (263, 188))])
def test_both_sample_portraits_are_found(photos, name, between_eyes):
    found = choose_face(find_faces(photos[name]))
    eyes = found.landmarks[36:48].mean(axis=0)
    assert np.linalg.norm(eyes - between_eyes) < 0.1 * found.size
    left, top, width, height = found.box
    assert left < between_eyes[0] < left + width
    assert top < between_eyes[1] < top + height
    assert found.landmarks.shape == (68, 2)


def test_two_faces_side_by_side_the_surest_first(photos):
    small, large = photos["astronaut"], resized(photos["grace_hopper"], 0.7)[:400]
    both = np.full((512, 512 + large.shape[1], 3), 90, np.uint8)
    both[:, :512], both[:400, 512:] = small, large
    found = find_faces(both)
    scores = [f.score for f in found]
    assert scores == sorted(scores, reverse=True)
    middles = [f.landmarks[:, 0].mean() for f in found if f.score > SURE_FROM]
    assert sorted(m > 512 for m in middles) == [False, True]
    assert choose_face(found).landmarks[:, 0].mean() > 512, "the larger one is taken"


def test_pick_counts_from_one_in_the_order_found():
    faces = [face(50, 2.0), face(90, 1.0)]
    assert choose_face(faces) is faces[1]
    assert choose_face(faces, 1) is faces[0]
    assert choose_face(faces, 2) is faces[1]
    for wrong in (0, 3, -1):
        with pytest.raises(NoFaceError, match=f"no face number {wrong} in anna.jpg: 2 faces were found"):
            choose_face(faces, wrong, name="anna.jpg")
    with pytest.raises(NoFaceError, match="1 face was found"):
        choose_face(faces[:1], 2)
    with pytest.raises(NoFaceError, match=r"^No face was found in anna\.jpg: use a photo"):
        choose_face([], name="anna.jpg")


def test_an_unsure_find_is_not_taken_for_its_size():
    sure, badge = face(60, 1.2), face(200, 0.1)
    assert choose_face([sure, badge]) is sure
    assert choose_face([sure, badge], 2) is badge
    assert choose_face([badge]) is badge, "better an unsure face than none"


def test_a_face_below_40_pixels_is_refused_with_its_size(photos):
    small = resized(photos["astronaut"], 0.3)
    found = find_faces(small)
    assert 20 <= found[0].size < SMALLEST_FACE, "it is found, by doubling the photo"
    with pytest.raises(NoFaceError, match=rf"only {found[0].size} pixels wide and 40 are needed"):
        choose_face(found)
    assert choose_face([face(40, 1.0)]).size == 40


def test_nothing_is_found_where_nothing_is():
    assert find_faces(np.full((300, 200, 3), 128, np.uint8)) == []
    for shape in ((1, 1), (12, 12), (1, 5000), (5000, 1), (7, 2000)):
        assert find_faces(np.zeros((*shape, 3), np.uint8)) == []


def test_a_large_photo_gives_the_same_place_as_a_small_one(photos):
    photo = photos["astronaut"]
    small, large = choose_face(find_faces(photo)), choose_face(find_faces(resized(photo, 2500 / 512)))
    back = (large.landmarks + 0.5) * 512 / 2500 - 0.5
    between_eyes = np.linalg.norm(small.landmarks[36:42].mean(axis=0) - small.landmarks[42:48].mean(axis=0))
    assert np.linalg.norm(back - small.landmarks, axis=1).mean() < 0.05 * between_eyes


def test_a_small_face_in_a_large_photo_is_found_on_the_second_look(photos):
    wide = np.full((1800, 2500, 3), 127, np.uint8)
    wide[200:600, 300:700] = resized(photos["astronaut"], 400 / 512)
    found = choose_face(find_faces(wide))
    assert 300 < found.landmarks[:, 0].min() < found.landmarks[:, 0].max() < 700


def test_landmarks_move_with_the_photo(photos):
    photo = photos["grace_hopper"]
    found = choose_face(find_faces(photo))
    moved = cv2.copyMakeBorder(photo, 40, 0, 25, 0, cv2.BORDER_REPLICATE)
    left, top, width, height = found.box
    again = landmarks_in(moved, (left + 25, top + 40, width, height))
    assert np.abs(again - found.landmarks - (25, 40)).max() <= 1


@pytest.mark.parametrize("name", ["astronaut", "grace_hopper"])
def test_identity_is_what_dlibs_own_steps_give(photos, name):
    photo = photos[name]
    found = choose_face(find_faces(photo))
    left, top, width, height = found.box
    predictor = dlib.shape_predictor(_model_file("shape_predictor_68_face_landmarks.dat"))
    recogniser = dlib.face_recognition_model_v1(_model_file("dlib_face_recognition_resnet_model_v1.dat"))
    shape = predictor(photo, dlib.rectangle(left, top, left + width - 1, top + height - 1))
    chip = dlib.get_face_chip(photo, shape, size=150, padding=0.25)
    theirs = np.array(recogniser.compute_face_descriptor(chip))
    assert np.abs(identity(photo, found.landmarks) - theirs).max() < 1e-4


@pytest.mark.real
def test_two_pictures_of_one_person_are_nearer_than_two_people(shared_data):
    london = shared_data / "london"
    names = [p.name.split("_")[0] for p in sorted((london / "neutral_front").glob("*.jpg"))[:3]]
    embeddings = {}
    for folder in ("neutral_front", "smiling_front"):
        for name in names:
            photo = read_picture(next((london / folder).glob(f"{name}_*.jpg")))
            embeddings[name, folder] = identity(photo, choose_face(find_faces(photo)).landmarks)
    for name in names:
        same = np.linalg.norm(embeddings[name, "neutral_front"] - embeddings[name, "smiling_front"])
        assert same < 0.6
        for other in set(names) - {name}:
            assert same < np.linalg.norm(embeddings[name, "neutral_front"] - embeddings[other, "smiling_front"])
