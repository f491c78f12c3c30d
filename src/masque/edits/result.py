"""What an edit returns: the picture and a record of how it came about."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masque.given import output_path
from masque.image import Picture
from masque.provenance import write_recorded


@dataclass(frozen=True)
class Result:
    """A finished edit."""

    picture: Picture
    """RGB uint8 (H,W,3)."""
    record: Mapping[str, Any]
    """Plain JSON values: edit, model, weights, inputs, measures."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as PNG, JPEG or WebP with its record inside. Raises OutputError."""
        return write_recorded(output_path(path), self.picture, self.record)
