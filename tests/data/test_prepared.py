"""The prepared format: what is written is read again, and a damaged folder is a plain sentence."""

from __future__ import annotations

import csv
import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from masque.data.prepared import (
    BACKGROUND,
    BEYOND,
    PERSON,
    VERSION,
    Row,
    open_prepared,
    read_map,
    write_frame,
    write_index,
)
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
        write_frame(
            tmp_path, row.file, smooth, generator.choice([PERSON, BACKGROUND, BEYOND], (109, 89)).astype(np.uint8)
        )
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
    with pytest.raises(DataError, match=r"not a prepared set.*masque prepare"):
        open_prepared(tmp_path)
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(DataError, match=r"was not finished.*masque prepare"):
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
        (
            lambda root: (root / "index.csv").write_text("file,source,identity,split,Male\n1,a,b,train,x\n"),
            "is damaged",
        ),
        (lambda root: (root / "landmarks.npy").write_bytes(b"\x93NUMPY"), "is damaged .*: prepare it again"),
        (
            lambda root: np.save(root / "landmarks.npy", np.zeros((2, 68, 2))),
            r"is damaged \(3 rows, landmarks of shape \(2, 68, 2\)\)",
        ),
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


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_map_with_wrong_bytes_is_read_or_refused(written, data):
    whole = (written / "masks" / "000001.png").read_bytes()
    path = written / "masks" / "spoilt.png"
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole)
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, max(0, len(content) - 1)), st.integers(0, 255)), max_size=6)
    ):
        content[place : place + 1] = bytes([value])
    path.write_bytes(content)
    try:
        read_map(path, (109, 89))
    except DataError as error:
        said = str(error)
    else:
        return
    assert said.isprintable()
    assert said.endswith(": prepare the set again.")


def test_a_set_may_be_moved(written, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "set"
    shutil.copytree(written, moved)
    assert open_prepared(moved).frame(2).shape == (109, 89, 3)


def index(text: str):
    return lambda root: (root / "index.csv").write_bytes(text.encode("utf-8", "surrogateescape"))


def line(file: str = "000001", split: str = "train", value: str = "1") -> str:
    return f"file,source,identity,split,Male\n{file},a,b,{split},{value}\n000003,a,b,test,\n000004,a,b,train,0.5\n"


def landmarks(value: float):
    def spoil(root: Path) -> None:
        points = np.load(root / "landmarks.npy")
        points[1, 3, 0] = value
        np.save(root / "landmarks.npy", points)

    return spoil


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (about("[" * 100_000), "prepared.json: it is no JSON: it is nested too deeply"),
        (about('{"version": 1, "version": 1, "scale": 0.5}'), "it says version twice"),
        (about('{"version": "1", "scale": 0.5}'), "it says no version"),
        (about('{"version": true, "scale": 0.5}'), "it says no version"),
        *(
            (about(f'{{"version": 1, "scale": {scale}}}'), "prepared.json: it")
            for scale in ("1e999", "NaN", "-1", "0", "9" * 400, '"a"')
        ),
        (
            lambda root: (root / "prepared.json").write_bytes(b'{"version": 1, "scale": 0.5, "source": "\xff"}'),
            "no text in UTF-8",
        ),
        (index(""), "the first line has to name file, source, identity, split"),
        (index(line().replace("Male", "split")), "the first line has to name"),
        (index(line().replace("000003", "000001")), "a picture stands in it twice"),
        (index(line(file="../000001")), "is no file's name"),
        (index(line(file="/etc/passwd")), "is no file's name"),
        (index(line(file="..")), "is no file's name"),
        (index(line(split="trian")), "the split of 000001 is trian"),
        *((index(line(value=value)), "Male of 000001 is") for value in ("nan", "inf", "1e400", "-1", "1.5")),
        (index(line(value="x" * 200_000)), "field larger than field limit"),
        (index(line(value='"')), "index.csv: "),
        (index(line() + "000009,a\n"), "index.csv: "),
        (index(line(value="\0")), "index.csv: "),
        (index(line(value="\x1b[2J")), r"\\x1b"),
        *((landmarks(value), "landmarks.npy: ") for value in (np.nan, np.inf, 1e9, -1e9)),
        (lambda root: np.save(root / "landmarks.npy", np.full((3, 68, 2), "a")), "landmarks.npy: "),
        (lambda root: (root / "landmarks.npy").write_bytes(b""), "landmarks.npy: "),
        (lambda root: (root / "landmarks.npy").write_bytes(b"PK\3\4junk"), "landmarks.npy: "),
    ],
)
def test_every_damage_is_one_sentence(written, damage, sentence):
    damage(written)
    with pytest.raises(DataError, match=sentence) as caught:
        open_prepared(written)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    assert str(caught.value).endswith(": prepare it again.")


def test_a_mark_of_byte_order_is_no_damage(written):
    for name in ("index.csv", "prepared.json"):
        (written / name).write_bytes(b"\xef\xbb\xbf" + (written / name).read_bytes())
    assert list(open_prepared(written).rows) == ROWS


def spoilt(size: tuple[int, int] = (89, 109), mode: str = "L", value: int = 0):
    return lambda path: Image.new(mode, size, (value,) * 3 if mode == "RGB" else value).save(path)


def as_gif(path: Path) -> None:
    """Too large for Pillow, too, as its header says."""
    path.write_bytes(b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\0\0" + bytes(30))


def declared(size: tuple[int, int]):
    """The picture with another size in its header, and the header's checksum put right."""

    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[16:24] = struct.pack(">II", *size)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        path.write_bytes(content)

    return change


@pytest.mark.parametrize(
    ("file", "damage", "sentence"),
    [
        ("images/000001.jpg", Path.unlink, "is damaged .There is no file .*prepare it again"),
        ("images/000001.jpg", lambda path: path.write_bytes(b"\xff\xd8"), "is damaged .*prepare it again"),
        ("images/000001.jpg", spoilt((90, 109), "RGB"), "is not 89×109 pixels, as its set says: prepare the set again"),
        ("masks/000001.png", spoilt((1, 1)), "is not 89×109 pixels"),
        (
            "masks/000001.png",
            spoilt(mode="RGB"),
            "is missing or damaged .it is not a palette picture.: prepare the set again",
        ),
        ("masks/000001.png", spoilt((9000, 9000), "1"), "is missing or damaged .it says that it has 9000×9000 pixels"),
        ("masks/000001.png", as_gif, "is missing or damaged .cannot identify image file"),
        ("masks/000001.png", declared((90_000, 90_000)), r"is missing or damaged \("),
        ("masks/000001.png", spoilt(value=3), "holds 3, which stands for nothing: prepare the set again"),
        ("labels/000001.png", spoilt((109, 89)), "is not 89×109 pixels"),
        ("labels/000001.png", spoilt(value=11), "holds 11, which stands for nothing"),
    ],
)
def test_pictures_and_maps_that_are_not_the_sets(written, file, damage, sentence):
    write_frame(
        written,
        "000001",
        np.zeros((109, 89, 3), np.uint8),
        np.zeros((109, 89), np.uint8),
        np.full((109, 89), 255, np.uint8),
    )
    opened = open_prepared(written)
    read = {"images": opened.frame, "masks": opened.mask, "labels": opened.labels}[file.split("/")[0]]
    assert read(0).shape[:2] == (109, 89)
    damage(written / file)
    with pytest.raises(DataError, match=sentence):
        read(0)
