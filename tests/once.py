"""What several tests read and none changes is made once in a run of the tests, however many processes share its
tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` of this run of the tests, which `make` is given to fill where no process has done so yet.

    A process that needs the folder while another fills it waits for that.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker has a folder of its own in that of the run
    folder = root / f"once-{name}"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.part")
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
