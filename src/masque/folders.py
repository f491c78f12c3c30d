"""What a folder of pictures holds: the one listing that every command uses.

Hidden and system files and folders (.ipynb_checkpoints, __MACOSX, ._a.jpg, Thumbs.db …) are as if they were not there.
Links are followed. Everything that is left out is counted with its reason. The order is that of the names' bytes,
whatever the locale."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath

from masque.errors import DataError, printable
from masque.image import READABLE_SUFFIXES

PREPARED = "prepared set"
HIDDEN = "hidden or system file or folder"
NO_PICTURE = "not a picture by its ending"
AWAY = "picture that iCloud has not fetched yet"
FORBIDDEN = "no permission to read it"
BROKEN = "broken link"
LOOP = "link back to a folder that it lies in"
TWICE = "link to what is listed already"
SPECIAL = "pipe, socket or device"
DEEP = "folder too deep"

SYSTEM_NAMES = frozenset(
    [
        "__macosx",
        "icon\r",
        "network trash folder",
        "temporary items",
        "desktop db",
        "desktop df",
        "thumbs.db",
        "thumbs.db:encryptable",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "desktop.ini",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "msocache",
        "_vti_cnf",
        "_vti_pvt",
        "lost+found",
        "lost.dir",
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "@tmp",
        "@__thumb",
        "#recycle",
        "#snapshot",
        "__pycache__",
        "_gsdata_",
        "found.000",
    ]
)
"""Names, in lower case, of what macOS, Windows, disks, network storage and programs put beside people's files.
Everything that begins with a dot is hidden as well."""

UNFINISHED_SUFFIXES = ("~", ".part", ".partial", ".crdownload", ".download", ".tmp", ".bak", ".swp")
"""Endings of back-up copies and of files that are still being written."""

LIBRARY_SUFFIXES = (".lrdata", ".photoslibrary", ".photolibrary", ".aplibrary", ".cocatalog")
"""Endings of folders that are a program's own files: previews, and photos whose names mean nothing to people."""

PLACEHOLDER = ".icloud"
"""Ending of the hidden file .<name>.icloud, which stands for a file <name> that is not on this disk."""

UNREAD_SUFFIXES = frozenset(
    [
        ".heic",
        ".heif",
        ".hif",
        ".jxl",
        ".psd",
        ".xcf",
        ".svg",
        ".eps",
        ".dng",
        ".cr2",
        ".cr3",
        ".crw",
        ".nef",
        ".nrw",
        ".arw",
        ".srf",
        ".sr2",
        ".orf",
        ".rw2",
        ".raf",
        ".pef",
        ".srw",
        ".raw",
        ".3fr",
        ".iiq",
        ".x3f",
        ".dib",
        ".tga",
        ".ico",
        ".pcx",
        ".exr",
        ".hdr",
        ".qoi",
    ]
)
"""Endings of pictures that Masque does not read: a person may miss them, so they are counted by their ending."""

SET_FILES = frozenset({"prepared.json", "journal.jsonl"})
"""What marks a prepared set. One within a data set was made of it, and its pictures are no more of the data set's."""

DEEPEST = 64
"""Folders within folders that are looked into."""

LONGEST_NAME = 255
"""Bytes of a name that file systems take."""

Place = tuple[int, int]
"""Device and number of a folder on it: the same however the folder is reached."""


@dataclass(frozen=True)
class Folder:
    """What one folder holds."""

    path: Path
    """The folder itself."""
    pictures: tuple[Path, ...]
    """Files in it with the ending of a picture."""
    others: tuple[Path, ...]
    """All other files in it."""
    folders: tuple[Path, ...]
    """Folders in it."""
    left_out: Mapping[str, int]
    """reason -> count of entries that are none of these; `unreadable` says why `others` are no pictures."""


@dataclass(frozen=True)
class Tree:
    """A folder with everything below it."""

    path: Path
    """The folder itself."""
    pictures: tuple[Path, ...]
    """Pictures directly in the folder."""
    others: tuple[Path, ...]
    """Files directly in the folder that have no ending of a picture."""
    folders: tuple[Tree, ...]
    """Folders directly in the folder, each with everything below it."""
    left_out: Mapping[str, int]
    """reason -> count of entries here and below that are listed nowhere else in the tree."""

    @cached_property
    def count(self) -> int:
        """Pictures here and below."""
        return len(self.pictures) + sum(folder.count for folder in self.folders)

    @property
    def pictured(self) -> tuple[Tree, ...]:
        """The folders in it that hold a picture, at any depth."""
        return tuple(folder for folder in self.folders if folder.count)

    def all_pictures(self) -> Iterator[Path]:
        """Pictures here and below, in the order of their paths."""
        at = {folder.path: folder for folder in self.folders}
        for path in sorted((*self.pictures, *at), key=by_name):
            if path in at:
                yield from at[path].all_pictures()
            else:
                yield path

    def all_others(self) -> Iterator[Path]:
        """Files here and below that are no pictures."""
        yield from self.others
        for folder in self.folders:
            yield from folder.all_others()


def by_name(path: Path) -> bytes:
    """What paths of one folder are sorted by."""
    return os.fsencode(path.name)


def as_text(path: Path) -> str:
    """A path as a text that is the same in every locale; bytes that are no UTF-8 are escaped as Python does in names of
    files."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")


def is_hidden(name: str) -> bool:
    """Whether this is the name of a hidden or system file or folder, of a program's library, of a back-up copy, or of a
    file that is still being written."""
    lower = name.lower()
    return (
        name.startswith((".", "~$"))
        or lower in SYSTEM_NAMES
        or lower.endswith((*UNFINISHED_SUFFIXES, *LIBRARY_SUFFIXES))
    )


def is_placeholder(name: str) -> bool:
    """Whether a file of this name stands for a picture that iCloud keeps elsewhere until somebody opens it."""
    return name.startswith(".") and name.lower().endswith(PLACEHOLDER) and is_picture(Path(name[1 : -len(PLACEHOLDER)]))


def is_picture(path: Path) -> bool:
    """Whether a name has the ending of a picture that can be read."""
    return path.suffix.lower() in READABLE_SUFFIXES


def list_folder(path: Path) -> Folder:
    """What a folder holds, by name. Raises DataError where there is no such folder or it may not be listed."""
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    except FileNotFoundError:
        raise DataError(
            f"There is no folder {printable(path, LONGEST_NAME)}: name the folder that holds the pictures."
        ) from None
    except NotADirectoryError:
        raise DataError(
            f"{printable(path, LONGEST_NAME)} is a file: name the folder that holds the pictures (an archive has to be "
            "unpacked)."
        ) from None
    except PermissionError as error:
        raise DataError(
            f"The folder {printable(path, LONGEST_NAME)} cannot be listed ({error.strerror}): check its permissions."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: of a name with a zero byte
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise DataError(
            f"The folder {printable(path, LONGEST_NAME)} cannot be listed ({printable(reason)}): name another."
        ) from None
    kinds: dict[str, list[Path]] = {"picture": [], "other": [], "folder": []}
    left_out: Counter[str] = Counter()
    for entry in entries:
        kind = _kind(entry)
        if kind in kinds:
            kinds[kind].append(Path(entry.path))
        else:
            left_out[kind] += 1
    return Folder(path, tuple(kinds["picture"]), tuple(kinds["other"]), tuple(kinds["folder"]), left_out)


def _kind(entry: os.DirEntry[str]) -> str:
    """picture, other, folder, or why the entry is none of these."""
    if is_hidden(entry.name):
        return AWAY if is_placeholder(entry.name) else HIDDEN
    try:
        if entry.is_dir():
            return "folder"
        if not entry.is_file():  # a pipe would block whoever opens it
            return BROKEN if entry.is_symlink() and not os.path.exists(entry.path) else SPECIAL
    except PermissionError:
        return FORBIDDEN
    except OSError:  # a link in a circle
        return BROKEN
    if not is_picture(Path(entry.name)):
        return "other"
    return "picture" if os.access(entry.path, os.R_OK) else FORBIDDEN


def unreadable(others: Collection[Path]) -> Counter[str]:
    """Why files are no pictures: reason -> count."""
    endings = [path.suffix.lower() for path in others]
    return Counter(
        f"{ending} picture, which cannot be read" if ending in UNREAD_SUFFIXES else NO_PICTURE for ending in endings
    )


def find_pictures(folder: Path, what: str = "pictures") -> tuple[tuple[Path, ...], list[str]]:
    """The pictures directly in a folder, by name, and for each reason how many others that a person may miss are left
    out.

    what: of which the user is to name a folder where there is none in this. Raises DataError.
    """
    listing = list_folder(folder)
    if not listing.pictures:
        note = f" (left out: {', '.join(missed(listing))})" if missed(listing) else ""
        raise DataError(f"There is no picture in {printable(folder, LONGEST_NAME)}{note}: name a folder of {what}.")
    return listing.pictures, missed(listing)


def missed(listing: Folder) -> list[str]:
    """What of a folder a person may miss, as texts such as "2 × pipe, socket or device, in photos": neither hidden
    files nor files whose names say that they are no picture."""
    counted = unreadable(listing.others) + Counter(listing.left_out)
    wanted = {reason: count for reason, count in counted.items() if reason not in (HIDDEN, NO_PICTURE)}
    return [
        f"{count} × {reason}, in {printable(listing.path, LONGEST_NAME)}" for reason, count in sorted(wanted.items())
    ]


def in_words(left_out: Mapping[str, int]) -> str:
    """Counts with their reasons, for a sentence."""
    return ", ".join(f"{count} × {reason}" for reason, count in sorted(left_out.items()))


def read_tree(path: Path) -> Tree:
    """A folder with all that is below it. Raises DataError where there is no such folder or it may not be listed.

    A folder below that may not be listed is counted, and so is a prepared set. Links to folders and pictures are
    followed; one that leads back above itself, or to what is listed anyway, is counted and not followed, so that
    nothing is listed twice."""
    top = list_folder(path)
    above = {_place(folder) for folder in Path(os.path.realpath(path)).parents}
    return _tree_below(top, _real_folders(path), above | {_place(path)}, linked=False, depth=0)


def _place(path: Path) -> Place:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _real_folders(path: Path) -> set[Place]:
    """All folders that are reached without a link."""
    found, waiting = set(), [(path, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            found.add(_place(folder))
            with os.scandir(folder) as entries:
                below = [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False) and not is_hidden(e.name)]
        except OSError:  # one that may not be listed, which is counted later
            continue
        waiting += [(one, depth + 1) for one in below if depth < DEEPEST]
    return found


def _tree_below(listing: Folder, listed: set[Place], above: set[Place], linked: bool, depth: int) -> Tree:
    """A folder with everything below it.

    listed: folders that are already part of the tree, to which those that links lead to are added. above: the folders
    that this one lies in, and itself. linked: whether a link led here. depth: how many folders lie above within the
    tree."""
    left_out = Counter(listing.left_out)
    folders = []
    for path in listing.folders:
        through = linked or path.is_symlink()
        try:
            place = _place(path)
            reason = None
            if place in above:
                reason = LOOP
            elif through and place in listed:
                reason = TWICE
            elif depth >= DEEPEST:
                reason = DEEP
            if reason is not None:
                left_out[reason] += 1
                continue
            listed.add(place)
            below = list_folder(path)
            if any(other.name in SET_FILES for other in below.others):
                left_out[PREPARED] += 1
                continue
            folders.append(_tree_below(below, listed, above | {place}, through, depth + 1))
        except (OSError, DataError):
            left_out[FORBIDDEN] += 1
    pictures = tuple(picture for picture in listing.pictures if not _is_listed(picture, listed))
    left_out[TWICE] += len(listing.pictures) - len(pictures)
    for folder in folders:
        left_out.update(folder.left_out)
    return Tree(listing.path, pictures, listing.others, tuple(folders), +left_out)


def _is_listed(picture: Path, listed: set[Place]) -> bool:
    """Whether this is a link to a picture that is itself in a folder that is listed."""
    if not picture.is_symlink():
        return False
    target = Path(os.path.realpath(picture))
    return is_picture(target) and not is_hidden(target.name) and _place(target.parent) in listed


def is_name(text: str) -> bool:
    """Whether a text from a file can be the name of a file: one part of a path, without separators and control
    characters."""
    unusable = any(c in "/\\" or ord(c) < 32 or ord(c) == 127 for c in text)
    return (
        bool(text)
        and not unusable
        and text not in (".", "..")
        and len(text.encode("utf-8", "surrogateescape")) <= LONGEST_NAME
    )


def is_inside(text: str) -> bool:
    """Whether a text from a file can be a path below a folder: names with slashes between, none of which leads up."""
    return all(map(is_name, text.split("/"))) and not PurePath(text).is_absolute()


def is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing but hidden, system and unfinished files."""
    return all(map(is_hidden, os.listdir(folder)))
