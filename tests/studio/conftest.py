"""A Studio that runs as a process of its own, for all tests that need one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from api_steps import Sent, example

PATIENCE = 120
"""Seconds that a server may take to start on a machine that is busy."""


@pytest.fixture(scope="session")
def start_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Starts a Studio as a process of its own, with further options, and gives the link that it prints."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> str:
        home = tmp_path_factory.mktemp("home")
        command = [sys.executable, "-m", "masque", "studio", "--no-browser", "--port", "0", *options]
        folders = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), str(home))
        with (home / "log").open("wb") as out:
            servers.append(subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | folders))
        return _link(servers[-1], home / "log")

    yield start
    for server in servers:
        server.terminate()
    for server in servers:
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="session")
def studio_link(start_studio: Callable[..., str]) -> str:
    """The link to a Studio on this machine, with its token."""
    return start_studio()


def _link(server: subprocess.Popen[bytes], log: Path) -> str:
    """The link that a server prints when it is up."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        found = re.search(r"(http://\S+:\d+/?(#token=\S+)?)\s", log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"Studio did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def api(studio_link: str, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client with the token, whose photos are those of the file of tests that asks."""
    parts = urlsplit(studio_link)
    token, client = parts.fragment.removeprefix("token="), request.module.__name__
    headers = {"Authorization": f"Bearer {token}", "X-Masque-Client": client}
    with httpx.Client(base_url=f"http://{parts.netloc}", headers=headers, timeout=300) as asking:
        yield asking
        asking.delete("/api/photos")


@pytest.fixture(scope="module")
def anna(api: httpx.Client) -> Sent:
    """A photo that is held."""
    return example(api, "astronaut")


@pytest.fixture(scope="module")
def ben(api: httpx.Client) -> Sent:
    """Another."""
    return example(api, "grace_hopper")
