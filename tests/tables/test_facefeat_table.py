"""FaceFeat-GAN's four tables: how they read, and that one command trains and measures all five models, after E_id and
E_1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from masque import runs
from masque.errors import DataError
from masque.tables import facefeat_table
from masque.tables.alike import Alike
from masque.tables.facefeat import SHARES
from masque.tables.facefeat_table import MODELS, WHOLE, as_text, table


def report(steps: int = 9, lfw: bool = False) -> dict:
    cosines = {"drawn": 0.5, "ceiling": 0.75, "floor": 0.25}
    row = {"far_01": 0.9, "far_001": 0.8, "rank_1": 0.7, "rank_5": 0.95}
    scores = {"accuracy": 0.9, "error": 0.01, "auc": 0.95}
    return {
        "model": "facefeat",
        "weights": "w",
        "size": 32,
        "data": "d",
        "features": "f",
        "pictures": 8,
        "people": 2,
        "steps": steps,
        "similarity": {**cosines, "centred": cosines},
        "diversity": {"f_1": 0.5, "f_2": 0.7, "all": 0.6},
        "ffd": 0.125,
        "templates": {str(share): row | {f"{name}_std": 0.05 for name in row} for share in SHARES},
        **({"lfw": dict.fromkeys(("photos", "real", "generated"), scores)} if lfw else {}),
    }


def test_the_tables_as_text():
    text = as_text({row: report(lfw=row == WHOLE) for row in MODELS})
    assert "| the paper's | 97.62 ± 0.78 | |\n" in text
    assert "| drawn pictures | 90.00 ± 1.00 | 0.9500 |" in text
    assert "| 20 % | 90.0 ± 5.0 | 80.0 ± 5.0 | 70.0 ± 5.0 | 95.0 ± 5.0 | 94.3, 86.9, 95.2, 98.5 |" in text
    assert "0.500 between a picture and the one drawn from it, 0.750 between two real ones" in text
    assert "| (b) w/o φ^f | 0.500 | 0.500 | 0.1250 | 0.60 | 0.50 | 0.70 | 0.680, 28.5 %, 0.05 |" in text
    assert "Table 1" not in as_text({row: report() for row in MODELS})


def test_all_are_trained_on_the_same_extractors_and_measured(tmp_path, lfw_folder, monkeypatch):
    measured = []

    def evaluate(session, frames, _features, on, *, count, workers, **_):
        pairs = None if on.lfw is None else len(on.lfw.same)
        measured.append((session.weights, len(frames), pairs, on.ijba, count, workers))
        return report(lfw=on.lfw is not None)

    monkeypatch.setattr(facefeat_table, "evaluate_facefeat", evaluate)
    monkeypatch.setattr(facefeat_table, "load_features", lambda: None)
    for family in ("identity", "shape"):
        presets = runs.catalog.family(family).load("presets")
        monkeypatch.setitem(presets, "tiny", {**presets["tiny"], "run": {**presets["tiny"]["run"], "steps": 2}})
    out = tmp_path / "table"
    made = table(["puppets:48"], out, Alike("tiny", run_changes={"steps": 2}), count=8, lfw=lfw_folder, workers=1)
    assert [m[1:] for m in measured] == [(8, 12, None, 8, 1)] + [(8, None, None, 8, 1)] * 4
    assert len({m[0] for m in measured}) == 5
    assert json.loads((out / "table.json").read_text()) == made
    assert (out / "table.md").read_text() == as_text(made)
    for folder, changes in MODELS.values():
        plan = runs.plan_of(out / folder)
        assert (plan.training.extractors.identity, plan.training.extractors.shape) == (
            str(out / "identity" / "model"),
            str(out / "shape" / "model"),
        )
        assert [f"without={plan.training.without}"] == (list(changes) or ["without=none"])
        assert (out / f"{folder}.png").is_file()


def test_trained_extractors_are_taken(tmp_path, monkeypatch):
    class AskedError(Exception):
        pass

    def train_equally(*given):
        assert given[-1].assignments[-2:] == ("identity=a", f"shape={tmp_path / 'table' / 'shape' / 'model'}")
        raise AskedError

    trained = []
    monkeypatch.setattr(facefeat_table, "load_features", lambda: None)
    monkeypatch.setattr(
        facefeat_table, "_extractor", lambda family, *_: trained.append(family) or tmp_path / "table" / family
    )
    monkeypatch.setattr(facefeat_table, "train_equally", train_equally)
    with pytest.raises(AskedError):
        table(["puppets:48"], tmp_path / "table", Alike("tiny", assignments=("identity=a",)))
    assert trained == ["shape"]


def test_what_is_missing_is_missed_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "train", lambda *_, **__: pytest.fail("it trains"))
    with pytest.raises(DataError, match=r"There is no folder .*none"):
        table(["puppets:48"], tmp_path / "table", Alike("tiny"), lfw=Path("none"))
    with pytest.raises(DataError, match="There are no folders IJB-A_11_sets"):
        table(["puppets:48"], tmp_path / "table", Alike("tiny"), ijba=tmp_path)
    with pytest.raises(DataError, match="Two held-out people"):
        table(["puppets:24"], tmp_path / "table", Alike("tiny"))
    assert not (tmp_path / "table").exists()
