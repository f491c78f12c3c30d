"""Writing whole or not at all, and the step between pixels and tensors."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from masque.errors import OutputError
from masque.image import (
    Picture,
    check_folder_of,
    check_output,
    encoding,
    grid,
    to_pictures,
    to_tensor,
    write_atomically,
    write_picture,
)


def noise(height: int = 30, width: int = 40, seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses every byte that a file would have beyond `size`, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def refusal(action: object, *arguments: object) -> str:
    with pytest.raises(OutputError) as caught:
        action(*arguments)  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_png_keeps_every_pixel(tmp_path: Path) -> None:
    write_picture(tmp_path / "out.PNG", noise())
    assert np.array_equal(np.array(Image.open(tmp_path / "out.PNG")), noise())


@pytest.mark.parametrize(("suffix", "kind"), [("jpg", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_the_ending_chooses_the_format(tmp_path: Path, suffix: str, kind: str) -> None:
    smooth = np.tile(np.linspace(40, 200, 40, dtype=np.uint8)[None, :, None], (30, 1, 3))
    written = Image.open(write_picture(tmp_path / f"out.{suffix}", smooth))
    assert written.format == kind
    assert np.abs(np.array(written).astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("name", ["out.bmp", "out", "out.png.txt", ".png"])
def test_an_ending_that_names_no_format(tmp_path: Path, name: str) -> None:
    for ask in (check_output, encoding, lambda path: write_picture(path, noise())):
        assert ".png, .jpg or .webp" in refusal(ask, tmp_path / name)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    assert "mkdir -p" in refusal(check_output, tmp_path / "missing" / "out.png")
    assert "is a folder" in refusal(check_output, tmp_path / "folder.png")
    assert "is a folder" in refusal(check_folder_of, tmp_path)


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    assert "may not be written" in refusal(check_output, tmp_path / "out.png")


def test_a_picture_larger_than_its_format_allows(tmp_path: Path) -> None:
    long = np.zeros((8, 17_000, 3), np.uint8)
    assert "17000×8 pixels cannot be written as WEBP" in refusal(write_picture, tmp_path / "strip.webp", long)
    assert not list(tmp_path.iterdir())
    write_picture(tmp_path / "strip.png", long)


def test_a_writer_that_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")

    def fail(part: Path) -> None:
        part.write_text("half of the new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_ever_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"

    def write(part: Path) -> None:
        part.write_text("new")
        assert not path.exists()
        assert part.parent == path.parent  # a rename from another disk would be a copy

    write_atomically(path, write)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_ordinary_permissions(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_picture(tmp_path / "out.png", noise())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.png").stat().st_mode) == 0o644


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_full_disk_loses_nothing(tmp_path: Path, suffix: str) -> None:
    path = write_picture(tmp_path / f"out.{suffix}", noise(8, 8))
    before = path.read_bytes()
    with files_no_larger_than(len(before)):
        assert "could not be written" in refusal(write_picture, path, noise(200, 200))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_only_when_asked_to_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Network file systems tell at fsync or close, after every write has succeeded."""
    path = write_picture(tmp_path / "out.png", noise(seed=1))
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refusal(write_picture, path, noise(seed=2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_all_256_levels_come_back_from_tensors() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    assert np.array_equal(to_pictures(to_tensor(levels)), levels)


def test_tensors_are_pixels_over_127_5_minus_1() -> None:
    pictures = [noise(seed=seed) for seed in (0, 1)]
    tensor = to_tensor(pictures)
    assert tensor.shape == (2, 3, 30, 40)
    assert tensor.dtype == torch.float32
    expected = np.stack(pictures).astype(np.float64).transpose(0, 3, 1, 2) / 127.5 - 1
    assert np.abs(tensor.numpy() - expected).max() < 1e-6
    assert to_tensor(np.array([[[0, 255, 0]]], np.uint8)).flatten().tolist() == [-1, 1, -1]


def test_one_picture_is_a_batch_of_one() -> None:
    assert torch.equal(to_tensor(noise()), to_tensor([noise()]))
    assert to_tensor(noise()[::-1, ::-1]).shape == (1, 3, 30, 40)


def test_tensors_beyond_the_range_are_clipped_and_rounded() -> None:
    values = torch.tensor([-7.0, -1.0, -0.9999, 0.0, 0.0041, 1.0, 3.0]).view(1, 1, 1, 7).expand(1, 3, 1, 7)
    assert to_pictures(values)[0, 0, :, 0].tolist() == [0, 0, 0, 128, 128, 255, 255]
    assert to_pictures(values.bfloat16())[0, 0, (0, 6), 0].tolist() == [0, 255]


def test_grid_lays_pictures_row_by_row() -> None:
    pictures = [np.full((3, 4, 3), 10 * (i + 1), np.uint8) for i in range(5)]
    sheet = grid(pictures, 2, gap=1, colour=0)
    one = np.ones((3, 4), int)
    rows = [np.hstack([a * one, np.zeros((3, 1), int), b * one]) for a, b in ((10, 20), (30, 40), (50, 0))]
    line = np.zeros((1, 9), int)
    assert np.array_equal(sheet[..., 0], np.vstack([rows[0], line, rows[1], line, rows[2]]))
    assert sheet.shape == (11, 9, 3)


def test_grid_of_one_has_no_gap() -> None:
    assert np.array_equal(grid([noise()], 1), noise())
