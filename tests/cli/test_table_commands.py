"""The commands that make tables and sheets."""

from __future__ import annotations

from pathlib import Path

import cv2
from command_line import masque


def test_the_command_and_what_it_refuses(model_folder: Path, tmp_path: Path):
    out = tmp_path / "sheet.png"
    made = masque("sheet", model_folder, "--data", "puppets:48", "-o", out, "--json")
    assert made.code == 0, made.err
    assert cv2.imread(str(out)).shape[1] == len(made.values["shown"]) * 34 - 2
    refused = masque("sheet", "identity", "--data", "puppets:48", "-o", tmp_path / "other.png")
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert "family identity, which edits no photos: name a model of rsgan, " in refused.err
    assert not (tmp_path / "other.png").exists()
