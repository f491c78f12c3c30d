"""Opens uploads in child processes that may die: the server itself never decodes a picture."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import masque
from masque.errors import NoPictureError, PictureError
from masque.studio.decoding import ANSWER, DECODE, DONE, READY, REFUSED, REQUEST, VERIFY
from masque.studio.limits import LARGEST_FILE, MEGABYTE

T = TypeVar("T")

START_TIME = 30.0
"""Seconds in which a child must be ready: a busy machine may take some."""
MOST_BYTES = 51_000_000 * 3
"""Of the pixels that a child may send: 50 megapixels, and a little."""
MOST_TEXT = 8 * MEGABYTE
"""Bytes of a record or a sentence that a child may send."""
MOST_WAITING = 64
"""Uploads that wait for a child, at most."""
MOST_OF_CLIENT = 8
"""The same of one client, so that others always find room."""
BEYOND = "This picture could not be decoded with the memory and time that one may take: make it smaller first."
SENTENCES = {"PictureError": PictureError, "NoPictureError": NoPictureError}


class TooManyBytesError(PictureError):
    """A file of more bytes than an upload may have."""


class DecoderBusyError(PictureError):
    """So many uploads wait already that another one would wait too long."""


class _DiedError(Exception):
    """A child that ended, or says what none should."""


@dataclass(frozen=True)
class Decoded:
    """An upright picture in sRGB. pixels: width × height × 3 bytes, RGB, row by row."""

    width: int
    height: int
    pixels: bytes


class Decoder:
    """Keeps child processes ready that open uploads, each at most so many before another one takes its place.

    children: how many work at once. seconds: for one picture. memory: bytes that a child may take. pictures: after so
    many, a child is replaced."""

    def __init__(
        self, children: int = 2, seconds: float = 20.0, memory: int = 2048 * MEGABYTE, pictures: int = 100
    ) -> None:
        self._seconds, self._memory, self._pictures = seconds, memory, pictures
        self._free: deque[_Child] = deque()
        self._places = asyncio.Semaphore(children)
        self._children = children
        self._busy: set[_Child] = set()
        self._waiting: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(children, "decoder")
        self._closed = False

    async def decode(self, content: bytes, longest_side: int | None = None, client: str = "") -> Decoded:
        """The picture in a file's content, its longer side at most so many pixels. client: who sent it.

        Raises PictureError with the sentence of `masque.image.read_picture`, or one that says that the picture takes
        too much."""
        width, height, pixels = await self._ask(DECODE, longest_side or 0, content, client)
        return Decoded(width, height, pixels)

    async def verify(self, content: bytes, client: str = "") -> Mapping[str, object]:
        """What a picture or film says of itself: the fields of `masque.provenance.Verdict`. Raises PictureError."""
        _, _, text = await self._ask(VERIFY, 0, content, client)
        verdict = json.loads(text)
        if not isinstance(verdict, dict):
            raise PictureError(BEYOND)
        return verdict

    def start(self) -> None:
        """Start the children ahead, so that the first upload does not wait for them. Called in the event loop."""
        while len(self._free) + len(self._busy) < self._children:
            self._free.append(_Child(self._memory, self._seconds))

    def close(self) -> None:
        """End all children."""
        self._closed = True
        for child in (*self._free, *self._busy):
            child.end()
        self._free.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, task: int, longest: int, content: bytes, client: str) -> tuple[int, int, bytes]:
        if len(content) > LARGEST_FILE:
            size, most = -(-len(content) // MEGABYTE), LARGEST_FILE // MEGABYTE
            raise TooManyBytesError(f"The photo has {size} MB and the limit is {most}: make it smaller first.")
        if self._waiting.total() >= MOST_WAITING or self._waiting[client] >= MOST_OF_CLIENT:
            raise DecoderBusyError("Many pictures are being opened: try again in a few seconds.")
        self._waiting[client] += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting[client] -= 1
            self._waiting += Counter()  # forgets clients of whom nothing waits
        child = self._free.popleft() if self._free else _Child(self._memory, self._seconds)
        self._busy.add(child)
        try:
            return await self._exchange(child, task, longest, content)
        finally:
            self._busy.discard(child)
            self._keep(child)
            self._places.release()

    async def _exchange(self, child: _Child, task: int, longest: int, content: bytes) -> tuple[int, int, bytes]:
        await self._in_time(child, START_TIME, child.wait_until_ready)
        ask = partial(child.ask, task, longest, content)
        how, width, height, told = await self._in_time(child, self._seconds, ask)
        if how == REFUSED:
            raise _error(told)
        if how != DONE:
            child.end()
            raise PictureError(BEYOND)
        return width, height, told

    async def _in_time(self, child: _Child, seconds: float, work: Callable[[], T]) -> T:
        """Do what waits for a child in a thread. The child is ended where it takes too long, or nobody waits for it."""
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(done)
        except BaseException as error:
            child.end()
            done.add_done_callback(_nobody_asks)
            if isinstance(error, TimeoutError | _DiedError):
                raise PictureError(BEYOND) from None
            raise

    def _keep(self, child: _Child) -> None:
        """Keep a child for the next upload, or put a new one in its place."""
        if child.alive and child.asked < self._pictures:
            self._free.append(child)
            return
        child.end()
        if not self._closed:
            self._free.append(_Child(self._memory, self._seconds))


def _nobody_asks(answer: asyncio.Future[T]) -> None:
    """Take note of how a child ended whose answer nobody waits for any more, lest it be reported as unheard."""
    if not answer.cancelled():
        answer.exception()


def _error(told: bytes) -> PictureError:
    try:
        kind, sentence = json.loads(told)
    except (ValueError, TypeError):
        return PictureError(BEYOND)
    return SENTENCES.get(str(kind), PictureError)(str(sentence))


class _Child:
    """One child process and its pipes."""

    def __init__(self, memory: int, seconds: float) -> None:
        words = (sys.executable, "-P", "-B", "-m", "masque.studio.decoding")
        self._process = subprocess.Popen(
            (*words, str(os.getpid()), str(memory), str(round(seconds))),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is the server's
            env=_environment(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        self.asked = 0
        self.alive = True
        self._ready = False

    def wait_until_ready(self) -> None:
        """Wait until its imports are done. Raises _DiedError."""
        if not self._ready and self._from.read(1) != READY:
            raise _DiedError
        self._ready = True

    def ask(self, task: int, longest: int, content: bytes) -> tuple[int, int, int, bytes]:
        """How it went, width, height and what the child sends. Waits for it. Raises _DiedError."""
        self.asked += 1
        try:
            self._to.write(REQUEST.pack(task, longest, len(content)))
            self._to.write(content)
            self._to.flush()
            head = self._from.read(ANSWER.size)
            if len(head) != ANSWER.size:
                raise _DiedError
            how, width, height, size = ANSWER.unpack(head)
            expected = width * height * 3 if task == DECODE and how == DONE else size
            if size != expected or size > (MOST_BYTES if expected and task == DECODE else MOST_TEXT):
                raise _DiedError
            told = self._from.read(size)
        except (OSError, ValueError):  # the pipe ended; or was closed here
            raise _DiedError from None
        if len(told) != size:
            raise _DiedError
        return how, width, height, told

    def end(self) -> None:
        """End the process, whatever it does."""
        self.alive = False
        self._process.kill()
        self._process.wait()


def _environment() -> dict[str, str]:
    """The child's: Masque is found where it was found here, and numpy starts no threads, whose memory would count."""
    found = str(Path(masque.__file__).resolve().parents[1])
    path = os.pathsep.join([found, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
