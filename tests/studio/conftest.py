"""A Studio that runs as a process of its own, for all tests that need one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 120
"""Seconds that a server may take to start on a machine that is busy."""


@pytest.fixture(scope="session")
def studio_link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The link to a Studio that runs as a process of its own."""
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "masque", "studio", "--no-browser", "--port", "0"]
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home)}
    log = home / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        yield _link(server, log)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _link(server: subprocess.Popen[bytes], log: Path) -> str:
    """The link that a server prints when it is up."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        found = re.search(r"http://\S+#token=\S+", log.read_text())
        if found:
            return found.group()
        time.sleep(0.1)
    raise AssertionError(f"Studio did not start:\n{log.read_text()}")
