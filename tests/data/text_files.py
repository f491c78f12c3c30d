"""Lists as other programs write them."""

from __future__ import annotations

from pathlib import Path


def write_lines(path: Path, *lines: str, mark: bytes = b"", ends: str = "\n") -> None:
    """Write a text file. mark: of byte order, at its start. ends: of its lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mark + "".join(line + ends for line in lines).encode())
