import json

import cv2
import numpy as np
import pytest

from masque.edits.subject import region_mask
from masque.errors import NoFaceError, PictureError, UnknownAttributeError, ValueRangeError
from masque.faces.detect import find_faces
from masque.faces.frame import invert, warp
from masque.faces.regions import hull_mask
from masque.image import write_picture


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b).max(axis=2)


def square_in_photo(subject) -> np.ndarray:
    """Where x lies in the photo, bool (H,W)."""
    return (
        cv2.warpAffine(
            np.full((subject.size,) * 2, 255, np.uint8), invert(subject.matrix), subject.photo.shape[1::-1], flags=0
        )
        > 0
    )


def turned(photo: np.ndarray, degrees: float) -> np.ndarray:
    height, width = photo.shape[:2]
    return cv2.warpAffine(
        photo,
        cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0),
        (width, height),
        borderMode=cv2.BORDER_REPLICATE,
    )


@pytest.fixture(scope="module")
def pair(photos):
    return photos["astronaut"][:300, 80:380], cv2.resize(
        photos["grace_hopper"], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
    )


@pytest.fixture
def unrecognised(monkeypatch):
    """Recognising faces takes most of an edit's time and decides no pixel."""
    for module in ("subject", "measures"):
        monkeypatch.setattr(f"masque.edits.{module}.identity", lambda *_: np.zeros(128, np.float32))


@pytest.fixture(scope="module")
def swapped(session, pair):
    return session.swap(*pair)


@pytest.mark.usefixtures("unrecognised")
def test_the_hair_photo_comes_back_whole_with_another_face(session, pair, swapped, monkeypatch):
    face, hair = pair
    assert swapped.picture.shape == hair.shape
    assert swapped.picture.dtype == np.uint8
    subject = session.subject(hair)
    hull = hull_mask(subject.face.landmarks, hair.shape[1::-1]) > 0
    assert difference(swapped.picture, hair)[hull].mean() > 10
    assert (swapped.picture[~square_in_photo(subject)] == hair[~square_in_photo(subject)]).all()
    # With no other face in the painted picture than the target's own, only the target's hull is stitched.
    monkeypatch.setattr(session, "painted_landmarks", lambda painted, expected: None)  # noqa: ARG005
    alone = session.swap(face, hair).picture
    around = cv2.dilate(hull.astype(np.uint8), np.ones((7, 7))) > 0
    assert (alone[~around] == hair[~around]).all()


@pytest.mark.usefixtures("unrecognised")
def test_the_new_face_has_the_face_photos_own_sharpness(session, pair):
    """A face that a network of 32 px paints is a blur; with its change added to the face photo's pixels it is not."""
    face, hair = pair
    subject = session.subject(hair)
    inside = cv2.erode(hull_mask(subject.face.landmarks, hair.shape[1::-1]), np.ones((31, 31))) > 0
    energy = {
        d: cv2.Laplacian(session.swap(face, hair, detail=d).picture.astype(np.float32), cv2.CV_32F)[inside].var()
        for d in ("keep", "network")
    }
    assert energy["keep"] > 20 * energy["network"]


@pytest.mark.parametrize("stitch", ["gradient", "none"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_face_swapped_with_itself_stays(session, pair, stitch, which):
    photo = pair[which]
    result = session.swap(photo, photo, stitch=stitch)
    assert difference(result.picture, photo).mean() < 1.5
    assert result.record["identity_distance"]["face"] == result.record["identity_distance"]["hair"] < 0.05
    assert result.record["landmark_drift_percent"] < 5


@pytest.mark.usefixtures("unrecognised")
def test_bare_swap_of_a_photo_with_itself_is_its_reconstruction(session, pair):
    """G(z_f(x), z_h(x)) is x' by definition; pasted, it may only be shifted in colour."""
    photo = pair[1]
    subject = session.subject(photo)
    reconstruction = session.compose(session.encode(subject))[0]
    result = session.swap(photo, photo, stitch="none", detail="network").picture
    # Enlarging blurs a little: both are compared as means over 3 × 3 pixels.
    shown, made = (
        cv2.blur(p.astype(float), (3, 3))[6:-6, 6:-6] for p in (warp(result, subject.matrix, (32, 32)), reconstruction)
    )
    assert ((shown - made).std(axis=(0, 1)) < 1.5).all()
    assert np.abs((shown - made).mean(axis=(0, 1))).max() < 25


@pytest.mark.usefixtures("unrecognised")
def test_attributes_that_are_there_already_change_nothing(session, pair, swapped):
    source = session.subject(pair[0])
    same = session.swap(*pair, attributes={})
    assert (same.picture == swapped.picture).all()
    other = session.swap(
        *pair,
        attributes={
            name: float(1 - v) for name, v in zip(session.attributes, session.estimate(source)[0], strict=True)
        },
    )
    assert (other.picture != swapped.picture).any()
    assert set(other.record["attributes"]) == set(session.attributes)


def test_paths_give_the_same_picture_as_arrays(session, pair, swapped, tmp_path):
    paths = [write_picture(tmp_path / f"{name}.png", photo) for name, photo in zip(("anna", "ben"), pair, strict=True)]
    from_paths = session.swap(*paths)
    assert (from_paths.picture == swapped.picture).all()
    assert from_paths.record["inputs"]["face"]["photo"] == "anna.png"
    without_names = [{k: v for k, v in r.record.items() if k != "inputs"} for r in (from_paths, swapped)]
    assert without_names[0] == without_names[1]


@pytest.mark.usefixtures("unrecognised")
def test_photos_given_as_arrays_are_not_written_to(session, pair):
    frozen = [p.copy() for p in pair]
    for photo in frozen:
        photo.setflags(write=False)
    for options in ({}, {"stitch": "none"}, {"detail": "network", "stitch": "none"}):
        assert session.swap(*frozen, **options).picture.flags.writeable, "the result is the user's own"
    assert all((a == b).all() for a, b in zip(pair, frozen, strict=True))


def test_the_record_says_what_was_done(session, swapped):
    record = swapped.record
    assert set(record) == {
        "edit",
        "model",
        "size",
        "weights",
        "masque",
        "stitch",
        "detail",
        "attributes",
        "inputs",
        "identity_distance",
        "landmark_drift_percent",
        "changed_outside_face_percent",
    }
    assert json.loads(json.dumps(record)) == record
    assert (record["edit"], record["model"], record["size"], record["weights"]) == (
        "swap",
        "rsgan",
        32,
        session.weights,
    )
    assert record["identity_distance"]["face"] < record["identity_distance"]["hair"], (
        "it now looks like the face photo's person"
    )


@pytest.mark.usefixtures("unrecognised")
def test_picked_faces_are_swapped_and_the_others_left(session, pair):
    both = np.full((300, 556, 3), 90, np.uint8)
    both[:, :300], both[:, 300:] = pair
    right = 1 + next(i for i, f in enumerate(find_faces(both)) if f.box[0] > 300)
    left = 1 + next(i for i, f in enumerate(find_faces(both)) if f.box[0] < 300)
    for pick, rest in ((left, slice(300, None)), (right, slice(0, 300))):
        result = session.swap(both, both, pick_face=3 - pick, pick_hair=pick)
        assert (result.picture[:, rest] == both[:, rest]).all()
        assert (result.picture != both).any()
    with pytest.raises(NoFaceError, match="no face number 7"):
        session.swap(both, both, pick_hair=7)


@pytest.mark.usefixtures("unrecognised")
def test_whole_crops_end_softly_also_where_the_photo_ends_inside_one_side(session, photos):
    """A tilted face near the photo's edge: x's left side is half beyond the photo. The half inside must not show as a
    line."""
    photo = np.ascontiguousarray(turned(photos["astronaut"], 10)[:400, 110:])
    subject = session.subject(photo)
    left_side = subject.frame.valid[:, 0]
    assert left_side.any(), "the test needs a side that is partly inside"
    assert not left_side.all(), "and partly beyond"
    result = session.swap(photos["grace_hopper"], photo, stitch="none", detail="network").picture
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    across, down = (row[0] * x + row[1] * y + row[2] for row in subject.matrix)
    along_the_side = (np.abs(across) < 0.5) & (down > 2) & (down < 29)
    assert along_the_side.sum() > 20
    assert difference(result, photo)[along_the_side].max() <= 20


@pytest.mark.usefixtures("unrecognised")
def test_a_face_at_the_photos_edge_meets_no_invented_pixels(session, photos):
    """The forehead is cut off: the frame is extended there, and nothing of that may come into the photo."""
    top = session.subject(photos["astronaut"]).face.landmarks[:, 1].min()
    photo = np.ascontiguousarray(photos["astronaut"][int(top) - 12 :, 60:420])
    subject = session.subject(photo)
    assert not subject.frame.valid[0].any()
    for options in ({}, {"stitch": "none"}):
        same = session.swap(photo, photo, **options).picture
        assert difference(same, photo).mean() < 1.5
        assert difference(same[:4], photo[:4]).mean() < 4
        other = session.swap(photos["grace_hopper"], photo, **options).picture
        assert other.shape == photo.shape


def test_the_mask_takes_in_both_faces(session, pair):
    """So that neither the old nouse nor the new chin sticks out of what is stitched."""
    subject = session.subject(pair[1])
    wide = subject.landmarks + np.float32([2.0, 0.0])
    mask = region_mask(subject, wide)
    either = np.maximum(hull_mask(wide, (32, 32)), hull_mask(subject.landmarks, (32, 32)))
    assert np.abs(mask.astype(int) - either).max() <= 16, "corners are rounded to sixteenths of a pixel"
    assert mask.sum() > 1.1 * region_mask(subject).sum()


def test_wrong_wishes_are_refused_before_any_work(session, pair):
    with pytest.raises(UnknownAttributeError, match="did you mean Smiling"):
        session.swap(*pair, attributes={"Smile": 1.0})
    with pytest.raises(ValueRangeError):
        session.swap(*pair, attributes={"Smiling": 1.5})
    with pytest.raises(ValueRangeError, match="no stitch gradent; did you mean gradient"):
        session.swap(*pair, stitch="gradent")
    with pytest.raises(ValueRangeError, match="no detail sharp"):
        session.swap(*pair, detail="sharp")
    with pytest.raises(NoFaceError, match=r"No face was found in the photo"):
        session.swap(pair[0], np.full((200, 200, 3), 99, np.uint8))
    with pytest.raises(PictureError):
        session.swap("/nowhere/at-all.jpg", pair[0])
