"""Puppets as photos and as prepared sets."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from masque.data.journal import PrepareSettings
from masque.data.prepare import prepare
from masque.image import Picture, write_picture


@pytest.fixture(scope="session")
def photo_folder(puppet_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four puppets' photos, a text file that calls itself a picture, a picture cut short, one of no face, and one of a
    small face."""
    folder = tmp_path_factory.mktemp("photos")
    for file in puppet_files:
        shutil.copy(file, folder / file.name)
    (folder / "letter.jpg").write_text("Dear reader, this is not a picture.")
    (folder / "cut.png").write_bytes(puppet_files[0].read_bytes()[:5000])
    (folder / "notes.txt").write_text("not even called a picture")
    grey = np.random.default_rng(0).integers(100, 140, (200, 160, 3)).astype(np.uint8)
    write_picture(folder / "wall.png", grey)
    write_picture(folder / "far.png", small_face(puppet_files[0]))
    write_picture(folder / "dot.png", grey[:1, :1])
    return folder


def small_face(file: Path) -> Picture:
    """The photo at a size at which its face is found, but narrower than 40 px."""
    import cv2

    from masque.image import read_picture

    photo = read_picture(file)
    shrunk = cv2.resize(photo, None, fx=0.22, fy=0.22, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(shrunk, 30, 30, 30, 30, cv2.BORDER_REPLICATE).astype(np.uint8)


@pytest.fixture(scope="session")
def prepared_folder(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """These photos prepared for 64 px in this process."""
    out = tmp_path_factory.mktemp("prepared") / "set"
    prepare(photo_folder, out, PrepareSettings(size=64, held_out=0.4), workers=1)
    return out


@pytest.fixture
def same_folder() -> Callable[[Path, Path], list[str]]:
    """The names of the files that are not byte for byte the same in two folders; the journal's lines may stand in
    another order."""

    def contents(folder: Path) -> dict[str, object]:
        files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
        return {
            n: sorted(p.read_bytes().splitlines()) if p.suffix == ".jsonl" else p.read_bytes() for n, p in files.items()
        }

    def compare(a: Path, b: Path) -> list[str]:
        first, second = contents(a), contents(b)
        return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))

    return compare
