"""Prepares SOURCE in child processes and kills them: `killing_prepare.py SOURCE OUT KILLS`, started by
test_prepare_killed.py.

Each child begins or resumes OUT/0, by one process or by two, and is killed (SIGKILL) soon after it has finished another
picture; should it reach its end before, there is an OUT/1, and so on. The last is led to its end."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from masque.data.journal import PrepareSettings
from masque.data.prepare import prepare
from masque.faces.detect import landmarks_in


def start(source: Path, out: Path, workers: int) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            cv2.setNumThreads(1)
            prepare(source, out, PrepareSettings(size=32, held_out=0.25), workers=workers)
            code = 0
        finally:
            os._exit(code)
    return child


def finished(out: Path) -> int:
    """How many pictures the journal counts as done."""
    journal = out / "journal.jsonl"
    return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else -1


def kill_once(source: Path, out: Path, moment: random.Random, workers: int) -> bool:
    """Begin or resume `out`, and kill it soon after another picture is done. False if it had ended, as it may on a busy
    machine."""
    before, child = finished(out), start(source, out, workers)
    enough, later = before + 1 + moment.choice((0, 1)), moment.uniform(0.0, 0.02)
    while finished(out) < enough:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    time.sleep(later)
    if os.waitpid(child, os.WNOHANG)[0]:
        return False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return not (out / "prepared.json").exists()


def main(source: Path, out: Path, wanted: int) -> None:
    landmarks_in(np.zeros((50, 50, 3), np.uint8), (0, 0, 50, 50))  # loads dlib's model, which the children then share
    out.mkdir()
    moment, at, made = random.Random(11), [], [out / "0"]
    while len(at) < wanted:
        if kill_once(source, made[-1], moment, workers=2 if len(at) == 1 else 1):
            at.append(finished(made[-1]))
        else:
            made.append(out / str(len(made)))
    _, status = os.waitpid(start(source, made[-1], workers=1), 0)
    sys.stdout.write(json.dumps({"at": at, "made": [str(folder) for folder in made], "status": status}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
