"""CelebA and CelebAMask-HQ as people have them: as Kaggle gives them out, with lists that lack lines or are damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from text_files import write_lines

from masque.data.layouts import list_data_set, read_layout
from masque.errors import DataError
from masque.folders import HIDDEN, NO_PICTURE
from tiny import make

SIGNS = ["000001.jpg -1  1  1", "000002.jpg  1 -1  1", "000003.jpg  1  1 -1"]


def kaggle(root: Path, suffix: str = ".jpg", **form: object) -> Path:
    make(root, *(f"img_align_celeba/img_align_celeba/00000{n}{suffix}" for n in (1, 2, 3)))
    signs = ["image_id,Smiling,Male,Young", "000001.jpg,-1,1,1", "000002.jpg,1,-1,1", "000003.jpg,1,1,-1"]
    write_lines(root / "list_attr_celeba.csv", *signs, **form)
    write_lines(
        root / "list_eval_partition.csv", "image_id,partition", "000001.jpg,0", "000002.jpg,1", "000003.jpg,2", **form
    )
    write_lines(root / "list_bbox_celeba.csv", "image_id,x_1,y_1,width,height", "000001.jpg,95,71,226,313", **form)
    write_lines(root / "list_landmarks_align_celeba.csv", "image_id,lefteye_x,lefteye_y", "000001.jpg,69,109", **form)
    return root


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"mark": b"\xef\xbb\xbf"},
        {"ends": "\r\n"},
        {"mark": b"\xef\xbb\xbf", "ends": "\r\n"},
        {"suffix": ".png"},
        {"suffix": ".JPG"},
    ],
)
def test_celeba_as_kaggle_gives_it_out(tmp_path, form):
    found = list_data_set(kaggle(tmp_path, **form))
    assert found.layout == "celeba"
    assert [s.path.stem for s in found.sources] == ["000001", "000002", "000003"]
    assert [s.split for s in found.sources] == ["train", "validation", "test"]
    assert [s.attributes["Male"] for s in found.sources] == [1, 0, 1]
    assert all(s.aligned for s in found.sources)
    assert (found.official_split, found.people) == (True, 0)
    assert found.notes == [
        "There is no identity_CelebA.txt: who is on which picture is not known.",
        "list_landmarks_align_celeba.csv is not used: Masque finds 68 landmarks in each picture itself.",
    ]
    assert +found.left_out == {NO_PICTURE: 2}  # boxes and landmarks


def test_celeba_a_folder_too_deep_with_people(tmp_path):
    kaggle(tmp_path / "archive" / "CelebA")
    write_lines(tmp_path / "archive" / "CelebA" / "identity_CelebA.txt", "000001.jpg 7", "000002.jpg 9")
    found = list_data_set(make(tmp_path, "__MACOSX/a.jpg"))
    assert (found.layout, [s.identity for s in found.sources]) == ("celeba", ["7", "9", ""])
    assert "identity_CelebA does not say who is on 1 of the 3 pictures." in found.notes


def test_celeba_without_one_list_or_another_says_so(tmp_path):
    kaggle(tmp_path)
    (tmp_path / "list_attr_celeba.csv").unlink()
    found = list_data_set(tmp_path)
    assert (found.layout, [s.attributes for s in found.sources]) == ("celeba", [{}] * 3)
    assert "There is no list_attr_celeba.txt or .csv: attributes are measured." in found.notes
    kaggle(tmp_path)
    (tmp_path / "list_eval_partition.csv").unlink()
    found = list_data_set(tmp_path)
    assert {s.split for s in found.sources} == {"train"}
    assert any("the official split is not known, and all pictures are for training" in note for note in found.notes)


def test_celeba_counts_what_lists_and_folder_do_not_share(tmp_path):
    make(kaggle(tmp_path), "img_align_celeba/img_align_celeba/000009.jpg", "samples/x.jpg")
    (tmp_path / "img_align_celeba" / "img_align_celeba" / "000002.jpg").unlink()
    found = list_data_set(tmp_path)
    assert [s.path.name for s in found.sources] == ["000001.jpg", "000003.jpg"]
    assert +found.left_out == {
        "named in list_attr_celeba.csv and not in img_align_celeba": 1,
        "in img_align_celeba and not in list_attr_celeba.csv": 1,
        "outside img_align_celeba": 1,
        NO_PICTURE: 2,
    }


def test_a_line_that_stands_twice(tmp_path):
    kaggle(tmp_path)
    with (tmp_path / "list_attr_celeba.csv").open("a") as opened:
        opened.write("000001.jpg,-1,1,1\n")
    assert len(read_layout(tmp_path)) == 3
    with (tmp_path / "list_attr_celeba.csv").open("a") as opened:
        opened.write("000001.jpg,1,1,1\n")
    with pytest.raises(DataError, match=r"Line 6 of .*list_attr_celeba.csv .*000001.jpg again"):
        read_layout(tmp_path)


@pytest.mark.parametrize(
    "names", ["Smiling,Smiling", "Smiling,split", "Smiling,identity", "Smiling,Ma\x1b[2Jle", "file,Male"]
)
def test_attributes_that_a_prepared_set_cannot_name(tmp_path, names):
    kaggle(tmp_path)
    write_lines(tmp_path / "list_attr_celeba.csv", f"image_id,{names}", "000001.jpg,-1,1")
    with pytest.raises(DataError, match=r"list_attr_celeba.csv cannot name an attribute") as caught:
        read_layout(tmp_path)
    assert str(caught.value).isprintable()


def test_lines_that_a_table_program_has_made_longer(tmp_path):
    kaggle(tmp_path)
    lines = ("image_id,Smiling,Male,,", '"000001.jpg", -1 ,1,,', "000002.jpg,1,-1,,", ",,,,", "000003.jpg,1,1,,")
    write_lines(tmp_path / "list_attr_celeba.csv", *lines)
    assert [s.attributes["Male"] for s in read_layout(tmp_path)] == [1, 0, 1]


def test_a_prepared_set_is_no_data_set(tmp_path):
    make(tmp_path, "images/000001.jpg", "masks/000001.png", "prepared.json")
    with pytest.raises(DataError, match="is a prepared set already"):
        read_layout(tmp_path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x.jpg", "a/b.jpg", "a\\b.jpg", "..", "a\x1bb.jpg", "x" * 300])
@pytest.mark.parametrize("file", ["list_attr_celeba.txt", "identity_CelebA.txt", "list_eval_partition.txt"])
def test_names_that_could_lead_elsewhere(tmp_path, file, name):
    make(tmp_path, "img_align_celeba/000001.jpg")
    write_lines(tmp_path / "list_attr_celeba.txt", "1", "Smiling", "000001.jpg 1")
    write_lines(tmp_path / file, *(["2", "Smiling"] if "attr" in file else []), "000001.jpg 1", f"{name} 1")
    with pytest.raises(
        DataError, match=rf"Line \d of .*{file} names .*, which is no name of a file: fetch the list again"
    ) as caught:
        read_layout(tmp_path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", [b"\xff\xfe0\x000\x00", b"\xfe\xff\x000", b"1\nSmiling\n0000\x0001.jpg 1\n"])
def test_lists_in_utf_16_are_refused(tmp_path, content):
    make(tmp_path, "img_align_celeba/000001.jpg")
    (tmp_path / "list_attr_celeba.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read as text.*UTF-8"):
        read_layout(tmp_path)


def test_lists_and_pictures_that_are_pipes_block_nothing(tmp_path):
    kaggle(tmp_path)
    (tmp_path / "list_eval_partition.csv").unlink()
    os.mkfifo(tmp_path / "list_eval_partition.csv")
    os.mkfifo(tmp_path / "img_align_celeba" / "img_align_celeba" / "000004.jpg")
    assert len(read_layout(tmp_path)) == 3


def celebamask(root: Path) -> Path:
    masks = [f"CelebAMask-HQ-mask-anno/0/{n:05d}_{part}.png" for n in range(3) for part in ("skin", "nose")]
    return make(root, *(f"CelebA-HQ-img/{n}.jpg" for n in range(3)), *masks)


def test_celebamask_with_all_its_lists(tmp_path):
    root = celebamask(tmp_path / "archive" / "CelebAMask-HQ")
    write_lines(
        root / "CelebAMask-HQ-attribute-anno.txt", "3", "Smiling Male", "0.jpg  -1  1", "1.jpg  1 -1", "2.jpg  1  1"
    )
    write_lines(
        root / "CelebA-HQ-to-CelebA-mapping.txt",
        "idx  orig_idx  orig_file",
        "0 119612 119613.jpg",
        "1 9 000010.jpg",
        "2 4 000005.jpg",
    )
    write_lines(root / "list_eval_partition.txt", "119613.jpg 2", "000010.jpg 0", "000005.jpg 1")
    write_lines(root / "identity_CelebA.txt", "119613.jpg 8", "000010.jpg 8", "000005.jpg 3")
    found = list_data_set(tmp_path)
    assert (found.layout, found.official_split, found.notes, +found.left_out) == ("celebamask-hq", True, [], {})
    people = [(s.identity, s.split, s.attributes["Male"]) for s in found.sources]
    assert people == [("8", "test", 1), ("8", "train", 0), ("3", "validation", 1)]


def test_celebamask_says_what_it_lacks_and_leaves_out(tmp_path):
    make(celebamask(tmp_path), "CelebA-HQ-img/7.jpg", "CelebA-HQ-img/x.jpg", "CelebA-HQ-img/1.png", "more/a.jpg")
    make(tmp_path / "CelebAMask-HQ-mask-anno", "0/._00001_nose.png", "1/00009_nose.png", "0/overview.png")
    make(tmp_path, "CelebAMask-HQ-pose-anno.txt")
    found = list_data_set(tmp_path, held_out=0.1)
    assert [(s.path.name, s.split) for s in found.sources] == [
        ("0.jpg", "train"),
        ("1.jpg", "train"),
        ("2.jpg", "test"),
    ]
    assert +found.left_out == {
        "without masks of its parts": 2,
        "second picture of its number": 1,
        "masks without their picture": 1,
        "outside CelebA-HQ-img": 1,
        "not named as a mask of a part": 1,
        NO_PICTURE: 1,
        HIDDEN: 1,
    }
    assert len(found.notes) == 2
