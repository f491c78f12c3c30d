"""When a training stops before its last step: on Ctrl-C, on a request to terminate, or when its time is up."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType


@dataclass
class Watch:
    """Says between two steps whether to stop, so that no step is broken in two."""

    limit: float | None
    """Seconds from `started` until the training has to have ended; None where it may take as long as it needs."""
    started: float = field(default_factory=time.monotonic)
    """When time began to count, on the monotonic clock."""
    signalled: bool = False
    """Whether Ctrl-C or a request to terminate has come."""

    def reason(self, reserve: float) -> str | None:
        """Why to stop now, or None. reserve: seconds that the next step and saving take."""
        if self.signalled:
            return "stopped"
        if self.limit is not None and time.monotonic() - self.started + reserve >= self.limit:
            return "time limit"
        return None

    def notice(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler: stop after the step under way."""
        self.signalled = True


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """While the context lasts, Ctrl-C and SIGTERM reach `watch` and nothing else."""
    try:
        before = {number: signal.signal(number, watch.notice) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals go elsewhere anyway
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
