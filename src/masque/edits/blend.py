"""From one picture to another in steps, in one part or both (RSGAN supplement, Fig. A4)."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from masque.edits.grey import grey_note
from masque.edits.measures import inputs
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Photo
from masque.errors import ValueRangeError
from masque.faces.tones import fade
from masque.given import check_choice, whole
from masque.image import grid
from masque.jsonfile import JSON
from masque.models.rsgan import RSGANLatents

CELL = 256
"""Side of each picture on the strip, in pixels."""


def blend(
    session: RSGANSession,
    a: Photo,
    b: Photo,
    *,
    part: Literal["face", "hair", "both"] = "both",
    steps: int = 8,
    pick_a: int | None = None,
    pick_b: int | None = None,
) -> Result:
    """A strip of pictures on which the face, the hair or both go from one photo's to another's in even steps between
    their latents (RSGAN supplement, Fig. A4); all else stays the first photo's. The pictures are the network's own.

    a: the photo to start from: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    b: the photo to end at, in any of these ways.
    part: what goes: `face`, `hair` or `both`.
    steps: how many pictures, from 2 to 64, both ends included.
    pick_a, pick_b: which of several faces in each photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the strip, cells of 256 pixels in a row, and its record. Raises PictureError for a photo that cannot be
    read, NoFaceError, ValueRangeError."""
    check_choice("part", part, ("face", "hair", "both"))
    steps = whole("steps", steps)
    if not 2 <= steps <= 64:
        raise ValueRangeError(f"steps is {steps} and must be from 2 to 64.")
    first, last = session.subject(a, pick_a), session.subject(b, pick_b)
    t = torch.linspace(0, 1, steps, device=session.device)[:, None]
    face = t if part in ("face", "both") else torch.zeros_like(t)
    hair = t if part in ("hair", "both") else torch.zeros_like(t)
    latents = _interpolate(session.encode(first), session.encode(last), face, hair)
    cells = [
        cv2.resize(p, (CELL, CELL), interpolation=cv2.INTER_CUBIC).astype(np.uint8) for p in session.compose(latents)
    ]
    # A part of b comes into a's tones; all of b brings its own along.
    start, end = float(not first.grey), float(not (last if part == "both" else first).grey)
    cells = [
        cell if colour == 1 else fade(cell, colour)
        for cell, colour in zip(cells, np.linspace(start, end, steps), strict=True)
    ]
    values: dict[str, JSON] = {
        "part": part,
        "steps": steps,
        "inputs": inputs(a=first, b=last),
        **grey_note(first, end),
    }
    return Result(grid(cells, steps), session.record("blend", values))


def _interpolate(a: RSGANLatents, b: RSGANLatents, face: Tensor, hair: Tensor) -> RSGANLatents:
    """Latents between two (1,Z): face, hair: how far each part of each picture is on the way to b, (N,1) in [0,1]."""
    return RSGANLatents(
        torch.lerp(a.xf, b.xf, face),
        torch.lerp(a.cf, b.cf, face),
        torch.lerp(a.xh, b.xh, hair),
        torch.lerp(a.ch, b.ch, hair),
    )
