"""A worker that fails, dies, hangs or takes too much memory is replaced, and the next task goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection

import psutil
import pytest

from masque.studio.messages import (
    CANCELLED,
    Cancel,
    Content,
    Failed,
    Finished,
    Lane,
    Made,
    Progress,
    Ready,
    Task,
    Wanted,
    WorkError,
)
from masque.studio.workers import Worker


def play(connection: Connection, _lane: Lane, _threads: int, _verbose: bool) -> None:
    """A process that does what a test tells it: what it is told is the verb."""
    eaten = []
    connection.send(Ready(("progan",)))
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        if not isinstance(task, Task):
            continue
        if task.verb == "die":
            os._exit(3)
        if task.verb == "hang":
            time.sleep(600)
        if task.verb == "eat":
            eaten.append(b"x" * (600 << 20))
            time.sleep(600)
        if task.verb == "fail":
            connection.send(Failed(task.number, "There is no face: use another photo.", "NoFaceError", "photo"))
            continue
        if task.verb == "heed":
            connection.send(Progress(task.number, "Heeding", 1, 3))
            while not isinstance(connection.recv(), Cancel):
                pass
            connection.send(Failed(task.number, "It was cancelled.", CANCELLED))
            continue
        if task.verb == "fetch":
            connection.send(Wanted("key"))
            content = connection.recv()
            connection.send(Finished(task.number, Made({"name": content.name}, content.body)))
            continue
        connection.send(Finished(task.number, Made({"process": os.getpid()})))


def asked(verb: str) -> Callable[[int], Task]:
    return lambda number: Task(number, verb)


def run(scenario: Callable[[Worker], Coroutine[None, None, None]], **settings: float) -> None:
    async def inside() -> None:
        worker = Worker(
            "quick", lambda key: Content(key, "photo", "anna", (1, 1), b"x" * (8 << 20)), 1, target=play, **settings
        )
        try:
            worker.start()
            await asyncio.wait_for(worker.ready.wait(), 60)
            await asyncio.wait_for(scenario(worker), 60)
        finally:
            worker.stop()

    asyncio.run(inside())


def test_a_worker_says_what_is_missing_and_does_what_it_is_told() -> None:
    async def scenario(worker: Worker) -> None:
        assert worker.missing == ("progan",)
        first = await worker.run(asked("tell"))
        second = await worker.run(asked("tell"))
        assert first.about == second.about

    run(scenario)


def test_a_worker_gets_what_the_server_holds() -> None:
    async def scenario(worker: Worker) -> None:
        made = await worker.run(asked("fetch"))
        assert made.about == {"name": "anna"}
        assert len(made.body) == 8 << 20

    run(scenario)


def test_a_failure_comes_back_as_it_is_and_the_process_goes_on() -> None:
    async def scenario(worker: Worker) -> None:
        before = await worker.run(asked("tell"))
        with pytest.raises(WorkError, match="no face") as failed:
            await worker.run(asked("fail"))
        assert (failed.value.kind, failed.value.field) == ("NoFaceError", "photo")
        assert (await worker.run(asked("tell"))).about == before.about

    run(scenario)


@pytest.mark.parametrize(
    ("verb", "says", "settings"),
    [
        ("die", "started again", {}),
        ("hang", "longer than 1 seconds", {"seconds": 1.0}),
        ("eat", "more memory", {"most_memory": float(400 << 20)}),
    ],
)
def test_a_process_that_dies_hangs_or_eats_is_replaced(verb: str, says: str, settings: dict[str, float]) -> None:
    async def scenario(worker: Worker) -> None:
        before = (await worker.run(asked("tell"))).about["process"]
        with pytest.raises(WorkError, match=says):
            await worker.run(asked(verb))
        after = (await worker.run(asked("tell"))).about["process"]
        assert after != before
        assert isinstance(before, int)
        assert not psutil.pid_exists(before) or psutil.Process(before).status() == psutil.STATUS_ZOMBIE

    run(scenario, **settings)


def test_a_process_that_somebody_kills_is_replaced() -> None:
    async def scenario(worker: Worker) -> None:
        before = (await worker.run(asked("tell"))).about["process"]
        assert isinstance(before, int)
        os.kill(before, signal.SIGKILL)
        await asyncio.sleep(0.5)
        assert (await worker.run(asked("tell"))).about["process"] != before

    run(scenario)


@pytest.mark.parametrize(("verb", "stays"), [("heed", True), ("hang", False)])
def test_a_task_is_cancelled_kindly_and_then_not(verb: str, stays: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masque.studio.workers.GRACE", 1.0)

    async def scenario(worker: Worker) -> None:
        before = (await worker.run(asked("tell"))).about
        cancelled, told = asyncio.Event(), []
        running = asyncio.create_task(worker.run(asked(verb), told.append, cancelled))
        await asyncio.sleep(0.3)
        assert len(told) == stays
        started = time.monotonic()
        cancelled.set()
        with pytest.raises(WorkError) as failed:
            await running
        assert failed.value.kind == CANCELLED
        assert time.monotonic() - started < 5
        assert ((await worker.run(asked("tell"))).about == before) == stays

    run(scenario)


def test_a_worker_ends_with_its_server() -> None:
    async def scenario(worker: Worker) -> None:
        process = (await worker.run(asked("tell"))).about["process"]
        assert isinstance(process, int)
        worker.stop()
        await asyncio.sleep(0.5)
        assert not psutil.pid_exists(process)

    run(scenario)
