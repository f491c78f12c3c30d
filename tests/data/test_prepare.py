"""Preparing: what is kept, what is dropped and why, and that nothing but the pictures and the settings decides the
result."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from masque.data import prepare as module
from masque.data.journal import PrepareSettings
from masque.data.measured import MEASURED
from masque.data.prepare import asymmetry, prepare
from masque.data.prepared import BACKGROUND, BEYOND, PERSON, open_prepared
from masque.data.puppets import draw_puppet, render
from masque.errors import DataError, OutputError, ValueRangeError
from masque.faces.detect import find_faces
from masque.faces.frame import TEMPLATE, align, at_scale, five_points, transform
from masque.image import read_picture, write_picture

DROPPED = {"not readable as a picture": 2, "no face found": 2, "face too small": 1}


def test_bad_pictures_are_counted_and_stop_nothing(prepared_folder):
    about = json.loads((prepared_folder / "prepared.json").read_text())
    assert (about["kept"], about["dropped"]) == (4, DROPPED)
    assert (about["scale"], about["frame"], about["size"]) == (0.5, [178, 218], 64)
    lines = [json.loads(line) for line in (prepared_folder / "journal.jsonl").read_text().splitlines()[1:]]
    reasons = {Path(line["source"]).name: line["dropped"] for line in lines if "dropped" in line}
    assert reasons == {
        "letter.jpg": "not readable as a picture",
        "cut.png": "not readable as a picture",
        "wall.png": "no face found",
        "dot.png": "no face found",
        "far.png": "face too small",
    }
    assert sorted(path.name for path in prepared_folder.iterdir()) == [
        "images",
        "index.csv",
        "journal.jsonl",
        "landmarks.npy",
        "masks",
        "prepared.json",
    ]


def test_prepared_json_is_strict_json(prepared_folder):
    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads((prepared_folder / "prepared.json").read_text(), parse_constant=refuse)


def test_kept_pictures_are_aligned_frames_in_the_order_of_their_names(prepared_folder, photo_folder):
    opened = open_prepared(prepared_folder)
    assert [row.source for row in opened.rows] == [f"puppet{seed}.png" for seed in (1, 3, 4, 6)]
    # 9 pictures, of which round(0.4 · 9) = 4 are held out: the last by name
    assert [row.split for row in opened.rows] == ["train", "test", "test", "test"]
    for index, row in enumerate(opened.rows):
        frame, mask = opened.frame(index), opened.mask(index)
        assert frame.shape == (109, 89, 3)
        assert mask.shape == (109, 89)
        assert np.abs(five_points(opened.landmarks[index]) - at_scale(TEMPLATE, 0.5)).mean() < 4
        photo = read_picture(photo_folder / row.source)
        found = find_faces(photo)[0].landmarks
        expected = transform(found, align(found, 0.5))
        assert np.abs(opened.landmarks[index] - expected).max() < 0.006  # the journal keeps hundredths
        assert set(np.unique(mask)) <= {PERSON, BACKGROUND, BEYOND}
        nose = np.rint(opened.landmarks[index][30]).astype(int)
        assert mask[nose[1], nose[0]] == PERSON
        assert mask[2, 2] != PERSON


def test_the_mask_knows_where_the_photo_ends(tmp_path, photo_folder):
    photo = read_picture(photo_folder / "puppet1.png")
    left = int(find_faces(photo)[0].landmarks[:, 0].min()) - 6
    source = tmp_path / "cropped"
    source.mkdir()
    write_picture(source / "a.png", np.ascontiguousarray(photo[:, left:]))
    prepare(source, tmp_path / "out", PrepareSettings(size=128, held_out=0), workers=1)
    opened = open_prepared(tmp_path / "out")
    x = int(opened.landmarks[0][:, 0].min())
    assert (opened.mask(0)[:, : x - 15] == BEYOND).all()
    assert (opened.mask(0)[60:160, x : x + 60] != BEYOND).all()


def test_attributes_are_measured_and_the_unmeasurable_stays_empty(prepared_folder):
    values = open_prepared(prepared_folder).attributes([*MEASURED, "Male", "Young"])
    assert np.isnan(values[:, -2:]).all()
    assert np.isfinite(values[:, :2]).all()
    assert ((values >= 0) & (values <= 1) | np.isnan(values)).all()


def test_one_worker_and_two_make_the_same_set(prepared_folder, photo_folder, tmp_path, same_folder):
    told = []
    report = prepare(
        photo_folder,
        tmp_path / "two",
        PrepareSettings(size=64, held_out=0.4),
        workers=2,
        progress=lambda *counts: told.append(counts),
    )
    assert same_folder(prepared_folder, tmp_path / "two") == []
    assert (report.kept, report.dropped, report.resumed) == (4, DROPPED, 0)
    assert told == [(done, 9) for done in range(1, 10)]


def test_a_finished_set_asked_for_again_stays_as_it_is(prepared_folder, photo_folder, tmp_path, same_folder):
    again = shutil.copytree(prepared_folder, tmp_path / "again")
    report = prepare(photo_folder, again, PrepareSettings(size=64, held_out=0.4), workers=1)
    assert report.resumed == 9
    assert same_folder(prepared_folder, again) == []


def interrupted(folder: Path, lines: int, rest: str) -> None:
    """As a process leaves the folder that was killed after so many journal lines."""
    journal = folder / "journal.jsonl"
    text = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(text[: 1 + lines]) + rest)
    for name in ("index.csv", "landmarks.npy", "prepared.json"):
        (folder / name).unlink()
    (folder / "images" / ".000009.jpg.4711.part").write_bytes(b"half")
    (folder / "masks" / ".000009.png.4711.part").write_bytes(b"half")
    (folder / ".index.csv.4711.part").write_bytes(b"half")


@pytest.mark.parametrize(("lines", "rest"), [(0, ""), (3, '{"number": 4, "dro'), (6, ""), (9, "")])
def test_an_interrupted_set_is_finished_as_if_nothing_had_happened(
    prepared_folder, photo_folder, tmp_path, same_folder, lines, rest
):
    again = shutil.copytree(prepared_folder, tmp_path / "again")
    interrupted(again, lines, rest)
    report = prepare(photo_folder, again, PrepareSettings(size=64, held_out=0.4), workers=1)
    assert report.resumed == lines
    assert same_folder(prepared_folder, again) == []


def test_a_set_killed_in_its_first_moment_can_be_started_again(photo_folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".journal.jsonl.4711.part").write_text('{"sou')
    assert prepare(photo_folder, out, PrepareSettings(size=64), workers=1, only=["puppet1.png"]).kept == 1
    assert not list(out.rglob("*.part"))


def test_resuming_never_leaves_half_a_journal(prepared_folder, photo_folder, tmp_path, monkeypatch):
    again = shutil.copytree(prepared_folder, tmp_path / "again")
    before = (again / "journal.jsonl").read_bytes()

    def killed(path: Path, content: bytes | str) -> None:
        with path.open("wb") as opened:
            opened.write((content if isinstance(content, bytes) else content.encode())[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", killed)
    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(photo_folder, again, PrepareSettings(size=64, held_out=0.4), workers=1)
    assert (again / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("changes", [{"size": 32}, {"held_out": 0.2}, {"most_turned": 4.0}, {"layout": "photos"}, {}])
def test_other_settings_are_refused_and_nothing_is_touched(
    prepared_folder, photo_folder, tmp_path, same_folder, changes
):
    again = shutil.copytree(prepared_folder, tmp_path / "again")
    settings = PrepareSettings(**({"size": 64, "held_out": 0.4} | changes))
    with pytest.raises(DataError, match="another source or with other settings"):
        prepare(photo_folder, again, settings, only=None if changes else ["puppet1.png"], workers=1)
    assert same_folder(prepared_folder, again) == []


POINTS = [[1.0, 2.0]] * 68


@pytest.mark.parametrize(
    "damaged",
    [
        '{"number"',
        "[]",
        "[" * 100_000,
        '{"number": 1}',
        '{"number": 0, "dropped": "x"}',
        '{"number": 10, "dropped": "x"}',
        '{"number": [1], "dropped": "x"}',
        '{"number": true, "dropped": "x"}',
        '{"number": 1, "dropped": 3}',
        json.dumps({"number": 1, "landmarks": POINTS[1:], "attributes": {}}),
        json.dumps({"number": 1, "landmarks": [*POINTS[1:], [1.0]], "attributes": {}}),
        json.dumps({"number": 1, "landmarks": [*POINTS[1:], ["a", "b"]], "attributes": {}}),
        json.dumps({"number": 1, "landmarks": [*POINTS[1:], [1e300, 0.0]], "attributes": {}}),
        json.dumps({"number": 1, "landmarks": [*POINTS[1:], [float("nan"), 0.0]], "attributes": {}}),
        json.dumps({"number": 1, "landmarks": POINTS, "attributes": {"Male": "yes"}}),
        json.dumps({"number": 1, "landmarks": POINTS, "attributes": {"Male": 2}}),
        json.dumps({"number": 1, "landmarks": POINTS, "attributes": []}),
        json.dumps({"number": 1, "landmarks": POINTS}),
    ],
)
def test_a_damaged_journal_is_a_plain_sentence(prepared_folder, photo_folder, tmp_path, damaged):
    again = shutil.copytree(prepared_folder, tmp_path / "again")
    journal = again / "journal.jsonl"
    journal.write_text(journal.read_text().splitlines()[0] + f"\n{damaged}\n")
    with pytest.raises(DataError, match=r"journal.jsonl is damaged: choose another folder, or delete"):
        prepare(photo_folder, again, PrepareSettings(size=64, held_out=0.4), workers=1)


def test_places_that_cannot_take_a_set(photo_folder, tmp_path):
    mine, file = tmp_path / "mine", tmp_path / "file"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    file.write_text("mine")
    for out, error, sentence in (
        (mine, DataError, "exists and is not a prepared set: choose a new folder"),
        (file, DataError, "exists and is not a prepared set: choose a new folder"),
        (file / "out", OutputError, "could not be "),
    ):
        with pytest.raises(error, match=sentence):
            prepare(photo_folder, out, workers=1)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "mine", "thesis.txt"]
    assert (file.read_text(), (mine / "thesis.txt").read_text()) == ("mine", "mine")


def test_a_set_without_any_face_says_why(photo_folder, tmp_path):
    with pytest.raises(DataError, match=r"None of the 2 pictures .*no face found: 1"):
        prepare(photo_folder, tmp_path / "out", PrepareSettings(held_out=0), workers=1, only=["wall.png", "letter.jpg"])


def test_only_takes_the_named_files(photo_folder, tmp_path):
    source = shutil.copytree(photo_folder, tmp_path / "source" / "deep").parent
    assert (
        prepare(
            source,
            tmp_path / "out",
            PrepareSettings(size=64, held_out=0),
            workers=1,
            only=["puppet3.png", "deep/puppet6.png", "no.png"],
        ).kept
        == 2
    )
    assert [row.source for row in open_prepared(tmp_path / "out").rows] == ["deep/puppet3.png", "deep/puppet6.png"]
    with pytest.raises(DataError, match="list of --only names no picture in"):
        prepare(source, tmp_path / "other", only=["no.png"])


def test_turned_faces_are_dropped_where_asked(photo_folder, prepared_folder, tmp_path):
    sides = [asymmetry(points) for points in open_prepared(prepared_folder).landmarks]
    *_, third, fourth = sorted(sides)
    limit = (third + min(fourth, third + 1)) / 2
    report = prepare(
        photo_folder, tmp_path / "out", PrepareSettings(size=64, held_out=0.4, most_turned=limit), workers=1
    )
    assert report.dropped == {**DROPPED, "turned away": 1}
    assert json.loads((tmp_path / "out" / "prepared.json").read_text())["most_turned"] == limit


def test_how_turned_a_face_is():
    points = np.zeros((68, 2), np.float32)
    points[2], points[14] = (10, 0), (50, 0)
    for nose, ratio in ((30, 1.0), (20, 3.0), (40, 3.0), (18, 4.0), (10, np.inf), (5, np.inf)):
        points[30] = (nose, 0)
        assert asymmetry(points) == pytest.approx(ratio)


def test_the_classifier_speaks_only_where_nobody_else_knows(prepared_folder, photo_folder, tmp_path, monkeypatch):
    shown = []

    def classify(frames):
        shown.append(frames)
        return [{"Smiling": 0.123, "Male": 0.25} for _ in frames]

    monkeypatch.setattr(module, "NETWORK_BATCH", 3)
    again = shutil.copytree(prepared_folder, tmp_path / "again")
    prepare(photo_folder, again, PrepareSettings(size=64, held_out=0.4), workers=1, classify=classify)
    before, after = open_prepared(prepared_folder), open_prepared(again)
    assert [len(frames) for frames in shown] == [3, 1]
    assert np.array_equal(shown[1][0], before.frame(3))
    np.testing.assert_array_equal(after.attributes(MEASURED), before.attributes(MEASURED))
    assert after.attributes(["Male"]).tolist() == [[0.25]] * 4


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two puppets in CelebA's frame, a picture of noise in which HOG sees nothing, and one of a wrong size."""
    root = tmp_path_factory.mktemp("celeba")
    images = root / "img_align_celeba"
    images.mkdir()
    for number, seed in enumerate((1, 3), start=1):
        write_picture(images / f"00000{number}.png", render(draw_puppet(seed)).picture)
    write_picture(images / "000003.png", np.random.default_rng(0).integers(0, 255, (218, 178, 3)).astype(np.uint8))
    write_picture(images / "000004.png", render(draw_puppet(4), 0.5).picture)
    lines = ["4", "Bald Male", *(f"00000{n}.png {'-1 1' if n % 2 else '1 -1'}" for n in range(1, 5))]
    (root / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    return root


def test_aligned_pictures_stay_where_they_are_with_their_official_attributes(celeba, tmp_path):
    report = prepare(celeba, tmp_path / "out", PrepareSettings(size=128), workers=1)
    assert report.dropped == {"not 178×218 as aligned CelebA pictures are": 1}
    opened = open_prepared(tmp_path / "out")
    assert [row.attributes for row in opened.rows] == [
        {"Bald": 0, "Male": 1},
        {"Bald": 1, "Male": 0},
        {"Bald": 0, "Male": 1},
    ]
    for index, seed in enumerate((1, 3)):
        truth = render(draw_puppet(seed))
        assert np.abs(opened.frame(index).astype(int) - truth.picture).mean() < 1.5  # JPEG, and no move
        assert np.abs(opened.landmarks[index] - truth.landmarks).mean() < 6
    assert (opened.mask(2) != BEYOND).all()


def test_aligned_pictures_at_another_scale_show_the_same_part(celeba, tmp_path):
    prepare(celeba, tmp_path / "out", PrepareSettings(size=64), workers=1)
    opened = open_prepared(tmp_path / "out")
    truth = render(draw_puppet(1)).picture.astype(float)
    halved = (truth[0::2, 0::2] + truth[1::2, 0::2] + truth[0::2, 1::2] + truth[1::2, 1::2]) / 4
    assert np.abs(opened.frame(0) - halved).mean() < 2


def test_a_full_disk_is_told_as_one_sentence(photo_folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    real_open = Path.open

    def no_room(path, mode="r", *arguments, **named):
        if path.name == "journal.jsonl" and mode == "a":
            return real_open(Path("/dev/full"), mode)
        return real_open(path, mode, *arguments, **named)

    monkeypatch.setattr(Path, "open", no_room)
    with pytest.raises(OutputError, match=r"journal.jsonl .*No space left on device"):
        prepare(photo_folder, out, PrepareSettings(size=64), workers=1)
    monkeypatch.undo()
    assert prepare(photo_folder, out, PrepareSettings(size=64), workers=1).kept == 4


@pytest.mark.parametrize("name", ["held_out", "most_turned"])
@pytest.mark.parametrize("value", [math.nan, -math.inf, -1.0])
def test_numbers_out_of_range_are_refused_before_anything_is_made(tmp_path, name, value):
    with pytest.raises(ValueRangeError, match="must be"):
        prepare(tmp_path, tmp_path / "out", PrepareSettings(**{name: value}))
    assert not (tmp_path / "out").exists()
