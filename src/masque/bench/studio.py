"""How long a user of Studio waits: for the first page, for the models, and from a click to the picture."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypedDict

from PIL import Image

from masque.bench.swapping import Spread, large_photo, spread
from masque.errors import SettingError
from masque.image import Picture, read_picture

PATIENCE = 120.0
"""Seconds that a server may take to start."""

PREVIEW = 512
"""Longer side of the pictures that follow a slider, in pixels."""

FIRST = 2
"""Times that each thing is done before it is timed."""


class StudioBenchmark(TypedDict):
    """How long a user of Studio waits."""

    job: str
    side: int
    """Longer side of the photos, in pixels"""
    start: Mapping[str, float]
    """Seconds from the command to the first page, and to loaded models"""
    times: Mapping[str, Spread]
    """What is done -> seconds"""


@dataclass(frozen=True)
class _Client:
    """Asks a Studio, as its page does."""

    address: str
    token: str

    def ask(self, method: str, path: str, fields: Mapping[str, str | bytes] = {}) -> bytes:
        """The body of an answer. fields: of a form; a file is bytes."""
        body, kind = _form(fields) if fields else (None, "")
        headers = {"Authorization": f"Bearer {self.token}", **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            content: bytes = answer.read()
        return content

    def tell(self, method: str, path: str, fields: Mapping[str, str | bytes] = {}) -> dict[str, object]:
        """The same of an answer in JSON."""
        told = json.loads(self.ask(method, path, fields))
        assert isinstance(told, dict)
        return told

    def edit(self, verb: str, fields: Mapping[str, str | bytes]) -> bytes:
        """An edit as a click on the page does it: a job that is waited for, and the picture as it is shown."""
        job = self.tell("POST", f"api/{verb}?job=true", fields)
        while job["state"] in ("waiting", "running"):
            job = self.tell("GET", f"api/jobs/{job['id']}?wait=20&seen={job['version']}")
        result = job["result"]
        if not isinstance(result, dict):
            raise SettingError(f"Studio could not do this: {job['error']}")
        return self.ask("GET", f"api/results/{result['id']}/picture?longest=1600")


def bench_studio(photos: Sequence[Path], side: int, turns: int) -> StudioBenchmark:
    """Seconds that edits take in a Studio of its own, over HTTP, and that it takes to start.

    photos: two that are used; rendered faces if none are named. side: their longer side in pixels. turns: how often
    each is done. Raises PictureError, SettingError where Studio does not start or cannot edit them."""
    pictures = [read_picture(photo) for photo in photos] or [large_photo(number, side) for number in (1, 2)]
    first, second = (_sized(picture, side) for picture in pictures)
    with _running() as (client, start):
        times = {
            name: spread([_timed(do, turn) for turn in range(FIRST + turns)][FIRST:])
            for name, do in _clicks(client, first, second).items()
        }
    return {"job": "studio", "side": side, "start": start, "times": times}


def _timed(do: Callable[[int], object], turn: int) -> float:
    started = time.monotonic()
    do(turn)
    return time.monotonic() - started


def _clicks(client: _Client, first: bytes, second: bytes) -> dict[str, Callable[[int], object]]:
    """What is timed, by name: each is told the number of its turn, and asks for something new in it."""
    a, b = (str(client.tell("POST", "api/photos", {"photo": photo})["id"]) for photo in (first, second))

    def set_to(**attributes: float | str) -> dict[str, str | bytes]:
        return {"photo": a, "attributes": json.dumps(attributes)}

    def swapped(turn: int) -> bytes:
        face, hair = (a, b) if turn % 2 else (b, a)
        return client.edit("swap", {"face": face, "hair": hair})

    return {
        "a photo sent, its faces found": lambda _: client.tell("POST", "api/photos", {"photo": first}),
        "a smile": lambda turn: client.edit("edit", set_to(Smiling=_strength(turn))),
        "hair dyed": lambda turn: client.edit("edit", set_to(Hair=f"#8a2b{turn:02x}")),
        "older": lambda turn: client.edit("edit", set_to(Age=f"+{10 + turn}")),
        "a smile, previewed": lambda turn: client.ask(
            "POST", "api/edit", {**set_to(Smiling=_strength(turn)), "longest": str(PREVIEW)}
        ),
        "a swap": swapped,
        "a turn": lambda turn: client.edit("turn", {"photo": a, "yaw": str(5 + turn % 5)}),
    }


def _strength(turn: int) -> float:
    return 0.3 + 0.1 * (turn % 7)


@contextmanager
def _running() -> Iterator[tuple[_Client, dict[str, float]]]:
    """A Studio as a process of its own, once its models are loaded, and how long that took."""
    started = time.monotonic()
    command = [sys.executable, "-m", "masque", "studio", "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        client = _Client(*_link(server))
        client.ask("GET", "")
        start = {"first page": time.monotonic() - started}
        while not client.tell("GET", "api/status")["ready"]:
            if time.monotonic() - started > PATIENCE:
                raise SettingError(f"Studio has not loaded its models in {PATIENCE:.0f} s: try again later.")
            time.sleep(0.02)
        start["models loaded"] = time.monotonic() - started
        yield client, start
    finally:
        server.terminate()
        server.wait(20)


def _link(server: subprocess.Popen[str]) -> tuple[str, str]:
    """The address and the token of a server, as it prints them. Raises SettingError where it does not start."""
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"(http://\S+/)#token=(\S+)", line)
        if found:
            return found[1], found[2]
    raise SettingError("Studio did not start: run masque studio to see why.")


def _sized(photo: Picture, side: int) -> bytes:
    """A photo as the JPEG that is sent, its longer side so many pixels."""
    image = Image.fromarray(photo)
    scale = side / max(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    file = BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
    return file.getvalue()


def _form(fields: Mapping[str, str | bytes]) -> tuple[bytes, str]:
    """A multipart form, and its content type."""
    border, parts = "masque-form-border", []
    for name, value in fields.items():
        file = '; filename="photo.jpg"' if isinstance(value, bytes) else ""
        content = value if isinstance(value, bytes) else value.encode()
        head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts += [head.encode(), content, b"\r\n"]
    return b"".join([*parts, f"--{border}--\r\n".encode()]), f"multipart/form-data; boundary={border}"


def as_text(report: StudioBenchmark) -> str:
    """The report as lines to be read."""
    lines = [f"Studio, photos of {report['side']} px, seconds:"]
    lines += [f"  {name}: {seconds:.2f} after the command" for name, seconds in report["start"].items()]
    lines += [
        f"  {name}: {taken['median']:.2f} ({taken['min']:.2f} to {taken['max']:.2f})"
        for name, taken in report["times"].items()
    ]
    return "\n".join(lines)
