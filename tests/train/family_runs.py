"""Trains families in float64; as a script, `family_runs.py FOLDER PROCESSES STEPS FAMILY...`, with several processes.

Settings may follow a family's name: "identity network=resnet18".
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from masque import runs


def train_all(folder: Path, processes: int, steps: int, families: Sequence[str]) -> None:
    run = {"steps": steps, "save_every": steps, "log_every": steps // 3, "batch_size": 8}
    for family in families:
        name, *settings = family.split()
        plan = runs.plan(name, "tiny", ["precision=64", *settings], run)
        runs.train(plan, ["puppets:24"], folder / family, accelerator="cpu", devices=processes)


if __name__ == "__main__":
    train_all(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
