"""How reports and tables are written: whole or not at all, numbers as JSON beside what people read."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masque import __version__
from masque.image import write_atomically

MEASURING = ("torch", "numpy", "opencv-python-headless", "dlib-bin")
"""Installed packages, other versions of which may give other last digits."""


def versions() -> dict[str, str]:
    """Package -> its version: Masque's, and of those that numbers come from."""
    return {"masque": __version__, **{name: importlib.metadata.version(name) for name in MEASURING}}


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """A report as JSON. Raises OutputError."""
    write_atomically(path, lambda part: part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8"))


def write_table(out: Path, reports: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Write `out`/table.json and `out`/table.md; return the reports with the versions that they were made with. Raises OutputError."""
    reports = {row: {"versions": versions(), **report} for row, report in reports.items()}
    write_report(out / "table.json", reports)
    write_atomically(out / "table.md", lambda part: part.write_text(text, encoding="utf-8"))
    return reports
