"""What the server and its workers say to each other. A worker is a process of its own, which holds the models; all that
must outlive it, the server holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from masque.errors import MasqueError
from masque.jsonfile import JSON

Lane: TypeAlias = Literal["quick", "long"]
"""Which worker does something: edits that take a second or two, or searches and films, which take many."""

Kind: TypeAlias = Literal["photo", "result"]


@dataclass(frozen=True)
class Task:
    """Something for a worker to do."""

    number: int
    """By which what comes back is told apart."""
    verb: str
    """What is to be done: a name in `masque.studio.verbs.VERBS`."""
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of a field -> keys of the photos and results that were given in it."""
    options: Mapping[str, JSON] = field(default_factory=dict)
    """All else that was asked, by name; what was not given is not there."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Name of a field -> content of a file that is no photo: a label map."""


@dataclass(frozen=True)
class Cancel:
    """The task of this number is not wanted any more."""

    number: int


@dataclass(frozen=True)
class Content:
    """A photo or a result that a worker asked for."""

    key: str
    """By which the server holds it."""
    kind: Kind | None
    """None where it is not held any more."""
    name: str = ""
    """What to call the photo."""
    shape: tuple[int, int] = (0, 0)
    """Height and width of a photo."""
    body: bytes = b""
    """The pixels of a photo, RGB uint8 row by row; of a result what `masque.studio.packed` made of it."""
    faces: bytes = b""
    """The faces of a photo, as `masque.studio.packed` packs them; empty before anybody has looked."""


@dataclass(frozen=True)
class Forget:
    """What the server holds no more, a worker is not to keep either."""

    key: str


ToWorker: TypeAlias = Task | Cancel | Content | Forget


@dataclass(frozen=True)
class Ready:
    """A worker has loaded what it needs for the first edit."""

    missing: tuple[str, ...]
    """Models that no weights are installed of."""


@dataclass(frozen=True)
class Wanted:
    """A worker needs the content of this key, and waits for it."""

    key: str


@dataclass(frozen=True)
class Progress:
    """How far a task is."""

    number: int
    doing: str
    """What is being done, such as "Finding latents"."""
    done: int
    of: int
    """Steps that are done, and of how many; 0 where nobody knows."""


@dataclass(frozen=True)
class Made:
    """What a task came to."""

    about: Mapping[str, JSON]
    """What is said of it: see `masque.studio.shapes.Result`."""
    body: bytes = b""
    """A result, as `masque.studio.packed` packs it; or the content of a file that was asked for."""
    preview: bytes = b""
    """The picture as JPEG, its longer side 1,600 pixels at most."""
    film: bytes = b""
    """The content of an .mp4 file."""
    faces: bytes = b""
    """The faces that were found, packed."""
    needs: tuple[str, ...] = ()
    """Keys of the photos that a packed result refers to."""


@dataclass(frozen=True)
class Finished:
    """A task is done."""

    number: int
    made: Made


@dataclass(frozen=True)
class Failed:
    """A task could not be done."""

    number: int
    sentence: str
    kind: str
    """The kind of error, such as NoFaceError; Cancelled for one that was cancelled."""
    field: str | None = None
    """The input that is the cause, where one is."""


FromWorker: TypeAlias = Ready | Wanted | Progress | Finished | Failed


class WorkError(MasqueError):
    """A task that could not be done."""

    def __init__(self, sentence: str, kind: str = "WorkError", field: str | None = None) -> None:
        super().__init__(sentence)
        self.kind, self.field = kind, field


class TooBusyError(MasqueError):
    """More is waiting than may wait."""


class NotHeldError(MasqueError):
    """A photo, result or job that the server does not hold, or not any more."""


PACKED = b"masque-labels\0"
"""What stands before label numbers that a page packed by zlib, to tell them from a picture's file."""

CANCELLED = "Cancelled"
"""The kind of a task that was cancelled."""
