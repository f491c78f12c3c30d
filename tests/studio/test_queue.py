"""Who waits, who is served next, and how a job is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import cast

import pytest

from masque.studio.messages import CANCELLED, Made, Progress, Task, TooBusyError, WorkError
from masque.studio.queue import FEW, LONGEST_WAIT, Job, Queue
from masque.studio.workers import Worker


class Slow:
    """A worker that does what it is told only when a test lets it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.go = asyncio.Semaphore(0)
        self.fails: set[str] = set()

    async def run(
        self, task: Callable[[int], Task], tell: Callable[[Progress], None], cancelled: asyncio.Event
    ) -> Made:
        verb = task(0).verb
        tell(Progress(0, f"Doing {verb}", 1, 2))
        going = asyncio.ensure_future(self.go.acquire())
        ended = asyncio.ensure_future(cancelled.wait())
        await asyncio.wait([going, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if cancelled.is_set():
            going.cancel()
            raise WorkError("It was cancelled.", CANCELLED)
        if verb in self.fails:
            raise WorkError("It cannot be done: do something else.", "NoFaceError", "photo")
        self.done.append(verb)
        return Made({"id": verb})


def job(client: str, verb: str, urgent: bool = False) -> Job:
    return Job(client, verb, lambda number: Task(number, verb), lambda made: str(made.about["id"]), urgent)


def run(scenario: Callable[[Queue, Slow], Coroutine[None, None, None]], **settings: int) -> None:
    """A scenario beside a queue that is served."""

    async def both() -> None:
        slow = Slow()
        queue = Queue(cast(Worker, slow), **settings)
        serving = asyncio.create_task(queue.serve())
        try:
            await asyncio.wait_for(scenario(queue, slow), 20)
        finally:
            serving.cancel()

    asyncio.run(both())


def test_clients_are_served_in_turn_however_much_one_asks_for() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        jobs = [job("greedy", f"g{n}") for n in range(5)] + [job("anna", "a"), job("ben", "b")]
        for one in jobs:
            queue.add(one)
        for _ in jobs:
            slow.go.release()
        for one in jobs:
            await one.over_with()
        assert slow.done[0] == "g0"
        assert set(slow.done[1:4]) == {"a", "b", "g1"}
        assert slow.done[4:] == ["g2", "g3", "g4"]

    run(scenario)


def test_a_look_goes_before_what_the_same_client_waits_for() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        jobs = [job("anna", "first"), job("anna", "edit"), job("anna", "look", urgent=True)]
        queue.add(jobs[0])
        await asyncio.sleep(0)
        for one in jobs[1:]:
            queue.add(one)
        for _ in jobs:
            slow.go.release()
        for one in jobs:
            await one.over_with()
        assert slow.done == ["first", "look", "edit"]

    run(scenario)


def test_no_more_may_wait_than_may_wait() -> None:
    async def scenario(queue: Queue, _: Slow) -> None:
        for n in range(3):
            queue.add(job("greedy", str(n)))
        with pytest.raises(TooBusyError):
            queue.add(job("greedy", "one more"))
        queue.add(job("greedy", "a look", urgent=True))
        queue.add(job("anna", "hers"))
        with pytest.raises(TooBusyError):
            queue.add(job("ben", "his"))
        assert len(queue) == 5

    run(scenario, most=5, most_per_client=3)


def test_where_tasks_take_long_fewer_may_wait() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        first = job("anna", "a")
        queue.add(first)
        await asyncio.sleep(0.05)
        slow.go.release()
        await first.over_with()
        await asyncio.sleep(0)
        assert 0.05 / 5 < queue.pace < 1
        for n in range(12):
            queue.add(job(f"client {n}", str(n)))  # as long as tasks are quick, any number
        queue.pace = LONGEST_WAIT / 10
        with pytest.raises(TooBusyError):
            queue.add(job("ben", "his"))
        queue.pace = LONGEST_WAIT / 20
        queue.add(job("ben", "his"))
        queue.pace = LONGEST_WAIT / 12.5  # twelve are before his first, thirteen before his second
        with pytest.raises(TooBusyError):
            queue.add(job("ben", "another"))

    run(scenario)


def test_few_may_always_wait() -> None:
    async def scenario(queue: Queue, _: Slow) -> None:
        queue.pace = 1000.0
        for n in range(FEW + 1):
            queue.add(job(f"client {n}", str(n)))
        with pytest.raises(TooBusyError):
            queue.add(job("ben", "his"))

    run(scenario)


def test_a_job_tells_how_many_are_before_it() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        jobs = [job("anna", "a0"), job("anna", "a1"), job("anna", "a2"), job("ben", "b0")]
        for one in jobs:
            queue.add(one)
        await asyncio.sleep(0.01)
        assert jobs[0].state == "running"
        places = {one.verb: queue.place(one) for one in jobs}
        assert places == {"a0": None, "b0": 1, "a1": 2, "a2": 3}
        for _ in jobs:
            slow.go.release()
        for one in sorted(jobs[1:], key=lambda one: places[one.verb] or 0):
            await one.over_with()
        assert slow.done == ["a0", "b0", "a1", "a2"]

    run(scenario)


def test_a_job_that_waits_is_cancelled_at_once_and_never_done() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        first, second = job("anna", "first"), job("anna", "second")
        queue.add(first)
        queue.add(second)
        await asyncio.sleep(0)
        queue.cancel(second)
        assert second.state == "cancelled"
        slow.go.release()
        await first.over_with()
        await asyncio.sleep(0.01)
        assert slow.done == ["first"]
        assert len(queue) == 0

    run(scenario)


def test_a_job_that_runs_is_ended_by_the_worker_and_the_next_one_goes_on() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        first, second = job("anna", "first"), job("ben", "second")
        queue.add(first)
        queue.add(second)
        await asyncio.sleep(0.01)
        queue.cancel(first)
        await first.over_with()
        assert first.state == "cancelled"
        slow.go.release()
        await second.over_with()
        assert slow.done == ["second"]

    run(scenario)


def test_a_failure_says_why_and_of_which_field() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        slow.fails.add("bad")
        bad, good = job("anna", "bad"), job("anna", "good")
        for one in (bad, good):
            queue.add(one)
            slow.go.release()
        await good.over_with()
        assert bad.state == "failed"
        assert bad.error is not None
        assert (bad.error.kind, bad.error.field) == ("NoFaceError", "photo")
        assert good.result == "good"

    run(scenario)


def test_what_the_server_cannot_hold_fails_alone() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        def refuse(_: Made) -> str | None:
            raise TooBusyError("Studio holds as much as it may.")

        full = Job("anna", "full", lambda number: Task(number, "full"), refuse)
        good = job("anna", "good")
        for one in (full, good):
            queue.add(one)
            slow.go.release()
        await good.over_with()
        assert full.state == "failed"
        assert full.error is not None
        assert "as much as it may" in str(full.error)

    run(scenario)


def test_a_watcher_is_woken_by_each_change() -> None:
    async def scenario(queue: Queue, slow: Slow) -> None:
        one = job("anna", "edit")
        queue.add(one)
        seen = one.version
        await one.changed(seen, 5)
        await asyncio.sleep(0.01)
        assert (one.state, one.doing, one.done, one.of) == ("running", "Doing edit", 1, 2)
        started = asyncio.get_running_loop().time()
        await one.changed(one.version, 0.1)
        assert asyncio.get_running_loop().time() - started >= 0.09
        slow.go.release()
        await one.changed(one.version, 5)
        assert one.state == "done"

    run(scenario)
