"""The child process that opens uploads: what is wrong with a picture goes wrong here, where it costs nothing.

Started by `masque.studio.decoder`, it is given no files and may write none, has a bound on memory and time, and dies
with the server. It speaks numbers, pixels and JSON through its two pipes, never anything that could be run on the other
side."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO
from typing import BinaryIO

from masque.studio.orphans import die_with

REQUEST = struct.Struct("!BIQ")
"""What to do (DECODE, VERIFY), pixels that the longer side may have (0: any number), bytes that follow."""
ANSWER = struct.Struct("!BIIQ")
"""How it went, width, height, bytes that follow."""
DECODE, VERIFY = 1, 2
DONE, REFUSED, TOO_MUCH = 0, 1, 2
READY = b"+"
"""Sent once, before any answer."""
MOST_OPEN = 64
"""Files that the child may have open: its pipes, and what Python opens to import."""


def main() -> None:
    """Serve requests from stdin until it ends. Arguments: the parent's process, bytes of memory, seconds a picture."""
    parent, memory, seconds = (int(word) for word in sys.argv[1:4])
    die_with(parent)
    source, sink = _pipes()
    _warm()
    _bound(memory)
    sink.write(READY)
    sink.flush()
    while head := source.read(REQUEST.size):
        task, longest, size = REQUEST.unpack(head)
        _allow(seconds)
        _answer(task, longest, source.read(size), sink)


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Where requests come from and answers go; what a library reads or prints by itself meets nothing."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return source, sink


def _answer(task: int, longest: int, content: bytes, sink: BinaryIO) -> None:
    from masque.errors import MasqueError

    try:
        width, height, told = _decode(content, longest) if task == DECODE else (0, 0, _verify(content))
        head = ANSWER.pack(DONE, width, height, len(told))
    except MasqueError as error:
        text = json.dumps([type(error).__name__, str(error)]).encode()
        head, told = ANSWER.pack(REFUSED, 0, 0, len(text)), memoryview(text)
    except MemoryError:
        head, told = ANSWER.pack(TOO_MUCH, 0, 0, 0), memoryview(b"")
    sink.write(head)
    sink.write(told)
    sink.flush()


def _decode(content: bytes, longest: int) -> tuple[int, int, memoryview]:
    from PIL import Image

    from masque.image import read_picture

    picture = read_picture(BytesIO(content))
    height, width = picture.shape[:2]
    if longest and max(width, height) > longest:
        scale = longest / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        smaller = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        return (*size, memoryview(smaller.tobytes()))
    return width, height, picture.reshape(-1).data


def _verify(content: bytes) -> memoryview:
    from masque.provenance import verify

    verdict = asdict(verify(content))
    return memoryview(json.dumps(verdict).encode())


def _warm() -> None:
    """Import what pictures need before memory and files are bounded."""
    from PIL import Image

    import masque.image
    import masque.provenance  # noqa: F401

    Image.init()


def _bound(memory: int) -> None:
    """No file written, no trace left of a crash, and a bound on memory, where the system knows such things."""
    try:
        import resource
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, MOST_OPEN),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_DATA, memory),
    ):
        with suppress(ValueError, OSError):  # a system may not know one, or bound it further already
            resource.setrlimit(what, (most, most))


def _allow(seconds: int) -> None:
    """End this process when it has computed for so long from now on: also where nobody watches any more."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds + 1, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
