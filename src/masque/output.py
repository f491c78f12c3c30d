"""Writing files: the place is checked before the work, a file is written whole or not at all, and an error says what
helps."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shlex
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from masque.errors import OutputError, printable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LONGEST_PATH = 300
"""Characters of a path that are shown: enough for one that a person would type, and less than a screen."""

KEPT_OF_NAME = 100
"""Bytes of a file's name that the name of its temporary file repeats: not all, since a name may already have the 255
bytes that are the most."""
UNFINISHED = re.compile(r"\..*\.masque-[0-9a-f]{8}\.part", re.DOTALL)
"""The names of Masque's temporary files; no other files are removed."""
SWEEP_EVERY = 60.0
"""Seconds that pass before a folder is searched again for the temporary files of killed processes: it may hold 200,000
files."""

HELP = {
    errno.ENOSPC: "free some space or choose another place",
    errno.EDQUOT: "free some space or choose another place",
    errno.EFBIG: "free some space, or choose a place that takes files of this size",
    errno.EACCES: "choose another place",
    errno.EPERM: "choose another place",
    errno.EROFS: "choose another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EINVAL: "choose a plainer name or another place",
    errno.EILSEQ: "choose a plainer name or another place",
    errno.ELOOP: "choose a name that is not a link to itself",
    errno.EISDIR: "name a file and not a folder",
    errno.EIO: "the disk, or the connection to it, fails, so choose another place",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "close other programs, which have too many files open",
    errno.ENOMEM: "close other programs, which need the memory",
}
"""errno -> what a person can do about it, as half a sentence."""

NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL})
"""The errors with which file systems answer that have no locks."""

_swept: dict[Path, float] = {}
"""Folder -> when it was last searched for temporary files, by the monotonic clock."""


def advice(error: OSError, folder: Path | None = None) -> str:
    """What a person can do about an error that the system raised during writing, as half a sentence. folder: where the
    file was to be written, if it is known."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR) and folder is not None:
        return f"make the folder {_shown(folder)} and give the same command again"
    if error.errno is None:  # raised by a library that says only that less was written than it gave
        return HELP[errno.ENOSPC]
    return HELP.get(error.errno, "choose another place")


def refused(path: Path, error: OSError) -> OutputError:
    """The sentence for a file or folder that the system refused to write."""
    reason = error.strerror or printable(error)
    return OutputError(f"{_shown(path)} could not be written ({reason}): {advice(error, path.parent)}.")


def check_folder_of(path: str | os.PathLike[str]) -> Path:
    """`path` as a Path, if a file can be written there. Called before any work is done.

    A link is followed: what counts is the file it leads to, which need not exist. Raises OutputError for a folder, a
    device, a name that is too long or none at all, a write-protected file, and a folder that does not exist, is a file,
    or may not be written."""
    path = Path(path)
    target = _target(path)
    folder = target.parent
    if not os.path.isdir(folder):
        raise OutputError(_no_folder(path, target))
    if not os.access(folder, os.W_OK):
        raise OutputError(
            f"The folder {_shown(folder)} may not be written: choose another place for {_shown(path.name)}."
        )
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise OutputError(
            f"{_shown(path)} is write-protected: choose another name, or allow it to be written (chmod u+w)."
        )
    try:
        with _claimed(target):  # whatever else a file system refuses, it refuses now
            pass
    except OSError as error:
        raise refused(path, error) from None
    return path


def check_folder(path: str | os.PathLike[str]) -> Path:
    """`path` as a Path, if a folder can be made and filled there, or is there already. Called before any work is done.

    Raises OutputError for a file, a name that is too long or none at all, and a place that may not be written.
    """
    path = Path(path)
    absolute = Path(os.path.abspath(path))
    existing = absolute
    while not _exists(existing, path):
        if existing.is_symlink():
            raise OutputError(
                f"{_shown(existing)} is a link to a folder that does not exist: make that first, or name another."
            )
        existing = existing.parent
    if not existing.is_dir():
        also = "" if existing == absolute else f", and {_shown(path)} is to lie in it"
        raise OutputError(f"{_shown(existing)} is a file{also}: name a folder.")
    if not os.access(existing, os.W_OK):
        raise OutputError(
            f"The folder {_shown(existing)} may not be written: choose another place for {_shown(path.name)}."
        )
    try:
        with _claimed(existing / "folder"):
            pass
        for name in absolute.relative_to(existing).parts:
            _exists(existing / name, path)  # a name that is too long is so already in a folder that exists
    except OSError as error:
        raise refused(path, error) from None
    return path


def check_apart(*paths: Path | None) -> None:
    """Raise OutputError where two of several files that one command writes are the same."""
    seen: dict[str, Path] = {}
    for path in paths:
        if path is not None and path is not seen.setdefault(os.path.realpath(path), path):
            raise OutputError(f"{_shown(path)} is to be written twice: give each result a name of its own.")


def make_folder(path: Path) -> Path:
    """Make a folder and those it lies in, where they are missing. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"{_shown(path)} is a file: name a folder.") from None
    except OSError as error:
        raise refused(path, error) from None
    return path


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Run `write` on a temporary neighbour of `path` and rename it into place, so that `path` is never half written.

    Any number of threads and processes may write one path at once: the last one stays. A link stays a link, and what it
    leads to is written. A new file has the permissions of the umask, an old one keeps its own. Temporary files that
    killed processes left in the folder are removed.

    Raises OutputError when the system refuses to write; whatever stood at `path` is then untouched. What `write` raises
    for another file, one that it reads, is passed on."""
    target = _target(path)
    _sweep(Path(os.path.abspath(target.parent)))
    of_another_file = False
    try:
        with _claimed(target) as part:
            permissions = _permissions(target, stat.S_IMODE(part.stat().st_mode))
            with suppress(OSError):  # not every file system has permissions
                part.chmod(permissions | stat.S_IRUSR | stat.S_IWUSR)
            try:
                write(part)
            except OSError as error:
                of_another_file = error.filename is not None and str(error.filename) not in (str(part), str(target))
                raise
            with part.open("rb") as written:
                os.fsync(written.fileno())
            with suppress(OSError):
                part.chmod(permissions)
            part.replace(target)
    except OSError as error:
        if of_another_file:
            raise
        raise refused(path, error) from error


def _target(path: Path) -> Path:
    """The file that is written when `path` is: where a link leads to. Raises OutputError for what can be no file."""
    try:
        target = Path(os.path.realpath(path)) if os.path.islink(path) else path
        mode = os.stat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):  # of its folder more is said where it is checked or written
        return target
    except ValueError:
        raise OutputError(f"{_shown(path)} can be no file's name: leave out the characters that are none.") from None
    except OSError as error:
        raise refused(path, error) from None
    if stat.S_ISDIR(mode):
        raise OutputError(f"{_shown(path)} is a folder: name a file to write.")
    if not stat.S_ISREG(mode):
        raise OutputError(f"{_shown(path)} is a device or a pipe: name a file to write.")
    return target


def _no_folder(path: Path, target: Path) -> str:
    folder = target.parent
    for above in (folder, *folder.parents):
        if os.path.exists(above) and not os.path.isdir(above):
            return f"{_shown(above)} is a file and no folder: choose another place for {_shown(path.name)}."
    make = f"make it first (mkdir -p {_shown(shlex.quote(str(folder)))})"
    if target != path:
        return f"{_shown(path)} is a link into {_shown(folder)}, and there is no such folder: {make}."
    return f"The folder {_shown(folder)} does not exist: {make}."


def _exists(existing: Path, path: Path) -> bool:
    """Whether something exists; OutputError, naming `path`, where it never can."""
    try:
        os.stat(existing)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except ValueError:
        raise OutputError(f"{_shown(path)} can be no folder's name: leave out the characters that are none.") from None
    except OSError as error:
        raise refused(path, error) from None
    return True


def _permissions(target: Path, new: int) -> int:
    """The permission bits of the file that is replaced; `new` where there is none."""
    try:
        return stat.S_IMODE(target.stat().st_mode) & 0o777
    except FileNotFoundError:
        return new


@contextmanager
def _claimed(target: Path) -> Iterator[Path]:
    """An empty temporary neighbour of `target`, locked for as long as it is written and removed afterwards if it is
    still there.

    The lock ends with the process, however that ends, and so tells a file that is being written from one that nobody
    will finish."""
    part, descriptor = _created(target)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)
        os.close(descriptor)


def _created(target: Path) -> tuple[Path, int]:
    kept = os.fsencode(target.name)[:KEPT_OF_NAME].decode("utf-8", "ignore")
    while True:
        part = target.with_name(f".{kept}.masque-{secrets.token_hex(4)}.part")
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            continue
        try:
            claimed = locked(descriptor) is not False
        except OSError:  # a file that cannot be locked can be written all the same
            claimed = True
        if claimed and part.exists():  # else somebody swept it before it was locked
            return part, descriptor
        os.close(descriptor)


def locked(descriptor: int) -> bool | None:
    """Lock an open file until it is closed, by whoever has it open: whether that could be done, False where another
    holds the lock, None where the system, or the file system, has no locks. Raises OSError."""
    try:
        if fcntl is None:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        raise
    return True


def _sweep(folder: Path) -> None:
    """Remove temporary files that nobody is writing any more."""
    now = time.monotonic()
    if now - _swept.get(folder, -SWEEP_EVERY) < SWEEP_EVERY:
        return
    _swept[folder] = now
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if UNFINISHED.fullmatch(entry.name):
                _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path: str) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if locked(descriptor):
                os.unlink(path)
        finally:
            os.close(descriptor)


def _shown(path: str | Path) -> str:
    return printable(path, LONGEST_PATH)
