"""Stands before the application and lets pass only what its own page, or a program with the token, may ask."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masque.studio.answers import Refusal, failed, hardened, stopping
from masque.studio.door import Door
from masque.studio.intake import Gone, Intake
from masque.studio.limits import Limits

LOG = logging.getLogger("masque.studio")
LOG.addHandler(logging.NullHandler())

METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS")
WITHOUT_TOKEN = frozenset({"/api/door", "/api/login"})
"""Calls of the API that tell nothing but how to come in."""
SAME_ORIGIN = frozenset({b"same-origin", b"none"})
"""What a browser says in Sec-Fetch-Site of requests that Studio's page makes, or the person at the address bar."""
MOST_LINGERING = 32
"""Refused bodies of which the rest is thrown away, at once; of more, the connection is cut."""


class Guard:
    """ASGI middleware around the whole application.

    hosts: what a Host header may be, with the port, such as 127.0.0.1:7870; any other is a name that somebody else
    pointed at this machine. Everything under /api needs the token of `door`, but for the door itself."""

    def __init__(self, app: ASGIApp, door: Door, hosts: Collection[str], limits: Limits | None = None) -> None:
        self._app, self._door = app, door
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._origins = frozenset(scheme + host for host in self._hosts for scheme in (b"http://", b"https://"))
        self._limits = limits or Limits()
        self._intake = Intake(self._limits)
        self._lingering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        head, answer = Head(scope), _Answer(send, scope["path"])
        try:
            self._check(head)
            if head.has_body:
                most = self._limits.body if head.may_be_large else self._limits.body_without_token
                async with self._intake.body(head.declared, most, head.client, receive) as whole:
                    await self._answer(scope, whole, answer)
            else:
                await self._answer(scope, receive, answer)
        except Gone:
            return
        except Refusal as refusal:
            await self._refuse(refusal, head, receive, answer.send)
        except asyncio.CancelledError:  # the server ends
            if not answer.begun:
                await stopping().answer(answer.send, head.path)

    def _check(self, head: Head) -> None:
        """Raise Refusal for a request that goes no further, whatever its body holds."""
        if head.method not in METHODS:
            raise Refusal(405, "Method", "This method is not served here.", allow=", ".join(METHODS))
        if head.path_length > self._limits.path or head.query_length > self._limits.query:
            raise Refusal(414, "TooLong", "The address is too long: send what it says in the request's fields.")
        if head.size > self._limits.head or head.count > self._limits.headers:
            raise Refusal(431, "TooLong", "The request has too many headers, or too long ones: send fewer.")
        if head.only("host", b"").lower() not in self._hosts:
            raise Refusal(403, "Host", "This server is not known under that name: open the address that it printed.")
        if head.has("origin") and head.only("origin", b"").lower() not in self._origins:
            raise Refusal(403, "Origin", "Another page may not call this server: open the address that it printed.")
        if head.in_api and head.only("sec-fetch-site", b"none") not in SAME_ORIGIN:
            raise Refusal(403, "Origin", "Another page may not call this server: open the address that it printed.")
        if head.in_api and head.path not in WITHOUT_TOKEN and not self._door.admits(head.authorization):
            sentence = "This call needs the token: open the whole link that the server printed, or log in."
            raise Refusal(401, "Door", sentence, www_authenticate="Bearer")
        if not head.path.isprintable() or "\\" in head.path or ".." in head.path.split("/"):
            raise Refusal(404, "NotFound", "There is nothing at this address.")

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """Have the application answer; where it fails before it began to, nobody is told how."""
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            LOG.exception("The application failed at %r", scope["path"])
        if not answer.begun:
            await failed().answer(answer.send, scope["path"])

    async def _refuse(self, refusal: Refusal, head: Head, receive: Receive, send: Send) -> None:
        if not head.has_body:
            await refusal.answer(send, head.path)
            return
        refusal.close = True
        start, body = refusal.messages(head.path)
        await send(start)
        await send({**body, "more_body": True})
        # The answer is out. Were the connection closed with a body still coming, the sender would see it reset, and
        # many would never read the answer.
        if refusal.status != 408 and not head.has("expect") and self._lingering < MOST_LINGERING:
            self._lingering += 1
            try:
                await _throw_away(receive, self._limits.linger, self._limits.body * 2)
            finally:
                self._lingering -= 1
        await send({"type": "http.response.body", "body": b""})


async def _throw_away(receive: Receive, seconds: float, most: int) -> None:
    thrown = 0
    try:
        async with asyncio.timeout(seconds):
            while thrown < most:
                message = await receive()
                thrown += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


class Head:
    """What the first lines of a request say, as far as the guard asks."""

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.path_length = len(scope.get("raw_path") or self.path.encode("utf-8", "replace"))
        self.query_length = len(scope.get("query_string", b""))
        self.client: str = (scope.get("client") or ("",))[0]
        self._headers: Sequence[tuple[bytes, bytes]] = scope["headers"]

    @property
    def size(self) -> int:
        """Bytes of all headers."""
        return sum(len(key) + len(value) for key, value in self._headers)

    @property
    def count(self) -> int:
        """How many headers there are."""
        return len(self._headers)

    def has(self, name: str) -> bool:
        """Whether the request has such a header."""
        return any(key.lower() == name.encode() for key, _ in self._headers)

    def only(self, name: str, default: bytes) -> bytes:
        """A header's value; nothing that is right where it stands twice."""
        values = [value for key, value in self._headers if key.lower() == name.encode()]
        return values[0] if len(values) == 1 else b"twice" if values else default

    @property
    def authorization(self) -> str:
        """The header by which a caller shows the token."""
        return self.only("authorization", b"").decode("latin-1")

    @property
    def in_api(self) -> bool:
        """Whether the address is one of the API, however it is spelled."""
        return self.path.lstrip("/").lower().startswith("api")

    @property
    def may_be_large(self) -> bool:
        """Whether the request may bring photos."""
        return self.method == "POST" and self.in_api and self.path not in WITHOUT_TOKEN

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return self.has("transfer-encoding") or self.declared != 0

    @property
    def declared(self) -> int | None:
        """The body's length as the client states it; None where it does not, or in a way that is none."""
        length = self.only("content-length", b"0").strip()
        if self.has("transfer-encoding") or not length.isdigit():
            return None
        return int(length[:20])


class _Answer:
    """Passes an application's answer on, with the headers that every answer has."""

    def __init__(self, send: Send, path: str) -> None:
        self._send, self._path = send, path
        self.begun = False
        self._hidden = False

    async def send(self, message: Message) -> None:
        """ASGI's `send` for the application. A failure that is not in the form of all failures is not passed on."""
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            self._hidden = message["status"] >= 500 and not any(
                name.lower() == b"content-type" and value.startswith(b"application/json") for name, value in headers
            )
            self.begun = not self._hidden
            message = {**message, "headers": hardened(headers, self._path)}
        if not self._hidden:
            await self._send(message)
