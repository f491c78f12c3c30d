"""The commands around portraits by label map, on puppets, a tiny network and the parser that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import masque

from masque.catalog import SHIPPED
from masque.faces.labels import COLOURS, read_labels, write_labels
from masque.image import read_picture, write_picture

pytestmark = pytest.mark.skipif(
    not (SHIPPED / "parser").is_dir(), reason="the weights of the face parser were left out"
)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "portrait"
    command = (
        "train",
        "portrait",
        "--data",
        "puppets:24",
        "--out",
        run,
        "--preset",
        "tiny",
        "--steps",
        2,
        "--set",
        "batch_size=4",
    )
    assert masque(*command, "--json").values["finished"] is True
    return run


@pytest.fixture(scope="module")
def label_map(puppet_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "labels.png"
    assert masque("parse", puppet_files[1], "-o", path).code == 0
    return path


def test_repaint_by_an_edited_map(portrait: Path, puppet_files: list[Path], label_map: Path, tmp_path: Path) -> None:
    labels, _ = read_labels(label_map)
    rows, columns = np.nonzero(np.isin(labels, (7, 8, 9)))
    labels[rows.min() - 8 : rows.max() + 8, columns.min() : columns.max()] = 8
    edited = write_labels(tmp_path / "edited.png", labels)
    outcome = masque("repaint", puppet_files[1], edited, "--model", portrait, "-o", tmp_path / "out.png")
    assert outcome.code == 0, outcome.err
    assert " to the photo's person; " in outcome.out
    before, after = read_picture(puppet_files[1]), read_picture(tmp_path / "out.png")
    assert after.shape == before.shape
    assert (after != before).any()
    record = masque("verify", tmp_path / "out.png", "--json").values["record"]
    assert (record["edit"], record["model"]) == ("repaint", "portrait")


def test_a_map_in_other_colours_and_of_another_size_is_taken_with_a_note(
    portrait: Path, puppet_files: list[Path], label_map: Path, tmp_path: Path
) -> None:
    labels, _ = read_labels(label_map)
    colours = COLOURS[labels[::2, ::2]]
    colours[3, 3] = colours[3, 3].astype(int) + 9
    painted = write_picture(tmp_path / "painted.png", colours.astype(np.uint8))
    outcome = masque("repaint", puppet_files[1], painted, "--model", portrait, "-o", tmp_path / "out.png")
    assert outcome.code == 0, outcome.err
    assert "Note: painted.png: 1 pixels of other colours were taken for the nearest label." in outcome.err
    assert "was brought to the photo's" in outcome.err


def test_shape_and_style_of_another(portrait: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    one, other = puppet_files[1], puppet_files[3]
    for command in (
        ("repaint", one, "--shape-from", other, "--part", "mouth"),
        ("transfer", one, "--style-from", other, "--part", "skin"),
    ):
        outcome = masque(*command, "--model", portrait, "-o", tmp_path / "out.png")
        assert outcome.code == 0, outcome.err
        assert read_picture(tmp_path / "out.png").shape == read_picture(one).shape


def test_many_faces(portrait: Path, puppet_files: list[Path], label_map: Path, tmp_path: Path) -> None:
    (tmp_path / "styles").mkdir()
    for number, path in enumerate(puppet_files[:3]):
        write_picture(tmp_path / "styles" / f"{number}.png", read_picture(path))
    write_picture(tmp_path / "styles" / "0wall.png", np.full((99, 99, 3), 99, np.uint8))
    arguments = (
        "faces-for",
        label_map,
        "--styles",
        tmp_path / "styles",
        "--count",
        2,
        "--model",
        portrait,
        "-o",
        tmp_path / "sheet.png",
    )
    outcome = masque(*arguments, "--json")
    assert outcome.values["styles"] == ["0.png", "1.png"]
    assert "left out 0wall.png" in outcome.err
    assert read_picture(tmp_path / "sheet.png").shape == (2 * 64 + 2, 3 * 64 + 4, 3)


def test_what_cannot_be_done(portrait: Path, puppet_files: list[Path], label_map: Path, tmp_path: Path) -> None:
    one, out = puppet_files[1], tmp_path / "out.png"
    assert masque("repaint", one, "--model", portrait, "-o", out).code == 2
    assert masque("repaint", one, label_map, "--shape-from", one, "--model", portrait, "-o", out).code == 2
    bad = write_picture(tmp_path / "bad.png", np.full((9, 9, 3), (0, 0, 255), np.uint8))
    assert (
        "no part of a face (#0000ff: 81 pixels)" in masque("repaint", one, bad, "--model", portrait, "-o", out).sentence
    )
    assert (
        "There is no folder"
        in masque("faces-for", label_map, "--styles", tmp_path / "none", "--model", portrait, "-o", out).sentence
    )
    assert not out.exists()
