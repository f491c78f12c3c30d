"""The server's side of a worker: it starts the process, gives it tasks and what they need, and starts another where one
dies, hangs or takes too much memory."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import psutil

from masque.studio.messages import (
    CANCELLED,
    Cancel,
    Content,
    Failed,
    Finished,
    Forget,
    FromWorker,
    Lane,
    Made,
    Progress,
    Ready,
    Task,
    ToWorker,
    Wanted,
    WorkError,
)
from masque.studio.worker import work

TOO_LONG = "This took longer than {limit:.0f} seconds and was given up: use a smaller picture, or ask for less."
TOO_LARGE = "This took more memory than one edit may take and was given up: use a smaller picture."
DIED = "The process that does edits stopped and was started again: try once more."

SECONDS = {"quick": 90.0, "long": 900.0}
"""How long a task may take in each lane."""

GRACE = 3.0
"""Seconds within which a task that was cancelled has to end by itself; its process is ended otherwise."""

MEMORY_SHARE = 0.6
"""The share of the machine's memory that one worker may take."""


@dataclass
class _Running:
    """The task that a worker does."""

    number: int
    made: asyncio.Future[Made]
    tell: Callable[[Progress], None]


@dataclass
class Worker:
    """One worker process, whichever it is by now."""

    lane: Lane
    content: Callable[[str], Content]
    """Gives what the server holds under a key."""
    threads: int
    verbose: bool = False
    seconds: float = 0.0
    """How long a task may take; as the lane has it if 0."""
    most_memory: float = 0.0
    """Bytes of memory that the process may take; a share of the machine's if 0."""
    target: Callable[[Connection, Lane, int, bool], None] = work
    """What the process does."""
    missing: tuple[str, ...] = ()
    """Models that no weights are installed of, once it is ready."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while its models are loaded."""

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self._running: _Running | None = None
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._sending = threading.Lock()
        self.seconds = self.seconds or SECONDS[self.lane]
        self.most_memory = self.most_memory or MEMORY_SHARE * psutil.virtual_memory().total

    def start(self) -> None:
        """Start the process, unless it runs. To be called in the event loop."""
        if self._process is not None and self._process.is_alive():
            return
        self.ready.clear()
        context = get_context("spawn")
        here, there = context.Pipe()
        self._process = context.Process(
            target=self.target,
            args=(there, self.lane, self.threads, self.verbose),
            name=f"masque {self.lane}",
            daemon=True,
        )
        self._process.start()
        there.close()
        self._connection = here
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(here, loop), daemon=True).start()

    def stop(self) -> None:
        """End the process; what it was doing fails."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join(1)
        if self._connection is not None:
            self._connection.close()

    def memory(self) -> int:
        """Bytes of memory that the process takes; 0 where there is none."""
        if self._process is None or self._process.pid is None:
            return 0
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    async def run(
        self,
        task: Callable[[int], Task],
        tell: Callable[[Progress], None] = lambda _: None,
        cancelled: asyncio.Event | None = None,
    ) -> Made:
        """Have a task done, one at a time.

        task: makes it, of its number. tell: told how far it is. cancelled: set when it is not wanted any more. Raises
        WorkError where it fails, takes too long or too much memory, or is cancelled."""
        assert self._running is None, "a worker does one task at a time"
        self.start()
        number = next(self._numbers)
        self._running = running = _Running(number, asyncio.get_running_loop().create_future(), tell)
        try:
            await self._send(task(number))
            return await self._watched(running, cancelled)
        finally:
            self._running = None

    async def _watched(self, running: _Running, cancelled: asyncio.Event | None) -> Made:
        """What comes of a task, as long as it keeps within its limits."""
        loop = asyncio.get_running_loop()
        end, asked_to_end = loop.time() + self.seconds, False
        while True:
            done, _ = await asyncio.wait([running.made], timeout=0.25)
            if done:
                return running.made.result()
            if cancelled is not None and cancelled.is_set() and not asked_to_end:
                asked_to_end, end = True, min(end, loop.time() + GRACE)
                await self._send(Cancel(running.number))
            if self.memory() > self.most_memory:
                self._restart()
                raise WorkError(TOO_LARGE, "MemoryError")
            if loop.time() > end:
                self._restart()
                if asked_to_end:
                    raise WorkError("It was cancelled.", CANCELLED)
                raise WorkError(TOO_LONG.format(limit=self.seconds), "TimeoutError")

    def forget(self, key: str) -> None:
        """Have the process keep nothing of what is not held any more. Called in the event loop."""
        if self._process is not None:
            sending = asyncio.get_running_loop().create_task(self._send(Forget(key)))
            _KEPT.add(sending)
            sending.add_done_callback(_KEPT.discard)

    def _restart(self) -> None:
        self.stop()
        self.start()

    async def _send(self, message: ToWorker) -> None:
        """Send without holding up the event loop: what is sent may be a hundred megabytes."""
        connection = self._connection

        def send() -> None:
            if connection is not None:
                with self._sending, suppress(OSError, ValueError):  # a process that died is noticed by the reader
                    connection.send(message)

        await asyncio.to_thread(send)

    def _read(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Hand what comes to the event loop; in a thread of its own, until the process is gone."""
        with suppress(EOFError, OSError, RuntimeError):  # the last where the loop is closed
            while True:
                loop.call_soon_threadsafe(self._take, connection.recv(), connection)
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._died, connection)

    def _take(self, message: FromWorker, connection: Connection) -> None:
        if connection is not self._connection:
            return  # from a process that was ended
        if isinstance(message, Ready):
            self.missing = message.missing
            self.ready.set()
        elif isinstance(message, Wanted):
            sending = asyncio.get_running_loop().create_task(self._send(self.content(message.key)))
            _KEPT.add(sending)
            sending.add_done_callback(_KEPT.discard)
        elif self._running is not None and message.number == self._running.number:
            self._tell(message, self._running)

    @staticmethod
    def _tell(message: Progress | Finished | Failed, running: _Running) -> None:
        if isinstance(message, Progress):
            running.tell(message)
        elif running.made.done():
            return
        elif isinstance(message, Finished):
            running.made.set_result(message.made)
        else:
            running.made.set_exception(WorkError(message.sentence, message.kind, message.field))

    def _died(self, connection: Connection) -> None:
        if connection is not self._connection:
            return
        running = self._running
        if running is not None and not running.made.done():
            running.made.set_exception(WorkError(DIED))
        was_ready = self.ready.is_set()
        self.ready.clear()
        if self._process is not None:  # nobody stopped it
            self._process = None
            if was_ready:  # one that dies while it loads would do so again at once: the next task tries
                self.start()


_KEPT: set[asyncio.Task[None]] = set()
"""Tasks that are under way: the event loop alone would not keep them."""
