import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from masque.edits.blend import CELL
from masque.edits.mixing import turned_apart
from masque.edits.random_parts import COLUMNS, SPREAD
from masque.errors import ValueRangeError
from masque.faces.frame import at_scale
from masque.faces.regions import hull_mask
from masque.loading import installed_parser

GAP = 2


@pytest.fixture(scope="module")
def photo(photos):
    return np.ascontiguousarray(photos["astronaut"][:300, 80:380])


@pytest.fixture(scope="module")
def other(photos):
    return cv2.resize(photos["grace_hopper"], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def cells(sheet: np.ndarray) -> list[np.ndarray]:
    rows, columns = ((n + GAP) // (CELL + GAP) for n in sheet.shape[:2])
    return [sheet[r * (CELL + GAP) :][:CELL, c * (CELL + GAP) :][:, :CELL] for r in range(rows) for c in range(columns)]


def enlarged(painted: np.ndarray) -> np.ndarray:
    return cv2.resize(painted, (CELL, CELL), interpolation=cv2.INTER_CUBIC)


def watched(session, monkeypatch) -> list:
    """The latents that the session composes from here on."""
    seen, compose = [], session.compose
    monkeypatch.setattr(session, "compose", lambda latents: seen.append(latents) or compose(latents))
    return seen


@pytest.mark.parametrize(("part", "count"), [("hair", 2), ("face", 4), ("hair", 7)])
def test_a_sheet_has_one_cell_more_than_asked(session, photo, part, count):
    sheet = session.random(photo, part, count=count).picture
    columns = min(COLUMNS, count + 1)
    rows = -(-(count + 1) // columns)
    assert sheet.shape == (rows * (CELL + GAP) - GAP, columns * (CELL + GAP) - GAP, 3)
    assert all(cell.std() > 1 for cell in cells(sheet)[: count + 1])
    assert all((cell == 255).all() for cell in cells(sheet)[count + 1 :])


def test_the_first_cell_is_the_photo_itself(session, photo):
    subject = session.subject(photo)
    first = cells(session.random(photo, "hair", count=1).picture)[0]
    eight_times = np.array([[8, 0, 3.5], [0, 8, 3.5], [0, 0, 1]])  # 32 px to 256
    to_cell = eight_times @ np.vstack([subject.matrix, [0, 0, 1]])
    back = cv2.warpAffine(first, np.linalg.inv(to_cell)[:2], photo.shape[1::-1])
    face = cv2.erode(hull_mask(subject.face.landmarks, photo.shape[1::-1]), np.ones((5, 5))) > 0
    assert np.abs(back.astype(int) - photo)[face].mean() < 3


def test_the_same_seed_draws_the_same_and_another_seed_others(session, photo):
    sheets = [session.random(photo, "hair", count=3, seed=seed) for seed in (5, 5, 6)]
    assert (sheets[0].picture == sheets[1].picture).all()
    for one, two in zip(cells(sheets[0].picture)[1:4], cells(sheets[2].picture)[1:4], strict=True):
        assert (one != two).any()
    drawn = cells(sheets[0].picture)[1:4]
    assert (drawn[0] != drawn[1]).any()
    more = cells(session.random(photo, "hair", count=5, seed=5).picture)
    assert all((a == b).all() for a, b in zip(more[:4], cells(sheets[0].picture)[:4], strict=True)), (
        "more of the same seed begin alike"
    )


@pytest.mark.parametrize(("part", "drawn", "stays"), [("hair", "xh", "xf"), ("face", "xf", "xh")])
def test_the_drawn_part_is_normal_and_the_other_is_the_photos(session, photo, monkeypatch, part, drawn, stays):
    own = session.encode(session.subject(photo))
    seen = watched(session, monkeypatch)
    session.random(photo, part, count=64, seed=1)
    many = seen[-1]
    for same in (stays, "cf", "ch"):
        assert torch.equal(getattr(many, same), getattr(own, same).expand(64, -1))
    z = getattr(many, drawn) / SPREAD
    assert z.shape == (64, getattr(own, drawn).shape[1])
    # 64 × Zx independent N(0,1): mean and variance within four standard errors.
    assert abs(float(z.mean())) < 4 / z.numel() ** 0.5
    assert abs(float(z.var()) - 1) < 4 * (2 / z.numel()) ** 0.5
    correlation = float((z[0] * z[1]).mean())
    assert abs(correlation) < 4 / z.shape[1] ** 0.5


@pytest.mark.parametrize("part", ["hair", "face"])
def test_the_part_that_stays_keeps_the_photos_pixels(session, photo, monkeypatch, part):
    """With a network whose picture never changes, the part that stays is the photo's and the drawn part is the
    network's."""
    painted = np.full((32, 32, 3), (10, 200, 60), np.uint8)
    monkeypatch.setattr(session, "compose", lambda latents: [painted] * len(latents.xf))
    subject = session.subject(photo)
    own, random = cells(session.random(photo, part, count=1).picture)[:2]
    hull = hull_mask(at_scale(subject.landmarks, CELL / 32).astype(np.float32), (CELL, CELL))
    within, beyond = cv2.erode(hull, np.ones((61, 61))) > 0, cv2.dilate(hull, np.ones((9, 9))) == 0
    photos_own, networks = (within, beyond) if part == "hair" else (beyond, within)
    assert (random[photos_own] == own[photos_own]).all()
    assert (random[networks] == (10, 200, 60)).all()


def test_a_strip_goes_from_one_reconstruction_to_the_other(session, photo, other):
    ends = [session.compose(session.encode(session.subject(p)))[0] for p in (photo, other)]
    strip = session.blend(photo, other, steps=5, detail="network").picture
    assert strip.shape == (CELL, 5 * (CELL + GAP) - GAP, 3)
    first, *_, last = cells(strip)
    assert np.abs(first.astype(int) - enlarged(ends[0])).max() <= 1
    assert np.abs(last.astype(int) - enlarged(ends[1])).max() <= 1


def cropped(photo: np.ndarray, session, size: int) -> np.ndarray:
    """A photo's hair crop, by OpenCV alone: no pixel is interpolated twice where it is enlarged."""
    factor = size / 32
    larger = np.array([[factor, 0, 0.5 * factor - 0.5], [0, factor, 0.5 * factor - 0.5]])
    to_size = larger @ np.vstack([session.subject(photo).matrix, [0, 0, 1]])
    return cv2.warpAffine(photo, to_size, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def test_a_strip_of_own_pixels_begins_and_ends_with_the_photos(session, photo):
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    strip = session.blend(photo, mirrored, steps=3, size=480).picture
    assert strip.shape == (480, 3 * (480 + GAP) - GAP, 3)
    for at, source in ((0, photo), (2, mirrored)):
        cell = strip[:, at * (480 + GAP) :][:, :480]
        inner = slice(100, 380)  # where the crop lies within the photo
        assert (cell[inner, inner] == cropped(source, session, 480)[inner, inner]).mean() > 0.999


def test_a_part_of_own_pixels_leaves_the_others(session, photo, other):
    session.parser = installed_parser()
    try:
        hair = cells_of(session.blend(photo, other, part="hair", steps=2, size=256).picture, 256)
        face = cells_of(session.blend(photo, other, part="face", steps=2, size=256).picture, 256)
    finally:
        session.parser = None
    assert (hair[0] == face[0]).all()
    eyes_to_mouth = np.s_[125:175, 95:160]
    assert np.abs(hair[1].astype(int) - hair[0])[eyes_to_mouth].mean() < 2
    assert np.abs(face[1].astype(int) - face[0])[eyes_to_mouth].mean() > 10
    wall = np.s_[:40, :60]
    assert np.abs(face[1].astype(int) - face[0])[wall].mean() < 2


def cells_of(strip: np.ndarray, size: int) -> list[np.ndarray]:
    return [strip[:, left : left + size] for left in range(0, strip.shape[1], size + GAP)]


def test_strips_are_as_large_as_faces_are_unless_asked(session, photo, other):
    largest = max(32 / np.linalg.norm(session.subject(p).matrix[:, 0]) for p in (photo, other))
    assert abs(session.blend(photo, other, steps=2).picture.shape[0] - largest) <= 2
    doubled = cv2.resize(photo, None, fx=4, fy=4)
    assert session.blend(doubled, photo, steps=2).picture.shape[0] == 512
    assert session.blend(photo, other, steps=2, size=64).picture.shape[0] == 64
    with pytest.raises(ValueRangeError, match="size is 63 and must be from 64 to 2048"):
        session.blend(photo, other, steps=2, size=63)
    with pytest.raises(ValueRangeError, match="leave out size"):
        session.blend(photo, other, steps=2, size=64, detail="network")


@pytest.mark.parametrize(
    ("part", "moving"), [("face", {"xf", "cf"}), ("hair", {"xh", "ch"}), ("both", {"xf", "cf", "xh", "ch"})]
)
def test_only_the_blended_part_moves_and_it_moves_in_a_straight_line(session, photo, other, monkeypatch, part, moving):
    a, b = (session.encode(session.subject(p)) for p in (photo, other))
    seen = watched(session, monkeypatch)
    session.blend(photo, other, part=part, steps=4, detail="network")
    for name in ("xf", "cf", "xh", "ch"):
        start, end, path = (
            getattr(z, name)[0].numpy() if z is not seen[-1] else z and getattr(z, name).numpy()
            for z in (a, b, seen[-1])
        )
        expected = np.linspace(start, end, 4) if name in moving else np.stack([start] * 4)
        assert np.allclose(path, expected, atol=1e-5)


def test_records_are_plain(session, photo, other):
    random, blend = session.random(photo, "hair", count=1, seed=3).record, session.blend(photo, other, steps=2).record
    for record in (random, blend):
        assert json.loads(json.dumps(record)) == record
    assert (random["edit"], random["part"], random["count"], random["seed"]) == ("random", "hair", 1, 3)
    assert (blend["edit"], blend["part"], blend["steps"], set(blend["inputs"])) == ("blend", "both", 2, {"a", "b"})


def test_faces_that_look_to_different_sides_get_a_note(session, photo):
    subject = session.subject(photo)
    landmarks = subject.face.landmarks.copy()
    width = landmarks[16, 0] - landmarks[0, 0]
    turned = []
    for side in (-0.35, 0.35):
        moved = landmarks.copy()
        moved[30, 0] += side * width  # the tip of the nose
        turned.append(replace(subject, face=replace(subject.face, landmarks=moved)))
    assert len(turned_apart(turned)) == 1
    assert "look to different sides" in turned_apart(turned)[0]
    assert turned_apart([turned[0], turned[0]]) == turned_apart([subject, turned[1]]) == []
    assert "notes" not in session.blend(photo, photo, steps=2).record


@pytest.mark.parametrize("count", [0, -1, 65])
def test_counts_out_of_range_are_refused(session, photo, count):
    with pytest.raises(ValueRangeError, match=f"count is {count} and must be from 1 to 64"):
        session.random(photo, "hair", count=count)


@pytest.mark.parametrize("seed", [-1, 10**12, 2**70])
def test_seeds_out_of_range_are_refused(session, photo, seed):
    with pytest.raises(ValueRangeError, match=f"seed is {seed} and must be from 0"):
        session.random(photo, "hair", seed=seed)


@pytest.mark.parametrize("steps", [1, 0, 65])
def test_steps_out_of_range_are_refused(session, photo, steps):
    with pytest.raises(ValueRangeError, match=f"steps is {steps} and must be from 2 to 64"):
        session.blend(photo, photo, steps=steps)


def test_unknown_parts_are_refused(session, photo):
    with pytest.raises(ValueRangeError, match="no part both"):
        session.random(photo, "both")
    with pytest.raises(ValueRangeError, match="no part nose"):
        session.blend(photo, photo, part="nose")
