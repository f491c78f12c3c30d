"""The photos that a user puts into the demonstration's folder: which are taken, and what they are called there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from masque.edits.subject import as_photo
from masque.gallery.page import own_photos
from masque.image import write_picture


def test_hidden_files_count_nowhere_and_what_may_be_missed_is_said(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        write_picture(tmp_path / name, np.zeros((4, 4, 3), np.uint8))
    for name in ("._a.png", ".DS_Store", "Thumbs.db", "notes.txt", "c.jxl"):
        (tmp_path / name).touch()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    photos, complaints = own_photos(tmp_path)
    assert list(photos) == ["a", "b"]
    assert complaints == [f"1 × .jxl picture, which cannot be read, in {tmp_path}", f"1 × broken link, in {tmp_path}"]
    assert own_photos(tmp_path / "none") == ({}, [])


def test_names_fit_into_names_of_files_and_differ(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    for name in (odd, "x" * 240, "x" * 239 + "y", "one\ntwo"):
        write_picture(tmp_path / "made.png", np.zeros((4, 4, 3), np.uint8))
        (tmp_path / "made.png").rename(tmp_path / f"{name}.png")
    photos, complaints = own_photos(tmp_path)
    assert (len(photos), complaints) == (4, [])
    for name in photos:
        assert name.isprintable()
        assert "\\" not in name
        assert len(f"swap-{name}-on-{name}-network.jpg".encode()) < 255


def test_a_photo_whose_name_is_no_text_has_one_that_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\n.png")
    write_picture(tmp_path / "made.png", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "made.png").rename(path)
    _, name = as_photo(path)
    assert name == "caf\\udce9\\n.png"
