"""The commands around the face parser and the face features, from training to a label map, on puppets and tiny
networks."""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from command_line import masque

from masque import modelfile
from masque.catalog import SHIPPED
from masque.faces.labels import read_labels, write_labels
from masque.image import read_picture, write_picture
from masque.tables.parser import as_text as parser_report
from masque.tables.shape import as_text
from masque.tables.written import CHECKSUM, kept_report


def trained(folder: Path, family: str) -> Path:
    run = folder / family
    command = (
        "train",
        family,
        "--data",
        "puppets:24",
        "--out",
        run,
        "--preset",
        "tiny",
        "--steps",
        3,
        "--set",
        "batch_size=4",
    )
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


def test_what_parse_and_heatmap_write_says_how_it_was_made(
    parser: Path, puppet_files: list[Path], tmp_path: Path
) -> None:
    labels, heat, png = tmp_path / "labels.png", tmp_path / "heat.webp", tmp_path / "look.png"
    looks = [tmp_path / f"look.{ending}" for ending in ("png", "jpg", "webp")]
    for look in looks:
        assert masque("parse", puppet_files[0], "--model", parser, "-o", labels, "--overlay", look).code == 0
    assert masque("heatmap", puppet_files[0], png, "-o", heat).code == 0
    for path, edit in ((labels, "parse"), *((look, "parse") for look in looks), (heat, "heatmap")):
        values = masque("verify", path, "--json").values
        assert (values["record"]["edit"], values["unchanged"]) == (edit, True), path.name
    assert values["record"]["inputs"] == {"photo": puppet_files[0].name, "edited": "look.png"}
    painted = write_labels(tmp_path / "painted.png", 10 - read_labels(labels)[0], {"edit": "parse"})
    spoilt = bytearray(labels.read_bytes())
    at = spoilt.index(b"PLTE") + 4
    spoilt[at : at + 3] = b"\x01\x02\x03"
    spoilt[at + 768 : at + 772] = zlib.crc32(spoilt[at - 4 : at + 768]).to_bytes(4, "big")
    labels.write_bytes(spoilt)
    assert masque("verify", painted, "--json").values["unchanged"] is True
    assert masque("verify", labels, "--json").values["unchanged"] is False


@pytest.mark.parametrize("bad", [("-o", "labels.jpg"), ("--overlay", "look.txt"), ("-o", "no/where.png")])
def test_parse_refuses_before_it_writes(
    parser: Path, puppet_files: list[Path], tmp_path: Path, bad: tuple[str, str]
) -> None:
    option, name = bad
    where = ("-o", tmp_path / "labels.png") if option != "-o" else ()
    assert masque("parse", puppet_files[0], "--model", parser, *where, option, tmp_path / name).sentence
    assert list(tmp_path.iterdir()) == []


def test_parse_needs_a_face(parser: Path, tmp_path: Path) -> None:
    wall = write_picture(tmp_path / "wall.png", np.full((200, 200, 3), 128, np.uint8))
    assert "wall.png" in masque("parse", wall, "--model", parser, "-o", tmp_path / "labels.png").sentence
    assert not (tmp_path / "labels.png").exists()


def test_a_parser_does_not_swap(parser: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    outcome = masque("swap", puppet_files[0], puppet_files[1], "--model", parser, "-o", tmp_path / "out.png")
    for fact in (str(parser), "parser", "swap", "rsgan"):
        assert fact in outcome.sentence
    assert list(tmp_path.iterdir()) == []


def test_evaluate_shape(tmp_path: Path) -> None:
    run, path = tmp_path / "run", tmp_path / "report.json"
    command = (
        "train",
        "shape",
        "--data",
        "puppets:40",
        "--out",
        run,
        "--preset",
        "tiny",
        "--steps",
        2,
        "--set",
        "batch_size=4",
        "--json",
    )
    assert masque(*command).values["finished"] is True
    outcome = masque("evaluate", run, "--data", "puppets:80", "--puppets", 3, "--report", path)
    assert outcome.code == 0, outcome.err
    report = json.loads(path.read_text())
    assert (report["weights"], report["pictures"], report["puppets"]["pictures"]) == (modelfile.read(run).hash, 8, 3)
    assert outcome.out == as_text(report) + "\n"
    assert report["fit"]["landmark_error"] < 0.05  # of the landmarks, whatever the network has learnt
    assert report["puppets"]["fit"]["yaw_error"] < 5 < report["puppets"]["yaw_error"]
    wrong = masque("evaluate", "parser", "--task", "shape", "--data", "puppets:80", "--report", tmp_path / "other.json")
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    assert "holds a model of the family parser: name one of shape" in wrong.err
    assert not (tmp_path / "other.json").exists()


def test_evaluate_parser(parser: Path) -> None:
    """Of three steps of training little comes; the shipped weights name most pixels of a puppet rightly."""
    command = ("--data", "puppets:24", "--json")
    tiny, shipped = (masque("evaluate", model, *command).values for model in (parser, "parser"))
    for values, folder in ((tiny, parser), (shipped, SHIPPED / "parser")):
        assert (values["weights"], values["pictures"]) == (modelfile.read(folder).hash, 4)
    assert tiny["mean_iou"] < 0.2
    assert tiny["accuracy"] < 0.5
    assert shipped["mean_iou"] > 0.6
    assert shipped["accuracy"] > 0.85
    assert masque("evaluate", parser, *command[:2]).out == parser_report(tiny) + "\n"


def test_evaluate_identity(tmp_path: Path, lfw_folder: Path) -> None:
    run, path = trained(tmp_path, "identity"), tmp_path / "report.json"
    assert "held-out people" in masque("evaluate", run, "--data", "puppets:120", "--pairs", 40, "--report", path).out
    report = json.loads(path.read_text())
    assert 0 <= report["verification"]["accuracy"] <= 1
    assert report["pairs"] == 40
    assert "lfw" not in report
    wild = masque("evaluate", run, "--lfw", lfw_folder, "--workers", 1, "--report", path)
    values = json.loads(path.read_text())["lfw"]
    assert wild.out.startswith("LFW: 12 pairs in 2 folds, 12 pictures, 1 of them without")
    assert {"accuracy", "error", "auc", "dlib", "pairs", "pictures", "folds", "centred"} == values.keys()
    assert {"accuracy", "error", "auc"} == values["dlib"].keys()
    both = masque(
        "evaluate",
        run,
        "--lfw",
        lfw_folder,
        "--workers",
        1,
        "--data",
        "puppets:120",
        "--pairs",
        40,
        "--report",
        path,
    )
    assert both.out.count("\n") == 5
    assert kept_report(path, {}) == {
        **{name: value for name, value in report.items() if name != CHECKSUM},
        "lfw": values,
    }


def test_evaluate_identity_says_what_is_wrong(tmp_path: Path, lfw_folder: Path) -> None:
    assert "--data a prepared folder or puppets:N, --lfw the folder" in masque("evaluate", "identity").sentence
    assert "There is no pairs.txt" in masque("evaluate", "identity", "--lfw", tmp_path).sentence
    shutil.copy(lfw_folder / "pairs.txt", tmp_path)
    assert (
        "Puppet_0_0001.jpg, and pairs.txt names it: 12 of" in masque("evaluate", "identity", "--lfw", tmp_path).sentence
    )
    assert (
        "mkdir -p"
        in masque("evaluate", "identity", "--lfw", lfw_folder, "--report", tmp_path / "no" / "r.json").sentence
    )
    assert (
        "family parser: name one of identity"
        in masque("evaluate", trained(tmp_path, "parser"), "--task", "identity", "--data", "puppets:9").sentence
    )
