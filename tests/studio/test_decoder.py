"""Uploads are opened in children that may die."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from real import still_there

from masque.errors import NoPictureError, PictureError
from masque.image import Picture, read_picture
from masque.provenance import verify, write_recorded
from masque.studio.decoder import (
    BEYOND,
    MOST_OF_CLIENT,
    Decoded,
    Decoder,
    DecoderBusyError,
    TooManyBytesError,
)
from masque.studio.decoding import ANSWER, READY
from masque.studio.limits import LARGEST_FILE

SRC = Path(__file__).resolve().parents[2] / "src"


@asynccontextmanager
async def decoding(**settings: float) -> AsyncIterator[Decoder]:
    decoder = Decoder(**settings)  # type: ignore[arg-type]
    decoder.start()
    try:
        yield decoder
    finally:
        decoder.close()


def run(work: Callable[[Decoder], Awaitable[None]], **settings: float) -> None:
    async def inside() -> None:
        async with decoding(**settings) as decoder:
            await work(decoder)

    asyncio.run(inside())


def encoded(picture: Picture | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(stream, kind, **options)
    return stream.getvalue()


def pixels(decoded: Decoded) -> Picture:
    return np.frombuffer(decoded.pixels, np.uint8).reshape(decoded.height, decoded.width, 3)


def test_a_photo_comes_back_as_the_command_line_reads_it(photos: dict[str, Picture]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(photos["astronaut"][:, :300], "JPEG", exif=exif)

    async def work(decoder: Decoder) -> None:
        decoded = await decoder.decode(turned)
        assert np.array_equal(pixels(decoded), read_picture(io.BytesIO(turned)))
        assert (decoded.width, decoded.height) == (512, 300)

    run(work)


@pytest.mark.parametrize(("longest", "size"), [(100, (100, 75)), (400, (400, 300)), (5000, (400, 300)), (1, (1, 1))])
def test_a_smaller_copy_has_the_longer_side_asked_for(longest: int, size: tuple[int, int]) -> None:
    async def work(decoder: Decoder) -> None:
        decoded = await decoder.decode(encoded(Image.new("RGB", (400, 300), (10, 20, 30))), longest)
        assert (decoded.width, decoded.height) == size
        assert (pixels(decoded) == (10, 20, 30)).all()

    run(work)


def test_a_record_is_read_in_the_child_too(photos: dict[str, Picture], tmp_path: Path) -> None:
    small = photos["astronaut"][::8, ::8]
    made = write_recorded(tmp_path / "a.png", small, {"made": "by a test"}).read_bytes()
    changed = write_recorded(tmp_path / "b.jpg", small, {"made": "by a test"}).read_bytes() + b"more"

    async def work(decoder: Decoder) -> None:
        told = await decoder.verify(made)
        assert (told["record"], told["unchanged"]) == ({"made": "by a test"}, True)
        assert (await decoder.verify(encoded(small)))["record"] is None
        for content in (changed, b"", b"hello", b"\0\0\0\x18ftypmp42" + b"\xff" * 100):
            assert await said_in_child(decoder, content) == said(content)

    run(work)


def said(content: bytes) -> object:
    try:
        return asdict(verify(content))
    except PictureError as error:
        return str(error)


async def said_in_child(decoder: Decoder, content: bytes) -> object:
    try:
        return await decoder.verify(content)
    except PictureError as error:
        return str(error)


def bomb() -> bytes:
    """A PNG of 60,000 × 60,000 pixels in a few kB."""
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    data = b"IDAT" + zlib.compress(bytes(10**6))

    def chunk(content: bytes) -> bytes:
        return (len(content) - 4).to_bytes(4, "big") + content + zlib.crc32(content).to_bytes(4, "big")

    return b"\x89PNG\r\n\x1a\n" + chunk(header) + chunk(data) + chunk(b"IEND")


def broken(photo: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "text": b"hello",
        "page": b"<html><script>alert(1)</script></html>",
        "cut": photo[: len(photo) // 2],
        "bomb": bomb(),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    }


@pytest.mark.parametrize("name", broken(b"12"))
def test_what_is_no_picture_is_refused_in_the_sentence_of_the_command_line(
    name: str, photos: dict[str, Picture]
) -> None:
    content = broken(encoded(photos["astronaut"]))[name]
    with pytest.raises(PictureError) as expected:
        read_picture(io.BytesIO(content))

    async def work(decoder: Decoder) -> None:
        with pytest.raises(PictureError) as refused:
            await decoder.decode(content)
        assert str(refused.value) == str(expected.value)
        assert isinstance(refused.value, NoPictureError) == isinstance(expected.value, NoPictureError)
        await decoder.decode(encoded(photos["astronaut"]))

    run(work)


def test_a_file_above_the_limit_reaches_no_child() -> None:
    async def work(decoder: Decoder) -> None:
        with pytest.raises(TooManyBytesError, match="31 MB and the limit is 30"):
            await decoder.decode(bytes(LARGEST_FILE + 1))
        assert [child.asked for child in decoder._free] == [0, 0]

    run(work)


def test_too_little_memory_is_said_and_the_next_child_works() -> None:
    large, small = encoded(Image.new("RGB", (7000, 7000))), encoded(Image.new("RGB", (8, 8)))

    async def work(decoder: Decoder) -> None:
        for _ in range(3):
            with pytest.raises(PictureError, match=BEYOND):
                await decoder.decode(large)
            assert (await decoder.decode(small)).width == 8

    run(work, memory=350 * 2**20)


def test_a_child_that_hangs_is_ended_in_time() -> None:
    async def work(decoder: Decoder) -> None:
        await decoder.decode(encoded(Image.new("RGB", (8, 8))))
        for child in children():
            child.suspend()
        begun = time.monotonic()
        with pytest.raises(PictureError, match=BEYOND):
            await decoder.decode(encoded(Image.new("RGB", (8, 8))))
        assert time.monotonic() - begun < 3
        assert (await decoder.decode(encoded(Image.new("RGB", (8, 8))))).width == 8

    run(work, children=1, seconds=1.0)


def test_a_child_that_dies_is_replaced() -> None:
    async def work(decoder: Decoder) -> None:
        for _ in range(4):
            for child in children():
                child.kill()
                child.wait()
            for _ in range(2):
                with pytest.raises(PictureError, match=BEYOND):
                    await decoder.decode(encoded(Image.new("RGB", (8, 8))))
            assert (await decoder.decode(encoded(Image.new("RGB", (8, 8))))).width == 8

    run(work)


def test_a_caller_that_goes_away_leaves_no_child_busy() -> None:
    slow = encoded(Image.new("RGB", (7000, 7000)), "PNG", compress_level=9)

    async def work(decoder: Decoder) -> None:
        asked = asyncio.ensure_future(decoder.decode(slow))
        await asyncio.sleep(0.05)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (await decoder.decode(encoded(Image.new("RGB", (8, 8))))).width == 8

    run(work, children=1)


def test_a_child_serves_only_so_many_pictures() -> None:
    async def work(decoder: Decoder) -> None:
        seen = set()
        for _ in range(7):
            seen |= {child.pid for child in children()}
            await decoder.decode(encoded(Image.new("RGB", (8, 8))))
        assert len(seen) >= 3

    run(work, children=1, pictures=2)


def test_many_at_once_all_come_back(photos: dict[str, Picture]) -> None:
    content = encoded(photos["grace_hopper"], "JPEG")

    async def work(decoder: Decoder) -> None:
        sizes = range(20, 60)
        decoded = await asyncio.gather(*(decoder.decode(content, size, f"{size % 10}") for size in sizes))
        assert [max(picture.width, picture.height) for picture in decoded] == list(sizes)
        assert len(children()) == 2

    run(work)


def test_who_sends_much_at_once_leaves_room_for_others() -> None:
    content = encoded(Image.new("RGB", (2000, 2000)))

    async def work(decoder: Decoder) -> None:
        sent = [asyncio.ensure_future(decoder.decode(content, 10, "greedy")) for _ in range(30)]
        await asyncio.sleep(0)
        assert (await decoder.decode(content, 10, "modest")).width == 10
        refused = [error for error in await asyncio.gather(*sent, return_exceptions=True) if error is not None]
        busy = [error for error in refused if isinstance(error, DecoderBusyError)]
        assert len(busy) == 30 - MOST_OF_CLIENT - 2
        assert not decoder._waiting

    run(work)


def children() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children()
        if process.is_running() and "masque.studio.decoding" in process.cmdline()
    ]


PARENT = """
import asyncio, sys
from masque.studio.decoder import Decoder
async def main():
    decoder = Decoder()
    decoder.start()
    print(*(child._process.pid for child in decoder._free), flush=True)
    slow = sys.stdin.buffer.read()
    await asyncio.gather(*(decoder.decode(slow) for _ in range(2 if slow else 0)))
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture
def orphans() -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    yield parent, [psutil.Process(int(word)) for word in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()


@pytest.mark.parametrize("busy", [True, False])
def test_children_end_with_a_server_that_is_killed(
    orphans: tuple[subprocess.Popen[bytes], list[psutil.Process]], busy: bool
) -> None:
    parent, born = orphans
    assert len(born) == 2
    assert parent.stdin is not None
    if busy:
        parent.stdin.write(encoded(Image.new("RGB", (5900, 6000)), "JPEG2000"))
    parent.stdin.close()
    time.sleep(0.8)
    os.kill(parent.pid, signal.SIGKILL)
    assert still_there(born, 2.0) == []


def test_a_child_may_write_no_file_and_leaves_no_core() -> None:
    async def work(decoder: Decoder) -> None:
        await decoder.decode(encoded(Image.new("RGB", (8, 8))))
        for child in children():
            assert child.rlimit(psutil.RLIMIT_FSIZE)[0] == 0
            assert child.rlimit(psutil.RLIMIT_CORE)[0] == 0
            assert child.rlimit(psutil.RLIMIT_AS)[0] == 2**31

    if sys.platform != "linux":
        pytest.skip("limits of another process are read on Linux only")
    run(work, children=1)


def test_a_childs_answer_that_does_not_add_up_is_not_believed() -> None:
    async def work(decoder: Decoder) -> None:
        for how, size in ((0, 10**12), (1, 10**12), (0, 7)):
            child = decoder._free[0]
            child._from = io.BytesIO(READY + ANSWER.pack(how, 2, 2, size) + bytes(100))
            with pytest.raises(PictureError, match=BEYOND):
                await decoder.decode(encoded(Image.new("RGB", (8, 8))))

    run(work, children=1)
