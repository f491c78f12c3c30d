"""What an edit returns: the picture and a record of how it came about."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from masque.faces.change import Change
from masque.faces.detect import Face
from masque.given import output_path
from masque.image import Picture
from masque.jsonfile import JSON
from masque.provenance import recorded, write_recorded


@dataclass(frozen=True)
class Original:
    """The photo that was edited, as it was before any edit, and the face in it."""

    name: str
    """What to call the photo."""
    photo: Picture
    """(H,W,3)"""
    face: Face
    """Where the face lies in it."""


@dataclass(frozen=True)
class Result:
    """A finished edit."""

    picture: Picture
    """The edited picture, RGB uint8 (H,W,3)."""
    record: Mapping[str, JSON]
    """Plain JSON values: edit, model, weights, inputs, measures."""
    change: Change | None = None
    """How the photo was changed, to be applied again at another strength; None for a sheet, and for pictures that are
    not a photo edited."""
    original: Original | None = None
    """The photo as it was, and the face that was edited. With it a result can be edited again as a photo can: the face
    need not be looked for, and both changes are one, which is applied to the photo once."""

    def texts(self, name: str) -> list[str]:
        """The texts that the record lists under a name, such as `notes`; none where it lists none.

        name: of the list."""
        values = self.record.get(name)
        return [str(value) for value in values] if isinstance(values, list | tuple) else []

    def encoded(self, kind: str = "png") -> bytes:
        """The content of the file that `save` writes, with the record inside.

        kind: png, jpg or webp. Raises OutputError."""
        return recorded(self.picture, self.record, kind)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as PNG, JPEG or WebP with its record inside, whole or not at all, and return the path.

        path: where; its ending is the format. Raises OutputError."""
        return write_recorded(output_path(path), self.picture, self.record)
