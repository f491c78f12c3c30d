"""Trains in child processes and kills them: `killing.py FOLDER KILLS`, started by test_killed.py.

A first run in FOLDER/whole is left alone. Then a run in FOLDER/killed-0 is killed (SIGKILL) and resumed, KILLS times
and at least once while it writes a file; should it reach its end before, there is a killed-1, and so on. The last is
led to its end. Children are forked from a process that has imported everything and computed nothing, so that a new
start takes no time."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import cv2
import torch

from masque import runs

SETTINGS = {"steps": 30, "save_every": 3, "log_every": 2, "preview_every": 10, "batch_size": 4}


def train(folder: Path) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    runs.train(runs.plan("rsgan", "tiny", [], SETTINGS), ["puppets:24"], folder, accelerator="cpu")


def start(folder: Path) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            train(folder)
            code = 0
        finally:
            os._exit(code)
    return child


def newest(folder: Path) -> int:
    return max((int(path.stem.removeprefix("state-")) for path in folder.glob("state-*.ckpt")), default=-1)


def ended(child: int) -> bool:
    """Whether the child has ended by itself, which it must have done well."""
    done, status = os.waitpid(child, os.WNOHANG)
    if done and status:
        raise SystemExit(f"a training process failed with status {status}")
    return done != 0


def kill_once(folder: Path, moment: random.Random) -> bool:
    """Start or resume the run and kill it: within the first second, soon after a state, or while a file is written.
    False if it ended."""
    child, before = start(folder), newest(folder)
    kind, later = moment.choice(("early", "after a state", "after a state", "writing")), moment.uniform(0.0, 0.1)
    early = time.monotonic() + 10 * later
    come = {
        "early": lambda: time.monotonic() >= early,
        "after a state": lambda: newest(folder) > before,
        "writing": lambda: newest(folder) > before and any(folder.rglob(".*.part")),
    }[kind]
    while not come():
        if ended(child):
            return False
        time.sleep(0.001)
    time.sleep(later if kind == "after a state" else 0.0)
    if ended(child):
        return False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def main(folder: Path, wanted: int) -> None:
    os.waitpid(start(folder / "whole"), 0)
    moment, kills, writing = random.Random(7), 0, 0
    begun = [folder / "killed-0"]
    while kills < wanted or not writing:
        if kill_once(begun[-1], moment):
            kills += 1
            writing += any(begun[-1].rglob(".*.part"))
        else:
            begun.append(folder / f"killed-{len(begun)}")
    _, status = os.waitpid(start(begun[-1]), 0)
    sys.stdout.write(
        json.dumps({"runs": [run.name for run in begun], "kills": kills, "writing": writing, "status": status}) + "\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
