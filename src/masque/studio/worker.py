"""A worker: the process that holds the models and does one task after the other."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from masque.errors import MasqueError
from masque.studio.messages import (
    CANCELLED,
    Cancel,
    Content,
    Failed,
    Finished,
    Forget,
    FromWorker,
    Lane,
    Progress,
    Ready,
    Task,
    ToWorker,
    Wanted,
    WorkError,
)
from masque.studio.orphans import die_with

NO_MEMORY = "There is not enough memory for this: use a smaller picture."
FAILED = "Masque failed in a way that it should not: please report what you did."
LULL = 0.1
"""Seconds without a task after which nobody seems to wait: the next one of a line comes sooner."""
NEEDED = ("parser", "expression", "ageing", "portrait", "rsgan", "progan", "facefeat")
"""Models whose weights something in Studio needs."""


def work(connection: Connection, lane: Lane, threads: int, verbose: bool = False) -> None:
    """Do what comes through a connection until its other end is closed.

    lane: which tasks come. threads: how many threads torch computes with. verbose: print what fails unexpectedly."""
    parent = parent_process()
    if parent is not None and parent.pid is not None:
        die_with(parent.pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the server ends this one
    Worker(connection, lane, threads, verbose).run()


class Worker:
    """One end of a connection: reads it in a thread, so that a task can be cancelled while it is done."""

    def __init__(self, connection: Connection, lane: Lane, threads: int, verbose: bool) -> None:
        self.connection, self.lane, self.threads, self.verbose = connection, lane, threads, verbose
        self.inbox: queue.SimpleQueue[Task | Forget] = queue.SimpleQueue()
        self.contents: queue.SimpleQueue[Content] = queue.SimpleQueue()
        self.cancelled: set[int] = set()

    def run(self) -> None:
        """Load models, tell that, and work."""
        threading.Thread(target=self._read, daemon=True).start()
        from masque.quiet import quieten_program

        quieten_program()
        self._load()
        while True:
            task = self._next()
            self._send(self._done(task))
            self.cancelled.discard(task.number)

    def _next(self) -> Task:
        """The next task."""
        while isinstance(message := self._message(), Forget):
            self.desk.forget(message.key)
        return message

    def _message(self) -> Task | Forget:
        """What comes next. While nothing comes, what a next edit would have to do is done."""
        while self.desk.later:
            with suppress(queue.Empty):
                return self.inbox.get(timeout=LULL)
            with suppress(MasqueError, MemoryError):
                self.desk.later.pop()()
        return self.inbox.get()

    def _load(self) -> None:
        import torch

        from masque.catalog import has_model
        from masque.studio.desk import Desk

        torch.set_num_threads(self.threads)
        self.desk = Desk(self._fetch)
        missing = tuple(name for name in NEEDED if not has_model(name))
        if self.lane == "quick":
            with suppress(MasqueError):  # what is missing or damaged is said by the edit that needs it
                self.desk.warm()
        self._send(Ready(missing))

    def _read(self) -> None:
        while True:
            try:
                message: ToWorker = self.connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the server is gone, and nobody waits for anything
            if isinstance(message, Task | Forget):
                self.inbox.put(message)
            elif isinstance(message, Cancel):
                self.cancelled.add(message.number)
            else:
                self.contents.put(message)

    def _send(self, message: FromWorker) -> None:
        with suppress(OSError):  # the reading thread ends the process
            self.connection.send(message)

    def _fetch(self, key: str) -> Content:
        self._send(Wanted(key))
        return self.contents.get()

    def _done(self, task: Task) -> FromWorker:
        """A task done, or why it could not be."""
        from masque.studio.call import Call, Cancelled
        from masque.studio.verbs import do

        def tell(doing: str, done: int, of: int) -> None:
            self._send(Progress(task.number, doing, done, of))

        try:
            return Finished(task.number, do(Call(self.desk, task, tell, lambda: task.number in self.cancelled)))
        except Cancelled:
            return Failed(task.number, "It was cancelled.", CANCELLED)
        except WorkError as error:
            return Failed(task.number, str(error), error.kind, error.field)
        except MasqueError as error:
            return Failed(task.number, str(error), type(error).__name__)
        except MemoryError:
            return Failed(task.number, NO_MEMORY, "MemoryError")
        except Exception:
            if self.verbose:
                traceback.print_exc(file=sys.stderr)
            return Failed(task.number, FAILED, "InternalError")
