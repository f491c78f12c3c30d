"""Whatever is sent to the real server, it stays, answers in its own words, and tells nothing of itself."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hostile import attack, file_of
from PIL import Image
from real import Real, real_server, still_there

from masque.image import Picture


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real_server(tmp_path_factory.mktemp("home")) as real:
        yield real


def bases_of(photos: dict[str, Picture]) -> list[bytes]:
    """Two portraits as files, one of them small."""
    small = photos["grace_hopper"][::4, ::4]
    return [file_of(Image.fromarray(photos["astronaut"])), file_of(Image.fromarray(small), "PNG")]


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
    bases = [
        file_of(Image.fromarray(photos["astronaut"])),
        file_of(Image.fromarray(photos["grace_hopper"][::4, ::4]), "PNG"),
    ]
    counts = asyncio.run(attack(server, 1, 150, bases))
    assert counts.total() == 150
    still_well(server, bases[0])


@pytest.mark.slow
def test_ten_thousand_hostile_requests_leave_the_server_well(server: Real, photos: dict[str, Picture]) -> None:
    bases = [
        file_of(Image.fromarray(photos["astronaut"])),
        file_of(Image.fromarray(photos["grace_hopper"][::4, ::4]), "PNG"),
    ]
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
        photo = file_of(Image.fromarray(photos["astronaut"]), "PNG")
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
