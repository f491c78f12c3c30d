"""Yardsticks of swaps on methods whose swaps are known: one that does nothing, one that copies the face's whole photo,
one that swaps puppets truly, one that refuses."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from masque.data.frames import FrameSet, load_frames
from masque.data.puppets import draw_puppet, render, true_swap
from masque.edits.result import Result
from masque.errors import CheckpointError, DataError, NoFaceError
from masque.image import write_picture
from masque.loading import installed_parser, load_model
from masque.metrics.two_sample import two_sample_auc
from masque.tables import swap_yardsticks
from masque.tables.rsgan import draw_pairs
from masque.tables.swap_puppets import compare_trial, measure_true_swaps, trials
from masque.tables.swap_report import ROWS, as_text
from masque.tables.swap_yardsticks import evaluate_swaps, photos_in, photos_of_frames
from masque.tables.swapping import load_swap

PAIRS = 12


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    loaded = load_frames(["puppets:40"], 128, ())
    return replace(loaded, splits=("test",) * len(loaded))


def unchanged(face: np.ndarray, target: np.ndarray) -> Result:  # noqa: ARG001
    return Result(target, {"method": "unchanged"})


def copied(face: np.ndarray, target: np.ndarray) -> Result:  # noqa: ARG001
    return Result(face, {"method": "another"})


def refusing(*_: np.ndarray) -> Result:
    raise NoFaceError("none")


def test_each_method_is_measured_on_the_same_pairs(frames: FrameSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap_yardsticks, "two_sample_auc", partial(two_sample_auc, epochs=2))
    steps: list[tuple[int, int, str]] = []
    report = evaluate_swaps(
        {"unchanged-always": unchanged, "copied": copied, "refusing": refusing},
        photos_of_frames(frames),
        installed_parser("cpu"),
        load_model("expression", "expression")[0].motion.shapes,
        pairs=PAIRS,
        progress=lambda *step: steps.append(step),
    )
    usable = PAIRS - report["unusable"]
    assert usable > PAIRS // 2
    assert steps[PAIRS - 1] == (PAIRS, PAIRS, "pairs")
    nothing, copy, refused = (report["methods"][name] for name in ("unchanged-always", "copied", "refusing"))

    assert nothing["measures"].keys() == ROWS.keys()
    assert nothing["failed"] == nothing["fell_back"] == 0
    assert nothing["measures"]["identity_distance_to_target"]["value"] == pytest.approx(0, abs=1e-6)
    assert nothing["measures"]["nearer_to_face"]["value"] == 0
    assert nothing["measures"]["brow_cut"]["value"] == 0  # all of the target's own are left
    assert nothing["measures"]["expression"] == nothing["measures"]["expression_before"]
    assert nothing["measures"]["skin_step"] == nothing["measures"]["skin_step_before"]
    assert nothing["classifier_auc"]["n"] == 2 * usable
    assert nothing["true_swap"] == report["nothing_done"]

    found = usable - copy["failed"]  # its face may lie elsewhere
    assert copy["fell_back"] == usable
    assert copy["measures"]["identity_distance"]["n"] == found > 0
    assert copy["measures"]["identity_distance"]["value"] == pytest.approx(0, abs=1e-6)
    assert copy["measures"]["nearer_to_face"]["value"] == 1
    assert copy["measures"]["expression"]["value"] == pytest.approx(0, abs=1e-6)
    with_another = copy["measures"]["identity_distance_other"]
    assert with_another["value"] == copy["measures"]["identity_distance_photos"]["value"]
    assert 0 < with_another["value"] < nothing["measures"]["identity_distance"]["value"]

    assert refused["failed"] == usable
    assert refused["seconds"] is None
    assert refused["measures"]["identity_distance"] == {"value": None, "n": 0, "interval": None}
    assert refused["true_swap"]["failed"] == PAIRS

    text = as_text(report)
    assert "share of brows cut by the mask" in text
    assert f"{usable}; 0" in text
    assert "0; 0" in text


def test_true_swaps_of_puppets_have_no_error() -> None:
    known = {}
    for number in range(6):
        face, target = draw_puppet(1_000_000 + 2 * number), draw_puppet(1_000_001 + 2 * number)
        known[render(face).picture.tobytes()] = render(true_swap(face, target)).picture
    swaps = [lambda face, target: Result(known[face.tobytes()], {}), unchanged, refusing]  # noqa: ARG005
    true, nothing, refused = measure_true_swaps(swaps, 6)
    assert true["error"]["value"] == 0
    assert true["failed"] == nothing["failed"] == 0
    assert true["error_target_skin"]["value"] > 0
    assert nothing["error"]["value"] > nothing["error_target_skin"]["value"] > 0
    assert refused["failed"] == 6
    assert refused["error"]["value"] is None


def test_a_puppet_with_the_targets_skin_is_a_true_swap_too() -> None:
    (trial,) = trials(1)
    error, target_skin = compare_trial(trial, trial.truth_target_skin)
    assert target_skin == 0
    assert error > 0.005


def test_photos_are_of_one_person_where_names_begin_alike(tmp_path: Path) -> None:
    for name in ("001_03", "001_08", "002_03", "other"):
        write_picture(tmp_path / f"{name}.png", np.full((8, 8, 3), 10 * len(name), np.uint8))
    photos = photos_in(tmp_path)
    assert list(photos.people) == ["001", "001", "002", "other"]
    assert photos.read(3)[0, 0, 0] == 50
    for face, target in draw_pairs(photos.people, 10, 0):
        assert photos.people[face] != photos.people[target]
    triples = swap_yardsticks._with_another([(0, 2), (1, 2), (2, 0)], photos.people, 0)
    assert list(triples) == [(0, 2, 1), (1, 2, 0), (2, 0, None)]


def test_photos_without_faces_are_counted_and_all_of_them_are_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_picture(tmp_path / f"{name}.png", np.full((80, 80, 3), 99, np.uint8))
    with pytest.raises(DataError, match="No face was found"):
        evaluate_swaps({"unchanged": unchanged}, photos_in(tmp_path), None, None, pairs=2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="There is no picture"):
        photos_in(tmp_path / "empty")


def test_methods_of_whole_photos_by_name() -> None:
    assert load_swap("warp").__name__ == "swap_by_warping"
    assert load_swap("own").__self__.family == "own"
    with pytest.raises(CheckpointError):
        load_swap("ccagan")
