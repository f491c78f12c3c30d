"""Receives the bodies of requests: how large, how slow, how many at once. A body is taken in whole before the
application sees it, so that a slow sender keeps nobody waiting but itself."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from starlette.types import Receive

from masque.studio.answers import Refusal
from masque.studio.limits import MEGABYTE, Limits

PIECE = 64 * 1024
"""Bytes of the pieces in which a body is passed on; smaller ones are put together as they come."""


class Gone(Exception):  # noqa: N818 - no failure: the other side went away
    """The client closed the connection before its request was complete."""


class Intake:
    """Counts the bodies that are at hand, of each client and of all. Belongs to one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes: Counter[str] = Counter()
        self._receiving: Counter[str] = Counter()

    @asynccontextmanager
    async def body(self, declared: int | None, most: int, client: str, receive: Receive) -> AsyncIterator[Receive]:
        """A `receive` that gives a request's body, which is at hand when this is entered; it counts until this is left.

        declared: the Content-Length, None for a chunked body. most: bytes that it may have. Raises Refusal (413, 408,
        429) and Gone."""
        if declared is not None and declared > most:
            raise too_large(most)
        share = _Share(self._bytes, client, self._limits)
        try:
            share.grow(declared or 0)
            with _Place(self._receiving, client, self._limits):
                pieces = await self._received(most, share, receive)
            yield _replayed(pieces, receive)
        finally:
            share.give_back()

    async def _received(self, most: int, share: _Share, receive: Receive) -> deque[bytearray]:
        limits, begun = self._limits, asyncio.get_running_loop().time()
        pieces, size, more = deque([bytearray()]), 0, True
        while more:
            try:
                # By then the next piece must be there, else the average rate has fallen below the least.
                async with asyncio.timeout_at(begun + min(limits.body_time, limits.grace + size / limits.rate)):
                    message = await receive()
            except TimeoutError:
                raise too_slow() from None
            if message["type"] == "http.disconnect":
                raise Gone
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > most:
                raise too_large(most)
            share.grow(size)
            if len(pieces[-1]) >= PIECE:
                pieces.append(bytearray())
            pieces[-1].extend(piece)
            more = bool(message.get("more_body", False))
        return pieces


class _Share:
    """The bytes of one request, counted with those of its client and of all."""

    def __init__(self, held: Counter[str], client: str, limits: Limits) -> None:
        self._held, self._client, self._limits = held, client, limits
        self._mine = 0

    def grow(self, size: int) -> None:
        """Count this request with at least so many bytes. Raises Refusal where they are too many."""
        more = size - self._mine
        if more <= 0:
            return
        if (
            self._held[self._client] + more > self._limits.bodies_of_client
            or _total(self._held.values()) + more > self._limits.bodies
        ):
            raise too_busy()
        self._held[self._client] += more
        self._mine = size

    def give_back(self) -> None:
        _lessen(self._held, self._client, self._mine)
        self._mine = 0


class _Place:
    """One of the places for bodies that are being received."""

    def __init__(self, taken: Counter[str], client: str, limits: Limits) -> None:
        self._taken, self._client, self._limits = taken, client, limits

    def __enter__(self) -> None:
        if (
            self._taken[self._client] >= self._limits.receiving_of_client
            or _total(self._taken.values()) >= self._limits.receiving
        ):
            raise too_busy()
        self._taken[self._client] += 1

    def __exit__(self, *_: object) -> None:
        _lessen(self._taken, self._client, 1)


def _total(counts: Iterable[int]) -> int:
    return sum(counts)


def _lessen(counts: Counter[str], key: str, by: int) -> None:
    """Without keeping a client of whom nothing is left: there may be any number of them."""
    counts[key] -= by
    if counts[key] <= 0:
        del counts[key]


def _replayed(pieces: deque[bytearray], receive: Receive) -> Receive:
    """Gives each piece away as it is asked for, so that it is not held twice; then what the connection says."""

    async def again() -> dict[str, object]:
        if not pieces:
            return dict(await receive())
        piece = bytes(pieces.popleft())
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    return again


def too_large(most: int) -> Refusal:
    """The answer to a body of more than `most` bytes."""
    size = f"{most // MEGABYTE} MB" if most >= MEGABYTE else f"{most} bytes"
    sentence = f"The request is larger than {size}: make the photos smaller first."
    return Refusal(413, "TooLarge", sentence, close=True)


def too_slow() -> Refusal:
    """The answer to a body that comes too slowly."""
    return Refusal(408, "TooSlow", "The request came too slowly: try again on a faster connection.", close=True)


def too_busy() -> Refusal:
    """The answer while too many bodies are at hand."""
    sentence = "Too much is being sent at once: try again in a few seconds."
    return Refusal(429, "TooBusy", sentence, close=True, retry_after="3")
