"""Readers of official layouts, on small folders laid out as the data sets' authors publish them."""

from __future__ import annotations

from pathlib import Path

import pytest

from masque.data.layouts import detect_layout, read_layout
from masque.errors import DataError


def make(root: Path, *names: str) -> Path:
    """Empty files: a layout is read from names and lists, never from pixels."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    """The official folders Img, Anno and Eval; four pictures are listed, of which one is not there."""
    make(tmp_path, *(f"Img/img_align_celeba/00000{n}.jpg" for n in (1, 2, 3)))
    signs = ["000001.jpg -1  1  1", "000002.jpg  1 -1  1", "000003.jpg  1  1 -1", "000004.jpg  1  1  1"]
    for name, lines in (
        ("Anno/list_attr_celeba.txt", ["4", "Smiling Male  Young", *signs]),
        ("Anno/identity_CelebA.txt", ["000001.jpg 2880", "000002.jpg 2937", "000003.jpg 2880"]),
        ("Eval/list_eval_partition.txt", ["000001.jpg 0", "000002.jpg 1", "000003.jpg 2"]),
    ):
        make(tmp_path, name)
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def test_celeba(celeba):
    assert detect_layout(celeba) == "celeba"
    first, second, third = read_layout(celeba)
    assert [s.path.name for s in (first, second, third)] == ["000001.jpg", "000002.jpg", "000003.jpg"]
    assert [s.split for s in (first, second, third)] == ["train", "validation", "test"]
    assert [s.identity for s in (first, second, third)] == ["2880", "2937", "2880"]
    assert first.attributes == {"Smiling": 0.0, "Male": 1.0, "Young": 1.0}
    assert third.attributes == {"Smiling": 1.0, "Male": 1.0, "Young": 0.0}
    assert all(s.aligned for s in (first, second, third))


def test_celeba_flat_and_without_the_lists_it_can_do_without(celeba, tmp_path):
    flat = tmp_path / "flat"
    make(flat, "img_align_celeba/000001.jpg", "img_align_celeba/000002.jpg")
    (flat / "list_attr_celeba.txt").write_text((celeba / "Anno" / "list_attr_celeba.txt").read_text())
    assert [(s.split, s.identity) for s in read_layout(flat)] == [("train", ""), ("train", "")]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "Anno/list_attr_celeba.txt",
            "1\nSmiling Male\n000001.jpg 1\n",
            "Line 3 of .* has 1 values for 2 attributes: fetch",
        ),
        ("Anno/list_attr_celeba.txt", "1\nSmiling\n000001.jpg 7\n", "Line 3 of .* has values other than -1 and 1"),
        ("Anno/list_attr_celeba.txt", "1\nSmiling\n000001.jpg yes\n", "Line 3 of .* has values other than -1 and 1"),
        ("Anno/list_attr_celeba.txt", "", "list_attr_celeba.txt is cut short"),
        (
            "Anno/identity_CelebA.txt",
            "000001.jpg 1\n000002.jpg\n",
            "Line 2 of .*identity_CelebA.txt has 1 columns, not 2",
        ),
        ("Eval/list_eval_partition.txt", "000001.jpg 3\n", "puts 000001.jpg into part 3, not 0, 1 or 2"),
        ("Eval/list_eval_partition.txt", "000001.jpg -1\n", "puts 000001.jpg into part -1, not 0, 1 or 2"),
        ("Eval/list_eval_partition.txt", "000001.jpg train\n", "puts 000001.jpg into part train"),
    ],
)
def test_damaged_lists_are_named_with_their_line(celeba, name, text, sentence):
    (celeba / name).write_text(text)
    with pytest.raises(DataError, match=sentence):
        read_layout(celeba)


def test_lists_that_are_no_text(celeba):
    (celeba / "Anno" / "list_attr_celeba.txt").write_bytes(b"\xff\xfe\x00pictures")
    with pytest.raises(DataError, match=r"list_attr_celeba.txt cannot be read as text"):
        read_layout(celeba)


def test_empty_lines_in_lists_do_no_harm(celeba):
    for name in ("Anno/list_attr_celeba.txt", "Anno/identity_CelebA.txt", "Eval/list_eval_partition.txt"):
        (celeba / name).write_text((celeba / name).read_text() + "\n\n")
    assert len(read_layout(celeba)) == 3


def test_lfw_is_unwrapped_and_people_are_held_out_by_name(tmp_path):
    people = [f"lfw/Person_{letter}/Person_{letter}_{n:04d}.jpg" for letter in "EDCBA" for n in (2, 1)]
    make(tmp_path, *people, "lfw/.hidden/x.jpg", "lfw/Person_A/readme.txt", "lfw/Person_A/.thumb.jpg")
    assert detect_layout(tmp_path) == "identities"
    found = read_layout(tmp_path, held_out=0.4)
    assert [s.path.name for s in found] == [f"Person_{letter}_000{n}.jpg" for letter in "ABCDE" for n in (1, 2)]
    assert {(s.identity, s.split) for s in found} == {
        (f"Person_{x}", "test" if x in "DE" else "train") for x in "ABCDE"
    }
    assert not any(s.aligned or s.attributes for s in found)
    assert {s.identity for s in read_layout(tmp_path, held_out=1) if s.split == "test"} == {"Person_E"}
    assert all(s.split == "train" for s in read_layout(tmp_path, held_out=0))


@pytest.mark.parametrize("held_out", [5, 0.95, 17])
def test_somebody_must_be_left_to_train_on(tmp_path, held_out):
    make(tmp_path, *(f"p{n}/a.jpg" for n in range(5)))
    with pytest.raises(DataError, match="of 5 leaves nothing to train on"):
        read_layout(tmp_path, held_out=held_out)


def test_utkface_names_give_age_and_gender(tmp_path):
    ages = (1, 30, 35, 50, 116)
    make(
        tmp_path, *(f"{age}_{number % 2}_{number % 5}_2017010{number}.jpg.chip.jpg" for number, age in enumerate(ages))
    )
    assert detect_layout(tmp_path) == "utkface"
    young = {int(s.path.name.split("_")[0]): s.attributes["Young"] for s in read_layout(tmp_path, held_out=0.2)}
    assert young == {1: 1.0, 30: 1.0, 35: 0.75, 50: 0.0, 116: 0.0}
    ages = {int(s.path.name.split("_")[0]): s.attributes["Age"] for s in read_layout(tmp_path, held_out=0.2)}
    assert ages == {1: 0.01, 30: 0.3, 35: 0.35, 50: 0.5, 116: 1.0}
    assert {s.attributes["Male"] for s in read_layout(tmp_path) if "_0_" in s.path.name[:5]} == {1.0}


def test_utkface_holds_out_the_same_pictures_of_all_ages(tmp_path):
    make(tmp_path, *(f"{age}_0_0_2017{number:04d}.jpg" for age in (5, 25, 45, 65) for number in range(50)))
    tested = {s.path.name for s in read_layout(tmp_path, held_out=0.25) if s.split == "test"}
    assert len(tested) == 50
    for age in (5, 25, 45, 65):
        assert 5 <= sum(name.startswith(f"{age}_") for name in tested) <= 20
    (tmp_path / "5_0_0_99999999.jpg").touch()
    more = {s.path.name for s in read_layout(tmp_path, held_out=0.25) if s.split == "test"}
    assert len(tested - more) <= 1  # one more picture moves the border by one at most


def test_of_the_named_pictures_a_share_is_held_out(tmp_path):
    """Not of all: the last ones by name may all be left out."""
    plain, people = tmp_path / "plain", tmp_path / "people"
    make(plain, "a.jpg", "b.jpg", "deep/c.jpg", "deep/d.jpg", "x.jpg", "y.jpg", "z.jpg")
    found = read_layout(plain, held_out=0.5, only=["a.jpg", "b.jpg", "deep/c.jpg", "d.jpg"])
    assert [(s.path.name, s.split) for s in found] == [
        ("a.jpg", "train"),
        ("b.jpg", "train"),
        ("c.jpg", "test"),
        ("d.jpg", "test"),
    ]
    make(people, "A/1.jpg", "B/2.jpg", "C/3.jpg", "D/4.jpg")
    found = read_layout(people, held_out=1, only=["1.jpg", "B/2.jpg"])
    assert [(s.identity, s.split) for s in found] == [("A", "train"), ("B", "test")]
    make(tmp_path / "faces", *(f"{age}_0_0_2017.jpg" for age in range(10, 20)))
    found = read_layout(tmp_path / "faces", held_out=1, only=["10_0_0_2017.jpg", "11_0_0_2017.jpg"])
    assert sorted(s.split for s in found) == ["test", "train"]


def test_plain_photos_in_any_depth(tmp_path):
    make(tmp_path, "b.PNG", "a.jpg", "holiday/c.webp", "holiday/deep/d.tif", "holiday/e.txt", ".f.jpg", "g.jpg.part")
    assert detect_layout(tmp_path) == "photos"
    found = read_layout(tmp_path, held_out=0.25)
    assert [s.path.name for s in found] == ["a.jpg", "b.PNG", "c.webp", "d.tif"]
    assert [s.split for s in found] == ["train", "train", "train", "test"]
    assert not any(s.identity for s in found)
    assert [s.split for s in read_layout(make(tmp_path / "one", "x.jpg"))] == ["train"]


def test_folders_of_photos_beside_photos_are_no_people(tmp_path):
    make(tmp_path, "a.jpg", "x/b.jpg", "y/c.jpg")
    assert detect_layout(tmp_path) == "photos"


def test_what_cannot_be_read(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for source, layout, sentence in (
        (tmp_path / "none", "auto", "There is no folder"),
        (empty, "auto", "There is no picture in"),
        (empty, "celeba", "lacks img_align_celeba or list_attr_celeba.txt"),
        (empty, "identities", "has no folders of people in it: the photos of each person"),
        (empty, "lfw", "There is no layout lfw: choose one of auto, celeba"),
    ):
        with pytest.raises(DataError, match=sentence):
            read_layout(source, layout)
