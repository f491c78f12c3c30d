"""Random hair for a face, random faces for a hair (RSGAN Section 4, Fig. 7)."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch

from masque.edits.measures import inputs
from masque.edits.result import Result
from masque.edits.session import Photo, Session, region_mask
from masque.errors import ValueRangeError
from masque.faces.paste import add_change, paste, soften
from masque.image import Picture, grid
from masque.layers.noise import normal
from masque.models.rsgan import Latents

CELL = 256
"""Side of each picture on the sheet, in pixels."""

COLUMNS = 5


def random_parts(
    session: Session, photo: Photo, part: Literal["face", "hair"], *, count: int = 8, seed: int = 0, pick: int | None = None
) -> Result:
    """A sheet: the photo's face first, then `count` pictures in which `part` is drawn at random and the other part is the photo's own.

    photo: RGB uint8 (H,W,3) or a path. The part that stays keeps the photo's own pixels (with the network's change added); the drawn
    one is the network's picture. The same seed gives the same sheet. Raises PictureError, NoFaceError, ValueRangeError.
    """
    if not 1 <= count <= 64:
        raise ValueRangeError(f"count is {count} and must be from 1 to 64.")
    subject = session.subject(photo, pick)
    z = session.encode(subject)
    seeds = torch.arange(count, dtype=torch.int64) + 1000 * seed
    drawn = normal(seeds, part, z.xf.shape[1]).to(session.device)
    many = Latents(*(t.expand(count, -1) for t in (z.xf, z.cf, z.xh, z.ch)))
    latents = Latents(drawn, many.cf, many.xh, many.ch) if part == "face" else Latents(many.xf, many.cf, drawn, many.ch)
    own = _cell(subject.photo, subject.matrix, session.size)
    before = session.compose(z)[0]
    face = soften(region_mask(subject), session.size / 16)
    stays = 255 - face if part == "face" else face
    zoom = CELL / session.size
    to_cell = np.array([[1 / zoom, 0, 0.5 / zoom - 0.5], [0, 1 / zoom, 0.5 / zoom - 0.5]])
    full = np.full_like(face, 255)
    cells = [own]
    for painted in session.compose(latents):
        kept = add_change(own, before, painted, to_cell, full)
        cells.append(paste(kept, painted, to_cell, 255 - stays, match=False))
    record = session.record("random", part=part, count=count, seed=seed, inputs=inputs(photo=subject))
    return Result(grid(cells, min(COLUMNS, len(cells))), record)


def _cell(photo: Picture, matrix: np.ndarray, size: int) -> Picture:
    from masque.faces.frame import chain, warp

    zoom = CELL / size
    return warp(
        photo,
        chain(matrix, np.array([[zoom, 0, 0.5 * zoom - 0.5], [0, zoom, 0.5 * zoom - 0.5]])),
        (CELL, CELL),
        border=cv2.BORDER_REPLICATE,
    )
