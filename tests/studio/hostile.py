"""Sends the real server thousands of requests that nobody of good will sends, and looks at every answer.
`python tests/studio/hostile.py` does it with a server of its own."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from attacker import HOLDER, Attacker, Sent
from PIL import Image
from real import Real, real_server

from masque.studio.examples import EXAMPLES

EXPECTED = {200, 201, 202, 204, 206, 307, 400, 401, 403, 404, 405, 408, 409, 413, 414, 416, 422, 429, 431, 501, 503}
"""No 500: that would be a failure of the server's own."""
PATIENCE = 240.0
"""Seconds that an answer may take on a busy machine."""


async def answer_to(port: int, sent: Sent) -> bytes:
    """What comes back until the server closes. A silent sender waits for that; others have said all."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    try:
        writer.write(sent.content)
        async with asyncio.timeout(PATIENCE):
            await writer.drain()
            return await reader.read()
    except ConnectionError:
        return b""
    except TimeoutError:
        return b"HTTP/1.1 0 no answer in time\r\n\r\n"
    finally:
        writer.close()


async def attack(server: Real, seed: int, requests: int, bases: list[bytes], at_once: int = 24) -> Counter[str]:
    """Send them; gives how many were answered how, by kind and status. Fails where an answer is not as it should be."""
    with server.client(HOLDER) as client:
        held = client.post("/api/photos", files={"photo": ("a.jpg", bases[0])}).json()["id"]
    attacker = Attacker(seed, server.port, server.token, bases, held)
    counts: Counter[str] = Counter()
    complaints: dict[str, tuple[bytes, bytes]] = {}
    left = iter(range(requests))

    async def one(sent: Sent) -> None:
        server.check_alive()
        answer = await answer_to(server.port, sent)
        counts[f"{sent.kind} {answer[9:12].decode() or 'closed'}"] += 1
        wrong = complaint(sent, answer, server)
        if wrong is not None:
            complaints.setdefault(f"{sent.kind}: {wrong}", (sent.content[:1500], answer[:1500]))

    async def several() -> None:
        for _ in left:
            await one(attacker.draw())

    await asyncio.gather(*(several() for _ in range(at_once)))
    assert not complaints, "\n\n".join(f"{what}\n{sent!r}\n{got!r}" for what, (sent, got) in complaints.items())
    return counts


def complaint(sent: Sent, answer: bytes, server: Real) -> str | None:
    """What is wrong with an answer; None where it is of the server's own kind and tells nothing of the machine."""
    for secret in (
        b"Traceback",
        b"/src/",
        b"site-packages",
        str(server.home).encode(),
        b"root:",
        server.token.encode(),
    ):
        if secret in answer:
            return f"tells {secret!r}"
    if not answer:
        cut = ("silent", "size", "garbage", "headers")  # where nothing, or half a request, was sent
        return None if sent.kind in cut else "no answer"
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    if status not in EXPECTED:
        return f"answers {status}"
    for header in (b"content-security-policy: ", b"x-content-type-options: nosniff", b"x-frame-options: DENY"):
        if header not in head:
            return f"lacks {header!r}"
    if b"access-control-" in head:
        return "lets other sites in"
    if status >= 400 and not sent.content.startswith(b"HEAD "):
        try:
            told = json.loads(body)
        except ValueError:
            return f"{status} is no JSON"
        if set(told) != {"error", "kind", "field"} or not isinstance(told["error"], str):
            return f"{status} is not in the form of all failures"
        if not told["error"].isprintable() or len(told["error"]) > 1500:
            return f"{status} says what cannot be shown"
    return None


def file_of(photo: Image.Image, kind: str = "JPEG") -> bytes:
    """A photo's file."""
    stream = io.BytesIO()
    photo.save(stream, kind)
    return stream.getvalue()


def main() -> None:
    """Start a server, attack it, and print how many requests were answered how."""
    parser = argparse.ArgumentParser(description="Sends a server of Studio requests that nobody of good will sends.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    photo = next(one for one in EXAMPLES if one.name == "grace_hopper").content()
    bases = [photo, file_of(Image.open(io.BytesIO(photo)).resize((96, 112)), "PNG")]
    with tempfile.TemporaryDirectory() as home, real_server(Path(home)) as server:
        counts = asyncio.run(attack(server, options.seed, options.requests, bases, at_once=64))
        server.check_alive()
        assert "Traceback" not in "".join(server.heard), "".join(server.heard)[-5000:]
    sys.stdout.write(json.dumps(dict(sorted(counts.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
