"""Trains families in float64 for 18 steps; as a script, `family_runs.py FOLDER PROCESSES FAMILY...`, with several
processes.

Settings may follow a family's name: "identity network=resnet18".
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from masque import runs


def train_all(folder: Path, processes: int, families: Sequence[str]) -> None:
    for family in families:
        name, *settings = family.split()
        plan = runs.plan(
            name, "tiny", ["precision=64", *settings], {"steps": 18, "save_every": 18, "log_every": 6, "batch_size": 8}
        )
        runs.train(plan, ["puppets:24"], folder / family, accelerator="cpu", devices=processes)


if __name__ == "__main__":
    train_all(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
