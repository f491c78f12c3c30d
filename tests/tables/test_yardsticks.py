"""The yardsticks of edits on editors whose effects are known."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from masque.data.frames import FrameSet, load_frames
from masque.data.puppets import draw_puppet, render, true_edit
from masque.edits.result import Result
from masque.errors import DataError, NoFaceError, TooYoungError, UnknownAttributeError
from masque.faces.labels import LABELS
from masque.image import write_picture
from masque.metrics.two_sample import two_sample_auc
from masque.tables import edit_judged, edit_matte, edit_true, yardsticks
from masque.tables.edit_judged import measure_judged
from masque.tables.edit_matte import compare, labelled_frames, measure_matte
from masque.tables.edit_true import compare_pair, darkest_change, darkest_sector, ring_around, true_pairs
from masque.tables.held_out import held_out_frame

NAMES = ("Black_Hair", "Blond_Hair")


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    loaded = load_frames(["puppets:48"], 64, NAMES, labels="known")
    return replace(loaded, splits=("test",) * len(loaded))


def darker(picture: np.ndarray, where: np.ndarray, by: float = 40) -> np.ndarray:
    changed = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    changed[..., 0] = np.where(where, (changed[..., 0] + by) % 100, changed[..., 0])
    return np.clip(np.rint(255 * cv2.cvtColor(changed, cv2.COLOR_LAB2RGB)), 0, 255).astype(np.uint8)


def square(size: int = 200) -> np.ndarray:
    part = np.zeros((size, size), bool)
    part[50:150, 50:150] = True
    return part


def test_an_edit_of_the_part_alone_covers_it_and_spills_nothing() -> None:
    part, photo = square(), np.full((200, 200, 3), 120, np.uint8)
    known = np.ones_like(part)
    found = compare(photo, darker(photo, part), part, known, 1)
    assert (found["spill"], found["coverage"]) == (0, 1)
    assert compare(photo, photo, part, known, 1)["coverage"] == 0


def test_spill_counts_what_lies_beyond_a_rim_of_six_pixels() -> None:
    part, photo = square(), np.full((200, 200, 3), 120, np.uint8)
    known = np.ones_like(part)
    by_ten = np.zeros_like(part)
    by_ten[40:160, 50:150] = True  # ten rows above and ten below
    outside = 200 * 200 - 112 * 112
    spill = compare(photo, darker(photo, by_ten), part, known, 1)["spill"]
    assert spill == pytest.approx(2 * 4 * 100 / outside, rel=0.1)
    assert compare(photo, darker(photo, by_ten), part, known, 2)["spill"] == 0  # the rim is twelve pixels there
    known[:45] = known[155:] = False  # nobody has said what is there
    assert compare(photo, darker(photo, by_ten), part, known, 1)["spill"] == 0


def test_mattes_of_an_editor_that_knows_the_hair(frames: FrameSet) -> None:
    """One that darkens the frame's hair, and one that darkens everything."""
    hair = {frames.frames[k].tobytes(): frames.labels[k] == LABELS.index("hair") for k in range(len(frames))}
    exact = measure_matte(lambda p, _: darker(p, hair[p.tobytes()]), NAMES, frames)
    assert set(exact) == set(NAMES)
    for found in exact.values():
        assert 0 < found["spill"]["n"] < len(frames)  # those who have the colour already are left out
        assert found["spill"]["value"] < 1e-3
        assert found["coverage"]["value"] > 0.99
    everything = measure_matte(lambda p, _: darker(p, np.ones(p.shape[:2], bool)), NAMES, frames)
    assert everything["Blond_Hair"]["spill"]["value"] > 0.99


def test_frames_in_which_no_face_is_found_are_left_out(frames: FrameSet) -> None:
    def refuse(*_: object) -> np.ndarray:
        raise NoFaceError("none")

    assert measure_matte(refuse, NAMES, frames)["Black_Hair"]["spill"] == {"value": None, "n": 0, "interval": None}


def test_faces_that_read_too_young_are_left_out_and_counted(frames: FrameSet, monkeypatch) -> None:
    def refuse(photo: np.ndarray, _: object) -> np.ndarray:
        if photo.mean() > brightness:
            raise TooYoungError("too young")
        return photo

    monkeypatch.setattr(edit_judged, "two_sample_auc", lambda *_: edit_judged.NOTHING)
    held_out = [held_out_frame(frames, int(i)) for i in range(len(frames))]
    lacking = [one.frame.mean() for one in held_out if one.attributes["Blond_Hair"] < 0.5]
    brightness = float(np.median(lacking))
    judged = measure_judged(refuse, ("Blond_Hair",), held_out, lambda pictures: [{} for _ in pictures], 200)[
        "Blond_Hair"
    ]
    assert judged["refused"] == sum(one > brightness for one in lacking)
    assert judged["edit_success"]["n"] == len(lacking) - judged["refused"]


def test_age_has_no_strength_and_so_is_not_measured() -> None:
    editor = SimpleNamespace(family="own", attributes=("Hair", "Age", "Young"))
    assert yardsticks.edited_attributes(editor) == ("Young",)


def test_only_sets_with_label_maps_of_people_have_mattes(tmp_path: Path) -> None:
    assert labelled_frames(["puppets:12"], NAMES).labels is not None
    with pytest.raises(DataError, match="not a prepared set"):
        labelled_frames([str(tmp_path)], NAMES)


def test_a_parsers_own_label_maps_do_not_count(monkeypatch) -> None:
    def opened(parsed: bool, known: set[int]) -> SimpleNamespace:
        return SimpleNamespace(parsed_labels=parsed, indices=lambda _: np.arange(3), has_labels=known.__contains__)

    sets = {"parsed": opened(True, {0, 1, 2}), "bare": opened(False, set()), "some": opened(False, {1})}
    monkeypatch.setattr(edit_matte, "open_prepared", lambda folder: sets[str(folder)])
    assert labelled_frames(["parsed", "bare"], NAMES) is None
    assert not edit_matte.all_labelled(["puppets:3", "some"])
    sets["some"].has_labels = {0, 1, 2}.__contains__
    assert edit_matte.all_labelled(["puppets:3", "some"])


def test_judges_of_an_editor_that_paints_a_white_square(frames: FrameSet, monkeypatch) -> None:
    """Every edited picture shows it, so it is told from all real ones; the reader takes it for the attribute."""

    def edit(picture: np.ndarray, _: object) -> np.ndarray:
        marked = picture.copy()
        marked[40:60, 30:60] = 255
        return marked

    monkeypatch.setattr(edit_judged, "two_sample_auc", partial(two_sample_auc, epochs=6))
    held_out = [held_out_frame(frames, k) for k in range(len(frames))]
    men = [replace(one, attributes={"Male": float(k % 2)}, person=f"p{k}") for k, one in enumerate(held_out)]

    def sees(pictures: list[np.ndarray]) -> list[dict[str, float]]:
        return [{"Male": float((p[45:55, 35:55] == 255).all())} for p in pictures]

    found = measure_judged(edit, ("Male",), men, sees, count=20)["Male"]
    assert found["edit_success"]["value"] == 1
    assert found["edit_success"]["n"] == 20
    assert found["classifier_auc"]["edited"]["value"] > 0.9
    assert found["classifier_auc"]["untouched"]["value"] < 0.85


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A puppet, the same one with its mouth open, and the landmarks of both."""
    puppet = draw_puppet(7)
    before = render(puppet, 2)
    value = float(before.attributes["Mouth_Slightly_Open"] < 0.5)
    after = render(true_edit(puppet, "Mouth_Slightly_Open", value), 2)
    return before.picture, after.picture, before.landmarks, after.landmarks


def test_nothing_done_is_one_and_the_truth_nought(pair) -> None:
    photo, truth, landmarks, true_landmarks = pair
    nothing = compare_pair(photo, photo, truth, landmarks, landmarks, true_landmarks)
    assert nothing["distance_each"] == 1
    assert nothing["darkest"] == nothing["sector"] == 0
    assert nothing["skin"] == nothing["skin_before"]
    perfect = compare_pair(photo, truth, truth, landmarks, true_landmarks, true_landmarks)
    assert perfect["distance_each"] < 1e-4
    assert perfect["darkest"] == pytest.approx(perfect["darkest_true"], abs=0.5)
    assert perfect["skin"] < 1


def test_the_size_and_the_place_of_the_head_do_not_count(pair) -> None:
    photo, truth, landmarks, true_landmarks = pair
    moved = (1.25 * true_landmarks + [30, 10]).astype(np.float32)
    larger = cv2.warpAffine(truth, np.array([[1.25, 0, 30], [0, 1.25, 10]]), (600, 700)).astype(np.uint8)
    one = compare_pair(photo, photo, truth, landmarks, landmarks, true_landmarks)
    other = compare_pair(photo, photo, larger, landmarks, landmarks, moved)
    assert other["before"] == pytest.approx(one["before"], rel=1e-3)
    assert other["skin"] == pytest.approx(one["skin"], abs=0.3)


def test_a_shadow_at_the_lips_is_found_and_the_lips_own_is_not() -> None:
    lips = np.zeros((200, 200), bool)
    lips[90:110, 60:140] = True
    ring = ring_around(lips, 80)
    before = np.full((200, 200, 3), 60, np.float32)
    inside, beside = before.copy(), before.copy()
    inside[lips] -= 30
    beside[115:125, 90:110, 0] -= 12
    centre = np.array([100, 100], np.float32)
    assert darkest_sector(before, inside, ring, centre) == 0
    assert -12 < darkest_change(before, beside, ring, 2) < -8
    assert -12 < darkest_sector(before, beside, ring, centre) < -2
    assert not (ring & lips).any()


def put(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        write_picture(folder / name, np.zeros((8, 8, 3), np.uint8))
    return folder


def test_pictures_pair_by_name_or_by_what_stands_before_the_underscore(tmp_path: Path) -> None:
    a, b = put(tmp_path / "a", "001_03.png", "002_03.png"), put(tmp_path / "b", "001_08.png", "002_08.png")
    assert [(one.name, other.name) for one, other in true_pairs(a, b)] == [
        ("001_03.png", "001_08.png"),
        ("002_03.png", "002_08.png"),
    ]
    same = put(tmp_path / "c", "001_03.png", "002_03.png")
    assert [(one.stem, other.stem) for one, other in true_pairs(a, same)] == [("001_03",) * 2, ("002_03",) * 2]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("001_08.png",), "do not pair (of 002 there is one only)"),
        (("001_08.png", "002_08.png", "002_09.png"), "do not pair: give both"),
        ((), "holds no pictures"),
    ],
)
def test_pictures_that_do_not_pair(tmp_path: Path, names: tuple[str, ...], says: str) -> None:
    a, b = put(tmp_path / "a", "001_03.png", "002_03.png"), put(tmp_path / "b", *names)
    with pytest.raises(DataError) as raised:
        true_pairs(a, b)
    assert says in str(raised.value)


class Copying:
    """An editor that does nothing."""

    family = "copying"
    attributes = ("Hair", *NAMES)

    def edit(self, photo: np.ndarray, _: object) -> Result:
        return Result(photo, {})


def test_a_report_has_no_matte_without_label_maps_and_says_so(frames: FrameSet, monkeypatch) -> None:
    monkeypatch.setattr(yardsticks, "labelled_frames", lambda *_: None)
    monkeypatch.setattr(yardsticks, "all_labelled", lambda _: False)
    monkeypatch.setattr(yardsticks, "load_frames", lambda *_: frames)
    report = yardsticks.evaluate_yardsticks(Copying(), ["puppets:60"], lambda p: [{} for _ in p], count=5)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["notes"] == [yardsticks.NO_LABELS]
    assert set(report["attributes"]) == set(NAMES)  # a colour of choice has no strength
    assert all("matte" not in one for one in report["attributes"].values())
    assert yardsticks.NO_LABELS in yardsticks.as_text(report)


def test_true_pairs_of_an_editor_that_does_nothing(tmp_path: Path, pair, monkeypatch) -> None:
    photo, truth, landmarks, true_landmarks = pair
    for folder, picture in (("a", photo), ("b", truth)):
        (tmp_path / folder).mkdir()
        write_picture(tmp_path / folder / "1.png", picture)
    found = {photo.tobytes(): landmarks, truth.tobytes(): true_landmarks}
    monkeypatch.setattr(edit_true, "find_faces", lambda p: p)
    monkeypatch.setattr(edit_true, "choose_face", lambda p: Found(found[p.tobytes()]))
    monkeypatch.setattr(edit_true, "landmarks_in", lambda p, _: found[p.tobytes()])
    pairs = yardsticks.find_true_pairs(Copying(), (tmp_path / "a", tmp_path / "b"), "Black_Hair")
    report = yardsticks.evaluate_yardsticks(Copying(), (), lambda p: [{} for _ in p], pairs=pairs)
    assert report["attributes"]["Black_Hair"]["true"]["distance"]["value"] == 1
    assert "Black_Hair against 1 of 1 true pictures" in yardsticks.as_text(report)
    with pytest.raises(UnknownAttributeError, match="did you mean Black_Hair"):
        yardsticks.find_true_pairs(Copying(), (tmp_path / "a", tmp_path / "b"), "Blak_Hair")


class Found:
    """A face of which only the landmarks are asked."""

    box = (0, 0, 1, 1)

    def __init__(self, landmarks: np.ndarray) -> None:
        self.landmarks = landmarks
