import json

import cv2
import numpy as np
import pytest
import torch

from masque.data.puppets import draw_puppet, render
from masque.edits.measures import changed_outside, drift, squared_distance
from masque.edits.person import edited_mask
from masque.edits.subject import find_subject, region_mask
from masque.errors import NoFaceError, UnknownAttributeError, ValueRangeError
from masque.faces.detect import find_faces
from masque.faces.frame import chain, invert
from masque.faces.paste import feathered_square, soften
from masque.faces.regions import hull_mask

LABELS_OF = {"hair": (10,), "person": range(1, 11)}


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b).max(axis=2)


@pytest.fixture(scope="module")
def photo(photos):
    return np.ascontiguousarray(photos["astronaut"][:300, 80:380])


@pytest.fixture(scope="module")
def subject(session, photo):
    return session.subject(photo)


@pytest.fixture
def unrecognised(monkeypatch):
    """Recognising faces takes most of an edit's time and decides no pixel."""
    for module in ("subject", "measures"):
        monkeypatch.setattr(f"masque.edits.{module}.identity", lambda *_: np.zeros(128, np.float32))


def paint_flat(session, subject, monkeypatch):
    """From here on the session paints this subject as a grey of 100, and as one of 140 when any attribute is asked
    for."""
    own = session.encode(subject)

    def compose(latents):
        as_it_is = torch.equal(latents.cf, own.cf) and torch.equal(latents.ch, own.ch)
        return [np.full((session.size, session.size, 3), 100 if as_it_is else 140, np.uint8)]

    monkeypatch.setattr(session, "compose", compose)


def in_photo(mask: np.ndarray, subject) -> np.ndarray:
    return cv2.warpAffine(mask, invert(subject.matrix), subject.photo.shape[1::-1], flags=cv2.INTER_LINEAR)


@pytest.mark.usefixtures("unrecognised")
def test_attributes_as_they_are_leave_every_pixel(session, photo, subject):
    values = dict(zip(session.attributes, session.estimate(subject)[0].tolist(), strict=True))
    for region in ("face", "hair", "both"):
        assert (session.edit(photo, values, region=region).picture == photo).all()
    assert (session.edit(photo, {}).picture == photo).all()


@pytest.mark.usefixtures("unrecognised")
def test_a_change_is_added_to_the_photo_where_its_region_is(session, photo, subject, monkeypatch):
    paint_flat(session, subject, monkeypatch)
    face = hull_mask(subject.face.landmarks, photo.shape[1::-1]) > 0
    well_inside, around = (
        cv2.erode(face.astype(np.uint8), np.ones((41, 41))) > 0,
        cv2.dilate(face.astype(np.uint8), np.ones((9, 9))) > 0,
    )
    square = in_photo(np.full((32, 32), 255, np.uint8), subject) > 0
    middle = cv2.erode((in_photo(edited_mask(subject, "both"), subject) == 255).astype(np.uint8), np.ones((9, 9))) > 0
    # 40 levels brighter, and no more than white.
    expected = np.clip(photo.astype(int) + 40, 0, 255)
    results = {
        region: session.edit(photo, {"Smiling": 0.77}, region=region).picture for region in ("face", "hair", "both")
    }
    assert np.abs(results["face"].astype(int) - expected)[well_inside].max() <= 1
    assert (results["face"][~around] == photo[~around]).all()
    assert (results["hair"][well_inside] == photo[well_inside]).all()
    hair = middle & ~cv2.dilate(around.astype(np.uint8), np.ones((25, 25))).astype(bool)
    assert np.abs(results["hair"].astype(int) - expected)[hair].max() <= 1
    assert np.abs(results["both"].astype(int) - expected)[middle].max() <= 1
    for result in results.values():
        assert (result[~square] == photo[~square]).all()


@pytest.mark.usefixtures("unrecognised")
def test_network_detail_shows_the_networks_picture(session, photo, subject, monkeypatch):
    paint_flat(session, subject, monkeypatch)
    shown = session.edit(photo, {"Smiling": 0.77}, detail="network").picture
    middle = cv2.erode((in_photo(edited_mask(subject, "both"), subject) == 255).astype(np.uint8), np.ones((9, 9))) > 0
    assert (shown[middle] == shown[middle][0]).all(), "one grey, shifted in colour to meet the photo"
    assert np.abs(shown[middle][0].astype(int) - 140).max() <= 24


def test_the_three_masks_share_out_the_square(subject):
    face, hair, both = (edited_mask(subject, region).astype(int) for region in ("face", "hair", "both"))
    assert np.abs(face + hair - both).max() <= 1
    hull = hull_mask(subject.landmarks, (32, 32))
    assert (face[hull == 0] <= 3).all(), "nothing of the face's mask lies outside the hull"
    nose = subject.landmarks[30].astype(int)
    assert (face[nose[1], nose[0]], hair[nose[1], nose[0]]) == (255, 0)


def test_an_edit_of_the_hair_leaves_the_wall_behind_it_alone():
    """On puppets, whose background is known exactly."""
    for seed in (1, 4, 6):
        made = render(draw_puppet(seed), 1.5)
        subject = find_subject(made.picture, 64)
        matrix = chain(invert(subject.matrix), np.eye(2, 3))
        mask = cv2.warpAffine(edited_mask(subject, "both"), matrix, made.picture.shape[1::-1]) / 255
        wall = cv2.erode(made.background, np.ones((15, 15))) > 127
        inner = cv2.erode(255 - made.background, np.ones((15, 15))) > 127
        top = slice(0, int(subject.face.landmarks[8, 1]))  # above the chin, where the square is not yet fading out
        assert mask[top][wall[top]].mean() < 0.15 < 0.6 < mask[top][inner[top]].mean()


def test_with_a_parser_an_edit_keeps_to_hair_and_skin():
    """On puppets, whose parts are known exactly: clothes are the person's to GrabCut, and hair ends at the neck to
    nobody but a parser."""
    for seed in (3, 8, 9):
        made = render(draw_puppet(seed), 1.5)
        subject = find_subject(made.picture, 128)
        parts = cv2.warpAffine(made.labels, subject.matrix, (128, 128), flags=cv2.INTER_NEAREST)
        known = np.stack([(parts == label).astype(np.float32) for label in range(11)])
        square = feathered_square(128).astype(float)
        hair, both = (edited_mask(subject, region, known) for region in ("hair", "both"))
        face = soften(region_mask(subject), 8) > 0
        for mask, inside in ((hair, parts == 10), (both, parts > 0)):
            around = (cv2.dilate(inside.astype(np.uint8), np.ones((11, 11))) == 0) & ~face
            middle = (cv2.erode(inside.astype(np.uint8), np.ones((5, 5))) > 0) & (square > 60)
            assert around.sum() > 500
            assert middle.sum() > 20
            assert mask[around].max() <= 2
            assert (mask[middle] / square[middle]).mean() > 0.93  # towards the square's own edge all fades out
        clothes = (parts == 0) & (cv2.warpAffine(made.background, subject.matrix, (128, 128), borderValue=255) == 0)
        clothes = cv2.erode(clothes.astype(np.uint8), np.ones((9, 9))) > 0
        assert both[clothes & ~face].max(initial=0) <= 2


def test_the_record_can_be_checked_with_numpy(session, photo, subject):
    result = session.edit(photo, {"Smiling": 1.0, "Blond_Hair": 0.8}, region="both")
    record = result.record
    assert json.loads(json.dumps(record)) == record
    assert set(record) == {
        "edit",
        "model",
        "size",
        "weights",
        "masque",
        "region",
        "detail",
        "attributes",
        "also",
        "inputs",
        "estimated",
        "identity_distance",
        "landmark_drift_percent",
        "changed_outside_face_percent",
    }
    assert record["attributes"] == {"Smiling": 1.0, "Blond_Hair": 0.8}
    assert record["estimated"].keys() == set(session.attributes)
    assert record["inputs"] == {"photo": {"photo": "the photo", "face": list(subject.face.box)}}
    outside = hull_mask(subject.face.landmarks, photo.shape[1::-1]) == 0
    changed = (difference(result.picture, photo) > 2) & outside
    assert record["changed_outside_face_percent"] == round(100 * changed.sum() / outside.sum(), 3)
    assert record["identity_distance"]["photo"] < 0.1, "an untrained network changes little"


def test_changes_of_rounding_are_not_counted(photo, subject):
    outside = hull_mask(subject.face.landmarks, photo.shape[1::-1]) == 0
    assert changed_outside(photo, subject) == 0
    assert changed_outside(np.clip(photo.astype(int) + 2, 0, 255).astype(np.uint8), subject) == 0
    half = photo.copy()
    half[:, :150] = np.where(photo[:, :150] > 127, photo[:, :150] - 3, photo[:, :150] + 3)
    assert changed_outside(half, subject) == pytest.approx(outside[:, :150].sum() / outside.sum())
    inside = photo.copy()
    inside[~outside] = 0
    assert changed_outside(inside, subject) == 0


def test_drift_and_distance_in_closed_form(subject):
    landmarks = subject.face.landmarks
    eyes = landmarks[36:42].mean(axis=0) - landmarks[42:48].mean(axis=0)
    assert drift(landmarks, landmarks) == 0
    assert drift(landmarks + eyes, landmarks) == pytest.approx(100, rel=1e-4)
    assert drift(landmarks + eyes[::-1] / 2, landmarks) == pytest.approx(50, rel=1e-4)
    assert squared_distance(np.array([3.0, 0.0], np.float32), np.array([0.0, 4.0], np.float32)) == 25


@pytest.mark.usefixtures("unrecognised")
def test_the_picked_face_alone_is_edited(session, photos, monkeypatch):
    small = cv2.resize(photos["grace_hopper"], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    both = np.full((300, 556, 3), 90, np.uint8)
    both[:, :300], both[:, 300:] = photos["astronaut"][:300, 80:380], small
    number = 1 + next(i for i, f in enumerate(find_faces(both)) if f.box[0] < 300)
    paint_flat(session, session.subject(both, number), monkeypatch)
    edited = session.edit(both, {"Young": 0.9}, region="face", pick=number).picture
    assert (edited[:, 300:] == both[:, 300:]).all()
    assert difference(edited, both)[:, :300].max() >= 39


def test_wrong_wishes_are_refused(session, photo):
    with pytest.raises(UnknownAttributeError, match="did you mean Blond_Hair"):
        session.edit(photo, {"Blonde": 1.0})
    with pytest.raises(ValueRangeError, match="Male = 2 is outside"):
        session.edit(photo, {"Male": 2})
    with pytest.raises(ValueRangeError, match="There is no region nose"):
        session.edit(photo, {"Male": 1}, region="nose")
    with pytest.raises(ValueRangeError, match="There is no detail kep; did you mean keep"):
        session.edit(photo, {"Male": 1}, detail="kep")
    with pytest.raises(NoFaceError):
        session.edit(np.zeros((100, 100, 3), np.uint8), {"Male": 1})
