"""What a worker is asked for, as the functions that do it take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from masque.edits.result import Result
from masque.edits.subject import Subject
from masque.errors import MasqueError, NoFaceError, PictureError, ValueRangeError
from masque.faces.labels import Labels
from masque.image import Picture
from masque.jsonfile import JSON
from masque.studio.desk import Desk
from masque.studio.messages import NotHeldError, Task, WorkError


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """The task is not wanted any more."""


@dataclass(frozen=True)
class Outcome:
    """What a verb comes to."""

    result: Result
    """The picture and its record; of a film its first picture."""
    name: str
    """What to call it."""
    of: str | None = None
    """Key of the photo or result that it is an edit of, if it has the same size: before and after are compared."""
    cells: tuple[Picture, ...] = ()
    """The single pictures of a sheet."""
    labels: Labels | None = None
    """The label map, of a photo that was parsed."""
    film: bytes = b""
    """The content of an .mp4 file."""
    latent: bool = False
    """Whether a latent was found and is kept."""


@dataclass(frozen=True)
class Call:
    """A task, and what a worker has to do it with."""

    desk: Desk
    task: Task
    tell: Callable[[str, int, int], None]
    """Tells what is being done, how many steps of it are done, and of how many."""
    cancelled: Callable[[], bool]
    """Whether the task is not wanted any more."""

    @property
    def preview(self) -> bool:
        """Whether the picture is only looked at, and nothing goes on from it."""
        return self.whole("longest") is not None or self.flag("preview")

    def progress(self, doing: str, done: int = 0, of: int = 0) -> None:
        """Tell how far it is. Raises Cancelled where it is not wanted any more."""
        if self.cancelled():
            raise Cancelled
        self.tell(doing, done, of)

    def key(self, field: str) -> str:
        """The key of the one photo of a field."""
        return self.task.inputs[field][0]

    def keys(self, field: str) -> tuple[str, ...]:
        """The keys of all photos of a field; none where it was not given."""
        return self.task.inputs.get(field, ())

    def subject(self, field: str = "photo", pick: str = "pick", longest: int | None = None) -> Subject:
        """The face of a field's photo. pick: the option that says which. longest: see `Desk.subject`. What is wrong
        with the photo is said of the field."""
        with blamed_on(field):
            return self.desk.subject(self.key(field), self.whole(pick), longest)

    def optional(self, field: str) -> Subject | None:
        """The face of a field's photo; None where it was not given."""
        return self.subject(field, f"pick_{field}") if self.keys(field) else None

    def subjects(self, field: str, picks: str = "") -> list[Subject]:
        """A face of each photo of a field. picks: the option that lists which; the largest where it does not say.

        Raises ValueRangeError where it lists anything but a number, or null, for each photo."""
        keys = self.keys(field)
        given = self.task.options.get(picks) or [None] * len(keys)
        if not isinstance(given, list) or len(given) != len(keys) or not all(map(_is_pick, given)):
            raise ValueRangeError(f"{picks} is a list of which face to take of each photo, such as [1, null].")
        with blamed_on(field):
            return [
                self.desk.subject(key, one if isinstance(one, int) else None)
                for key, one in zip(keys, given, strict=True)
            ]

    def text(self, name: str, default: str) -> str:
        """An option that is a text."""
        value = self.task.options.get(name)
        return default if value is None else str(value)

    def whole(self, name: str) -> int | None:
        """An option that is a whole number; None where it was not given."""
        value = self.task.options.get(name)
        return int(value) if isinstance(value, int) else None

    def number(self, name: str) -> float | None:
        """An option that is a number; None where it was not given."""
        value = self.task.options.get(name)
        return float(value) if isinstance(value, int | float) else None

    def flag(self, name: str) -> bool:
        """Whether an option is on."""
        return self.task.options.get(name) is True

    def values(self, name: str) -> dict[str, float | str]:
        """An option that is an object of numbers and texts. Raises ValueRangeError for anything else in it."""
        given = self.task.options.get(name) or {}
        if not isinstance(given, Mapping):
            raise ValueRangeError('Attributes are values by name, such as {"Smiling": 1}.')
        for value in given.values():
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ValueRangeError('Attributes are numbers or texts by name, such as {"Hair": "auburn"}.')
        return {str(key): value for key, value in given.items() if isinstance(value, int | float | str)}

    def numbers(self, name: str) -> list[float] | None:
        """An option that is a list of numbers; None where it was not given."""
        given = self.task.options.get(name)
        if given is None:
            return None
        if not isinstance(given, list) or not all(_is_number(one) for one in given):
            raise ValueRangeError(f"{name} is a list of numbers, such as [0.5, 0.5].")
        return [float(one) for one in given if isinstance(one, int | float)]


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pick(value: JSON) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


@contextmanager
def blamed_on(field: str, *kinds: type[MasqueError]) -> Iterator[None]:
    """What is wrong with a photo, or missing, within is said of this field. kinds: what else is."""
    try:
        yield
    except MasqueError as error:
        if not isinstance(error, (NoFaceError, PictureError, NotHeldError, *kinds)):
            raise
        raise WorkError(str(error), type(error).__name__, field) from None
