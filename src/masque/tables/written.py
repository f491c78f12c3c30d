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

CHECKSUMS = "checksums.json"
"""File of a table's folder, a kept report: name of a text that was written there -> the SHA-256 of its bytes."""


def versions() -> dict[str, str]:
    """Package -> its version: Masque's own, and those of `MEASURING`."""
    return {"masque": __version__, **{name: importlib.metadata.version(name) for name in MEASURING}}


def keep_report(path: Path, report: Mapping[str, object]) -> None:
    """Write a report as JSON with its checksum, for `kept_report`. Raises OutputError."""
    text = _as_json({**report, CHECKSUM: checksum(report)})
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


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


def _as_json(report: Mapping[str, object]) -> str:
    return json.dumps(report, indent=1) + "\n"


def write_table(out: Path, reports: Mapping[str, Report], text: str) -> dict[str, Report]:
    """Write `out`/table.json and `out`/table.md.

    Returns the reports, each with the `versions` that it was made with. Raises OutputError."""
    rows = {row: cast("Report", {"versions": versions(), **report}) for row, report in reports.items()}
    write_listed(out / "table.json", _as_json(rows))
    write_listed(out / "table.md", text)
    return rows


def write_listed(path: Path, text: str) -> None:
    """Write a text, and its checksum into `CHECKSUMS` beside it, for `is_listed`. Raises OutputError."""
    content = text.encode("utf-8")
    write_atomically(path, lambda part: part.write_bytes(content))
    beside = path.with_name(CHECKSUMS)
    keep_report(beside, {**(kept_report(beside, {}) or {}), path.name: hashlib.sha256(content).hexdigest()})


def is_listed(path: Path) -> bool:
    """Whether a file is one that `write_listed` wrote and nobody has changed since. Raises OSError."""
    listed = (kept_report(path.with_name(CHECKSUMS), {}) or {}).get(path.name)
    return listed is not None and listed == hashlib.sha256(path.read_bytes()).hexdigest()
