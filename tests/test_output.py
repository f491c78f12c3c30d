"""Names and places of files that are written: what works, what is refused before the work, and what is said when the
system refuses."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masque import output
from masque.errors import OutputError
from masque.image import check_output, write_picture
from masque.output import advice, check_folder, check_folder_of, make_folder, write_atomically


def refusal(action: object, *arguments: object) -> str:
    with pytest.raises(OutputError) as caught:
        action(*arguments)  # type: ignore[operator]
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert sentence.endswith(".")
    return sentence


def write(path: Path, text: str) -> None:
    write_atomically(path, lambda part: part.write_text(text))


def test_eight_threads_save_to_one_path(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    start = threading.Barrier(8)

    def save(worker: int) -> None:
        start.wait()
        for _ in range(10):
            write_picture(path, np.full((20, 20, 3), worker, np.uint8))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(8)))
    with Image.open(path) as written:
        assert len(np.unique(np.array(written))) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_does_not_disturb_another_of_the_same_path(tmp_path: Path) -> None:
    """One begins and ends while another is half way; the last to end stays."""
    path = tmp_path / "out.txt"

    def slow(part: Path) -> None:
        part.write_text("slow")
        write(path, "quick")
        assert path.read_text() == "quick"

    write_atomically(path, slow)
    assert path.read_text() == "slow"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "stem", ["x" * 251, "ä" * 125 + "x", "𝔸" * 62, "\udcff" * 251], ids=["1", "2", "4", "no UTF-8"]
)
def test_a_name_of_255_bytes(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.png"
    assert len(os.fsencode(path.name)) in (252, 255)
    write_picture(check_output(path), np.zeros((4, 4, 3), np.uint8))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x" * 252 + ".png", "shorter name"),
        ("ä" * 126 + ".png", "shorter name"),
        ("x" * 256 + "/out.png", "shorter name"),
        ("missing/out.png", "mkdir -p"),
        ("with space/out.png", "mkdir -p '"),
        ("file/out.png", "is a file and no folder"),
        ("file/deeper/out.png", "is a file and no folder"),
        ("folder.png", "is a folder"),
        ("pipe.png", "device or a pipe"),
        ("device.png", "device or a pipe"),
        ("loop.png", "link to itself"),
        ("nowhere.png", "is a link into"),
        ("to-folder.png", "is a folder"),
        ("nul\0.png", "can be no file's name"),
        ("\ud800.png", "can be no file's name"),
        ("missing\x1b[2J/out.png", r"\x1b[2J"),
    ],
)
def test_what_can_be_no_file_is_refused_before_the_work(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for link, leads_to in (
        ("device", "/dev/null"),
        ("loop", "loop.png"),
        ("nowhere", "missing/out.png"),
        ("to-folder", "folder.png"),
    ):
        (tmp_path / f"{link}.png").symlink_to(leads_to)
    before = sorted(tmp_path.iterdir())
    assert says in refusal(check_output, tmp_path / name)
    refusal(write, tmp_path / name, "text")
    assert sorted(tmp_path.iterdir()) == before


def test_the_very_longest_path_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "/".join(["x" * 200] * 30) / "out.png"
    assert len(refusal(check_output, path)) < 1000
    assert len(refusal(check_folder, path)) < 1000


def test_a_place_that_takes_no_files_is_refused_before_the_work() -> None:
    """As root, too, for whom every folder may be written by its permissions."""
    assert "could not be written" in refusal(check_output, Path("/proc/out.png")) or not os.access("/proc", os.W_OK)


def test_a_write_protected_file_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.png"
    path.touch()
    monkeypatch.setattr(os, "access", lambda asked, _mode: asked != path)  # root may write everything
    assert "write-protected" in refusal(check_output, path)


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "old.png").write_text("old")
    for link, leads_to in (("a.png", "far/old.png"), ("b.png", "a.png"), ("c.png", "far/new.png")):
        (tmp_path / link).symlink_to(leads_to)
        write(check_output(tmp_path / link), link)
        assert (tmp_path / link).is_symlink()
        assert (tmp_path / link).read_text() == link
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == ["new.png", "old.png"]
    assert (tmp_path / "far" / "old.png").read_text() == "b.png"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o277])
def test_a_new_file_has_the_permissions_of_the_umask_and_an_old_one_its_own(tmp_path: Path, umask: int) -> None:
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    before = os.umask(umask)
    try:
        for name in ("old", "new"):
            write(tmp_path / name, name)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask


def test_a_secret_file_is_secret_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch()
    path.chmod(0o600)
    modes: list[int] = []

    def look(part: Path) -> None:
        modes.append(stat.S_IMODE(part.stat().st_mode))

    write_atomically(path, look)
    assert modes == [0o600]


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EFBIG, "files of this size"),
        (errno.EACCES, "choose another place"),
        (errno.EROFS, "choose another place"),
        (errno.ENAMETOOLONG, "shorter name"),
        (errno.EIO, "the disk"),
        (errno.EMFILE, "ulimit"),
        (errno.ENOENT, "make the folder"),
        (errno.ENOTDIR, "make the folder"),
        (errno.EPROTO, "choose another place"),
    ],
)
def test_the_advice_fits_the_refusal(tmp_path: Path, number: int, says: str) -> None:
    def fail(part: Path) -> None:
        raise OSError(number, os.strerror(number), str(part))

    sentence = refusal(write_atomically, tmp_path / "out.txt", fail)
    assert says in sentence
    assert ("free some space" in sentence) == (number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
    assert os.strerror(number) in sentence
    assert not list(tmp_path.iterdir())
    assert "free some space" in advice(OSError("no number"))


def test_a_folder_that_goes_during_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    check_folder_of(folder / "out.txt")
    folder.rmdir()
    assert "make the folder" in refusal(write, folder / "out.txt", "text")
    assert "free" not in refusal(write, folder / "out.txt", "text")


def test_a_file_that_cannot_be_read_is_not_called_one_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"source\.txt"):
        write_atomically(tmp_path / "out.txt", lambda part: part.write_bytes((tmp_path / "source.txt").read_bytes()))
    assert not list(tmp_path.iterdir())


KILLED = """
import os, signal, sys
from pathlib import Path
from masque.output import write_atomically
write_atomically(Path(sys.argv[1]), lambda part: (part.write_text("half"), os.kill(os.getpid(), signal.SIGKILL)))
"""


def test_what_a_killed_writer_left_goes_at_the_next_write_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "SWEEP_EVERY", 0.0)
    ended = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a.txt"], check=False)
    assert ended.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.txt.")
    assert left.name.endswith(".part")
    write(tmp_path / "b.txt", "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_what_is_being_written_and_what_is_not_ours_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "SWEEP_EVERY", 0.0)
    live, others = tmp_path / ".a.txt.masque-0123abcd.part", tmp_path / ".download.part"
    for path in (live, others):
        path.touch()
    (tmp_path / ".f.masque-0123abcd.part").mkdir()
    (tmp_path / ".l.masque-0123abcd.part").symlink_to("b.txt")
    with live.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        write(tmp_path / "b.txt", "b")
        assert live.exists()
    write(tmp_path / "b.txt", "b")
    assert not live.exists()
    left = [".download.part", ".f.masque-0123abcd.part", ".l.masque-0123abcd.part", "b.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_a_folder_is_not_searched_at_every_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[object] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: (searched.append(folder), scandir(folder))[1])
    for _ in range(3):
        write(tmp_path / "out.txt", "text")
    assert searched == [tmp_path]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("file", "is a file"),
        ("file/deeper/run", "is a file"),
        ("x" * 256, "shorter name"),
        ("new/" + "x" * 256, "shorter name"),
        ("nowhere", "is a link"),
        ("nowhere/run", "is a link"),
        ("nul\0", "can be no folder's name"),
        ("\ud800", "can be no folder's name"),
    ],
)
def test_what_can_be_no_folder_is_refused_before_the_work(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("missing")
    assert says in refusal(check_folder, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "nowhere"]


@pytest.mark.parametrize("name", ["", "run", "a/b/c", "x" * 255])
def test_a_folder_that_can_be_made(tmp_path: Path, name: str) -> None:
    assert make_folder(check_folder(tmp_path / name)).is_dir()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/run"):
        refusal(make_folder, tmp_path / name)


@pytest.mark.parametrize("system", ["of Windows", "without locks", "that fails"])
def test_files_are_written_where_nothing_can_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP if system == "without locks" else errno.EIO, "no")

    monkeypatch.setattr(output, "fcntl", None) if system == "of Windows" else monkeypatch.setattr(
        output.fcntl, "flock", refuse
    )
    check_folder_of(tmp_path / "a.txt")
    write_atomically(tmp_path / "a.txt", lambda part: part.write_text("whole"))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]
