"""Layouts of folders as people have them: with junk, wrapped, nested, linked; and lists of names that others wrote."""

from __future__ import annotations

import os
import re
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_files import write_lines

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
    "anna/.ipynb_checkpoints/1-checkpoint.jpg",
    "__MACOSX/anna/._1.jpg",
    "__MACOSX/x.jpg",
    ".DS_Store",
    "ben/._1.jpg",
    "carl/Thumbs.db",
    "dora/desktop.ini",
    "ede/@eaDir/1.jpg",
    "$RECYCLE.BIN/1.jpg",
    "System Volume Information/a",
    "lost+found/1.jpg",
    ".git/a.jpg",
    ".Trash-1000/files/1.jpg",
    "anna/1.jpg~",
    "anna/.1.jpg.99.part",
    "Icon\r",
    "anna/Icon\r",
    ".thumbnails/1.png",
)


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
    with pytest.raises(DataError, match="cannot be held out"):
        held_out_from(5, held_out)


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
    write_lines(
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
        write_lines(tmp_path / "pairs.txt", "2 1", f"{name} 1 2", "A 1 B 1", "A 1 2", "A 1 B 1")
        with pytest.raises(DataError, match=r"Line 2 of .*pairs.txt names .*no person"):
            read_pairs(tmp_path)


def test_tables_of_ijba_with_names_that_could_lead_elsewhere(tmp_path):
    for table in (
        "11_sets/split1/verify_metadata_1",
        "1N_sets/split1/search_gallery_1",
        "1N_sets/split1/search_probe_1",
    ):
        columns = "TEMPLATE_ID,SUBJECT_ID,FILE,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT"
        write_lines(tmp_path / f"IJB-A_{table}.csv", columns, "1,2,img/../../x.jpg,0,0,9,9")
    with pytest.raises(
        DataError,
        match=r"Line 2 of .*verify_metadata_1.csv names img/../../x.jpg",
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
