"""The lists that come with data sets: words in columns, or CSV as Kaggle gives them out."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from masque.data.prepared import FIXED_COLUMNS
from masque.errors import DataError, printable
from masque.folders import is_name

FIRST_COLUMNS = frozenset({"image_id", "image", "image_name", "file", "file_name", "filename", "name", "id"})
"""What the first column of a CSV list may be called; a first line that begins so is a heading."""

Row = tuple[int, list[str]]
"""A line's number, from 1 on, and its words."""


def read_text(path: Path) -> str:
    """A text file, without the mark at its start that Windows programs put there; bytes that are no UTF-8 stay as in
    names of files.

    Raises DataError when it cannot be read as text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        raise DataError(f"{path} cannot be read as text: fetch the file again, or save it as UTF-8 where it is UTF-16.")
    return content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def read_names(path: Path) -> list[str]:
    """The lines of a list of names that are not empty, as any program ends and quotes them, with `/` between folders.

    Raises DataError when it cannot be read, and when there is none.
    """
    if not path.exists():
        raise DataError(f"There is no list of names {path}: give a text file with one name a line.")
    lines = read_text(path).replace("\r", "\n").split("\n")
    names = [name for line in lines if (name := _unquoted(line.strip()).replace("\\", "/"))]
    if not names:
        raise DataError(f"The list of names {path} is empty: give a text file with one name a line.")
    return names


def _unquoted(name: str) -> str:
    """A name without the quotation marks that table programs and shells put around it."""
    quoted = len(name) > 2 and name[0] == name[-1] and name[0] in "\"'"
    return name[1:-1].replace(name[0] * 2, name[0]) if quoted else name


def read_columns(path: Path) -> list[list[str]]:
    """The words of each line of a text file: those between commas in lines that have commas. Raises DataError when it
    cannot be read."""
    try:
        return [_words(line) for line in read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as a table ({error}): fetch the file again.") from None


def _words(line: str) -> list[str]:
    if "," not in line:
        return line.split()
    words = [word.strip() for word in next(csv.reader([line.strip()], skipinitialspace=True))]
    while words and not words[-1]:  # as table programs end lines that are shorter than others
        words.pop()
    return words


def rows(path: Path) -> list[Row]:
    """The lines of a list that are not empty, without a heading that names the columns."""
    found = [(number, words) for number, words in enumerate(read_columns(path), start=1) if any(words)]
    return found[1:] if found and found[0][1][0].lower() in FIRST_COLUMNS else found


def check_file_name(name: str, path: Path, number: int) -> str:
    """The name of a file that line `number` of a list gives. Raises DataError for one that could lead out of the
    folder."""
    if not is_name(name):
        raise DataError(
            f"Line {number} of {path} names {printable(name)}, which is no name of a file: fetch the list again."
        )
    return name


def read_two_columns(path: Path) -> dict[str, str]:
    """A list of two columns: the values by the names of files. Raises DataError for a damaged line, and for one that
    contradicts another."""
    pairs: dict[str, str] = {}
    for number, row in rows(path):
        if len(row) != 2:
            raise DataError(f"Line {number} of {path} has {len(row)} columns, not 2: fetch the file again.")
        file, value = check_file_name(row[0], path, number), row[1]
        if pairs.setdefault(file, value) != value:
            raise DataError(
                f"Line {number} of {path} names {printable(file)} again and says otherwise: fetch the file again."
            )
    return pairs


def read_attribute_list(path: Path) -> dict[str, dict[str, float]]:
    """CelebA's list of attributes: for each file the values by the attributes' names, 0.0 or 1.0.

    The list has a count, the names, then a line per picture with -1 or 1 for each name. A CSV file has no count, and a
    heading over the column of files. Raises DataError for a damaged line, and one that
    contradicts another."""
    lines = [(number, words) for number, words in enumerate(read_columns(path), start=1) if any(words)]
    counted = bool(lines) and len(lines[0][1]) == 1 and lines[0][1][0].isdecimal()
    lines = lines[1:] if counted else lines
    if len(lines) < 2:
        raise DataError(f"{path} is cut short: fetch the file again.")
    names = lines[0][1][1:] if lines[0][1][0].lower() in FIRST_COLUMNS else lines[0][1]
    unfit = [
        name
        for place, name in enumerate(names)
        if name in names[:place] or name in FIXED_COLUMNS or not name.isprintable()
    ]
    if unfit:
        raise DataError(f"{path} cannot name an attribute {printable(unfit[0])}, or not twice: fetch the file again.")
    table: dict[str, dict[str, float]] = {}
    for number, file, values in _signed(path, lines[1:], names):
        if table.setdefault(file, values) != values:
            raise DataError(
                f"Line {number} of {path} names {printable(file)} again and says otherwise: fetch the file again."
            )
    return table


def _signed(path: Path, lines: Sequence[Row], names: Sequence[str]) -> Iterator[tuple[int, str, dict[str, float]]]:
    for number, (file, *values) in lines:
        if len(values) != len(names):
            raise DataError(
                f"Line {number} of {path} has {len(values)} values for {len(names)} attributes: fetch the file again."
            )
        if not set(values) <= {"-1", "1"}:
            raise DataError(f"Line {number} of {path} has values other than -1 and 1: fetch the file again.")
        yield (
            number,
            check_file_name(file, path, number),
            {n: (int(v) + 1) / 2 for n, v in zip(names, values, strict=True)},
        )
