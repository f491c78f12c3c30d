"""The one listing of folders: what counts, what does not and why, on folders as people have them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from masque.errors import DataError
from masque.folders import (
    AWAY,
    BROKEN,
    DEEP,
    DEEPEST,
    FORBIDDEN,
    HIDDEN,
    LOOP,
    NO_PICTURE,
    PREPARED,
    SPECIAL,
    TWICE,
    find_pictures,
    is_empty,
    is_hidden,
    is_inside,
    is_name,
    list_folder,
    read_tree,
    unreadable,
)
from masque.image import DECODED, READABLE_SUFFIXES
from tiny import make

JUNK = (
    ".DS_Store",
    "._a.jpg",
    ".hidden.jpg",
    "Thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "Desktop.ini",
    "Icon\r",
    "a.jpg~",
    "~$a.jpg",
    ".a.jpg.4711.part",
    "a.jpg.part",
    "a.jpg.crdownload",
    "a.jpg.tmp",
)
JUNK_FOLDERS = (
    ".ipynb_checkpoints",
    "__MACOSX",
    "@eaDir",
    "$RECYCLE.BIN",
    "$Recycle.Bin",
    "System Volume Information",
    "lost+found",
    ".git",
    ".Trash-1000",
    ".thumbnails",
    "#recycle",
    "__pycache__",
    "LOST.DIR",
    "old~",
    "Catalog Previews.lrdata",
    "Photos Library.photoslibrary",
    "_gsdata_",
    "found.000",
)


def names(paths: object) -> list[str]:
    return [path.name for path in paths]  # type: ignore[attr-defined]


def below(tree: object, root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in tree.all_pictures()]  # type: ignore[attr-defined]


def test_pictures_others_and_folders_by_their_bytes(tmp_path):
    make(tmp_path, "b.jpg", "B.JPG", "a.jfif", "é.png", "z.tif", "10.jpg", "9.jpg", "notes.txt", "x/1.jpg", "noending")
    listing = list_folder(tmp_path)
    assert names(listing.pictures) == ["10.jpg", "9.jpg", "B.JPG", "a.jfif", "b.jpg", "z.tif", "é.png"]
    assert (names(listing.others), names(listing.folders), listing.left_out) == (["noending", "notes.txt"], ["x"], {})


def test_every_ending_of_a_format_that_is_read_is_a_pictures(tmp_path):
    Image.init()
    assert {ending for ending, kind in Image.registered_extensions().items() if kind in DECODED} <= READABLE_SUFFIXES
    make(
        tmp_path,
        *(f"a{ending}" for ending in READABLE_SUFFIXES),
        *(f"b{ending.upper()}" for ending in READABLE_SUFFIXES),
    )
    assert len(list_folder(tmp_path).pictures) == 2 * len(READABLE_SUFFIXES)


@pytest.mark.parametrize("name", JUNK)
def test_hidden_and_system_files_count_nowhere(tmp_path, name):
    make(tmp_path, "a.jpg", name)
    listing = list_folder(tmp_path)
    assert (names(listing.pictures), listing.others, listing.folders, listing.left_out) == (
        ["a.jpg"],
        (),
        (),
        {HIDDEN: 1},
    )


@pytest.mark.parametrize("name", JUNK_FOLDERS)
def test_hidden_and_system_folders_count_nowhere(tmp_path, name):
    make(tmp_path, "a.jpg", f"{name}/b.jpg", f"x/{name}/deep/c.jpg", "x/d.jpg")
    tree = read_tree(tmp_path)
    assert below(tree, tmp_path) == ["a.jpg", "x/d.jpg"]
    assert tree.left_out == {HIDDEN: 2}


@pytest.mark.parametrize(
    "name", ["anna", "a.b", "_anna", "annas photos", "~anna", "9", "parts", "tmp", "git", "@anna", "trash"]
)
def test_ordinary_names_are_not_hidden(name):
    assert not is_hidden(name)
    assert not is_hidden(f"{name}.jpg")


def test_links_are_followed(tmp_path):
    make(tmp_path, "elsewhere/anna/1.jpg", "elsewhere/2.jpg", "set/ben/3.jpg")
    (tmp_path / "set" / "anna").symlink_to(tmp_path / "elsewhere" / "anna")
    (tmp_path / "set" / "ben" / "2.jpg").symlink_to("../../elsewhere/2.jpg")
    tree = read_tree(tmp_path / "set")
    assert (below(tree, tmp_path / "set"), tree.left_out) == (["anna/1.jpg", "ben/2.jpg", "ben/3.jpg"], {})
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert below(read_tree(tmp_path / "link"), tmp_path / "link") == ["anna/1.jpg", "ben/2.jpg", "ben/3.jpg"]


def test_a_loop_ends_and_is_counted_once(tmp_path):
    make(tmp_path, "set/anna/1.jpg", "set/ben/2.jpg", "beside/3.jpg")
    (tmp_path / "set" / "anna" / "self").symlink_to(".")
    (tmp_path / "set" / "anna" / "up").symlink_to("..")
    (tmp_path / "set" / "ben" / "far-up").symlink_to(tmp_path)
    tree = read_tree(tmp_path / "set")
    assert (below(tree, tmp_path / "set"), tree.left_out) == (["anna/1.jpg", "ben/2.jpg"], {LOOP: 3})


def test_two_folders_outside_that_lead_to_each_other(tmp_path):
    make(tmp_path, "set/1.jpg", "a/2.jpg", "b/3.jpg")
    (tmp_path / "set" / "a").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "a").symlink_to(tmp_path / "a")
    (tmp_path / "b" / "set").symlink_to(tmp_path / "set")
    tree = read_tree(tmp_path / "set")
    assert (below(tree, tmp_path / "set"), tree.left_out) == (["1.jpg", "a/2.jpg", "a/b/3.jpg"], {LOOP: 2})


def test_what_is_listed_already_is_not_listed_again_by_a_link(tmp_path):
    """Else one picture may be for training and for testing."""
    make(tmp_path, "zoe/1.jpg", "zoe/2.jpg")
    (tmp_path / "alias").symlink_to("zoe")
    (tmp_path / "favourites").mkdir()
    (tmp_path / "favourites" / "best.jpg").symlink_to("../zoe/2.jpg")
    tree = read_tree(tmp_path)
    assert (below(tree, tmp_path), tree.left_out) == (["zoe/1.jpg", "zoe/2.jpg"], {TWICE: 2})


def test_links_that_lead_nowhere_are_counted(tmp_path):
    make(tmp_path, "a.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "gone").symlink_to("/nowhere/at/all")
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    listing = list_folder(tmp_path)
    assert (names(listing.pictures), listing.left_out) == (["a.jpg"], {BROKEN: 3})


def test_pipes_sockets_and_devices_block_nothing(tmp_path, monkeypatch):
    make(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "null.jpg").symlink_to("/dev/null")
    monkeypatch.chdir(tmp_path)  # the name of a socket may be 107 bytes long
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket.jpg")
    listing = list_folder(tmp_path)
    assert (names(listing.pictures), listing.left_out) == (["a.jpg"], {SPECIAL: 3})


def test_what_may_not_be_read_is_counted(tmp_path, monkeypatch):
    make(tmp_path, "a.jpg", "b.jpg", "locked/c.jpg", "open/d.jpg")
    access, scan = os.access, os.scandir
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("b.jpg") and access(path, mode))

    def locked(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", locked)
    tree = read_tree(tmp_path)
    assert (below(tree, tmp_path), tree.left_out) == (["a.jpg", "open/d.jpg"], {FORBIDDEN: 2})
    with pytest.raises(DataError, match=r"locked .*Permission denied"):
        list_folder(tmp_path / "locked")


def test_names_that_are_no_text(tmp_path):
    odd = os.fsdecode(b"caf\xe9")
    make(tmp_path, f"{odd}/{odd}.jpg", "a\nb.jpg", 'c",d.jpg')
    tree = read_tree(tmp_path)
    assert below(tree, tmp_path) == ["a\nb.jpg", 'c",d.jpg', f"{odd}/{odd}.jpg"]
    (tmp_path / odd / f"{odd}.jpg").unlink()
    with pytest.raises(DataError, match=r"no picture in .*caf\\udce9") as caught:
        find_pictures(tmp_path / odd)
    str(caught.value).encode()


def test_folders_that_are_too_deep_are_counted(tmp_path):
    deep = tmp_path.joinpath(*["d"] * (DEEPEST + 3))
    deep.mkdir(parents=True)
    make(deep, "a.jpg")
    make(tmp_path, "b.jpg")
    tree = read_tree(tmp_path)
    assert (below(tree, tmp_path), tree.left_out) == (["b.jpg"], {DEEP: 1})


def test_pictures_that_cannot_be_read_are_counted_by_their_ending(tmp_path):
    make(tmp_path, "a.jpg", "b.jxl", "c.JXL", "d.cr2", "e.txt", ".f.jxl")
    assert unreadable(list_folder(tmp_path).others) == {
        ".jxl picture, which cannot be read": 2,
        ".cr2 picture, which cannot be read": 1,
        NO_PICTURE: 1,
    }
    found, notes = find_pictures(tmp_path)
    assert names(found) == ["a.jpg"]
    where = f", in {tmp_path}"
    assert notes == [
        f"1 × .cr2 picture, which cannot be read{where}",
        f"2 × .jxl picture, which cannot be read{where}",
    ]
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(
        DataError,
        match=r"2 × \.jxl picture.*portraits",
    ):
        find_pictures(tmp_path, "portraits")


def test_a_prepared_set_within_a_data_set_is_none_of_it(tmp_path):
    make(
        tmp_path,
        "a.jpg",
        "prepared/images/000001.jpg",
        "prepared/journal.jsonl",
        "x/other/prepared.json",
        "x/other/images/1.jpg",
    )
    tree = read_tree(tmp_path)
    assert (below(tree, tmp_path), tree.left_out) == (["a.jpg"], {PREPARED: 2})
    assert below(read_tree(tmp_path / "prepared"), tmp_path) == ["prepared/images/000001.jpg"]


def test_a_folder_that_is_not_there(tmp_path):
    for read in (read_tree, list_folder):
        with pytest.raises(DataError, match=r"There is no folder"):
            read(tmp_path / "none")


def test_a_folder_of_junk_is_empty(tmp_path):
    make(tmp_path, ".DS_Store", ".x.part")
    assert is_empty(tmp_path)
    make(tmp_path, "thesis.txt")
    assert not is_empty(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "/etc/passwd", "a/b", "a\\b", "a\0b", "a\nb", "\x1b[2J", "../a", "a/../b", "x" * 256, "é" * 128],
)
def test_texts_that_are_no_names(text):
    assert not is_name(text)


def test_texts_that_are_names_and_paths_inside():
    for text in ("a", "000001.jpg", "a b.jpg", "x" * 255, "é", os.fsdecode(b"\xe9"), "..."):
        assert is_name(text)
        assert is_inside(f"img/{text}")
    for text in ("/a", "a//b", "a/", "../a", "a/../../b", "", "a/\0"):
        assert not is_inside(text)


TREES = st.dictionaries(
    st.lists(st.sampled_from(["anna", "ben", "été", "9"]), min_size=1, max_size=3).map("/".join),
    st.sets(st.sampled_from(["1.jpg", "2.PNG", "3.jfif"]), min_size=1),
    min_size=1,
    max_size=6,
)
SPRINKLED = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from([*JUNK, *(f"{name}/1.jpg" for name in JUNK_FOLDERS)])), max_size=12
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tree=TREES, junk=SPRINKLED)
def test_no_junk_changes_what_a_tree_holds(tree, junk, tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    make(root, *(f"{folder}/{name}" for folder, pictures in tree.items() for name in pictures))
    before = below(read_tree(root), root)
    folders = sorted({root, *(p for p in root.rglob("*") if p.is_dir())})
    for place, name in junk:
        make(folders[place % len(folders)], name)
    assert below(read_tree(root), root) == before


def test_pictures_that_icloud_has_not_fetched_are_told_of(tmp_path: Path) -> None:
    """A placeholder is hidden, but what it stands for is missed."""
    listing = list_folder(make(tmp_path, "a.jpg", ".b.jpg.icloud", ".c.mov.icloud", ".d.icloud"))
    assert names(listing.pictures) == ["a.jpg"]
    assert listing.left_out == {AWAY: 1, HIDDEN: 2}
    assert find_pictures(tmp_path)[1] == [f"1 × {AWAY}, in {tmp_path}"]


def test_what_is_no_folder_is_named_for_what_it_is(tmp_path: Path) -> None:
    make(tmp_path, "photos.zip")
    for place, says in (
        (
            tmp_path / "photos.zip",
            r"photos.zip is a file: name the folder that holds the pictures \(an archive has to be unpacked\)",
        ),
        (tmp_path / "none", "There is no folder .*none: name the folder"),
        (tmp_path / ("x" * 256), "cannot be listed \\(File name too long\\): name another"),
        (tmp_path / "a\0b", "cannot be listed"),
    ):
        with pytest.raises(DataError, match=says):
            list_folder(place)
