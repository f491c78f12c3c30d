"""Connections of Studio's server: uvicorn's, but only so many, and they end where the other side is too slow to ask or
to listen."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from masque.studio.answers import Refusal
from masque.studio.limits import Limits

WATCH = 15.0
"""Seconds between looks at how much of an answer was fetched."""
FAREWELL = 1.0
"""Seconds for which a connection that ends early still takes in what comes, and throws it away: closed at once, it
would be reset, and the other side might never read why."""


def protocol(limits: Limits) -> type[H11Protocol]:
    """uvicorn's class of connections, within these limits."""

    class Bounded(Connection):
        bounds = limits

    return Bounded


class Connection(H11Protocol):
    """One connection, with bounds on the time that it waits for the other side."""

    bounds = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._asking: asyncio.TimerHandle | None = None
        self._listening: asyncio.TimerHandle | None = None
        self._begun = self._deaf = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; where there are too many already, say so and end."""
        super().connection_made(transport)
        open_now, bounds = len(self.connections), self.bounds
        same = sum(_address(other) == _address(self) for other in self.connections)
        if open_now > 2 * bounds.connections:
            transport.abort()
        elif open_now > bounds.connections or same > bounds.connections_of_client:
            self._end_with(_too_many())
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and look at no clock any more."""
        self._forget_head()
        self._watch_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; the time for a request's head runs from its first byte."""
        if self._deaf or self.transport.is_closing():
            return
        self._begun = True
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait_for_head()
        else:
            self._forget_head()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are not ours
        """Answer what is no request, or a body that breaks off its rules, in the form of all failures."""
        self._end_with(Refusal(400, "Request", "That is not a request that can be read.", close=True))

    def pause_writing(self) -> None:
        """Begin to watch how the answer is fetched: it is larger than what the system takes at once."""
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Watch no more."""
        self._watch_no_more()
        super().resume_writing()

    def _wait_for_head(self) -> None:
        if self._asking is None:
            self._asking = self.loop.call_later(self.bounds.head_time, self._head_is_late)

    def _forget_head(self) -> None:
        self._begun = False
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _head_is_late(self) -> None:
        """Close without a word where nothing was asked: browsers connect ahead, and would take it for an answer."""
        if self._begun:
            self._end_with(Refusal(408, "TooSlow", "No whole request came in time: send it again.", close=True))
        else:
            self.transport.close()

    def _watch(self, size: int) -> None:
        self._watch_no_more()
        self._listening = self.loop.call_later(WATCH, self._look, size)

    def _watch_no_more(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None

    def _look(self, before: int) -> None:
        """Cut the connection where too little was fetched since the last look."""
        now = self.transport.get_write_buffer_size()
        if now and before - now < self.bounds.rate * WATCH:
            self._cut()
        else:
            self._watch(now)

    def _cut(self) -> None:
        """End at once; what lies in the system's buffers for the other side is thrown away."""
        end = self.transport.get_extra_info("socket")
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _end_with(self, refusal: Refusal) -> None:
        """Send an answer, where none has begun, and end; what was being worked on is told that nobody waits."""
        if self._deaf or self.transport.is_closing():
            return
        self._deaf = True
        self._forget_head()
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if begun:
            self.transport.abort()
            return
        start, body = refusal.messages("/api")
        self.transport.write(_as_bytes(refusal.status, start["headers"], body["body"]))
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(FAREWELL, self.transport.abort)


def _as_bytes(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """An answer as it is sent: h11 sends none to a request that it could not read."""
    lines = [f"HTTP/1.1 {status} ".encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", body])


def _too_many() -> Refusal:
    sentence = "Too many connections are open: try again in a few seconds."
    return Refusal(503, "TooBusy", sentence, close=True, retry_after="3")


def _address(connection: object) -> str:
    client = connection.client if isinstance(connection, H11Protocol) else None
    return client[0] if client else ""
