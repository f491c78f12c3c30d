"""One writer at a time: a lock on a folder that the system releases when its process ends, however it ends.

It is a flock of a small file in the folder, which also says which process holds it. A process that is killed leaves the
file behind, and that does no harm: others are kept out by the lock, not by the file. Threads of one process keep each
other out as well; processes that a holder forks do not hold its locks."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from masque.errors import OutputError, printable
from masque.output import locked, refused

NAME = ".writing.lock"
"""The name of the lock's file in a folder."""
LONGEST = 200
"""Bytes that are read of a lock's file, which says who holds it."""
_held: set[int] = set()
"""Descriptors of the lock files that this process holds."""


def _close_inherited() -> None:
    """In a forked process, close the parent's lock files: the locks would otherwise outlive the parent for as long as
    this process lives."""
    for number in _held:
        with suppress(OSError):
            os.close(number)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


def left_behind(path: Path) -> bool:
    """Whether a file in a folder is one that a killed process leaves: a half-written one, or the lock."""
    return path.name.endswith(".part") or path.name == NAME


def remove_unfinished(found: Iterable[Path]) -> None:
    """Remove what a killed process was writing: files alone, of a folder whose only writer this process is."""
    for path in list(found):
        if path.is_file() or path.is_symlink():
            path.unlink(missing_ok=True)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only one who writes into `folder`, which is made if it is not there, and goes again if nothing was written
    into it.

    Reading needs no lock. Where the file system knows no locks (some network ones; Windows), a warning is logged and
    nobody is kept out. Raises OutputError where somebody else is writing there, in this process or another, or where
    the folder cannot be made."""
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = _taken(folder)
    except OSError as error:
        raise refused(folder, error) from None
    _held.add(number)
    try:
        yield
    finally:
        # First the name, then the lock: whoever opened the file before sees that it is no longer the folder's (see
        # _taken).
        if number in _held:  # not in a process forked meanwhile
            with suppress(OSError):
                (folder / NAME).unlink()
            _held.discard(number)
            os.close(number)
            if new:
                with suppress(OSError):  # not empty, as it should be
                    folder.rmdir()


def _taken(folder: Path) -> int:
    """The locked file's descriptor. Raises OutputError where another holds it, OSError where there can be none."""
    path = folder / NAME
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            if (obtained := locked(number)) is False:
                holder = printable(os.pread(number, LONGEST, 0).decode("utf-8", "replace").strip())
                who = f" ({holder})" if holder else ""
                raise OutputError(
                    f"Something else is writing into {folder}{who}: wait until it has ended, or name another folder."
                )
            if obtained is None:
                logging.getLogger(__name__).warning(
                    "The system has no lock for %s: let nothing else write into it meanwhile.", folder
                )
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(number), path.stat()):
                    with suppress(OSError):  # it is only for people to read
                        os.truncate(number, 0)
                        os.pwrite(number, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
                    return number
        except BaseException:
            os.close(number)
            raise
        os.close(number)  # its last holder has removed it since it was opened
