"""A stored change of a photo, applied again."""

from __future__ import annotations

import os

from masque.edits.layers import layer_shares, show_layers
from masque.edits.result import Result
from masque.edits.subject import Photo, as_photo
from masque.faces.changefile import load_change
from masque.given import share
from masque.jsonfile import JSON
from masque.version import __version__


def apply_change_file(
    path: str | os.PathLike[str], photo: Photo, strength: float = 1.0, *, layers: bool = False
) -> Result:
    """A photo changed as a file says that `masque edit --save-change` wrote.

    path: the file. photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3): the photo that the
    change was made for, or a copy of it at another size. strength: from 0, the photo as it is, to 1, the whole change.
    layers: show each layer of the change by itself instead.

    Returns the whole photo, changed, and its record; or a sheet of what each layer makes of the photo, one after the
    other, and below what it alters. Raises PictureError for a photo or a change that cannot be read,
    and for another photo, ValueRangeError for a strength outside [0,1]."""
    strength = share("strength", strength)
    pixels, name = as_photo(photo)
    change = load_change(path, pixels).scaled(strength)
    record: dict[str, JSON] = {
        "edit": "apply",
        "model": "no model",
        "masque": __version__,
        "change": os.path.basename(os.fsdecode(path)),
        "strength": strength,
        "layers": layer_shares(change, pixels),
        "inputs": {"photo": {"photo": name}},
    }
    return Result(show_layers(change, pixels), record) if layers else Result(change.apply(pixels), record, change)
