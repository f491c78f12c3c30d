"""The commands around CCA-GAN, from training to a measured edit, on puppets and a tiny network."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import masque

from masque.edits.sheet import CELL
from masque.faces.detect import find_faces
from masque.faces.frame import similarity
from masque.image import GAP, read_picture, write_picture

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
"""Of the model of five that the tests train."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "ccagan"
    command = (
        "train",
        "ccagan",
        "--data",
        "puppets:40",
        "--out",
        run,
        "--preset",
        "tiny",
        "--steps",
        4,
        "--set",
        "batch_size=4",
    )
    outcome = masque(*command, "--json")
    assert outcome.values["finished"] is True
    return run


def test_an_edit_gives_the_whole_photo_back_and_says_what_it_took_back(
    trained: Path, puppet_files: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    outcome = masque(
        "edit", puppet_files[1], "--model", trained, "--set", "Blond_Hair=1", "--set", "Young=0", "-o", out
    )
    assert outcome.code == 0, outcome.err
    before, after = read_picture(puppet_files[1]), read_picture(out)
    assert after.shape == before.shape
    assert not np.array_equal(before, after)
    record = masque("verify", out, "--json").values["record"]
    assert (record["edit"], record["model"], record["attributes"]) == (
        "edit",
        "ccagan",
        {"Blond_Hair": 1.0, "Young": 0.0},
    )
    assert record["also"] == {"Black_Hair": 0.0, "Brown_Hair": 0.0}
    for name in record["also"]:
        assert f"{name}=0" in outcome.out


def test_an_edit_that_takes_nothing_back_speaks_of_nothing_else(
    trained: Path, puppet_files: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    outcome = masque("edit", puppet_files[1], "--model", trained, "--set", "Male=1", "-o", out)
    assert masque("verify", out, "--json").values["record"]["also"] == {}
    assert "_Hair" not in outcome.out


def test_a_sheet(trained: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    """The face as it is, and beside it one picture of it for each attribute, no two of them the same."""
    outcome = masque("edit", puppet_files[0], "--model", trained, "--sheet", "-o", tmp_path / "sheet.png")
    assert outcome.code == 0, outcome.err
    shown = masque("verify", tmp_path / "sheet.png", "--json").values["record"]["shown"]
    assert {entry.partition("=")[0] for entry in shown[1:]} == set(ATTRIBUTES)
    assert ", ".join(shown) in outcome.out
    sheet = read_picture(tmp_path / "sheet.png")
    assert sheet.shape == (CELL, len(shown) * CELL + (len(shown) - 1) * GAP, 3)
    cells = [sheet[:, at : at + CELL] for at in range(0, sheet.shape[1], CELL + GAP)]
    photo, (face,) = read_picture(puppet_files[0]), find_faces(cells[0])
    as_taken = cv2.warpAffine(photo, similarity(find_faces(photo)[0].landmarks, face.landmarks), (CELL, CELL))
    middle = np.s_[CELL // 3 : 2 * CELL // 3, CELL // 3 : 2 * CELL // 3]
    assert np.abs(cells[0][middle].astype(float) - as_taken[middle]).mean() < 5
    for a, b in combinations(cells, 2):
        assert np.abs(a.astype(float) - b).max() > 2


def test_set_and_sheet_exclude_each_other(puppet_files: list[Path], tmp_path: Path) -> None:
    for arguments in ((), ("--set", "Male=1", "--sheet")):
        outcome = masque("edit", puppet_files[0], *arguments, "-o", tmp_path / "out.png")
        assert outcome.code == 2
        assert "--sheet" in outcome.err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("Smiling=1",), "knows no attribute Smiling; known are: Black_Hair, Blond_Hair, Brown_Hair, Male, Young"),
        (("Blond_Hair=1", "Black_Hair=1"), "exclude one another"),
        (("Male=2",), "outside [0, 1]"),
    ],
)
def test_what_cannot_be_asked(
    trained: Path, puppet_files: list[Path], tmp_path: Path, asked: tuple[str, ...], says: str
) -> None:
    sets = [part for one in asked for part in ("--set", one)]
    outcome = masque("edit", puppet_files[0], "--model", trained, *sets, "-o", tmp_path / "out.png")
    assert says in outcome.sentence
    assert not (tmp_path / "out.png").exists()


def test_a_model_is_asked_for_what_its_family_does(
    trained: Path, model_folder: Path, puppet_files: list[Path], tmp_path: Path
) -> None:
    swap = masque("swap", puppet_files[0], puppet_files[1], "--model", trained, "-o", tmp_path / "out.png")
    assert "cannot swap: name a model of rsgan" in swap.sentence
    sheet = masque("edit", puppet_files[0], "--model", model_folder, "--sheet", "-o", tmp_path / "out.png")
    assert "cannot sheet: name a model of ccagan" in sheet.sentence


def test_heatmap(puppet_files: list[Path], tmp_path: Path) -> None:
    photo = read_picture(puppet_files[0])
    photo[:40] = 255 - photo[:40]
    edited = write_picture(tmp_path / "edited.png", photo)
    outcome = masque("heatmap", puppet_files[0], edited, "-o", tmp_path / "heat.png", "--json")
    assert outcome.values["visibly_changed_percent"] == pytest.approx(10, abs=1)  # 40 of 400 rows
    assert read_picture(tmp_path / "heat.png").shape == photo.shape
    small = write_picture(tmp_path / "small.png", photo[:50])
    assert (
        "an edit of that same photo" in masque("heatmap", puppet_files[0], small, "-o", tmp_path / "heat.png").sentence
    )


def test_yardsticks_say_what_is_wrong_before_they_measure(tmp_path: Path, puppet_files: list[Path]) -> None:
    report, folder = tmp_path / "report.json", puppet_files[0].parent
    (tmp_path / "empty").mkdir()
    for says, words in (
        ("No data was named", ()),
        ("go together", ("--true-pairs", folder, folder)),
        ("go together", ("--data", "puppets:20", "--attribute", "Smiling")),
        ("did you mean Smiling?", ("--true-pairs", folder, folder, "--attribute", "Smilin")),
        ("holds no pictures", ("--true-pairs", folder, tmp_path / "empty", "--attribute", "Smiling")),
        ("is no folder", ("--true-pairs", folder, tmp_path / "none", "--attribute", "Smiling")),
        ("are about what ccagan's network makes", ("--data", "puppets:20", "--inception", folder)),
        ("is not a prepared set", ("--data", tmp_path / "empty")),
    ):
        assert says in masque("evaluate", "own", *words, "--report", report).sentence
    assert not report.exists()
    wrong = masque("evaluate", "portrait", "--task", "edits", "--data", "puppets:20").sentence
    assert "name one of ccagan or own or rsgan" in wrong


def test_evaluate_edits_writes_the_report_it_prints(tmp_path: Path) -> None:
    """On the attributes that the four held-out puppet people do not all share."""
    run, names = tmp_path / "run", ("Black_Hair", "Brown_Hair", "Male")
    command = (
        "train",
        "ccagan",
        "--data",
        "puppets:20",
        "--out",
        run,
        "--preset",
        "tiny",
        "--steps",
        1,
        "--set",
        "batch_size=4",
    )
    assert masque(*command, "--set", f"attributes={','.join(names)}").code == 0
    outcome = masque("evaluate", run, "--data", "puppets:160", "--count", 4, "--report", tmp_path / "report.json")
    assert outcome.code == 0, outcome.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["edits"]) == set(names)
    for name, edit in report["edits"].items():
        assert {"edit_success", "identity_distance", "background_change", "leakage", "ffd", "kfd"} <= edit.keys()
        assert name in outcome.out
    assert len(report["features"]) == 16
    yardsticks = report["yardsticks"]["attributes"]
    assert set(yardsticks) == set(names)
    for edit in yardsticks.values():  # success never stands alone
        judged = {"classifier_auc", "edit_success", "refused"}
        assert {"matte", *judged} >= edit.keys() >= judged
    assert yardsticks["Black_Hair"]["matte"]["spill"]["n"] > 0
    assert "AUC edited" in outcome.out
    assert "all have the same" in masque("evaluate", run, "--data", "puppets:10").sentence
