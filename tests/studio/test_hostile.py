"""Whatever is sent to the real server, it stays, answers in its own words, and tells nothing of itself."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hostile import Attacker, Sent
from PIL import Image
from real import Real, real_server, still_there

from masque.image import Picture

EXPECTED = {200, 201, 202, 204, 206, 307, 400, 401, 403, 404, 405, 408, 409, 413, 414, 416, 422, 429, 431, 501, 503}
"""No 500: that would be a failure of the server's own."""
PATIENCE = 240.0
"""Seconds that an answer may take on a busy machine."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real_server(tmp_path_factory.mktemp("home")) as real:
        yield real


def file_of(photo: Picture, kind: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, kind)
    return stream.getvalue()


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
    with server.client("hostile") as client:
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


def still_well(server: Real, photo: bytes) -> None:
    """The server works, and nothing of it failed on the way."""
    assert server.process.poll() is None
    server.wait_until_ready()
    with server.client("friend") as client:
        assert client.get("/").status_code == 200
        taken = client.post("/api/photos", files={"photo": ("a.jpg", photo)})
        assert taken.status_code == 201, taken.text
        assert taken.json()["faces"]
        client.delete("/api/photos")
    assert "Traceback" not in "".join(server.heard), "".join(server.heard)[-5000:]


def test_some_hostile_requests_leave_the_server_well(server: Real, photos: dict[str, Picture]) -> None:
    bases = [file_of(photos["astronaut"]), file_of(photos["grace_hopper"][::4, ::4], "PNG")]
    counts = asyncio.run(attack(server, 1, 150, bases))
    assert counts.total() == 150
    still_well(server, bases[0])


@pytest.mark.slow
def test_ten_thousand_hostile_requests_leave_the_server_well(server: Real, photos: dict[str, Picture]) -> None:
    bases = [file_of(photos["astronaut"]), file_of(photos["grace_hopper"][::4, ::4], "PNG")]
    counts = asyncio.run(attack(server, 2, 10_000, bases, at_once=64))
    assert counts.total() == 10_000
    still_well(server, bases[0])


def files_in(folders: list[Path], newer: float) -> set[Path]:
    """Files that were made or changed since a time, in folders and what they hold."""
    found = set()
    for folder in folders:
        for path, inside, names in os.walk(folder):
            if path in ("/tmp", str(Path.home())):  # other programs' folders are not looked into
                inside[:] = [name for name in inside if name.startswith(("masque", "tmp", "pymp", "spool"))]
            for name in names:
                file = Path(path, name)
                try:
                    if file.stat().st_mtime >= newer and file.is_file():
                        found.add(file)
                except OSError:
                    continue
    return found


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is sent")
def test_a_kill_leaves_no_file_and_no_process(tmp_path: Path, photos: dict[str, Picture]) -> None:
    begun = time.time()
    with real_server(tmp_path) as server:
        server.wait_until_ready()
        photo = file_of(photos["astronaut"], "PNG")
        with server.client() as client:
            taken = client.post("/api/photos", files={"photo": ("a.png", photo + bytes(5 * 2**20))})
            assert taken.status_code == 201, taken.text
            key = taken.json()["id"]
            edited = client.post("/api/edit", data={"photo": key, "attributes": '{"Smiling": 1}'})
            assert edited.status_code == 200, edited.text
            assert client.post("/api/parse", data={"photo": key}).status_code == 200
            asked = client.post("/api/invert?job=true", data={"photo": key})
            assert asked.status_code == 202
        family = server.family()
        assert len(family) >= 5
        time.sleep(0.5)
        opened = {file.path for process in family for file in process.open_files() if "w" in file.mode}
        assert not [path for path in opened if not path.startswith("/dev/")]
        assert not deleted_files(family)
        server.process.send_signal(signal.SIGKILL)
        assert still_there(family, 2.0) == []
    assert files_in([tmp_path], begun) == set()
    ours = {path for path in files_in([Path("/dev/shm"), Path("/tmp")], begun) if holds_photo(path, photo)}
    assert ours == set()
    assert "Traceback" not in "".join(server.heard)


def deleted_files(family: list[psutil.Process]) -> list[str]:
    """Files that a process writes to though they have no name any more: their bytes are on the disk all the same."""
    found = []
    for process in family:
        for number in Path(f"/proc/{process.pid}/fd").glob("*"):
            try:
                target = os.readlink(number)
            except OSError:
                continue
            if target.endswith(" (deleted)") and not target.startswith(("/memfd:", "/dev/zero")):
                found.append(target)
    return found


def holds_photo(path: Path, photo: bytes) -> bool:
    try:
        return path.stat().st_size < 2**27 and photo[1000:1200] in path.read_bytes()
    except OSError:
        return False
