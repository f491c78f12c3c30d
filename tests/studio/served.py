"""A server of Studio for tests: the real one around a small application, on a port of its own."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import uvicorn
from starlette.types import Receive, Scope, Send

from masque.studio.door import Door
from masque.studio.guard import Guard
from masque.studio.limits import Limits
from masque.studio.serve import configured, listen

TOKEN = "token-of-the-tests"
HOST = "127.0.0.1:7870"
SENTENCE = {"error", "kind", "field"}


def door(password: str | None = None) -> Door:
    """A door whose token is known."""
    made = Door(password)
    made.token = TOKEN
    return made


@dataclass
class Echo:
    """An application that tells how much it was sent, and counts how often it was asked.

    /api/boom fails, /api/late fails when it has begun, /api/html answers with a page of its own, /api/large with 20 MB,
    /api/slow after half a minute, /api/open lets all sites in."""

    asked: int = 0
    sizes: list[int] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.asked += 1
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size, more = size + len(message.get("body", b"")), bool(message.get("more_body", False))
        self.sizes.append(size)
        await self._answer(scope["path"], size, send)

    async def _answer(self, path: str, size: int, send: Send) -> None:
        if path == "/api/boom":
            raise RuntimeError("secret of /src/masque")
        if path == "/api/slow":
            import asyncio

            await asyncio.sleep(30)
        status, kind = (503, b"text/html") if path == "/api/html" else (200, b"application/json")
        headers = [(b"content-type", kind), (b"server", b"secret"), (b"X-Frame-Options", b"ALLOWALL")]
        if path == "/api/open":
            headers += [(b"access-control-allow-origin", b"*"), (b"cache-control", b"public")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if path == "/api/late":
            await send({"type": "http.response.body", "body": b"[", "more_body": True})
            raise RuntimeError("secret of /src/masque")
        body = bytes(20 * 2**20) if path == "/api/large" else json.dumps(size).encode()
        await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(app: Echo, limits: Limits | None = None) -> Iterator[int]:
    """Serve it in a thread; gives the port."""
    limits = limits or Limits()
    with listen("127.0.0.1", 0, door()) as listener:
        port = listener.getsockname()[1]
        guard = Guard(app, door(), [f"127.0.0.1:{port}", f"localhost:{port}"], limits)
        server = uvicorn.Server(configured(guard, limits))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def head(port: int, method: str = "POST", path: str = "/api/x", *more: str) -> bytes:
    """The first lines of a request that is let in, with further headers."""
    lines = (f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {TOKEN}", *more)
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection to it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


def all_of(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    got = bytearray()
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            got += piece
    return bytes(got)


def status_of(answer: bytes) -> int:
    """The status of the first answer in what came; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def exchange(port: int, request: bytes) -> bytes:
    """Send bytes, and give what comes until the other side closes."""
    with connected(port) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        return all_of(connection)
