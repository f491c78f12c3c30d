"""Who waits for a worker: a line for each client, served in turn, so that nobody who asks for much keeps others
waiting."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from masque.errors import MasqueError
from masque.studio.messages import CANCELLED, Made, Progress, Task, TooBusyError, WorkError
from masque.studio.workers import Worker

MOST_PER_CLIENT = 8
"""Tasks of one client that may wait or be done at once."""

MOST = 64
"""Tasks of all clients that may wait or be done at once."""

FEW = 8
"""Tasks that may always be before another one, however long they take."""

LONGEST_WAIT = 60.0
"""Seconds that a task may have to wait, as long as tasks took lately; it is better told to come again."""

BUSY = "Too much is waiting already: try again in a few seconds."

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass
class Job:
    """A task of a client, from when it was asked for."""

    client: str
    verb: str
    task: Callable[[int], Task]
    """Makes the task, of the number that the worker gives it."""
    finish: Callable[[Made], str | None]
    """Has the server hold what came of it. Returns the key of a result."""
    urgent: bool = False
    """Whether it goes before what the same client waits for: a look at something, which an edit waits for."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    doing: str | None = None
    done: int = 0
    of: int = 0
    version: int = 0
    """Grows with each change."""
    error: WorkError | None = None
    made: Made | None = None
    """What it came to, where nothing of it is held: what is held need not be kept here too."""
    result: str | None = None
    """The key of the result, where it came to one."""
    asked: float = field(default_factory=time.monotonic)
    started: float | None = None
    ended: float | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state not in ("waiting", "running")

    @property
    def seconds(self) -> float:
        """How long it has taken by now, or took, waiting included."""
        return (self.ended or time.monotonic()) - self.asked

    def change(self, state: State | None = None) -> None:
        """Note a change, and wake whoever waits for one."""
        self.state = state or self.state
        self.version += 1
        if self.over:
            self.ended = time.monotonic()
        self._changed.set()
        self._changed = asyncio.Event()

    def tell(self, progress: Progress) -> None:
        """Note how far it is."""
        self.doing, self.done, self.of = progress.doing, progress.done, progress.of
        self.change()

    async def changed(self, seen: int, seconds: float) -> None:
        """Wait until the version differs from one that was seen, for so many seconds at most."""
        end = time.monotonic() + seconds
        while self.version == seen and (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return

    async def over_with(self) -> None:
        """Wait until it is over."""
        while not self.over:
            await self._changed.wait()


class Queue:
    """The tasks that wait for one worker."""

    def __init__(self, worker: Worker, most: int = MOST, most_per_client: int = MOST_PER_CLIENT) -> None:
        self.worker, self.most, self.most_per_client = worker, most, most_per_client
        self.lines: OrderedDict[str, deque[Job]] = OrderedDict()
        """Client -> its tasks; the client that was served last stands last."""
        self.running: Job | None = None
        self.pace = 0.0
        """Seconds that a task took lately, on the average."""
        self._came = asyncio.Event()

    def __len__(self) -> int:
        return sum(map(len, self.lines.values())) + (self.running is not None)

    def add(self, job: Job) -> None:
        """Have a task wait for its turn. Raises TooBusyError where too many do already."""
        line = self.lines.get(job.client, deque())
        own = len(line) + (self.running is not None and self.running.client == job.client)
        # What is looked at lets an edit go on that waits already: it may always come.
        room = 2 * self.most_per_client if job.urgent else self.most_per_client
        if own >= room or len(self) >= (2 * self.most if job.urgent else self.most):
            raise TooBusyError(BUSY)
        before = self._before(job.client, 0 if job.urgent else len(line))
        if before > FEW and before * self.pace > LONGEST_WAIT:
            raise TooBusyError(BUSY)
        if job.urgent:
            line.appendleft(job)
        else:
            line.append(job)
        self.lines.setdefault(job.client, line)
        self._came.set()

    def place(self, job: Job) -> int | None:
        """How many tasks are before one that waits; None for one that does not."""
        if job.state != "waiting" or job.client not in self.lines:
            return None
        line = self.lines[job.client]
        return self._before(job.client, line.index(job) if job in line else 0)

    def _before(self, client: str, own: int) -> int:
        """How many tasks are done before the one that comes after `own` others in a client's line."""
        clients = list(self.lines)
        turn = clients.index(client) if client in clients else len(clients)
        before = sum(
            min(len(line), own + (clients.index(other) < turn)) for other, line in self.lines.items() if other != client
        )
        return own + before + (self.running is not None)

    def cancel(self, job: Job) -> None:
        """Take a task out of the line, or ask the worker to end it."""
        job.cancelled.set()
        line = self.lines.get(job.client)
        if job.state == "waiting" and line is not None and job in line:
            line.remove(job)
            if not line:
                del self.lines[job.client]
            job.error = WorkError("It was cancelled.", CANCELLED)
            job.change("cancelled")

    async def serve(self) -> None:
        """Have the worker do one task after the other, until this is cancelled."""
        while True:
            job = self._next()
            if job is None:
                self._came.clear()
                await self._came.wait()
                continue
            self.running = job
            try:
                await self._do(job)
            finally:
                self.running = None
                if job.started is not None and job.ended is not None:
                    self.pace += (job.ended - job.started - self.pace) / 5

    def _next(self) -> Job | None:
        """The first task of the client whose turn it is."""
        if not self.lines:
            return None
        client, line = self.lines.popitem(last=False)
        job = line.popleft()
        if line:
            self.lines[client] = line
        return job

    async def _do(self, job: Job) -> None:
        job.started = time.monotonic()
        job.change("running")
        try:
            made = await self.worker.run(job.task, job.tell, job.cancelled)
            job.result = job.finish(made)
            if job.result is None:
                job.made = made
            job.change("done")
        except WorkError as error:
            job.error = error
            job.change("cancelled" if error.kind == CANCELLED else "failed")
        except MasqueError as error:  # of what cannot be held
            job.error = WorkError(str(error), type(error).__name__)
            job.change("failed")
        except asyncio.CancelledError:
            job.error = WorkError("Studio was stopped.", CANCELLED)
            job.change("cancelled")
            raise
        except Exception as error:  # whatever it is, the others' tasks go on
            job.error = WorkError("Masque failed in a way that it should not: please report what you did.")
            job.error.__cause__ = error
            job.change("failed")
        finally:
            job.task = _done  # with what was sent for it


def _done(number: int) -> Task:
    raise AssertionError(f"task {number} was done already")
