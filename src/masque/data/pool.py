"""Work on many pictures, shared out to processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from typing import TypeVar

import cv2

Job = TypeVar("Job")
Result = TypeVar("Result")


def parallel_map(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int | None = None, ordered: bool = False
) -> Iterator[Result]:
    """`work` of every job, by `workers` processes (one per core if None), whose results come as they are done, or in
    the jobs' order.

    work: a function of a module, or a partial one of it, without network: it is sent to processes that import that
    module alone."""
    count = min(workers or os.cpu_count() or 1, max(1, len(jobs)))
    if count == 1:
        yield from map(work, jobs)
        return
    # Ctrl-C is this process's to handle: the others are started while it is blocked, and stay deaf to it. Their tracker
    # goes first, since starting it ends with Ctrl-C unblocked.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        # forkserver: a fork of a process in which a network has run may hang in its thread pool.
        with multiprocessing.get_context("forkserver").Pool(
            count, initializer=cv2.setNumThreads, initargs=(1,)
        ) as pool:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield from (pool.imap if ordered else pool.imap_unordered)(work, jobs, chunksize=4)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
