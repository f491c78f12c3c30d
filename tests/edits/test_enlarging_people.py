"""Enlarging identity folders: what is copied, what is drawn, what it is called, and what a failed run leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import masque.edits.augment as module
from masque.edits.augment import Augmented, augment
from masque.errors import DataError, OutputError, ValueRangeError
from masque.image import read_picture, write_picture


@pytest.fixture
def people(puppet_files: list[Path], tmp_path: Path) -> Path:
    """Anna with two photos of one stem, and Ben with one photo and one wall."""
    folder = tmp_path / "people"
    for name in ("anna", "ben"):
        (folder / name).mkdir(parents=True)
    shutil.copy(puppet_files[0], folder / "anna" / "1.png")
    write_picture(folder / "anna" / "1.jpg", read_picture(puppet_files[1]))
    shutil.copy(puppet_files[2], folder / "ben" / "7.png")
    write_picture(folder / "ben" / "wall.png", np.full((200, 200, 3), 128, np.uint8))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_photos_are_copied_and_new_ones_stand_beside_them(synthesizer, people, tmp_path):
    out, seen = tmp_path / "new" / "out", []
    made = augment(synthesizer, people, out, per_picture=2, workers=1, progress=lambda *at: seen.append(at))
    assert made == Augmented(people=2, photos=4, made=6, without=1)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    new = [
        "anna/1.jpg-new1.png",
        "anna/1.jpg-new2.png",
        "anna/1.png-new1.png",
        "anna/1.png-new2.png",
        "ben/7-new1.png",
        "ben/7-new2.png",
    ]
    assert names(out) == sorted([*names(people), *new])
    for photo in names(people):
        assert (out / photo).read_bytes() == (people / photo).read_bytes()
    pictures = [read_picture(out / name) for name in new]
    assert {picture.shape for picture in pictures} == {(32, 32, 3)}
    assert len({picture.tobytes() for picture in pictures}) == 6
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_what_is_drawn_depends_on_the_seed_and_not_on_the_batch(synthesizer, people, tmp_path, monkeypatch):
    def drawn(name, seed):
        augment(synthesizer, people, tmp_path / name, per_picture=2, seed=seed, workers=1)
        return {
            path: read_picture(tmp_path / name / path).astype(int) for path in names(tmp_path / name) if "-new" in path
        }

    first, other = drawn("a", 0), drawn("b", 1)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    alone = drawn("c", 0)
    assert first.keys() == other.keys() == alone.keys()
    for name, picture in first.items():
        assert np.abs(picture - alone[name]).max() <= 1
        assert np.abs(picture - other[name]).max() > 1


def test_a_failure_leaves_nothing(synthesizer, people, tmp_path):
    with pytest.raises(ValueRangeError, match="ask for one at least"):
        augment(synthesizer, people, tmp_path / "out", per_picture=0)
    with pytest.raises(OutputError, match="exists already: choose a new folder"):
        augment(synthesizer, people, people)
    with pytest.raises(OutputError, match="which it is to enlarge"):
        augment(synthesizer, people, people / "out")
    with pytest.raises(DataError, match="no folders of people"):
        augment(synthesizer, people / "anna", tmp_path / "out")
    walls = tmp_path / "walls"
    shutil.copytree(people / "ben", walls / "ben")
    (walls / "ben" / "7.png").write_text("no picture")
    with pytest.raises(DataError, match="In none of the 2 photos"):
        augment(synthesizer, walls, tmp_path / "out", workers=1)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augment(synthesizer, people, tmp_path / "out", workers=1, progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["people", "walls"]
