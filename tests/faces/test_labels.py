"""Label maps: mirror, grown, written, read back, and put right where a painting program changed them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from masque.errors import OutputError, PictureError
from masque.faces.labels import (
    COLOURS,
    LABELS,
    OPPOSITE,
    UNKNOWN,
    colour_labels,
    grow,
    mirror,
    overlay,
    read_labels,
    write_labels,
)


@pytest.fixture
def labels() -> np.ndarray:
    made = np.random.default_rng(0).integers(0, 11, (20, 30)).astype(np.uint8)
    made[:2] = np.resize(np.arange(11, dtype=np.uint8), (2, 30))
    return made


def test_names_of_table_3_1():
    assert [LABELS.index(n) for n in ("background", "skin", "nose", "upper lip", "mouth", "lower lip", "hair")] == [
        0,
        1,
        6,
        7,
        8,
        9,
        10,
    ]
    for number, name in enumerate(LABELS):
        other = LABELS[OPPOSITE[number]]
        assert other == name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
    distances = np.linalg.norm(COLOURS[:, None].astype(float) - COLOURS[None].astype(float), axis=2)
    assert distances[~np.eye(11, dtype=bool)].min() > 60  # told apart by eye, and when they are snapped to


def test_mirrored_twice_is_the_same(labels):
    labels[3, 3] = UNKNOWN
    once = mirror(labels)
    assert once[3, 26] == UNKNOWN
    assert ((once == 4) == (labels[:, ::-1] == 5)).all()
    assert (mirror(once) == labels).all()


def test_eyes_and_mouth_grow_over_skin_alone():
    face = np.ones((80, 80), np.uint8)
    face[20:30, 10:30], face[20:30, 50:70] = 4, 5
    face[18:20, 10:30] = 2  # a brow that touches the eye stays
    face[50:54, 25:55], face[54:58, 25:55], face[58:64, 25:55] = 7, 8, 9
    face[70:] = 10
    grown = grow(face)
    assert grown.dtype == np.uint8
    assert (grown[face != 1] == face[face != 1]).all()
    assert ((grown == 4).sum(axis=0).max(), (grown == 4).sum(axis=1).max()) == (
        11,
        22,
    )  # a brow above: below alone it grew
    assert ((grown == 5).sum(axis=0).max(), (grown == 5).sum(axis=1).max()) == (12, 22)
    assert set(np.unique(grown[49, 30:50])) == {7}
    assert set(np.unique(grown[64, 30:50])) == {9}
    assert grown[56, 24] == 8
    assert (grow(np.ones((9, 9), np.uint8)) == 1).all()


def test_written_and_read_back(labels, tmp_path):
    path = write_labels(tmp_path / "l.png", labels)
    with Image.open(path) as image:
        assert image.mode == "P"
        assert (np.array(image) == labels).all()
        assert (np.array(image.convert("RGB")) == colour_labels(labels)).all()
    read, notes = read_labels(path)
    assert (read == labels).all()
    assert notes == []
    with pytest.raises(OutputError, match=r"l\.jpg would blur or recolour a label map"):
        write_labels(tmp_path / "l.jpg", labels)


def test_what_painting_programs_make_of_it(labels, tmp_path):
    rgb = colour_labels(labels)
    Image.fromarray(rgb).save(tmp_path / "rgb.png")
    read, notes = read_labels(tmp_path / "rgb.png")
    assert ((read == labels).all(), notes) == (True, [])

    rgb[5, 5] = np.clip(rgb[5, 5].astype(int) + np.array([20, -20, 15]), 0, 255)
    Image.fromarray(rgb).save(tmp_path / "soft.png")
    read, notes = read_labels(tmp_path / "soft.png")
    assert ((read == labels).all(), notes) == (
        True,
        ["soft.png: 1 pixels of other colours were taken for the nearest label."],
    )

    order = np.random.default_rng(1).permutation(11)
    sorted_otherwise = Image.fromarray(np.argsort(order)[labels].astype(np.uint8), mode="P")
    sorted_otherwise.putpalette(COLOURS[order].tobytes())
    sorted_otherwise.save(tmp_path / "sorted.png")
    read, notes = read_labels(tmp_path / "sorted.png")
    assert ((read == labels).all(), notes) == (True, [])

    Image.fromarray(labels).save(tmp_path / "grey.png")  # the thesis's own files: the label is the grey level
    assert (read_labels(tmp_path / "grey.png")[0] == labels).all()


def test_what_is_no_label_map(labels, tmp_path):
    labels[4, :7] = 11
    labels[5, 0] = 200
    Image.fromarray(labels).save(tmp_path / "grey.png")
    with pytest.raises(PictureError, match=r"11: 7 pixels, 200: 1 pixels\).* 0 to 10"):
        read_labels(tmp_path / "grey.png")
    Image.new("RGB", (9, 9), (0, 0, 255)).save(tmp_path / "blue.png")
    with pytest.raises(PictureError, match=r"colours that are no part of a face \(#0000ff: 81 pixels\)"):
        read_labels(tmp_path / "blue.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(PictureError):
        read_labels(tmp_path / "text.png")


def test_overlay_leaves_the_background(labels):
    photo = np.full((20, 30, 3), 100, np.uint8)
    shown = overlay(photo, labels)
    assert (shown[labels == 0] == 100).all()
    assert (shown[labels == 10] == np.rint(50 + COLOURS[10] / 2)).all()
