"""How reports and tables are written: whole or not at all, numbers as JSON beside what people read."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masque import __version__
from masque.jsonfile import ObjectError, read_object
from masque.output import write_atomically

MEASURING = ("torch", "numpy", "opencv-python-headless", "dlib-bin")
"""Installed packages, other versions of which may give other last digits."""

CHECKSUM = "sha256"
"""The name in a kept report of the checksum of all the rest."""


def versions() -> dict[str, str]:
    """Package -> its version: Masque's, and of those that numbers come from."""
    return {"masque": __version__, **{name: importlib.metadata.version(name) for name in MEASURING}}


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """A report as JSON. Raises OutputError."""
    write_atomically(path, lambda part: part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8"))


def keep_report(path: Path, report: Mapping[str, Any]) -> None:
    """A report as JSON with its checksum, for `kept_report`. Raises OutputError."""
    write_report(path, {**report, CHECKSUM: _checksum(report)})


def kept_report(path: Path, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """A report that was kept, if it is there, whole, and says what is `wanted`; None otherwise: it is measured
    again."""
    try:
        report = read_object(path)
    except (OSError, ObjectError):
        return None
    whole = report.pop(CHECKSUM, None) == _checksum(report)
    return report if whole and all(report.get(name) == value for name, value in wanted.items()) else None


def _checksum(report: Mapping[str, Any]) -> str:
    as_read = json.loads(json.dumps(report))  # names are texts then, and sorted as such
    return hashlib.sha256(json.dumps(as_read, sort_keys=True).encode()).hexdigest()


def write_table(out: Path, reports: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Write `out`/table.json and `out`/table.md; return the reports with the versions that they were made with. Raises
    OutputError."""
    reports = {row: {"versions": versions(), **report} for row, report in reports.items()}
    write_report(out / "table.json", reports)
    write_atomically(out / "table.md", lambda part: part.write_text(text, encoding="utf-8"))
    return reports
