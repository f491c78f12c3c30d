"""A hundred clients at once for two minutes: every answer is right or says to come again, and memory does not grow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from load import run
from real import real_server


@pytest.mark.slow
def test_a_hundred_clients_at_once_are_served_or_told_to_come_again(tmp_path: Path) -> None:
    with real_server(tmp_path) as server:
        server.wait_until_ready()
        load = asyncio.run(run(server, clients=100, seconds=120))
        assert load.wrong == []
        assert server.process.poll() is None
        assert "Traceback" not in "".join(server.heard)
        assert sum(map(len, load.waits.values())) > 100
        assert abs(load.growth()) < 0.05, load.report()
