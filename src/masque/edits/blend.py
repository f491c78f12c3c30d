"""From one picture to another in steps, in one part or both (RSGAN supplement, Fig. A4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import cv2
import numpy as np
import torch
from torch import Tensor

from masque.edits.grey import grey_note, keep_cells_grey
from masque.edits.measures import inputs
from masque.edits.mixing import GuidedMixture, Part, checked_size, ingredient, size_for, tone_of, towards, turned_apart
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, Subject
from masque.errors import ValueRangeError
from masque.faces.tones import fade
from masque.given import check_choice, whole
from masque.image import Picture, grid
from masque.jsonfile import JSON
from masque.models.rsgan import RSGANLatents

CELL = 256
"""Side of each picture on a strip of the network's own, in pixels."""


def blend(
    session: RSGANSession,
    a: Photo,
    b: Photo,
    *,
    part: Part = "both",
    steps: int = 8,
    detail: Detail = "keep",
    size: int | None = None,
    pick_a: int | None = None,
    pick_b: int | None = None,
) -> Result:
    """A strip of pictures on which the face, the hair or both go from one photo's to another's in even steps between
    their latents (RSGAN supplement, Fig. A4); all else stays the first photo's.

    a: the photo to start from: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    b: the photo to end at, in any of these ways.
    part: what goes: `face`, `hair` or `both`.
    steps: how many pictures, from 2 to 64, both ends included.
    detail: `keep` bends and mixes the photos' own pixels, and takes from the network what no pixels show, coarsely; the
        strip begins with the first photo itself and, where both parts go, ends with the second. `network` shows the
        network's pictures, 256 pixels wide.
    size: side of each picture in pixels, from 64 to 2,048, with `keep`; as large as the larger face is in its photo if
        None, 512 at most.
    pick_a, pick_b: which of several faces in each photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the strip, pictures in a row, and its record. Raises PictureError for a photo that cannot be read,
    NoFaceError, ValueRangeError."""
    check_choice("part", part, get_args(Part))
    check_choice("detail", detail, get_args(Detail))
    steps, size = whole("steps", steps), checked_size(size, detail)
    if not 2 <= steps <= 64:
        raise ValueRangeError(f"steps is {steps} and must be from 2 to 64.")
    first, last = session.subject(a, pick_a), session.subject(b, pick_b)
    t = torch.linspace(0, 1, steps, device=session.device)[:, None]
    face = t if part in ("face", "both") else torch.zeros_like(t)
    hair = t if part in ("hair", "both") else torch.zeros_like(t)
    latents = _interpolate(session.encode(first), session.encode(last), face, hair)
    # A part of b comes into a's tones; all of b brings its own along.
    start, end = float(not first.grey), float(not (last if part == "both" else first).grey)
    pictures = [
        picture if colour == 1 else fade(picture, colour)
        for picture, colour in zip(session.compose(latents), np.linspace(start, end, steps), strict=True)
    ]
    cells = (
        [cv2.resize(p, (CELL, CELL), interpolation=cv2.INTER_CUBIC).astype(np.uint8) for p in pictures]
        if detail == "network"
        else _of_own_pixels(session, first, last, part, pictures, size_for((first, last), size))
    )
    values: dict[str, JSON] = {
        "part": part,
        "steps": steps,
        "detail": detail,
        "inputs": inputs(a=first, b=last),
        **grey_note(first, end),
    }
    notes = turned_apart((first, last)) if detail == "keep" else []
    if notes:
        values["notes"] = notes
    return Result(grid(cells, steps), session.record("blend", values))


def _of_own_pixels(
    session: RSGANSession, first: Subject, last: Subject, part: Part, guides: Sequence[Picture], size: int
) -> list[Picture]:
    """Pictures (size,size,3) of the photos' own pixels. guides: the network's pictures (S,S,3) of each step."""
    start = ingredient(first, session.parser, size)
    # A black-and-white part that comes into a coloured photo takes on the tone that the part has there.
    tone = tone_of(start, part) if part != "both" and last.grey and not first.grey else None
    mixture = GuidedMixture(
        [start, ingredient(last, session.parser, size, tone)],
        [keep_cells_grey(subject, session.compose(session.encode(subject)))[0] for subject in (first, last)],
    )
    steps = np.linspace(0, 1, len(guides))
    cells = [mixture.mixed(towards(part, share), guide) for share, guide in zip(steps, guides, strict=True)]
    if first.grey and (last.grey or part != "both"):
        stay = len(cells) - 1 if part == "both" else len(cells)
        cells[1:stay] = [fade(cell, 0.0) for cell in cells[1:stay]]
    return cells


def _interpolate(a: RSGANLatents, b: RSGANLatents, face: Tensor, hair: Tensor) -> RSGANLatents:
    """Latents between two (1,Z): face, hair: how far each part of each picture is on the way to b, (N,1) in [0,1]."""
    return RSGANLatents(
        torch.lerp(a.xf, b.xf, face),
        torch.lerp(a.cf, b.cf, face),
        torch.lerp(a.xh, b.xh, hair),
        torch.lerp(a.ch, b.ch, hair),
    )
