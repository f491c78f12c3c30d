"""Layouts of folders as people have them: with junk, wrapped, nested, linked, as Kaggle gives them out, with lists that
others wrote."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masque.data.layouts import detect_layout, list_data_set, read_layout
from masque.data.lfw import read_pairs
from masque.data.lists import read_names
from masque.data.sources import NOT_NAMED, held_out_from
from masque.data.templates import read_ijba
from masque.errors import DataError
from masque.folders import HIDDEN, NO_PICTURE
from tiny import make

PEOPLE = [f"{person}/{n}.jpg" for person in ("anna", "ben", "carl", "dora", "ede") for n in (1, 2)]
JUNK = (
    "anna/.ipynb_checkpoints/1-checkpoint.jpg", "__MACOSX/anna/._1.jpg", "__MACOSX/x.jpg", ".DS_Store", "ben/._1.jpg", "carl/Thumbs.db",
    "dora/desktop.ini", "ede/@eaDir/1.jpg", "$RECYCLE.BIN/1.jpg", "System Volume Information/a", "lost+found/1.jpg", ".git/a.jpg",
    ".Trash-1000/files/1.jpg", "anna/1.jpg~", "anna/.1.jpg.99.part", "Icon\r", "anna/Icon\r", ".thumbnails/1.png",
)  # fmt: skip


def write(path: Path, *lines: str, mark: bytes = b"", ends: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mark + "".join(line + ends for line in lines).encode())


@pytest.mark.parametrize("junk", JUNK)
def test_junk_changes_neither_layout_nor_people(tmp_path, junk):
    make(tmp_path, *PEOPLE)
    before = read_layout(tmp_path, held_out=0.4)
    found = list_data_set(make(tmp_path, junk), held_out=0.4)
    assert (found.layout, found.sources) == ("identities", before)
    assert {s.identity for s in before if s.split == "test"} == {"dora", "ede"}
    assert found.left_out == {HIDDEN: 1}


ANYWHERE = sorted({re.sub("^(anna|ben|carl|dora|ede)/", "", name) for name in JUNK})


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    people=st.dictionaries(
        st.sampled_from("abcdefg"), st.sets(st.sampled_from(["1.jpg", "2.PNG", "deep/3.jfif"]), min_size=1), min_size=1
    ),
    beside=st.sets(st.sampled_from(["x.jpg", "y.jpg", "z.webp"])),
    junk=st.lists(st.tuples(st.integers(0, 99), st.sampled_from(ANYWHERE))),
    held_out=st.sampled_from([0, 0.1, 0.4]),
)
def test_a_sprinkled_tree_gives_the_same_sources(people, beside, junk, held_out, tmp_path_factory):
    root = make(
        tmp_path_factory.mktemp("tree"),
        *beside,
        *(f"{person}/{name}" for person, names in people.items() for name in names),
    )
    before = list_data_set(root, held_out=held_out)
    folders = sorted({root, *(p for p in root.rglob("*") if p.is_dir())})
    for place, name in junk:
        make(folders[place % len(folders)], name)
    after = list_data_set(root, held_out=held_out)
    assert (after.layout, after.sources) == (before.layout, before.sources)
    assert {**after.left_out, HIDDEN: 0} == {**before.left_out, HIDDEN: 0}


def identities(sources: object) -> list[tuple[str, str]]:
    return [(source.identity, source.path.name) for source in sources]  # type: ignore[attr-defined]


def test_albums_of_one_person_are_that_persons(tmp_path):
    found = list_data_set(
        make(tmp_path, "anna/2019/a.jpg", "anna/2020/sea/b.jpg", "anna/c.jpg", "ben/d.jpg"), held_out=0
    )
    assert found.layout == "identities"
    assert identities(found.sources) == [("anna", "a.jpg"), ("anna", "b.jpg"), ("anna", "c.jpg"), ("ben", "d.jpg")]


def test_a_picture_beside_the_people_is_counted(tmp_path):
    found = list_data_set(make(tmp_path, *PEOPLE, "cover.jpg"), held_out=0)
    assert (found.layout, len(found.sources), found.left_out) == ("identities", 10, {"beside the folders of people": 1})


def test_folders_without_pictures_are_nobody(tmp_path):
    make(tmp_path, *PEOPLE, "notes/a.txt", "anna/notes.txt")
    (tmp_path / "frida").mkdir()
    found = list_data_set(tmp_path, held_out=1)
    assert (found.layout, found.people) == ("identities", 5)
    assert {s.identity for s in found.sources if s.split == "test"} == {"ede"}
    assert +found.left_out == {NO_PICTURE: 2, "folder without a picture": 2}


@pytest.mark.parametrize("above", ["lfw", "lfw/lfw_deepfunneled", "a/b/c"])
def test_folders_too_many_above(tmp_path, above):
    make(tmp_path, *(f"{above}/{name}" for name in PEOPLE), "readme.txt", "__MACOSX/a.jpg")
    assert (detect_layout(tmp_path), list_data_set(tmp_path).people) == ("identities", 5)


def test_folders_for_training_and_testing_are_nobody(tmp_path):
    people = make(tmp_path / "people", "train/n1/1.jpg", "train/n2/2.jpg", "test/n3/3.jpg", "val/n4/4.jpg")
    found = list_data_set(people)
    assert (found.layout, found.official_split) == ("identities", True)
    assert [(s.identity, s.split) for s in found.sources] == [
        ("n3", "test"),
        ("n1", "train"),
        ("n2", "train"),
        ("n4", "validation"),
    ]
    photos = list_data_set(make(tmp_path / "photos", "Train/1.jpg", "Train/2.jpg", "Test/3.jpg"))
    assert (photos.layout, photos.people) == ("photos", 0)
    assert [(s.path.name, s.split) for s in photos.sources] == [
        ("3.jpg", "test"),
        ("1.jpg", "train"),
        ("2.jpg", "train"),
    ]


def test_linked_people_and_pictures_are_followed(tmp_path):
    make(tmp_path, "store/anna/1.jpg", "store/2.jpg", "set/ben/1.jpg")
    (tmp_path / "set" / "anna").symlink_to(tmp_path / "store" / "anna")
    (tmp_path / "set" / "ben" / "2.jpg").symlink_to(tmp_path / "store" / "2.jpg")
    found = list_data_set(tmp_path / "set", held_out=0)
    assert identities(found.sources) == [("anna", "1.jpg"), ("ben", "1.jpg"), ("ben", "2.jpg")]
    assert [found.name(source) for source in found.sources] == ["anna/1.jpg", "ben/1.jpg", "ben/2.jpg"]


@pytest.mark.parametrize(
    ("count", "held_out", "kept"), [(5, 0.1, 1), (2, 0.1, 1), (2, 0.0001, 1), (1, 0.1, 0), (5, 0, 0), (26, 0.1, 3)]
)
def test_a_share_of_few_keeps_one(tmp_path, count, held_out, kept):
    assert count - held_out_from(count, held_out) == kept
    found = read_layout(make(tmp_path, *(f"p{n:02d}/a.jpg" for n in range(count))), "identities", held_out)
    assert sum(source.split == "test" for source in found) == kept


@pytest.mark.parametrize("held_out", [float("nan"), float("inf"), -0.5])
def test_what_is_no_share(held_out):
    with pytest.raises(DataError, match="cannot be held out: give a share below 1, or a number of people"):
        held_out_from(5, held_out)


SIGNS = ["000001.jpg -1  1  1", "000002.jpg  1 -1  1", "000003.jpg  1  1 -1"]


def kaggle(root: Path, suffix: str = ".jpg", **form: object) -> Path:
    make(root, *(f"img_align_celeba/img_align_celeba/00000{n}{suffix}" for n in (1, 2, 3)))
    signs = ["image_id,Smiling,Male,Young", "000001.jpg,-1,1,1", "000002.jpg,1,-1,1", "000003.jpg,1,1,-1"]
    write(root / "list_attr_celeba.csv", *signs, **form)
    write(
        root / "list_eval_partition.csv", "image_id,partition", "000001.jpg,0", "000002.jpg,1", "000003.jpg,2", **form
    )
    write(root / "list_bbox_celeba.csv", "image_id,x_1,y_1,width,height", "000001.jpg,95,71,226,313", **form)
    write(root / "list_landmarks_align_celeba.csv", "image_id,lefteye_x,lefteye_y", "000001.jpg,69,109", **form)
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
    write(tmp_path / "archive" / "CelebA" / "identity_CelebA.txt", "000001.jpg 7", "000002.jpg 9")
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
        "named in list_attr_celeba.csv and not in img_align_celeba": 1, "in img_align_celeba and not in list_attr_celeba.csv": 1,
        "outside img_align_celeba": 1, NO_PICTURE: 2,
    }  # fmt: skip


def test_a_line_that_stands_twice(tmp_path):
    kaggle(tmp_path)
    with (tmp_path / "list_attr_celeba.csv").open("a") as opened:
        opened.write("000001.jpg,-1,1,1\n")
    assert len(read_layout(tmp_path)) == 3
    with (tmp_path / "list_attr_celeba.csv").open("a") as opened:
        opened.write("000001.jpg,1,1,1\n")
    with pytest.raises(DataError, match=r"Line 6 of .*list_attr_celeba.csv names 000001.jpg again and says otherwise"):
        read_layout(tmp_path)


@pytest.mark.parametrize(
    "names", ["Smiling,Smiling", "Smiling,split", "Smiling,identity", "Smiling,Ma\x1b[2Jle", "file,Male"]
)
def test_attributes_that_a_prepared_set_cannot_name(tmp_path, names):
    kaggle(tmp_path)
    write(tmp_path / "list_attr_celeba.csv", f"image_id,{names}", "000001.jpg,-1,1")
    with pytest.raises(
        DataError, match=r"list_attr_celeba.csv cannot name an attribute .*, or not twice: fetch the file again"
    ) as caught:
        read_layout(tmp_path)
    assert str(caught.value).isprintable()


def test_lines_that_a_table_program_has_made_longer(tmp_path):
    kaggle(tmp_path)
    lines = ("image_id,Smiling,Male,,", '"000001.jpg", -1 ,1,,', "000002.jpg,1,-1,,", ",,,,", "000003.jpg,1,1,,")
    write(tmp_path / "list_attr_celeba.csv", *lines)
    assert [s.attributes["Male"] for s in read_layout(tmp_path)] == [1, 0, 1]


def test_a_prepared_set_is_no_data_set(tmp_path):
    make(tmp_path, "images/000001.jpg", "masks/000001.png", "prepared.json")
    with pytest.raises(DataError, match="is a prepared set already: name the folder of pictures that it was made from"):
        read_layout(tmp_path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x.jpg", "a/b.jpg", "a\\b.jpg", "..", "a\x1bb.jpg", "x" * 300])
@pytest.mark.parametrize("file", ["list_attr_celeba.txt", "identity_CelebA.txt", "list_eval_partition.txt"])
def test_names_that_could_lead_elsewhere(tmp_path, file, name):
    make(tmp_path, "img_align_celeba/000001.jpg")
    write(tmp_path / "list_attr_celeba.txt", "1", "Smiling", "000001.jpg 1")
    write(tmp_path / file, *(["2", "Smiling"] if "attr" in file else []), "000001.jpg 1", f"{name} 1")
    with pytest.raises(
        DataError, match=rf"Line \d of .*{file} names .*, which is no name of a file: fetch the list again"
    ) as caught:
        read_layout(tmp_path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", [b"\xff\xfe0\x000\x00", b"\xfe\xff\x000", b"1\nSmiling\n0000\x0001.jpg 1\n"])
def test_lists_in_utf_16_are_refused(tmp_path, content):
    make(tmp_path, "img_align_celeba/000001.jpg")
    (tmp_path / "list_attr_celeba.txt").write_bytes(content)
    with pytest.raises(
        DataError, match="cannot be read as text: fetch the file again, or save it as UTF-8 where it is UTF-16"
    ):
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
    write(root / "CelebAMask-HQ-attribute-anno.txt", "3", "Smiling Male", "0.jpg  -1  1", "1.jpg  1 -1", "2.jpg  1  1")
    write(
        root / "CelebA-HQ-to-CelebA-mapping.txt",
        "idx  orig_idx  orig_file",
        "0 119612 119613.jpg",
        "1 9 000010.jpg",
        "2 4 000005.jpg",
    )
    write(root / "list_eval_partition.txt", "119613.jpg 2", "000010.jpg 0", "000005.jpg 1")
    write(root / "identity_CelebA.txt", "119613.jpg 8", "000010.jpg 8", "000005.jpg 3")
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
        "without masks of its parts": 2, "second picture of its number": 1, "masks without their picture": 1, "outside CelebA-HQ-img": 1,
        "not named as a mask of a part": 1, NO_PICTURE: 1, HIDDEN: 1,
    }  # fmt: skip
    assert len(found.notes) == 2


def test_utkface_with_its_nameless_pictures_in_a_folder_of_its_own(tmp_path):
    make(
        tmp_path,
        *(f"UTKFace/{age}_0_0_2017.jpg.chip.jpg" for age in range(10, 40)),
        "UTKFace/39_1_20170116174525125.jpg.chip.jpg",
    )
    found = list_data_set(tmp_path)
    assert (found.layout, len(found.sources)) == ("utkface", 30)
    assert +found.left_out == {"not named as UTKFace names its pictures": 1}


def test_names_of_only_that_are_not_there(tmp_path):
    make(tmp_path, *PEOPLE)
    found = list_data_set(tmp_path, held_out=0, only=["anna/1.jpg", "./ben/2.jpg", "nobody.jpg", "carl/9.jpg"])
    assert [found.name(s) for s in found.sources] == ["anna/1.jpg", "ben/2.jpg"]
    assert found.left_out[NOT_NAMED] == 8
    assert found.notes == ["2 of the 4 names in the list of --only name no picture here, carl/9.jpg for one."]
    with pytest.raises(DataError, match="list of --only names no picture in"):
        list_data_set(tmp_path, only=["x.jpg", "y.jpg"])
    for name in ("/etc/passwd", "../a.jpg", "a\0b", "anna/../../b.jpg"):
        with pytest.raises(DataError, match=r"in the list of --only is no file in the folder: write names"):
            list_data_set(tmp_path, only=["anna/1.jpg", name])


def test_names_of_only_in_another_form_of_unicode(tmp_path):
    make(tmp_path, "Zoe\u0308/1.jpg", "ben/2.jpg")
    assert len(read_layout(tmp_path, "identities", 0, ["Zo\u00eb/1.jpg"])) == 1


def test_lists_of_names_with_a_mark_other_line_ends_and_other_bytes(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfa.jpg\r\n\r\n  b c.jpg \r\ncaf\xe9.jpg")
    assert read_names(path) == ["a.jpg", "b c.jpg", os.fsdecode(b"caf\xe9.jpg")]
    for content, sentence in ((b"", "is empty"), (b"\n \n", "is empty"), (b"\xff\xfea\0", "cannot be read as text")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=sentence):
            read_names(path)


@pytest.mark.parametrize(
    "content",
    [
        "anna/1.jpg\rben/2.jpg",
        '"anna/1.jpg"\r\n"ben/2.jpg"\r\n',
        "'anna/1.jpg'\n'ben/2.jpg'",
        "anna\\1.jpg\r\n.\\ben\\2.jpg",
    ],
)
def test_lists_of_names_as_other_programs_write_them(tmp_path, content):
    make(tmp_path / "set", *PEOPLE)
    (tmp_path / "list.txt").write_text(content, newline="")
    found = list_data_set(tmp_path / "set", held_out=0, only=read_names(tmp_path / "list.txt"))
    assert [found.name(s) for s in found.sources] == ["anna/1.jpg", "ben/2.jpg"]


def test_a_name_with_a_quotation_mark_in_it_stays(tmp_path):
    (tmp_path / "list.txt").write_text('"a ""b"".jpg"\n\'tis.jpg\n"\n')
    assert read_names(tmp_path / "list.txt") == ['a "b".jpg', "'tis.jpg", '"']


@pytest.mark.parametrize(
    ("train", "test"), [("Training Set", "Test Set"), ("train_images", "test_images"), ("TrainingData", "TestData")]
)
def test_folders_that_divide_a_set_under_longer_names(tmp_path, train, test):
    make(tmp_path, f"{train}/anna/1.jpg", f"{train}/ben/1.jpg", f"{test}/carl/1.jpg")
    assert {(s.identity, s.split) for s in read_layout(tmp_path)} == {
        ("anna", "train"),
        ("ben", "train"),
        ("carl", "test"),
    }


def test_folders_within_those_of_people_are_told_of(tmp_path):
    make(tmp_path, "a/anna/1.jpg", "a/arno/1.jpg", "b/ben/1.jpg", "carl/1.jpg", "carl/old/2.jpg")
    found = list_data_set(tmp_path)
    assert found.people == 3
    assert found.notes == [
        "The pictures of 1 people lie in several folders within theirs, and are taken for the same person's."
    ]


def test_pairs_of_names_that_could_lead_elsewhere(tmp_path):
    make(tmp_path, "lfw/A/A_0001.jpg", "lfw/A/A_0002.jpg", "lfw/B/B_0001.jpg", "lfw/.hidden/A_0001.jpg")
    write(
        tmp_path / "pairs.txt",
        "2\t1",
        "A\t1\t2",
        "A\t1\tB\t1",
        "A\t1\t2",
        "A\t1\tB\t1",
        mark=b"\xef\xbb\xbf",
        ends="\r\n",
    )
    assert [path.name for path in read_pairs(tmp_path).pictures] == ["A_0001.jpg", "A_0002.jpg", "B_0001.jpg"]
    for name in ("/etc/passwd", "../A", "A" * 300, "a\\b", ".."):
        write(tmp_path / "pairs.txt", "2 1", f"{name} 1 2", "A 1 B 1", "A 1 2", "A 1 B 1")
        with pytest.raises(
            DataError, match=r"Line 2 of .*pairs.txt names .*, which is no person's: fetch LFW's pairs.txt again"
        ):
            read_pairs(tmp_path)


def test_tables_of_ijba_with_names_that_could_lead_elsewhere(tmp_path):
    for table in (
        "11_sets/split1/verify_metadata_1",
        "1N_sets/split1/search_gallery_1",
        "1N_sets/split1/search_probe_1",
    ):
        columns = "TEMPLATE_ID,SUBJECT_ID,FILE,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT"
        write(tmp_path / f"IJB-A_{table}.csv", columns, "1,2,img/../../x.jpg,0,0,9,9")
    with pytest.raises(
        DataError,
        match=r"Line 2 of .*verify_metadata_1.csv names img/../../x.jpg, which is no file of IJB-A: unpack it",
    ):
        read_ijba(tmp_path)


@pytest.mark.real
def test_the_cases_end_in_one_sentence(tmp_path, shared_data):
    cases = shared_data.parent / "cases" / "readers"
    make(tmp_path, "img_align_celeba/000002.jpg", "lfw/A/A_0001.jpg")
    shutil.copy(cases / "celeba_prepare_special-data_prepare.py_89-ValueError.txt", tmp_path / "list_attr_celeba.txt")
    with pytest.raises(DataError, match=r"Line 3 of .* names /etc/passwd, which is no name of a file"):
        read_layout(tmp_path)
    shutil.copy(cases / "pairs.txt_special-data_lfw.py_105-OSError.txt", tmp_path / "pairs.txt")
    with pytest.raises(DataError, match=r"Line 2 of .* names A+…, which is no person's"):
        read_pairs(tmp_path)
