"""RSGAN's Table 1: its rows, ranks and ties, and that it comes out again to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from masque import __version__, runs
from masque.errors import CheckpointError, DataError
from masque.tables import all_tables as every
from masque.tables import rsgan, rsgan_table
from masque.tables.alike import Alike
from masque.tables.rsgan_table import CLASSICAL, MODELS, as_text, ranks, table
from masque.tables.swapping import WARP
from masque.tables.written import versions

PUPPETS = ["puppets:60"]
SHORT = {"steps": 2, "batch_size": 4}


FEW = ("VAE-GAN", "ALI", "RSGAN")
"""The models whose rows are made whenever the tests are run; all of them by the slow tests."""


@pytest.fixture(
    scope="module", params=[FEW, pytest.param(tuple(MODELS), marks=pytest.mark.slow)], ids=["few models", "all models"]
)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder of a table and its reports. The memory of each kind of row, the warp and a model, is measured once: in
    a process of its own, whose start takes as long as all else of a row."""
    out = tmp_path_factory.mktemp("tables") / "rsgan"
    measure, measured = rsgan_table._memory, {}

    def memory(name: str, size: int) -> float:
        kind = name == WARP
        if kind not in measured:
            measured[kind] = measure(name, size)
        return measured[kind]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsgan_table, "_memory", memory)
        patch.setattr(rsgan, "RESAMPLES", 100)
        patch.setattr(rsgan_table, "MODELS", {row: MODELS[row] for row in request.param})
        yield out, table(PUPPETS, out, Alike("tiny", run_changes=SHORT), pairs=4, workers=1)


def test_all_rows_are_trained_alike_and_told(made):
    out, reports = made
    everything = ["VAE-GAN", "ALI", "α-GAN", CLASSICAL, "RSGAN", "RSGAN, not variational", "RSGAN with LSTM"]
    assert list(reports) in (everything, [*FEW, CLASSICAL])
    for row, report in reports.items():
        assert ("reconstruction" in report) is (row != CLASSICAL)
        assert report["steps"] == (2 if row in MODELS else None)
        assert report["memory"] > 50
        assert report["versions"]["masque"] == __version__
        assert report["versions"]["torch"] == torch.__version__
    text = (out / "table.md").read_text()
    assert all(f"| {row} |" in text for row in reports if row in MODELS)
    assert "[1.598]" in text  # the paper's
    assert "not have" in text.rsplit("|", 1)[1]  # the warp is not Nirkin et al.'s
    assert json.loads((out / "table.json").read_text()) == reports
    sheet = cv2.imread(str(out / "swaps.png"))
    assert sheet.shape[1] == (2 + len(reports)) * 34 - 2


def test_what_is_measured_is_not_measured_again(made, monkeypatch):
    out, reports = made
    monkeypatch.setattr(rsgan_table, "evaluate_swap", lambda *_, **__: pytest.fail("measured again"))
    before = (out / "table.md").read_bytes()
    assert table(PUPPETS, out, Alike("tiny", run_changes=SHORT), pairs=4, workers=1) == reports
    assert (out / "table.md").read_bytes() == before


@pytest.mark.slow
def test_other_versions_are_measured_again(made, monkeypatch):
    out, reports = made
    monkeypatch.setattr(rsgan_table, "versions", lambda: {**versions(), "dlib-bin": "0"})
    measured = []
    monkeypatch.setattr(
        rsgan_table, "evaluate_swap", lambda method, *_, **__: measured.append(method.name) or dict(reports["ALI"])
    )
    monkeypatch.setattr(rsgan_table, "keep_report", lambda *_: None)
    monkeypatch.setattr(rsgan_table, "write_table", lambda *_: {})
    table(PUPPETS, out, Alike("tiny", run_changes=SHORT), pairs=4, workers=1)
    assert len(measured) == len(reports)


@pytest.mark.slow
def test_the_same_weights_give_the_same_numbers(made):
    out, reports = made
    (out / "ali.json").unlink()
    again = table(PUPPETS, out, Alike("tiny", run_changes=SHORT), pairs=4, workers=1)["ALI"]
    assert {k: v for k, v in again.items() if k not in ("seconds", "memory")} == {
        k: v for k, v in reports["ALI"].items() if k not in ("seconds", "memory")
    }


def test_rows_whose_intervals_meet_are_ties():
    reports = {
        name: {"swap": {"x": {"mean": sum(interval) / 2, "std": 0.1, "interval": interval}}}
        for name, interval in {"a": [0.1, 0.2], "b": [0.19, 0.3], "c": [0.25, 0.4], "d": [0.5, 0.6]}.items()
    }
    reports["none"] = {}
    assert ranks(reports, "swap.x", less=True) == {"a": 1, "b": 1, "c": 2, "d": 4}
    assert ranks(reports, "swap.x", less=False) == {"a": 3, "b": 2, "c": 2, "d": 1}


def test_what_cannot_make_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(rsgan_table, "MODELS", MODELS)
    with pytest.raises(DataError, match="no pictures for test"):
        table(["puppets:3"], tmp_path / "few", Alike("tiny", run_changes=SHORT), pairs=4)
    assert not (tmp_path / "few").exists()
    (tmp_path / "other").mkdir()
    runs.train(runs.plan("ali", "tiny", (), SHORT), PUPPETS, tmp_path / "other" / "vaegan", accelerator="cpu")
    with pytest.raises(CheckpointError, match="family = ali, not vaegan"):
        table(PUPPETS, tmp_path / "other", Alike("tiny", run_changes=SHORT), pairs=4)
    (tmp_path / "uneven").mkdir()
    lstm = runs.plan("rsgan", "tiny", ("lstm=true",), {**SHORT, "steps": 3})
    runs.train(lstm, PUPPETS, tmp_path / "uneven" / "rsgan-lstm", accelerator="cpu")
    with pytest.raises(CheckpointError, match="different numbers of steps"):
        table(PUPPETS, tmp_path / "uneven", Alike("tiny", run_changes=SHORT), pairs=4)


def test_all_tables_say_what_is_missing(tmp_path, monkeypatch, made):
    _, reports = made

    def missing(*_: object, **__: object) -> dict[str, Any]:
        raise DataError("There are no label maps.")

    monkeypatch.setattr(
        every,
        "TABLES",
        {
            "rsgan": lambda *_, pairs: every.PaperTable(reports, as_text(reports if pairs == 4 else {})),
            "portrait": missing,
        },
    )
    reasons = every.all_tables(PUPPETS, tmp_path / "all", Alike("tiny"), more={"rsgan": {"pairs": 4}})
    assert reasons == {"rsgan": "", "portrait": "There are no label maps."}
    text = (tmp_path / "all" / "tables.md").read_text()
    assert "# rsgan" in text
    assert "Not made: There are no label maps." in text
