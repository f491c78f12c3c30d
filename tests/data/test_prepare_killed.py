"""Preparing that is killed again and again ends with the folder that nobody touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import killing_prepare
import pytest

from masque.data.journal import PrepareSettings
from masque.data.prepare import prepare

KILLS = 5
COPIES = 10


@pytest.mark.slow
def test_killed_and_resumed_it_makes_the_same_folder(puppet_files: list[Path], tmp_path, same_folder):
    source = tmp_path / "source"
    source.mkdir()
    for copy in range(COPIES):
        for number, file in enumerate(puppet_files):
            shutil.copy(file, source / f"{copy:02d}{number}.png")
    (source / "letter.jpg").write_text("Dear reader, this is not a picture.")
    prepare(source, tmp_path / "whole", PrepareSettings(size=32, held_out=0.25), workers=1)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, killing_prepare.__file__, str(source), str(tmp_path / "killed"), str(KILLS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["status"] == 0
    assert len(report["at"]) == KILLS
    for folder in report["made"]:
        assert same_folder(tmp_path / "whole", Path(folder)) == []
