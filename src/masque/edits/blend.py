"""From one picture to another in steps, in one part or both (RSGAN supplement, Fig. A4)."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch

from masque.edits.grey import said
from masque.edits.measures import inputs
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Photo
from masque.errors import ValueRangeError
from masque.faces.tones import fade
from masque.given import check_choice, whole
from masque.image import grid
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
    """A strip of `steps` pictures in which `part` goes from photo a's to photo b's and everything else stays a's.

    a, b: RGB uint8 (H,W,3) or paths. The pictures are the network's own, straight lines between latents, first and last
    included. Raises PictureError, NoFaceError, ValueRangeError."""
    check_choice("part", part, ("face", "hair", "both"))
    steps = whole("steps", steps)
    if not 2 <= steps <= 64:
        raise ValueRangeError(f"steps is {steps} and must be from 2 to 64.")
    first, last = session.subject(a, pick_a), session.subject(b, pick_b)
    za, zb = session.encode(first), session.encode(last)
    t = torch.linspace(0, 1, steps, device=session.device)[:, None]
    face = t if part in ("face", "both") else torch.zeros_like(t)
    hair = t if part in ("hair", "both") else torch.zeros_like(t)
    latents = RSGANLatents(
        torch.lerp(za.xf, zb.xf, face),
        torch.lerp(za.cf, zb.cf, face),
        torch.lerp(za.xh, zb.xh, hair),
        torch.lerp(za.ch, zb.ch, hair),
    )
    cells = [
        cv2.resize(p, (CELL, CELL), interpolation=cv2.INTER_CUBIC).astype(np.uint8) for p in session.compose(latents)
    ]
    # A part of b comes into a's tones; all of b brings its own along.
    start, end = float(not first.grey), float(not (last if part == "both" else first).grey)
    cells = [
        cell if colour == 1 else fade(cell, colour)
        for cell, colour in zip(cells, np.linspace(start, end, steps), strict=True)
    ]
    record = session.record("blend", part=part, steps=steps, inputs=inputs(a=first, b=last), **said(first, end))
    return Result(grid(cells, steps), record)
