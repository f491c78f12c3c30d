"""DCGAN beside the progressive GAN: how the table reads, and that both are trained and measured by one command."""

from __future__ import annotations

import json

import pytest

from masque.tables import progan_table
from masque.tables.alike import Alike
from masque.tables.progan_table import MODELS, as_text, table


def report(family: str) -> dict:
    method = {
        "recovered": 0.5,
        "mse": 0.01,
        "largest_mse": 0.1,
        "iterations": 3,
        "seconds": 1.0,
        "seconds_to_lipton": None,
    }
    real = {"mse": 0.2, "ms_ssim": 0.4, "identity_distance": 0.6, "feature_distance": 0.8, "seconds": 1.25}
    steps = {"largest_step": 0.3, "mean_step": 0.1}
    return {
        "model": family,
        "weights": "w",
        "size": 16,
        "data": "d",
        "features": "f",
        "generated_pictures": 4,
        "real_pictures": 2,
        "generated": {"lipton": method},
        "real": {"lipton": real},
        "morph": {"spherical": steps, "warp": steps},
        "samples": {"pictures": 4, "ffd": 0.7, "kfd": None, "swd": {}, "truncation": 0.6, "truncated_ffd": 0.8},
    }


def test_the_table_as_text():
    text = as_text({row: {"steps": 9, **report(family)} for row, family in MODELS.items()})
    assert "| DCGAN | 16 | 9 | lipton | 0.50 | 0.01000 | 0.2000 | 0.400 | 0.600 | 1.25 |" in text
    assert "| PG-GAN | 0.7000 | 0.3000, 0.1000 | 0.3000, 0.1000 |" in text


def test_both_are_trained_and_measured(tmp_path, monkeypatch):
    measured = []

    def evaluate(session, frames, _features, counts):
        measured.append((session.family, len(frames), counts.generated, counts.real, counts.few))
        return report(session.family)

    monkeypatch.setattr(progan_table, "evaluate_invert", evaluate)
    monkeypatch.setattr(progan_table, "load_features", lambda: None)
    made = table(["puppets:24"], tmp_path / "table", Alike("tiny", run_changes={"steps": 2}), count=10, few=3)
    assert [m[0] for m in measured] == ["dcgan", "progan"]
    assert {m[2:] for m in measured} == {(10, 2, 3)}
    assert made["DCGAN"]["steps"] == made["PG-GAN"]["steps"] == 2
    assert json.loads((tmp_path / "table" / "table.json").read_text()) == made
    assert (tmp_path / "table" / "table.md").read_text() == as_text(made)
    assert (tmp_path / "table" / "progan" / "model" / "config.json").is_file()


@pytest.mark.parametrize("row", MODELS)
def test_rows_are_families(row):
    from masque.catalog import CATALOG

    assert "invert" in CATALOG[MODELS[row]].edits
