"""Label maps from any painting program: what comes back is what was painted, and an edge pixel is one of the labels it
lies between."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from painting_programs import EXACT, SOFT, edges, random_map, saved, stroked
from PIL import Image

from masque.errors import PictureError
from masque.faces.labels import COLOURS, Labels, read_labels
from png_files import png

FEW = 1e-3
"""The share of pixels that may be wrong where features of two or three pixels were blurred into one another."""


def tried(examples: int):
    """A test on random maps, the same ones each time."""
    return lambda test: settings(max_examples=examples, deadline=None, derandomize=True)(
        given(seed=st.integers(0, 9999))(test)
    )


def comes_back(kind: str, folder: Path, seed: int) -> None:
    ending, write = EXACT[kind]
    labels, path = random_map(seed, 96), folder / f"map.{ending}"
    write(labels, path, seed)
    np.testing.assert_array_equal(read_labels(path)[0], labels)


def lies_between(read: Labels, labels: Labels, reach: int, few: float = FEW) -> None:
    """Away from edges the map is as it was, and within `reach` pixels of one each pixel is a label that lies there."""
    inner, around = edges(labels, reach)
    wrong = ~np.take_along_axis(around, read[None].astype(np.int64), axis=0)[0]
    assert wrong.mean() <= few
    assert (wrong & inner).mean() <= few / 10


@pytest.mark.parametrize("kind", EXACT)
def test_what_loses_nothing_comes_back(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("maps")
    tried(2)(lambda seed: comes_back(kind, folder, seed))()


@pytest.mark.slow
@pytest.mark.parametrize("kind", EXACT)
def test_what_loses_nothing_comes_back_always(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("maps")
    tried(200)(lambda seed: comes_back(kind, folder, seed))()


def soft(kind: str, folder: Path, seed: int) -> None:
    ending, reach, write = SOFT[kind]
    labels, path = random_map(seed), folder / f"map.{ending}"
    write(labels, path, seed)
    # Of a part two pixels wide, smoothed and then made a JPEG, hardly a pixel has its colour left.
    lies_between(read_labels(path)[0], labels, int(reach), 5 * FEW if kind == "JPEG 75, antialiased" else FEW)


@pytest.mark.parametrize("kind", SOFT)
def test_soft_edges(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("maps")
    tried(2)(lambda seed: soft(kind, folder, seed))()


@pytest.mark.parametrize(
    ("kind", "seed"), [("JPEG 90", 3339), ("JPEG 75", 45), ("WebP 80", 3339), ("recoloured", 8846)]
)
def test_maps_that_were_once_read_wrong(kind: str, seed: int, tmp_path: Path) -> None:
    """Between yellow and purple, pixels that share their hue look like skin; a conversion that hardly moves skin may
    move lips far."""
    soft(kind, tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SOFT)
def test_soft_edges_always(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("maps")
    tried(100)(lambda seed: soft(kind, folder, seed))()


@pytest.mark.parametrize("reach", [3, 10, 20])
def test_a_soft_brush_as_wide_as_one_likes(reach: int) -> None:
    for seed in range(4):
        picture, labels = stroked(random_map(seed), seed, reach)
        before, (inner, around) = edges(random_map(seed), 2)[1], edges(labels, reach + 1)
        wrong = ~np.take_along_axis(around | before, read_labels(picture)[0][None].astype(np.int64), axis=0)[0]
        assert (wrong & inner).sum() == 0
        assert wrong.mean() <= FEW


def test_a_brow_drawn_softly_has_no_other_brow_around_it() -> None:
    """Skin and left brow mix to what looks like the right brow."""
    labels = np.zeros((120, 120), np.uint8)
    labels[20:100, 20:100] = 1
    labels[50:56, 40:70] = 2
    for width in (3, 5, 7):
        read, notes = read_labels(cv2.GaussianBlur(COLOURS[labels], (width, width), 0))
        assert set(np.unique(read)) == {0, 1, 2}
        lies_between(read, labels, 3, 0)
    assert len(notes) == 1
    assert notes[0].endswith("pixels of other colours were taken for the nearest label.")


def test_a_stroke_thinner_than_a_pixel_stays() -> None:
    labels = np.ones((60, 60), np.uint8)
    labels[30, 10:50] = 2
    picture = np.rint(0.3 * COLOURS[1] + 0.7 * COLOURS[labels]).astype(np.uint8)
    np.testing.assert_array_equal(read_labels(picture)[0], labels)


def test_a_few_pixels_of_another_colour_are_taken_and_an_area_is_refused() -> None:
    picture = COLOURS[random_map(1)]
    picture[120:122, 120:122] = 0, 0, 255
    read, notes = read_labels(picture)
    assert set(np.unique(read[119:123, 119:123])) <= set(np.unique(random_map(1)[115:127, 115:127]))
    assert len(notes) == 1
    picture[100:110, 120:130] = 0, 0, 255
    with pytest.raises(PictureError, match=r"#0000ff: 104 pixels"):
        read_labels(picture)
    photo = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    with pytest.raises(PictureError, match="colours that are no part of a face"):
        read_labels(photo)


def test_a_colour_picked_a_little_wrong_is_the_label_that_is_near() -> None:
    labels = random_map(2)
    picture = COLOURS[labels].astype(int)
    picture[labels == 10] += (14, -9, 11)
    np.testing.assert_array_equal(read_labels(picture.astype(np.uint8))[0], labels)


def test_transparent_edges_are_decided_at_half(tmp_path: Path) -> None:
    labels = np.full((40, 40), 10, np.uint8)
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (40, 1))
    wanted = np.where(alpha < 128, 0, 10)
    for name, pixels in (("colours", np.dstack([COLOURS[labels], alpha])), ("grey", np.dstack([labels] * 3 + [alpha]))):
        Image.fromarray(pixels, mode="RGBA").save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(read_labels(tmp_path / f"{name}.png")[0], wanted)


def test_a_transparent_colour_is_background(tmp_path: Path) -> None:
    labels = random_map(4, 64)
    saved(
        np.where(labels == 0, 10, np.where(labels == 10, 0, labels)).astype(np.uint8),
        tmp_path / "grey.png",
        transparency=10,
    )
    np.testing.assert_array_equal(read_labels(tmp_path / "grey.png")[0], np.where(labels == 10, 0, labels))
    saved(COLOURS[labels], tmp_path / "colours.png", transparency=tuple(COLOURS[10].tolist()))
    np.testing.assert_array_equal(read_labels(tmp_path / "colours.png")[0], np.where(labels == 10, 0, labels))


def test_a_map_of_four_bits(tmp_path: Path) -> None:
    labels = random_map(5, 64)[:64]
    rows = b"".join(b"\0" + bytes(labels[y, ::2] << 4 | labels[y, 1::2]) for y in range(64))
    (tmp_path / "four.png").write_bytes(png(64, 64, zlib.compress(rows), depth=4, colour=0))
    read, notes = read_labels(tmp_path / "four.png")
    np.testing.assert_array_equal(read, labels)
    assert notes == ["four.png: its grey levels were taken for 17 times the labels."]


def test_black_and_white_never_loses_the_head(tmp_path: Path) -> None:
    head = np.where(random_map(7) > 0, 255, 0).astype(np.uint8)
    near_black = np.dstack([random_map(7)] * 3)
    saved(head, tmp_path / "mask.png")
    saved(near_black, tmp_path / "grey3.jpg", quality=92)
    saved(near_black + np.array([1, 0, 2], np.uint8), tmp_path / "tinted.png")
    for name in ("mask.png", "grey3.jpg", "tinted.png"):
        with pytest.raises(PictureError, match=name):
            read_labels(tmp_path / name)
    saved(head > 0, tmp_path / "one-bit.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "one-bit.png")[0], head > 0)


def test_a_turned_map_is_turned_upright(tmp_path: Path) -> None:
    labels, exif = random_map(8, 64), Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: viewers turn the picture to the right
    for name, pixels in (("grey", labels), ("colours", COLOURS[labels])):
        saved(np.ascontiguousarray(np.rot90(pixels)), tmp_path / f"{name}.png", exif=exif)
        np.testing.assert_array_equal(read_labels(tmp_path / f"{name}.png")[0], labels)


def test_of_several_frames_the_first_is_read(tmp_path: Path) -> None:
    first, second = (Image.fromarray(COLOURS[random_map(seed, 64)[:64]]) for seed in (1, 2))
    for name in ("two.tif", "two.webp", "two.png"):
        first.save(
            tmp_path / name, save_all=True, append_images=[second], **({"lossless": True} if "webp" in name else {})
        )
        read, notes = read_labels(tmp_path / name)
        np.testing.assert_array_equal(read, random_map(1, 64)[:64])
        assert notes == [f"{name} has 2 pages or frames: the first was read."]


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int32, np.uint16, np.int64, np.float32])
def test_maps_from_python(kind: type) -> None:
    labels = random_map(9, 64)
    np.testing.assert_array_equal(read_labels(labels.astype(kind))[0], labels)
    np.testing.assert_array_equal(read_labels(Image.fromarray(COLOURS[labels]))[0], labels)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            np.ones((4, 4), bool),
            r"The label map is an array of bool \(4, 4\): give whole numbers of shape \(H, W\) from 0 to 10",
        ),
        (np.full((4, 4), -1), r"no part of a face \(-1: 16 pixels\)"),
        (np.full((4, 4), 1e30), r"no part of a face \(1e\+30: 16 pixels\)"),
        (np.full((4, 4), np.nan), r"no part of a face \(nan: 16 pixels\)"),
        (np.full((4, 4), 1.5), r"no part of a face \(1.5: 16 pixels\)"),
        (np.zeros((0, 4), int), r"array of int64 \(0, 4\)"),
        (np.zeros((2, 3, 4, 5), int), r"array of shape \(2, 3, 4, 5\)"),
        (np.array("abc"), "array of <U3"),
        (None, "The label map is a NoneType"),
        (7, "The label map is a int"),
    ],
)
def test_what_is_no_map(wrong: object, sentence: str) -> None:
    with pytest.raises(PictureError, match=sentence) as raised:
        read_labels(wrong)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("seed", range(4))
def test_numbers_that_were_smoothed_as_greys_are_the_labels_beside_them(seed: int, tmp_path: Path) -> None:
    """Between hair (10) and background (0) lie all other numbers, and all are labels."""
    labels = random_map(seed)
    height, width = labels.shape
    enlarged = cv2.resize(labels, None, fx=2.7, fy=2.7, interpolation=cv2.INTER_LINEAR)
    for name, smoothed in (
        ("blurred.png", cv2.GaussianBlur(labels, (3, 3), 0)),
        ("enlarged.png", cv2.resize(enlarged, (width, height), interpolation=cv2.INTER_NEAREST)),
    ):
        saved(smoothed, tmp_path / name)
        read, notes = read_labels(tmp_path / name)
        lies_between(read, labels, 2, 3 * FEW)
        assert "pixels of smoothed edges were taken for the nearest label." in notes[0]
