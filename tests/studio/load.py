"""Many clients at once, each of which uploads a portrait and edits it again and again; how long they wait, and what the
server takes meanwhile. `python tests/studio/load.py` prints it."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from PIL import Image
from real import Real, real_server

from masque.studio.examples import EXAMPLES

WARM_UP = 60.0
"""Seconds of the same load before anything is measured: until what is kept for later has filled up."""


@dataclass
class Load:
    """What was measured."""

    counts: Counter[str] = field(default_factory=Counter)
    """Requests by what was asked for and the answer's status."""
    waits: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from asking to the whole answer, of those that were served, by what was asked for."""
    wrong: list[str] = field(default_factory=list)
    """Answers that were not as they should be."""
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the warm-up, and bytes."""
    begun: float = 0.0
    """When the warm-up is over."""

    def add(self, what: str, answer: httpx.Response, seconds: float) -> None:
        """Note an answer; of the warm-up, whether it is as it should be."""
        if not answer.is_success and answer.status_code != 429:
            self.wrong.append(f"{what}: {answer.status_code} {answer.text[:300]}")
        if time.monotonic() < self.begun:
            return
        self.counts[f"{what} {answer.status_code}"] += 1
        if answer.is_success:
            self.waits.setdefault(what, []).append(seconds)

    def growth(self) -> float:
        """By which share memory in the last third lies above that in the first."""
        end = self.memory[-1][0]
        before = [size for at, size in self.memory if 0 <= at < end / 3]
        after = [size for at, size in self.memory if at >= 2 * end / 3]
        return statistics.median(after) / statistics.median(before) - 1

    def report(self) -> dict[str, object]:
        """All of it in numbers."""
        return {
            "answers": dict(sorted(self.counts.items())),
            "median_seconds": {what: round(statistics.median(all_), 3) for what, all_ in sorted(self.waits.items())},
            "longest_seconds": {what: round(max(all_), 3) for what, all_ in sorted(self.waits.items())},
            "wrong": self.wrong[:10],
            "megabytes": [size >> 20 for _, size in self.memory[:: max(1, len(self.memory) // 18)]],
            "growth_percent": round(100 * self.growth(), 2),
        }


class User:
    """One client: a portrait, and edits of it until the time is over."""

    def __init__(self, server: Real, number: int, load: Load, photo: bytes, size: tuple[int, int], end: float) -> None:
        self.load, self.photo, self.size, self.end = load, photo, size, end
        self.random = random.Random(number)
        headers = {"Authorization": f"Bearer {server.token}", "X-Masque-Client": f"user-{number}"}
        self.client = httpx.AsyncClient(base_url=server.address, headers=headers, timeout=180)

    async def ask(self, what: str, method: str, path: str, **given: object) -> httpx.Response | None:
        """An answer that is not 429; None where the time is over."""
        while time.monotonic() < self.end:
            begun = time.monotonic()
            try:
                answer = await self.client.request(method, path, **given)  # type: ignore[arg-type]
            except httpx.HTTPError as error:
                self.load.wrong.append(f"{what}: {error!r}")
                return None
            self.load.add(what, answer, time.monotonic() - begun)
            if answer.status_code != 429:
                return answer if answer.is_success else None
            await asyncio.sleep(float(answer.headers["retry-after"]) * self.random.uniform(0.8, 1.6))
        return None

    def right(self, what: str, holds: bool) -> None:
        """Note what is not as it should be."""
        if not holds:
            self.load.wrong.append(f"{what}: not as it should be")

    async def live(self) -> None:
        """Upload, edit, look, check, forget, again."""
        async with self.client:
            await asyncio.sleep(self.random.uniform(0, 2))
            while time.monotonic() < self.end:
                await self.turn()

    async def turn(self) -> None:
        """One photo, and some edits of it."""
        taken = await self.ask("upload", "POST", "/api/photos", files={"photo": ("a.jpg", self.photo)})
        if taken is None:
            return
        about = taken.json()
        self.right("upload", (about["width"], about["height"]) == self.size and bool(about["faces"]))
        for _ in range(3):
            await self.edit(about["id"])
        page = await self.ask("page", "GET", "/")
        self.right("page", page is None or b"<script" in page.content)
        await self.ask("forget", "DELETE", "/api/photos")

    async def edit(self, key: str) -> None:
        """A preview and an edit, which is fetched and checked."""
        values = json.dumps({"Smiling": round(self.random.random(), 2)})
        fields = {"photo": key, "attributes": values, "pick": "1"}
        preview = await self.ask("preview", "POST", "/api/edit", data={**fields, "longest": "256"})
        if preview is not None:
            self.right("preview", max(Image.open(io.BytesIO(preview.content)).size) <= 256)
        edited = await self.ask("edit", "POST", "/api/edit", data=fields)
        if edited is None:
            return
        self.right("edit", Image.open(io.BytesIO(edited.content)).size == self.size)
        checked = await self.ask("verify", "POST", "/api/verify", files={"file": ("a.png", edited.content)})
        self.right("verify", checked is None or (checked.json()["masque"] and checked.json()["unchanged"] is True))
        await self.ask("forget result", "DELETE", f"/api/results/{edited.headers['x-masque-result']}")


async def run(server: Real, clients: int, seconds: float, warm_up: float = WARM_UP) -> Load:
    """Put the server under load, for so long after the warm-up."""
    load = Load(begun=time.monotonic() + warm_up)
    photo = next(one for one in EXAMPLES if one.name == "grace_hopper").content()
    size = Image.open(io.BytesIO(photo)).size
    users = [User(server, number, load, photo, size, load.begun + seconds) for number in range(clients)]
    living = asyncio.gather(*(user.live() for user in users))
    while not living.done():
        load.memory.append((time.monotonic() - load.begun, await asyncio.to_thread(server.memory)))
        await asyncio.wait([living], timeout=1)
    await living
    return load


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--warm-up", type=float, default=WARM_UP)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, real_server(Path(home)) as server:
        server.wait_until_ready()
        load = asyncio.run(run(server, options.clients, options.seconds, options.warm_up))
        well = server.process.poll() is None and "Traceback" not in "".join(server.heard)
    sys.stdout.write(json.dumps({**load.report(), "well": well}, indent=1) + "\n")


if __name__ == "__main__":
    main()
