import cv2
import numpy as np
import pytest
import torch

from masque.edits.subject import as_photo, cut_subject, region_mask, set_attributes
from masque.errors import NoFaceError, PictureError, UnknownAttributeError, ValueRangeError
from masque.faces.detect import choose_face, find_faces
from masque.faces.frame import at_scale, chain, cut_frame, invert, scale_of, transform
from masque.faces.regions import FACE_CROP, HAIR_CROP, hull_mask
from masque.image import to_pictures, write_picture


@pytest.fixture(scope="module")
def subject(session, photos):
    return session.subject(photos["grace_hopper"])


def test_a_subject_is_the_papers_two_crops_of_the_photo(subject, photos):
    """Cut once more, straight from the photo: 178 pixels from (0, 20) and 118 from (30, 70) of the frame, at 32 px."""
    photo, size = photos["grace_hopper"], subject.size
    assert size == 32
    for crop, tensor in ((HAIR_CROP, subject.image), (FACE_CROP, subject.face_crop)):
        assert tensor.shape == (1, 3, size, size)
        step = crop.side / size
        blurred = cv2.GaussianBlur(photo, (0, 0), 0.35 * step * subject.frame.scale / scale_of(subject.frame.matrix))
        ours = to_pictures(tensor)[0].astype(int)
        errors = {}
        for beside in (0.0, -0.4, 0.4):  # in pixels of the crop
            x, y = (start + (np.arange(size) + 0.5 + beside) * step - 0.5 for start in (crop.left, crop.top))
            in_frame = at_scale(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2), subject.frame.scale)
            in_photo = transform(in_frame, invert(subject.frame.matrix)).reshape(size, size, 2)
            expected = cv2.remap(blurred, in_photo, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            seen = ((in_photo >= 0) & (in_photo <= np.array(photo.shape[1::-1]) - 1)).all(axis=2)
            errors[beside] = np.abs(ours - expected)[seen].mean()
        assert errors[0.0] < 11
        assert errors[0.0] < 0.8 * min(errors[-0.4], errors[0.4])


def test_matrix_and_landmarks_lead_into_x(subject):
    assert np.allclose(subject.landmarks, transform(subject.face.landmarks, subject.matrix))
    assert (subject.landmarks > 0).all()
    assert (subject.landmarks < subject.size).all()
    assert np.allclose(chain(subject.matrix, invert(subject.matrix)), np.eye(2, 3), atol=1e-9)
    eyes = subject.landmarks[36:48].mean(axis=0)
    assert np.abs(eyes - (at_scale(np.array([88.5, 111.2 - 20]), 32 / 178))).max() < 1


def test_hull_masks_lie_on_the_face(subject):
    for hull in (subject.image_hull, subject.face_hull):
        assert hull.shape == (1, 1, 32, 32)
        assert (hull.min(), hull.max()) == (0, 1)
    assert (region_mask(subject) == (255 * subject.image_hull[0, 0]).round().numpy()).all()
    # The face crop shows the same hull 178/118 times larger.
    ratio = float(subject.face_hull.sum() / subject.image_hull.sum())
    assert 0.75 * (178 / 118) ** 2 < ratio < 1.05 * (178 / 118) ** 2
    large = region_mask(subject, size=320)
    assert (
        np.abs(
            cv2.resize(large, (32, 32), interpolation=cv2.INTER_AREA) / 255 - subject.image_hull[0, 0].numpy()
        ).mean()
        < 0.05
    )
    both = region_mask(subject, subject.landmarks + 4)
    assert (both >= region_mask(subject)).all()
    assert both.sum() > 1.2 * region_mask(subject).sum()


def test_attributes_are_replaced_by_name(session, subject):
    c = session.estimate(subject)
    assert c.shape == (1, len(session.attributes))
    assert 0 <= float(c.min()) <= float(c.max()) <= 1
    asked = set_attributes(c, session.attributes, {"Smiling": 1, "Male": 0.25})
    expected = c.clone()
    expected[0, session.attributes.index("Smiling")], expected[0, session.attributes.index("Male")] = 1, 0.25
    assert torch.equal(asked, expected)
    assert not torch.equal(asked, c), "a copy"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("Smilng", "did you mean Smiling"), ("blond_hair", "did you mean Blond_Hair"), ("Zz", "Young")],
)
def test_unknown_attributes_are_answered_with_known_ones(session, subject, name, suggestion):
    with pytest.raises(UnknownAttributeError, match=f"no attribute {name}.*{suggestion}"):
        set_attributes(session.estimate(subject), session.attributes, {name: 1.0})


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
def test_values_outside_0_to_1_are_refused(session, subject, value):
    with pytest.raises(ValueRangeError, match=r"Smiling = .* is outside \[0, 1\]"):
        set_attributes(session.estimate(subject), session.attributes, {"Smiling": value})


def test_encoding_asks_for_attributes_of_one_part_at_a_time(session, subject):
    own, other = session.encode(subject), 1 - session.estimate(subject)
    face = session.encode(subject, c_face=other)
    assert torch.equal(face.xf, own.xf)
    assert torch.equal(face.xh, own.xh)
    assert torch.equal(face.ch, own.ch)
    assert not torch.equal(face.cf, own.cf)
    hair = session.encode(subject, c_hair=other)
    assert torch.equal(hair.cf, own.cf)
    assert not torch.equal(hair.ch, own.ch)


def test_nothing_leaks_between_face_and_hair(session, photos, subject, monkeypatch):
    """z_xf sees only the inside of the face mask and z_xh only the outside (Section 3.2)."""
    hull = hull_mask(subject.face.landmarks, photos["grace_hopper"].shape[1::-1])
    face, away = cv2.erode(hull, np.ones((45, 45))) > 0, cv2.dilate(hull, np.ones((61, 61))) == 0
    own = session.encode(subject)
    c = session.estimate(subject)
    for changed, same in ((face, "xh"), (away, "xf")):
        photo = photos["grace_hopper"].copy()
        photo[changed] = 255 - photo[changed]
        again = cut_subject(photo, subject.face, session.size)
        monkeypatch.setattr(session.model, "estimate", lambda _: c)  # C sees the whole picture; here it may not
        z = session.encode(again)
        assert torch.allclose(getattr(z, same), getattr(own, same), atol=1e-6)
        other = "xf" if same == "xh" else "xh"
        assert not torch.allclose(getattr(z, other), getattr(own, other), atol=1e-3)


def test_a_painted_face_is_located(session, photos):
    photo = photos["grace_hopper"]
    frame = cut_frame(photo, choose_face(find_faces(photo)).landmarks)
    painted = cv2.resize(frame.picture[20:198], (64, 64), interpolation=cv2.INTER_AREA)
    true = transform(frame.landmarks, HAIR_CROP.to_crop(64, 1.0))
    found = session.painted_landmarks(painted, true)
    between_eyes = np.linalg.norm(true[36:42].mean(axis=0) - true[42:48].mean(axis=0))
    assert np.linalg.norm(found - true, axis=1).mean() < 0.05 * between_eyes
    near = session.painted_landmarks(painted, true + 0.5)
    assert np.linalg.norm(near - found, axis=1).mean() < 0.02 * between_eyes, "where it is, not where it was expected"
    turned = (true - true.mean(axis=0)) @ np.array([[0, 1], [-1, 0]]) + true.mean(axis=0)
    assert session.painted_landmarks(painted, turned.astype(np.float32)) is None


def test_paths_and_arrays_are_the_same_photo(session, photos, tmp_path):
    photo = photos["astronaut"][20:320, 80:380]
    path = write_picture(tmp_path / "anna.png", photo)
    one, other = session.subject(photo), session.subject(str(path))
    assert torch.equal(one.image, other.image)
    assert (one.name, other.name) == ("the photo", "anna.png")
    flipped_view = session.subject(photo[:, ::-1])
    assert torch.equal(flipped_view.image, session.subject(photo[:, ::-1].copy()).image)


def test_arrays_that_are_no_photo_are_refused(photos):
    photo = photos["astronaut"]
    for wrong in (photo[..., 0], photo / 255.0, np.dstack([photo, photo[..., :1]]), photo.astype(np.uint16), photo[:0]):
        with pytest.raises(PictureError, match=r"is an array of .*: give RGB pixels as uint8"):
            as_photo(wrong)
    with pytest.raises(PictureError, match=r"There is no file .*anna\.png"):
        as_photo("/nowhere/anna.png")


def test_the_picked_face_is_taken(session, photos):
    both = np.full((512, 1024, 3), 90, np.uint8)
    both[:, :512], both[:, 512:] = photos["astronaut"], photos["grace_hopper"][:512]
    found = find_faces(both)
    for number, face in enumerate(found, start=1):
        assert session.subject(both, number).face.box == face.box
    assert session.subject(both).face.box == choose_face(found).box
    with pytest.raises(NoFaceError, match="no face number 9"):
        session.subject(both, 9)
