"""The prepared format: what is written is read again, and a damaged folder is a plain sentence."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masque.data.prepared import BACKGROUND, BEYOND, PERSON, VERSION, Row, open_prepared, write_frame, write_index
from masque.errors import DataError

ROWS = [
    Row("000001", "a, b/π.jpg", 'Anna "Ann"', "train", {"Smiling": 0.25, "Male": 1.0}),
    Row("000003", "c.jpg", "", "test", {"Young": 0.0}),
    Row("000004", "d.jpg", "Bo", "validation", {}),
]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A small prepared set, written by hand."""
    generator = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for row in ROWS:
        smooth = np.linspace(0, 255, 109 * 89 * 3).reshape(109, 89, 3).astype(np.uint8)
        write_frame(tmp_path, row.file, smooth, generator.choice([PERSON, BACKGROUND, BEYOND], (109, 89)).astype(np.uint8))
    landmarks = generator.normal(50, 20, (3, 68, 2)).astype(np.float32)
    write_index(tmp_path, ROWS, landmarks, {"scale": 0.5, "kept": 3})
    return tmp_path


def test_round_trip(written):
    opened = open_prepared(written)
    generator = np.random.default_rng(0)
    masks = [generator.choice([PERSON, BACKGROUND, BEYOND], (109, 89)) for _ in ROWS]
    assert list(opened.rows) == ROWS
    assert opened.scale == 0.5
    assert opened.attribute_names == ("Smiling", "Male", "Young")
    assert np.array_equal(opened.landmarks, generator.normal(50, 20, (3, 68, 2)).astype(np.float32))
    for index, mask in enumerate(masks):
        assert np.array_equal(opened.mask(index), mask)
        smooth = np.linspace(0, 255, 109 * 89 * 3).reshape(109, 89, 3)
        assert np.abs(opened.frame(index) - smooth).max() < 6  # JPEG at quality 95
    assert opened.indices("train").tolist() == [0]
    assert opened.indices("test", "validation").tolist() == [1, 2]


def test_attributes_by_name_unknown_ones_as_nan(written):
    values = open_prepared(written).attributes(["Male", "Bald", "Smiling"])
    np.testing.assert_array_equal(values, [[1.0, np.nan, 0.25], [np.nan] * 3, [np.nan] * 3])
    assert values.dtype == np.float32
    assert open_prepared(written).attributes([]).shape == (3, 0)


def test_anyone_can_look_inside(written):
    with (written / "index.csv").open(newline="") as opened:
        rows = list(csv.reader(opened))
    assert rows[0] == ["file", "source", "identity", "split", "Smiling", "Male", "Young"]
    assert rows[1] == ["000001", "a, b/π.jpg", 'Anna "Ann"', "train", "0.25", "1", ""]
    assert rows[3] == ["000004", "d.jpg", "Bo", "validation", "", "", ""]
    with Image.open(written / "masks" / "000001.png") as mask:
        assert mask.mode == "P"
        assert len({tuple(pixel) for pixel in np.asarray(mask.convert("RGB")).reshape(-1, 3)}) == 3
    assert json.loads((written / "prepared.json").read_text()) == {"version": VERSION, "scale": 0.5, "kept": 3}
    assert np.load(written / "landmarks.npy").shape == (3, 68, 2)


def test_folders_that_are_no_prepared_set(tmp_path):
    with pytest.raises(DataError, match="is not a prepared set; make one with `masque prepare`"):
        open_prepared(tmp_path)
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(DataError, match="its preparation was not finished: give the same `masque prepare` command again"):
        open_prepared(tmp_path)


def about(text: str):
    return lambda root: (root / "prepared.json").write_text(text)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (about('{"version": 99}'), rf"prepared by a newer Masque \(version 99, known is {VERSION}\): update Masque"),
        (about("{"), "is damaged .*: prepare it again"),
        (about("[]"), "is damaged .*: prepare it again"),
        (about("{}"), "is damaged .*: prepare it again"),
        (about(f'{{"version": {VERSION}}}'), "is damaged .*scale.*: prepare it again"),
        (lambda root: (root / "index.csv").unlink(), "is damaged .*: prepare it again"),
        (lambda root: (root / "index.csv").write_text("file,split\n1,train\n"), "is damaged .*: prepare it again"),
        (lambda root: (root / "index.csv").write_text("file,source,identity,split,Male\n1,a,b,train,x\n"), "is damaged"),
        (lambda root: (root / "landmarks.npy").write_bytes(b"\x93NUMPY"), "is damaged .*: prepare it again"),
        (lambda root: np.save(root / "landmarks.npy", np.zeros((2, 68, 2))), r"is damaged \(3 rows, landmarks of shape \(2, 68, 2\)\)"),
        (lambda root: np.save(root / "landmarks.npy", np.array([{}] * 3), allow_pickle=True), "is damaged"),
    ],
)
def test_damaged_sets(written, damage, sentence):
    damage(written)
    with pytest.raises(DataError, match=sentence):
        open_prepared(written)


@pytest.mark.parametrize("left", [None, 0, 60])
def test_a_damaged_mask_is_a_plain_sentence(written, left):
    path = written / "masks" / "000003.png"
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:left])
    opened = open_prepared(written)
    assert opened.mask(0).shape == (109, 89)
    with pytest.raises(DataError, match=r"000003.png is missing or damaged .*: prepare the set again"):
        opened.mask(1)


def test_a_set_may_be_moved(written, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "set"
    shutil.copytree(written, moved)
    assert open_prepared(moved).frame(2).shape == (109, 89, 3)
