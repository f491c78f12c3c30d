"""Writing reports and tables: whole or not at all, numbers as JSON beside a text for people."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, cast

from masque.jsonfile import JSON, ObjectError, read_object
from masque.output import write_atomically
from masque.version import __version__

Report = TypeVar("Report", bound=Mapping[str, object])

MEASURING = ("torch", "numpy", "opencv-python-headless", "dlib-bin")
"""Installed packages, other versions of which may give other last digits."""

CHECKSUM = "sha256"
"""Key of a kept report under which the checksum of everything else stands."""


def versions() -> dict[str, str]:
    """Package -> its version: Masque's own, and those of `MEASURING`."""
    return {"masque": __version__, **{name: importlib.metadata.version(name) for name in MEASURING}}


def write_report(path: Path, report: Mapping[str, object]) -> None:
    """Write a report as JSON. Raises OutputError."""
    write_atomically(path, lambda part: part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8"))


def keep_report(path: Path, report: Mapping[str, object]) -> None:
    """Write a report as JSON with its checksum, for `kept_report`. Raises OutputError."""
    write_report(path, {**report, CHECKSUM: checksum(report)})


def kept_report(path: Path, wanted: Mapping[str, object]) -> Mapping[str, JSON] | None:
    """The report that `keep_report` wrote to `path`, if its checksum is right and it has all values of `wanted`; None
    otherwise, and then it has to be measured again."""
    try:
        report = read_object(path)
    except (OSError, ObjectError):
        return None
    whole = report.pop(CHECKSUM, None) == checksum(report)
    return report if whole and all(report.get(name) == value for name, value in wanted.items()) else None


def checksum(report: Mapping[str, object]) -> str:
    """SHA-256 of a report as JSON, in hex, whatever the order of its keys."""
    as_read = json.loads(json.dumps(report))  # makes all keys texts, by which they are then sorted
    return hashlib.sha256(json.dumps(as_read, sort_keys=True).encode()).hexdigest()


def write_table(out: Path, reports: Mapping[str, Report], text: str) -> dict[str, Report]:
    """Write `out`/table.json and `out`/table.md.

    Returns the reports, each with the `versions` that it was made with. Raises OutputError."""
    rows = {row: cast("Report", {"versions": versions(), **report}) for row, report in reports.items()}
    write_report(out / "table.json", rows)
    write_atomically(out / "table.md", lambda part: part.write_text(text, encoding="utf-8"))
    return rows
