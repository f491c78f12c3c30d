"""What commands print: progress after two seconds, answers as text or JSON."""

from __future__ import annotations

import json
import math
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from masque import notice
from masque.cli.manner import MANNER
from masque.cli.overwriting import check_replaceable
from masque.errors import escaped, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from masque.edits.result import Result

QUIET_FOR = 2.0
"""Seconds before a progress bar appears: a quick job needs none."""
FIRST_LINE = 30.0
"""Seconds before the first line where nobody looks, such as in a file of a batch system; each further one takes twice
as long."""
LONGEST_SILENCE = 600.0


def watched() -> bool:
    """Whether somebody may be looking at what is drawn on stderr."""
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


def start(thread: threading.Thread) -> None:
    """Start a thread that Ctrl-C never reaches: it is for the main thread, which may have it blocked for a moment."""
    if not hasattr(signal, "pthread_sigmask"):
        thread.start()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Lines:
    """Where nobody looks: a line on stderr now and then, as long as a job lasts."""

    def __init__(self, doing: str) -> None:
        self.doing, self.state = doing, ""
        self.started = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> Lines:
        start(self.thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.thread.join()

    def _tell(self) -> None:
        wait = FIRST_LINE
        while not self.over.wait(wait):
            spent = round(time.monotonic() - self.started)
            line = f"{self.doing}{self.state}, {spent // 60}:{spent % 60:02d} so far.\n"
            with suppress(OSError, ValueError, AttributeError):  # stderr may be closed, or a pipe that nobody reads
                sys.stderr.write(line)
                sys.stderr.flush()
            wait = min(2 * wait, LONGEST_SILENCE)


class Bar:
    """A progress bar on stderr that appears when a job has taken two seconds; `Lines` where nobody looks."""

    def __init__(self, doing: str, quiet: bool = False) -> None:
        """quiet: show nothing at all, as with the option --quiet; another process may show it."""
        self.doing, self.quiet = doing, quiet or MANNER.quiet
        self.started = time.monotonic()
        self.progress: Progress | None = None
        self.task: TaskID | None = None
        self.lines = None if self.quiet or watched() else Lines(doing)

    def __enter__(self) -> Bar:
        if self.lines is not None:
            self.lines.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress is not None:
            self.progress.stop()
        if self.lines is not None:
            self.lines.__exit__(kind, value, trace)
        took(self.doing, self.started)

    def update(self, done: int, of: int, note: str = "") -> None:
        """Show that `done` of `of` is done."""
        if self.lines is not None:
            self.lines.state = f": {done} of {of}" + (f" ({note})" if note else "")
            return
        if self.progress is None:
            if time.monotonic() - self.started < QUIET_FOR or self.quiet or not watched():
                return
            self._appear(of)
        assert self.progress is not None
        assert self.task is not None
        self.progress.update(self.task, completed=done, total=of, description=f"{self.doing} {note}".rstrip())

    def _appear(self, of: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task(self.doing, total=of)
        self.progress.start()


class Wait:
    """A spinner for a job whose length is unknown, after the same two seconds; `Lines` where nobody looks."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.started = time.monotonic()
        self.lines = None if MANNER.quiet or watched() else Lines(doing)
        self.over = threading.Event()
        self.thread: threading.Thread | None = None

    def __enter__(self) -> Wait:
        if self.lines is not None:
            self.lines.__enter__()
        elif not MANNER.quiet:
            self.thread = threading.Thread(target=self._turn, daemon=True)
            start(self.thread)
        return self

    def _turn(self) -> None:
        if self.over.wait(QUIET_FOR) or not watched():
            return
        from rich.console import Console

        with Console(stderr=True).status(self.doing):
            self.over.wait()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.lines is not None:
            self.lines.__exit__(kind, value, trace)
        if self.thread is not None:
            self.over.set()
            self.thread.join()
        took(self.doing, self.started)


def took(doing: str, started: float) -> None:
    """With --verbose, say on stderr how long a step took that began at `started`, by the monotonic clock."""
    if MANNER.verbose:
        typer.echo(f"{doing} took {time.monotonic() - started:.1f} s.", err=True)


LONGEST_RECORD = 200
"""Lines of a record that are shown; all of it stands in the answer as JSON."""


def quoted(record: Mapping[str, object]) -> str:
    """A record from a file as JSON for people: in plain ASCII, so that nothing in it moves the cursor, with long texts
    cut."""
    lines = json.dumps(_cut(record), indent=1).split("\n")
    left = len(lines) - LONGEST_RECORD
    return "\n".join(lines if left <= 0 else [*lines[:LONGEST_RECORD], f"… and {left} lines more"])


def _cut(value: object) -> object:
    if isinstance(value, Mapping):
        return {printable(key): _cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    return printable(value) if isinstance(value, str) else value


def answer(text: str, values: Mapping[str, object], as_json: bool) -> None:
    """Print the answer: `text`, or `values` as one JSON object."""
    MANNER.answered = True
    if as_json:
        typer.echo(json.dumps(_finite(values)))
    else:
        tell(text)


def failure(sentence: str, kind: str) -> dict[str, str]:
    """How an error stands in JSON: its sentence, and the kind of error, such as NoFaceError."""
    return {"error": escaped(sentence), "kind": kind}


def _finite(value: object) -> object:
    """JSON has no number that is not finite: null stands for it."""
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def tell(text: str) -> None:
    """Print lines for a person. Names and texts from files may stand in them: what would move the cursor is escaped."""
    typer.echo("\n".join(escaped(line) for line in text.split("\n")))


def remark(sentence: str) -> None:
    """Print one line on stderr beside the answer, escaped as `tell` does; nothing with --quiet."""
    if not MANNER.quiet:
        typer.echo(escaped(sentence), err=True)


def show_notice() -> None:
    """Show on a terminal, once on this machine, what everybody should read before they edit pictures of people."""
    if MANNER.quiet or MANNER.json or not watched() or notice.agreed():
        return
    for sentence in notice.SENTENCES:
        typer.echo(sentence, err=True)
    typer.echo("This is shown once.\n", err=True)
    notice.remember()


def save(result: Result, out: Path, overwrite: bool | None, as_json: bool, note: str = "") -> None:
    """Write the result of an edit, and print where it is and what its record measured.

    overwrite: see `check_replaceable`, which the command has called before the work. Raises OutputError."""
    check_replaceable(overwrite, out)
    result.save(out)
    answer(f"Wrote {out}.{note}{_summary(result.record)}", {"out": str(out), **result.record}, as_json)


def _summary(record: Mapping[str, object]) -> str:
    shown, distances = record.get("shown"), record.get("identity_distance")
    if isinstance(shown, Sequence):
        return f" From left to right: {', '.join(map(str, shown))}."
    if not isinstance(distances, Mapping):
        return ""
    near = ", ".join(
        f"{value:.2f} to the {name if name == 'photo' else f'{name} photo'}" for name, value in distances.items()
    )
    changed = f"{record['changed_outside_face_percent']:.1f} % of the pixels outside the face changed"
    colours = record.get("also")
    also = ", ".join(f"{name}={value:g}" for name, value in colours.items()) if isinstance(colours, Mapping) else ""
    rivals = f" Hair colours exclude one another, so also {also}." if also else ""
    return f"{rivals} Squared identity distance {near}'s person; {changed}."
