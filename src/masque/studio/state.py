"""Studio as it runs: the workers and who waits for them, what is held, and the door."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from masque.errors import MasqueError, printable
from masque.jsonfile import JSON
from masque.studio.decoder import Decoder
from masque.studio.door import Door
from masque.studio.messages import Lane, Made, NotHeldError, Task
from masque.studio.queue import Job, Queue
from masque.studio.store import Item, Store, new_id
from masque.studio.workers import Worker

LONG = frozenset({"synthesize", "mix-identity", "blend", "random", "faces-for", "invert", "combine", "morph"})
"""Verbs that the worker for what takes long does: searches, films and sheets."""

PREVIEW = "This is only a preview: edit without longest first."

KEPT_JOBS = 1000
"""Jobs that are over and still told of, at most."""

KEPT_FOR = 600.0
"""Seconds for which a job that is over is still told of."""

LONGEST_NAME = 80
"""Characters of a photo's name that are kept."""


@dataclass(frozen=True)
class Client:
    """Who asks."""

    owner: str
    """Whose photos and results it has."""
    turn: str
    """With whom it shares a turn in the line: one that comes from another machine with all from there."""


@dataclass
class Studio:
    """All that the endpoints work with."""

    door: Door
    verbose: bool = False
    store: Store = field(default_factory=Store)
    decoder: Decoder = field(default_factory=Decoder)
    remembers: bool = True
    """Whether that somebody agreed to the notice is remembered on this machine: it is its user's own."""

    def __post_init__(self) -> None:
        cores = os.cpu_count() or 1
        threads: dict[Lane, int] = {"quick": cores, "long": max(1, cores // 2)}
        self.workers = {lane: Worker(lane, self.store.content, n, self.verbose) for lane, n in threads.items()}
        self.store.dropped = self._forget
        self.queues: dict[Lane, Queue] = {lane: Queue(worker) for lane, worker in self.workers.items()}
        self.jobs: OrderedDict[str, tuple[str, Job]] = OrderedDict()
        """Id -> owner and job."""
        self.choices: Mapping[str, JSON] | None = None
        self._serving: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to work. The models load meanwhile."""
        self.workers["quick"].start()
        self.decoder.start()
        self._serving = [asyncio.create_task(queue.serve()) for queue in self.queues.values()]
        self._serving.append(asyncio.create_task(self._sweep()))

    async def stop(self) -> None:
        """End all processes and forget everything."""
        for serving in self._serving:
            serving.cancel()
        for worker in self.workers.values():
            worker.stop()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self.decoder.close()
        self.store.items.clear()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(15)
            self.store.sweep()
            over = time.monotonic() - KEPT_FOR
            for key, (_, job) in list(self.jobs.items()):
                if job.ended is not None and job.ended < over:
                    del self.jobs[key]

    @property
    def busy(self) -> int:
        """How many tasks wait or are done."""
        return sum(map(len, self.queues.values()))

    async def take_photo(self, client: Client, name: str, content: bytes) -> Item:
        """Hold a photo that was sent, with the faces found in it. Raises MasqueError for what is none."""
        decoded = await self.decoder.decode(content, client=client.turn)
        shown = printable(name.replace("\\", "/").rsplit("/", 1)[-1], LONGEST_NAME) or "the photo"
        return await self.hold_photo(client, shown, (decoded.height, decoded.width), decoded.pixels)

    async def hold_photo(self, client: Client, name: str, shape: tuple[int, int], pixels: bytes) -> Item:
        """Hold a photo, with the faces found in it. shape: its height and width."""
        about: dict[str, JSON] = {"name": name, "width": shape[1], "height": shape[0]}
        item = self.store.add(Item(new_id(), client.owner, "photo", name, about, pixels, shape))
        about["id"] = item.id
        try:
            made = await self.ask(client, "look", {"photo": (item.id,)})
        except MasqueError:
            self.store.drop(item.id)
            raise
        item.about |= made.about
        item.preview, item.faces = made.preview, made.faces
        return item

    async def ask(
        self, client: Client, verb: str, inputs: Mapping[str, tuple[str, ...]], options: Mapping[str, JSON] = {}
    ) -> Made:
        """Have the quick worker look something up, before all that the client waits for. Raises MasqueError."""

        def task(number: int) -> Task:
            return Task(number, verb, inputs, options)

        job = Job(client.turn, verb, task, lambda _: None, urgent=True)
        queue = self.queues["quick"]
        queue.add(job)
        try:
            await job.over_with()
        except asyncio.CancelledError:
            queue.cancel(job)
            raise
        if job.error is not None:
            raise job.error
        assert job.made is not None
        return job.made

    def submit(
        self,
        client: Client,
        verb: str,
        inputs: Mapping[str, tuple[str, ...]],
        options: Mapping[str, JSON],
        files: Mapping[str, bytes],
    ) -> Job:
        """Have an edit wait for its turn. Raises TooBusyError, NotHeldError."""
        for keys in inputs.values():
            for key in keys:
                self.store.get(client.owner, key)

        def task(number: int) -> Task:
            return Task(number, verb, inputs, options, files)

        job = Job(client.turn, verb, task, lambda made: self._hold(client, made))
        self.queues["long" if verb in LONG else "quick"].add(job)
        self.jobs[job.id] = (client.owner, job)
        while len(self.jobs) > KEPT_JOBS:
            over = next((key for key, (_, one) in self.jobs.items() if one.over), None)
            if over is None:
                break
            del self.jobs[over]
        return job

    def _hold(self, client: Client, made: Made) -> str:
        """Hold what came of an edit."""
        about = dict(made.about)
        names = about.get("name")
        item = Item(str(about["id"]), client.owner, "result", str(names), about, made.body)
        item.preview, item.film, item.needs = made.preview, made.film, made.needs
        return self.store.add(item).id

    def _forget(self, key: str) -> None:
        for worker in self.workers.values():
            worker.forget(key)

    def job(self, client: Client, key: str) -> Job:
        """A client's job. Raises NotHeldError."""
        owner, job = self.jobs.get(key, ("", None))
        if job is None or owner != client.owner:
            raise NotHeldError("There is no such job any more: start it again.")
        return job

    def queue_of(self, job: Job) -> Queue:
        """Where a job waits."""
        return self.queues["long" if job.verb in LONG else "quick"]

    def held(self, client: Client, key: str) -> Item:
        """A photo or result that can be edited. Raises NotHeldError, also for a preview, which cannot."""
        item = self.store.get(client.owner, key)
        if not item.body:
            raise NotHeldError(PREVIEW)
        return item
