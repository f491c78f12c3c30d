"""The commands around the face parser and the face features, from training to a label map, on puppets and tiny networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import masque

from masque.faces.labels import read_labels
from masque.image import read_picture


def trained(folder: Path, family: str) -> Path:
    run = folder / family
    command = ("train", family, "--data", "puppets:24", "--out", run, "--preset", "tiny", "--steps", 3, "--set", "batch_size=4")
    assert masque(*command, "--json").values["finished"] is True
    return run


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs"), "parser")


def test_parse_writes_a_label_map_of_the_photos_size(parser: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    labels, look = tmp_path / "labels.png", tmp_path / "look.jpg"
    outcome = masque("parse", puppet_files[0], "--model", parser, "-o", labels, "--overlay", look, "--json")
    photo = read_picture(puppet_files[0])
    made, notes = read_labels(labels)
    assert (made.shape, notes) == (photo.shape[:2], [])
    assert read_picture(look).shape == photo.shape
    assert outcome.values["percent"]["background"] == pytest.approx(100 * float((made == 0).mean()), abs=0.01)
    assert sum(outcome.values["percent"].values()) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("bad", [("-o", "labels.jpg"), ("--overlay", "look.txt"), ("-o", "no/where.png")])
def test_parse_refuses_before_it_writes(parser: Path, puppet_files: list[Path], tmp_path: Path, bad: tuple[str, str]) -> None:
    option, name = bad
    where = ("-o", tmp_path / "labels.png") if option != "-o" else ()
    assert masque("parse", puppet_files[0], "--model", parser, *where, option, tmp_path / name).sentence
    assert list(tmp_path.iterdir()) == []


def test_parse_needs_a_face(parser: Path, tmp_path: Path) -> None:
    from masque.image import write_picture

    wall = write_picture(tmp_path / "wall.png", np.full((200, 200, 3), 128, np.uint8))
    assert "wall.png" in masque("parse", wall, "--model", parser, "-o", tmp_path / "labels.png").sentence
    assert not (tmp_path / "labels.png").exists()


def test_a_parser_does_not_swap(parser: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    outcome = masque("swap", puppet_files[0], puppet_files[1], "--model", parser, "-o", tmp_path / "out.png")
    assert "holds a model of the family parser, which cannot swap: name a model of rsgan" in outcome.sentence


def test_evaluate_parser(parser: Path) -> None:
    values = masque("evaluate", "parser", parser, "--data", "puppets:24", "--json").values
    assert 0 <= values["mean_iou"] < 1
    assert 0 < values["accuracy"] < 1
    assert "mean IoU" in masque("evaluate", "parser", parser, "--data", "puppets:24").out


def test_evaluate_identity(tmp_path: Path) -> None:
    run = trained(tmp_path, "identity")
    values = masque("evaluate", "identity", run, "--data", "puppets:120", "--pairs", 40, "--json").values
    assert 0 <= values["verification"]["accuracy"] <= 1
    assert values["pairs"] == 40
    assert (
        "family parser: name one of identity" in masque("evaluate", "identity", trained(tmp_path, "parser"), "--data", "puppets:9").sentence
    )
