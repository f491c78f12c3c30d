"""The `masque` command as a user meets it: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from masque.cli.main import main

HANGS = 900.0
"""Seconds after which a command is taken to hang: no machine is so slow, and one that does not hang never waits for
it."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def values(self) -> dict[str, Any]:
        """What --json printed: one object and nothing beside it."""
        assert self.out, self.err
        values = json.loads(self.out)
        assert isinstance(values, dict)
        return values

    @property
    def sentence(self) -> str:
        """The one plain sentence with which a command that failed must end."""
        assert self.code == 1, (self.code, self.err)
        assert "Traceback" not in self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.endswith(".\n"), self.err
        return self.err.strip()


def masque(*arguments: object, encoding: str = "utf-8") -> Outcome:
    """Run a command within this process."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    argv = ["masque", *map(str, arguments)]
    with (
        patch.object(sys, "argv", argv),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode(encoding) for stream in streams)  # type: ignore[attr-defined]
    return Outcome(ended.value.code if isinstance(ended.value.code, int) else 0, out, without_progress(err))


def without_progress(err: str) -> str:
    """What stands on stderr but for the lines on how far a command is, of which there are as many as the machine is
    slow."""
    return re.sub(r"(?m)^.*, \d+:\d\d so far\.\n", "", err)


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments: object, folder: Path | None = None, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a process of its own, and in a process group that a signal reaches as Ctrl-C in a terminal
    would.

    Also where these tests run in a shell's background, whose processes inherit that Ctrl-C is ignored.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "masque", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": _heed_ctrl_c, **options},
    )


def wait_for(process: subprocess.Popen[str], seconds: float = HANGS) -> Outcome:
    """The outcome of a started command; killed with its group when it does not end by itself."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        raise
    return Outcome(process.returncode, out or "", without_progress(err or ""))
