"""Gives damaged files to readers and says how each ended: read, refused in one plain sentence, or a fault."""

from __future__ import annotations

import gc
import os
import random
import re
import shutil
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import mutations

from masque.errors import MasqueError, printable

CPU_SECONDS = 20.0
"""Processor time that reading one damaged file may take. The files are small: all that is meant is that nothing hangs,
on any machine."""

GIGABYTE = 1 << 30

READ, REFUSED = "read", "refused in one sentence"

Crafted = Callable[[bytes], Iterator[tuple[str, bytes | Callable[[], bytes]]]]
"""Damage that is made for a kind of file, from a valid one; large files are made when they are asked for."""


@dataclass(frozen=True)
class Reader:
    """One way from a file into Masque."""

    name: str
    file: str
    """Of the input folder, the file that is damaged."""
    build: Callable[[Path], None]
    """Write the whole valid input into an empty folder."""
    read: Callable[[Path], object]
    """Read the folder as a user's command would."""
    crafted: Crafted | None = None
    writes: bool = False
    """Whether reading changes the folder, which is then made anew for each damaged file."""
    notices: str = ""
    """A pattern of the lines that may be printed: sentences that are meant for the user."""


def write_input(file: str, content: bytes, folder: Path) -> None:
    """Write a file, and the folders it lies in."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)


@dataclass
class Tally:
    """How many damaged files were tried, and how they ended."""

    tried: int = 0
    read: int = 0
    refused: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)
    """What was done to each file that ended badly, and how it ended."""

    def count(self, name: str, ending: str) -> None:
        """Add the ending of one damaged file, as `Bench.ending` says it."""
        self.tried += 1
        if ending == READ:
            self.read += 1
        elif ending == REFUSED:
            self.refused += 1
        else:
            self.faults.append((name, ending))

    @property
    def kinds(self) -> Counter[str]:
        """The faults by how they ended."""
        return Counter(ending for _, ending in self.faults)


class Bench:
    """A reader with its valid input in a folder, ready to be given damaged files."""

    def __init__(self, reader: Reader, folder: Path) -> None:
        self.reader, self.folder = reader, folder / "input"
        self.whole = folder / "whole"
        self.whole.mkdir(parents=True)
        reader.build(self.whole)
        self.valid = (self.whole / reader.file).read_bytes()
        shutil.copytree(self.whole, self.folder)
        reader.read(self.folder)  # what the valid file gives is not at issue here; that it is read is

    def ending(self, data: bytes) -> str:
        """READ, REFUSED, or what was wrong, when the reader is given `data` in place of its file."""
        if self.reader.writes:
            shutil.rmtree(self.folder)
            shutil.copytree(self.whole, self.folder)
        (self.folder / self.reader.file).write_bytes(data)
        with warnings.catch_warnings(record=True) as warned, printed() as text:
            before, forget_peak = time.process_time(), forget_peak_memory()
            try:
                self.reader.read(self.folder)
                ending = READ
            except MasqueError as error:
                ending = REFUSED if is_sentence(str(error)) else f"no sentence: {printable(error, 300)}"
            except BaseException as error:
                ending = f"{type(error).__name__}: {printable(error, 120)}"
            spent = time.process_time() - before
            grown = peak_memory() - forget_peak
            said = re.sub(self.reader.notices, "", text()) if self.reader.notices else text()
        if said or warned:
            ending = f"printed {said[:120]!r}{''.join(str(w.message)[:80] for w in warned)}"
        if spent > CPU_SECONDS:
            ending = f"took {spent:.0f} s"
        if grown > GIGABYTE:
            ending = f"took {grown / GIGABYTE:.1f} GB"
        return ending

    def crafted(self) -> list[tuple[str, Callable[[], bytes]]]:
        """All the damage that is made for this kind of file: its name, and what makes it."""
        made = self.reader.crafted(self.valid) if self.reader.crafted is not None else ()
        return [(name, partial(bytes, data) if isinstance(data, bytes) else data) for name, data in made]

    def damaged(self, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
        """`count` damaged files: half of them crafted where the reader has such, the others by mutating bytes."""
        crafted = self.crafted()
        random.Random(seed).shuffle(crafted)
        crafted = crafted[: max(1, count // 2)]
        yield from ((name, make()) for name, make in crafted)
        yield from mutations.of_bytes(self.valid, count - len(crafted), seed)

    def tally(self, count: int, seed: int = 0) -> Tally:
        """Try `count` damaged files."""
        made = Tally()
        for name, data in self.damaged(count, seed):
            made.count(name, self.ending(data))
        gc.collect()
        return made


def is_sentence(text: str) -> bool:
    """Whether a failure's text can stand on one line of a terminal, says something, and is no program's output."""
    return text.isprintable() and text.endswith((".", ".)")) and 20 < len(text) < 700 and text[0] != " "


@contextmanager
def printed() -> Iterator[Callable[[], str]]:
    """What is written to the process's standard output and error while the block runs, by C libraries too."""
    with tempfile.TemporaryFile() as caught:
        kept = [os.dup(number) for number in (1, 2)]
        try:
            for number in (1, 2):
                os.dup2(caught.fileno(), number)

            def text() -> str:
                caught.seek(0)
                return caught.read(2000).decode(errors="replace")

            yield text
        finally:
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)


def forget_peak_memory() -> int:
    """Bytes in use now, from which on the peak is measured; 0 where the system (other than Linux) cannot say."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return _status("VmRSS")


def peak_memory() -> int:
    """The most bytes in use since the last call of `forget_peak_memory`; 0 where the system cannot say."""
    return _status("VmHWM")


def _status(name: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), 0)
