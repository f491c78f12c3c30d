"""Streams that nobody may be listening to: closed by the shell (`>&-`), or a pipe whose reader has gone (`| head
-1`)."""

from __future__ import annotations

import io
import os
from typing import TextIO


class _Unheard(io.FileIO):
    """A stream's file; what is written after its reader has gone is lost, and the work goes on. Any other failure is
    raised once."""

    lost = False

    def write(self, data: bytes) -> int | None:  # type: ignore[override]
        """Write as FileIO does, and return how many bytes were taken: all of them once the reader has gone."""
        try:
            return len(data) if self.lost else super().write(data)
        except OSError as error:
            self.lost = True  # or what the buffer keeps would fail again at the end
            if not isinstance(error, BrokenPipeError):
                raise
            return len(data)


def unheard(number: int, stream: TextIO | None) -> TextIO:
    """stdout (number 1) or stderr (2) as a stream that fails for no want of a listener.

    stream: what Python made of it; None where the shell had closed it. Its number is then opened upon nothing: the next
    file to be opened would get it, and whatever a library prints would go into a picture."""
    if stream is None:
        while (lowest := os.open(os.devnull, os.O_RDWR)) < number:
            pass
        if lowest > number:
            os.close(lowest)
    waits = stream is not None and getattr(stream, "line_buffering", False)
    encoding = (stream.encoding if stream is not None else None) or "utf-8"
    raw = io.BufferedWriter(_Unheard(number, "w", closefd=False))  # type: ignore[type-var]
    # A file's name may hold what the terminal's encoding does not.
    return io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", line_buffering=waits or number == 2)
