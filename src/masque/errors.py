"""Failures that a user can do something about. The text of each is one plain sentence that says what went wrong and
what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_QUOTE = 80
"""Characters of a text from a file that are shown to a person."""


def escaped(text: str) -> str:
    """A text that is safe to print: on one line, without what moves a terminal's cursor, and with nothing that UTF-8
    cannot hold.

    Everything that `str.isprintable` refuses (control characters, line ends, marks that turn the direction of writing,
    bytes of a name that are no UTF-8) becomes its Python escape, such as \\x1b."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    )


def printable(text: object, most: int = LONGEST_QUOTE) -> str:
    """A text from a file or a name as it is quoted to a person: `escaped`, and cut to `most` characters, the last then
    an ellipsis."""
    # What is cut off anyway need not be escaped: a text may be megabytes long.
    shown = escaped(str(text)[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


class MasqueError(Exception):
    """Base of every failure that the command line reports in one sentence and exit code 1.

    The sentence may quote names and texts of anybody's files, so it is made safe to print as a whole: see `escaped`.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(escaped(sentence))


class PictureError(MasqueError):
    """A file that cannot be read as a picture."""


class NoPictureError(PictureError):
    """A file whose content is of no kind of picture that Masque reads."""


class NoFaceError(MasqueError):
    """A picture in which no usable face was found, or not the one that was asked for."""


class UnknownAttributeError(MasqueError):
    """An attribute that the model does not know."""


class ValueRangeError(MasqueError):
    """A number outside the range it may take."""


class TooYoungError(ValueRangeError):
    """A face that reads too young for what is asked of it, where no adult age is stated."""


class SettingError(MasqueError):
    """A run setting that does not exist or does not fit the others."""


class CheckpointError(MasqueError):
    """A model or run folder that is missing, foreign, damaged or written by a newer Masque."""


class DataError(MasqueError):
    """A data folder that is missing or does not have the layout it should have."""


class OutputError(MasqueError):
    """A result that could not be written."""


class TrainingError(MasqueError):
    """A training run that had to stop."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A half sentence that helps after a wrong name: the nearest known one, or all of them.

    Compared without regard to case; meant to be appended to an error's text.
    """
    names = list(known)
    lower = {n.lower(): n for n in names}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    if close:
        return f"did you mean {printable(lower[close[0]])}? Known are: {', '.join(map(printable, names))}"
    return f"known are: {', '.join(map(printable, names))}"
