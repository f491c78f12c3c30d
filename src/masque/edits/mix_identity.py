"""From one person to another in steps, all else kept (FaceFeat-GAN, Fig. 4b)."""

from __future__ import annotations

import torch

from masque.edits.facefeat import FaceFeatSession
from masque.edits.grey import grey_note, keep_cells_grey
from masque.edits.result import Result
from masque.edits.subject import Photo
from masque.errors import ValueRangeError
from masque.given import whole
from masque.image import grid
from masque.jsonfile import JSON


def mix(session: FaceFeatSession, first: Photo, second: Photo, steps: int = 8) -> Result:
    """A strip of pictures from one person to another, all else as the first photo has it (FaceFeat-GAN, Fig. 4b).

    first: the photo to start from: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3).
    second: a photo of the person to end at, in any of these ways.
    steps: how many pictures, at least 2, both ends included.

    Returns the strip and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    ValueRangeError."""
    steps = whole("steps", steps)
    if steps < 2:
        raise ValueRangeError(f"A strip of {steps} pictures has no two ends: ask for two at least.")
    a, b = session.subject(first), session.subject(second)
    f_id, f_1, f_2 = session.features(a)
    other = session.features(b)[0]
    along = torch.cat([torch.lerp(f_id, other, i / (steps - 1)) for i in range(steps)])
    pictures = keep_cells_grey(a, session.pictures(along, f_1.expand(steps, -1), f_2.expand(steps, -1)))
    values: dict[str, JSON] = {"faces": [a.name, b.name], "steps": steps, **grey_note(a)}
    return Result(grid(pictures, steps), session.record("mix-identity", values))
