"""What commands print: progress after two seconds, answers as text or JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from masque.errors import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

QUIET_FOR = 2.0
"""Seconds before a progress bar appears: a quick job needs none."""


class Bar:
    """A progress bar on stderr that appears when a job has taken two seconds, and only where somebody looks."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.started = time.monotonic()
        self.progress: Progress | None = None
        self.task: TaskID | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.progress is not None:
            self.progress.stop()

    def update(self, done: int, of: int, note: str = "") -> None:
        """Show that `done` of `of` is done."""
        if self.progress is None:
            if time.monotonic() - self.started < QUIET_FOR or not sys.stderr.isatty():
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
    """A spinner for a job whose length is unknown, after the same two seconds."""

    def __init__(self, doing: str) -> None:
        self.doing = doing

    def __enter__(self) -> Wait:
        import threading

        self.over = threading.Event()
        self.thread = threading.Thread(target=self._turn, daemon=True)
        self.thread.start()
        return self

    def _turn(self) -> None:
        if self.over.wait(QUIET_FOR) or not sys.stderr.isatty():
            return
        from rich.console import Console

        with Console(stderr=True).status(self.doing):
            self.over.wait()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.over.set()
        self.thread.join()


LONGEST_RECORD = 200
"""Lines of a record that are shown; all of it stands in the answer as JSON."""


def quoted(record: Mapping[str, Any]) -> str:
    """A record from a file as JSON for people: in plain ASCII, so that nothing in it moves the cursor, with long texts cut."""
    lines = json.dumps(_cut(record), indent=1).split("\n")
    left = len(lines) - LONGEST_RECORD
    return "\n".join(lines if left <= 0 else [*lines[:LONGEST_RECORD], f"… and {left} lines more"])


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {printable(key): _cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    return printable(value) if isinstance(value, str) else value


def answer(text: str, values: Mapping[str, Any], as_json: bool) -> None:
    """Print `text`, or `values` as one JSON object."""
    if as_json:
        typer.echo(json.dumps(values))
    else:
        tell(text)


def tell(text: str) -> None:
    """Print lines for a person. Names and texts from files may stand in them: what would move the cursor is escaped."""
    typer.echo("\n".join(printable(line, sys.maxsize) for line in text.split("\n")))


def remark(sentence: str) -> None:
    """Print one line on stderr beside the answer, escaped as `tell` does."""
    typer.echo(printable(sentence, sys.maxsize), err=True)
