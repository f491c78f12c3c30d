"""What every answer of Studio's server carries: headers that keep a browser from being used against the person in front
of it, and one form for all failures."""

from __future__ import annotations

import json
from collections.abc import Iterable

from starlette.types import Message, Send

Headers = list[tuple[bytes, bytes]]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""What Studio's page may load: its own files, and pictures and films that its scripts have made."""
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""The same for the pages on the API: Swagger UI sets styles and small pictures from its script."""

EVERYWHERE: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), payment=(), usb=()"),
]

FAILED = "Studio failed in a way that it should not: try again, and report it if it happens again."


def hardened(headers: Iterable[tuple[bytes, bytes]], path: str) -> Headers:
    """An answer's headers with those that every answer carries, in whose place the application cannot put its own, and
    without any that let another site read it."""
    policy = DOCS_POLICY if path == "/docs" or path.startswith("/docs/") else PAGE_POLICY
    ours = [*EVERYWHERE, (b"content-security-policy", policy.encode())]
    if path == "/api" or path.startswith("/api/"):
        ours.append((b"cache-control", b"no-store"))
    fixed = {name for name, _ in ours} | {b"server"}
    kept = [(name.lower(), value) for name, value in headers]
    return [
        *((name, value) for name, value in kept if name not in fixed and not name.startswith(b"access-control-")),
        *ours,
    ]


def failure(sentence: str, kind: str, field: str | None = None) -> bytes:
    """The body of an answer that says what went wrong. kind: the name of the error. field: of the request, to which it
    belongs."""
    return json.dumps({"error": sentence, "kind": kind, "field": field}).encode()


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of this program
    """An answer to a request that goes no further. close: whether the connection ends with it."""

    def __init__(self, status: int, kind: str, sentence: str, *, close: bool = False, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.kind, self.sentence, self.close = status, kind, sentence, close
        self.headers: Headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    def messages(self, path: str) -> tuple[Message, Message]:
        """The ASGI messages that send it."""
        body = failure(self.sentence, self.kind)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *self.headers,
            *([(b"connection", b"close")] if self.close else []),
        ]
        return (
            {"type": "http.response.start", "status": self.status, "headers": hardened(headers, path)},
            {"type": "http.response.body", "body": body},
        )

    async def answer(self, send: Send, path: str) -> None:
        """Send it, whole."""
        for message in self.messages(path):
            await send(message)


def failed() -> Refusal:
    """The answer where the application broke: nothing of why."""
    return Refusal(500, "ServerError", FAILED)


def stopping() -> Refusal:
    """The answer to what is not done when the server ends."""
    return Refusal(503, "Stopped", "Studio was stopped: start it again.", close=True)
