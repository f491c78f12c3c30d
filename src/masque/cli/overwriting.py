"""Which files a command may replace: by default only what is still as Masque wrote it.

Pictures, label maps and films carry a record, the demonstration's copies of photos the fingerprint of their pixels, a
latent says what it is, reports carry a checksum, tables have theirs in a file beside them, and a model's folder has
Masque's config.json, with the checksum of its card. A picture that was painted in, or a report or a card that was
edited, is no longer Masque's."""

from __future__ import annotations

import json
import os
from pathlib import Path

from masque.errors import MasqueError, OutputError, printable
from masque.output import LONGEST_PATH

LARGEST_HEADER = 1 << 20
"""Bytes of the header of a latent: one has some hundred."""
LARGEST_TITLE = 1 << 10
"""Bytes at the beginning of a page in which its title stands."""
LARGEST_REPORT = 1 << 24
"""Bytes of a report that are read."""


def check_replaceable(overwrite: bool | None, *paths: Path | None) -> None:
    """Raise OutputError where a file stands that may not be replaced. Called before the work and again before the
    result is written.

    overwrite: True for whatever stands there, False for nothing at all, None for what is as Masque wrote it."""
    for path in paths:
        if path is None or overwrite or not os.path.exists(path):
            continue
        shown = printable(path, LONGEST_PATH)
        if overwrite is False:
            raise OutputError(f"{shown} is there already, and --no-overwrite keeps what is: name another place.")
        if not as_written(path):
            raise OutputError(
                f"{shown} is there already and is not as Masque wrote it: name another place, or give --overwrite "
                "to replace it."
            )


def as_written(path: Path) -> bool:
    """Whether a file is one that Masque wrote and nobody has changed since; a folder, whether it holds a model."""
    from masque.container import kind_of
    from masque.faces.changefile import is_change
    from masque.provenance import is_copy, verify
    from masque.tables.written import is_listed

    if path.is_dir():
        return _is_model(path)
    if path.suffix == ".html":
        return _is_page(path)
    if path.suffix == ".change":
        return is_change(path)
    try:
        if kind_of(path) is None:
            return _is_latent(path) or _is_report(path) or is_listed(path)
        verdict = verify(path)
        return is_copy(path) if verdict.record is None else verdict.unchanged is not False  # None: a film's frames
    except (MasqueError, OSError):
        return False


def _is_latent(path: Path) -> bool:
    """A safetensors file begins with the length of its header and the header as JSON."""
    try:
        with path.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length)) if length <= LARGEST_HEADER else {}
        return bool(header["__metadata__"]["masque"] == "latent")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_report(path: Path) -> bool:
    from masque.tables.written import CHECKSUM, checksum

    try:
        with path.open("rb") as opened:
            report = json.loads(opened.read(LARGEST_REPORT))
        return bool(report.pop(CHECKSUM) == checksum(report))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _is_page(path: Path) -> bool:
    """Whether a page is the demonstration's."""
    try:
        with path.open("rb") as opened:
            return b"<title>Masque</title>" in opened.read(LARGEST_TITLE)
    except OSError:
        return False


def _is_model(folder: Path) -> bool:
    """Whether a folder has a model's config.json and the card that was written with it, or nothing but what a killed
    process leaves. Version 0.1 kept no checksum of cards, so that they are not compared."""
    from masque.jsonfile import ObjectError, read_object
    from masque.lock import left_behind
    from masque.modelfile import CARD, card_checksum

    try:
        if all(map(left_behind, folder.iterdir())):
            return True
        about = read_object(folder / "config.json")
        card = folder / "card.md"
        card_is_ours = CARD not in about or not card.exists() or card_checksum(card.read_bytes()) == about[CARD]
    except (OSError, ObjectError):
        return False
    return {"masque", "family", "config"} <= about.keys() and card_is_ours
