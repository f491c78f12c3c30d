"""How much one request, one client and all of them together may take: every number of Studio's server in one place."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 2**20
LARGEST_FILE = 30 * MEGABYTE
"""Bytes of one uploaded file, at most."""


@dataclass(frozen=True)
class Limits:
    """Bounds of what is received and sent. Sizes are bytes, times seconds, rates bytes a second."""

    body: int = 62 * MEGABYTE
    """One request: two photos and the fields beside them."""
    body_without_token: int = 4096
    """A request that needs no token: a password."""
    bodies: int = 256 * MEGABYTE
    """All requests together that are being received or worked on."""
    bodies_of_client: int = 192 * MEGABYTE
    """The same from one address."""
    receiving: int = 128
    """Requests with a body that are received at once."""
    receiving_of_client: int = 112
    """The same from one address."""
    path: int = 1024
    query: int = 4096
    head: int = 16 * 1024
    """The headers of a request together."""
    headers: int = 100
    head_time: float = 10.0
    """From connecting, or from the first byte of a further request, to the end of its headers."""
    body_time: float = 180.0
    """From the headers to the last byte of the body."""
    grace: float = 10.0
    """Before the least rate is asked for."""
    rate: float = 16 * 1024.0
    """Of a body, on the average since its beginning, after the grace time; also of an answer that is fetched."""
    idle: float = 30.0
    """That a connection may stay open without a request."""
    connections: int = 512
    connections_of_client: int = 384
    linger: float = 2.0
    """That the rest of a refused body is still taken in and thrown away, so that its sender can read why."""
