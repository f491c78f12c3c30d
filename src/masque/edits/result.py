"""What an edit returns: the picture and a record of how it came about."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from masque.image import Picture, encoding, write_picture
from masque.provenance import fingerprint, packet


@dataclass(frozen=True)
class Result:
    """A finished edit."""

    picture: Picture
    """RGB uint8 (H,W,3)."""
    record: Mapping[str, Any]
    """Plain JSON values: edit, model, weights, inputs, measures."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as PNG, JPEG or WebP with its record inside. Raises OutputError."""
        return write_picture(path, self.picture, xmp=packet(self.record, self._written_pixels(Path(path))))

    def _written_pixels(self, path: Path) -> str:
        """The fingerprint of the pixels as a reader will decode them: a lossy format changes them."""
        kind, options = encoding(path)
        if kind == "PNG":
            return fingerprint(self.picture)
        encoded = BytesIO()
        Image.fromarray(self.picture).save(encoded, kind, **options)
        with Image.open(encoded) as decoded:
            return fingerprint(np.array(decoded.convert("RGB"), dtype=np.uint8))
