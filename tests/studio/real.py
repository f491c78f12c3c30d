"""The real server as a user starts it, in a process of its own, with a home and a place for temporary files of its
own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

START = "import sys; sys.argv[0] = 'masque'; from masque.cli.main import main; main()"
SRC = Path(__file__).resolve().parents[2] / "src"


@dataclass
class Real:
    """A server that runs."""

    process: subprocess.Popen[str]
    port: int
    token: str
    home: Path
    heard: list[str] = field(default_factory=list)
    """Lines of its stderr so far."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, name: str = "test", **more: object) -> httpx.Client:
        """A client that is let in."""
        headers = {"Authorization": f"Bearer {self.token}", "X-Masque-Client": name}
        return httpx.Client(base_url=self.address, headers=headers, timeout=120, **more)  # type: ignore[arg-type]

    def check_alive(self) -> None:
        """Fail with what it said last where it has ended."""
        code = self.process.poll()
        assert code is None, f"the server ended with {code}: {''.join(self.heard)[-3000:]}"

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Wait until the models are loaded."""
        end = time.monotonic() + seconds
        with self.client() as client:
            while True:
                self.check_alive()
                if client.get("/api/status").json()["ready"]:
                    return
                assert time.monotonic() < end, "".join(self.heard)
                time.sleep(0.1)

    def family(self) -> list[psutil.Process]:
        """The server and all that it started."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def memory(self) -> int:
        """Bytes that all of them take together, what they share counted once."""
        total = 0
        for process in self.family():
            with suppress(psutil.Error):
                total += process.memory_full_info().pss if sys.platform == "linux" else process.memory_info().rss
        return total


@contextmanager
def real_server(home: Path, *options: str) -> Iterator[Real]:
    """Start it; afterwards it must still be alive."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(SRC),
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = [sys.executable, "-c", START, "studio", "--no-browser", "--port", "0", "--verbose", *options]
    process = subprocess.Popen(
        words, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    heard: list[str] = []
    listening = threading.Thread(target=_listen, args=(process, heard), daemon=True)
    listening.start()
    assert process.stdout is not None
    try:
        link = process.stdout.readline().split()
        address = next((word for word in link if word.startswith("http://")), None)
        assert address is not None, "".join(heard)
        place, _, token = address.partition("/#token=")
        real = Real(process, int(place.rsplit(":", 1)[1].rstrip("/")), token, home, heard)
        yield real
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        listening.join(10)


def _listen(process: subprocess.Popen[str], heard: list[str]) -> None:
    assert process.stderr is not None
    with process.stderr as stream:
        heard.extend(iter(stream.readline, ""))


def still_there(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that have not ended when so many seconds are over; one that only waits to be taken note of has ended."""
    end = time.monotonic() + seconds
    while alive := [process for process in processes if _runs(process)]:
        if time.monotonic() > end:
            return alive
        time.sleep(0.05)
    return []


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
