"""Fixtures that make small runs in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_runs import Line, Points, TinyRun, puppet_frames

from masque import runs
from masque.config import RunSettings
from masque.train.devices import make_fabric
from masque.train.engine import Engine


@pytest.fixture
def tiny_run(tmp_path: Path) -> Callable[..., TinyRun]:
    """A tiny run of a family, on 24 puppets, without noise in the pictures' changes; a folder's name, settings by name,
    seed."""

    def make(family: str, folder: str = "run", *assignments: str, **run_changes: Any) -> TinyRun:
        plan = runs.plan(family, "tiny", assignments, {"precision": "32", **run_changes})
        frames = puppet_frames(plan.model.size, plan.model.attributes)
        fabric = make_fabric(plan.run, "cpu")
        engine = runs.build_engine(plan, frames, tmp_path / folder, fabric)
        return TinyRun(plan, engine, runs.build_batches(plan, frames, fabric))

    return make


@pytest.fixture
def line_engine(tmp_path: Path) -> Callable[..., Engine]:
    """An engine over `Line` in the folder `run`; settings by name."""

    def make(recipe: Line | None = None, folder: str = "run", **settings: Any) -> Engine:
        run = RunSettings(
            **({"steps": 20, "save_every": 5, "log_every": 2, "preview_every": 10, "precision": "32"} | settings)
        )
        return Engine(make_fabric(run, "cpu"), recipe or Line(), run, tmp_path / folder, {"family": "line"})

    return make


@pytest.fixture
def points() -> Points:
    return Points()
