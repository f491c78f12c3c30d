"""What is shown of long jobs: bars where somebody looks, a line now and then where nobody does."""

from __future__ import annotations

import io
import signal
import threading
import time

import pytest

from masque.cli import show
from masque.cli.show import Bar, Wait


@pytest.fixture
def impatient(monkeypatch):
    """A function that makes stderr a text, and has the first line come after a moment; to be called in the test, of
    which stderr is."""

    def make() -> io.StringIO:
        monkeypatch.setattr(show, "FIRST_LINE", 0.01)
        written = io.StringIO()
        monkeypatch.setattr(show.sys, "stderr", written)
        return written

    return make


def lines(written: io.StringIO, count: int) -> list[str]:
    """The lines that a job writes, as soon as there are so many."""
    until = time.monotonic() + 30
    while written.getvalue().count("\n") < count and time.monotonic() < until:
        time.sleep(0.005)
    return written.getvalue().splitlines()


def test_where_nobody_looks_a_line_says_how_far_it_is(impatient):
    written = impatient()
    with Bar("Preparing") as bar:
        assert lines(written, 1)[0] == "Preparing, 0:00 so far."
        bar.update(3, 7, "nose")
        done = written.getvalue().count("\n")
        last = lines(written, done + 2)[-1]
        assert last.startswith("Preparing: 3 of 7 (nose), 0:")
        assert last.endswith(" so far.")
    ended = written.getvalue()
    time.sleep(0.05)
    assert written.getvalue() == ended


def test_lines_become_rarer(monkeypatch):
    waits = []

    class Over:
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return len(waits) > 7

    job = show.Lines("Drawing")
    monkeypatch.setattr(job, "over", Over())
    monkeypatch.setattr(show.sys, "stderr", io.StringIO())
    job._tell()
    assert waits == [30, 60, 120, 240, 480, 600, 600, 600]
    assert show.sys.stderr.getvalue().count("\n") == 7


def test_a_job_without_a_known_length_tells_as_well(impatient):
    written = impatient()
    with Wait("Drawing"):
        assert lines(written, 2)[1] == "Drawing, 0:00 so far."


@pytest.mark.parametrize("stderr", ["closed", "none", "broken"])
def test_nothing_is_said_where_nothing_can_be(monkeypatch, stderr):
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(show, "FIRST_LINE", 0.01)
    monkeypatch.setattr(show.sys, "stderr", {"closed": closed, "none": None, "broken": Broken()}[stderr])
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    with Bar("Preparing") as bar, Wait("Drawing"):
        bar.update(1, 2)
        time.sleep(0.05)
        bar.update(2, 2)
    assert failed == []


def test_a_quiet_bar_shows_nothing(impatient):
    written = impatient()
    with Bar("Training", quiet=True) as bar:
        bar.update(1, 2)
        time.sleep(0.05)
    assert written.getvalue() == ""


def test_ctrl_c_is_for_the_main_thread():
    """Which may have it blocked while processes start: a thread that took it would end them."""
    seen = []
    thread = threading.Thread(target=lambda: seen.append(signal.pthread_sigmask(signal.SIG_BLOCK, set())))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    show.start(thread)
    thread.join()
    assert {signal.SIGINT, signal.SIGTERM} <= seen[0]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == before
