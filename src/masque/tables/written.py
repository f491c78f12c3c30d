"""How reports and tables are written: whole or not at all, numbers as JSON beside what people read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masque.image import write_atomically


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """A report as JSON. Raises OutputError."""
    write_atomically(path, lambda part: part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8"))


def write_table(out: Path, reports: Mapping[str, Any], text: str) -> None:
    """`out`/table.json and `out`/table.md. Raises OutputError."""
    write_report(out / "table.json", reports)
    write_atomically(out / "table.md", lambda part: part.write_text(text, encoding="utf-8"))
