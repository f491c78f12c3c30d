"""From one person to another in steps, all else kept (FaceFeat-GAN, Fig. 4b)."""

from __future__ import annotations

import torch

from masque.edits.facefeat import FaceFeatSession
from masque.edits.grey import cells_in_tones, said
from masque.edits.result import Result
from masque.edits.subject import Photo
from masque.errors import ValueRangeError
from masque.given import whole
from masque.image import grid


def mix(session: FaceFeatSession, first: Photo, second: Photo, steps: int = 8) -> Result:
    """Pictures from one person to another, all else as the first photo has it (Fig. 4b). Raises PictureError,
    NoFaceError, ValueRangeError."""
    steps = whole("steps", steps)
    if steps < 2:
        raise ValueRangeError(f"A strip of {steps} pictures has no two ends: ask for two at least.")
    a, b = session.subject(first), session.subject(second)
    f_id, f_1, f_2 = session.features(a)
    other = session.features(b)[0]
    along = torch.cat([torch.lerp(f_id, other, i / (steps - 1)) for i in range(steps)])
    made = cells_in_tones(a, session.pictures(along, f_1.expand(steps, -1), f_2.expand(steps, -1)))
    return Result(grid(made, steps), session.record("mix-identity", faces=[a.name, b.name], steps=steps, **said(a)))
