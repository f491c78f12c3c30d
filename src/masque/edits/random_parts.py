"""Random hair for a face, random faces for a hair (RSGAN Section 4, Fig. 7)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from masque.edits.grey import cells_in_tones, said
from masque.edits.measures import inputs
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Photo, region_mask
from masque.errors import ValueRangeError
from masque.faces.frame import Matrix, chain, invert, see, warp, zoom
from masque.faces.paste import add_change, soften
from masque.faces.regions import HAIR_CROP
from masque.given import check_choice, seed_of, whole
from masque.image import Picture, grid
from masque.layers.noise import normal
from masque.models.rsgan import RSGANLatents

CELL = 256
"""Side of each picture on the sheet, in pixels."""

COLUMNS = 5

SPREAD = 0.7
"""How far from the middle parts are drawn: nearer than in training fewer are odd, and fewer are far apart (Brock et al.
2019)."""


def random_parts(
    session: RSGANSession,
    photo: Photo,
    part: Literal["face", "hair"],
    *,
    count: int = 8,
    seed: int = 0,
    pick: int | None = None,
) -> Result:
    """A sheet: the photo's face first, then `count` pictures in which `part` is drawn at random and the other part is
    the photo's own.

    photo: RGB uint8 (H,W,3) or a path. The part that stays keeps the photo's own pixels (with the network's change
    added); the drawn one is the network's picture. The same seed gives the same sheet. Raises PictureError,
    NoFaceError, ValueRangeError."""
    check_choice("part", part, ("face", "hair"))
    count, seed = whole("count", count), seed_of(seed)
    if not 1 <= count <= 64:
        raise ValueRangeError(f"count is {count} and must be from 1 to 64.")
    subject = session.subject(photo, pick)
    z = session.encode(subject)
    seeds = torch.arange(count, dtype=torch.int64) + 1000 * seed
    drawn = session.model.draw(part, SPREAD * normal(seeds, part, z.xf.shape[1]).to(session.device))
    many = RSGANLatents(*(t.expand(count, -1) for t in (z.xf, z.cf, z.xh, z.ch)))
    latents = (
        RSGANLatents(drawn, many.cf, many.xh, many.ch)
        if part == "face"
        else RSGANLatents(many.xf, many.cf, drawn, many.ch)
    )
    own = _cell(subject.photo, subject.matrix, session.size)
    before = session.compose(z)[0]
    face = soften(region_mask(subject), session.size / 16)
    stays = 255 - face if part == "face" else face
    to_cell = zoom(CELL / session.size)
    full = np.full_like(face, 255)
    share = warp(stays, to_cell, (CELL, CELL)).astype(np.float32)[..., None] / 255
    cells = [own]
    for painted in session.compose(latents):
        kept, drawn_cell = add_change(own, before, painted, invert(to_cell), full), warp(painted, to_cell, (CELL, CELL))
        cells.append(np.rint(drawn_cell + share * (kept.astype(np.float32) - drawn_cell)).astype(np.uint8))
    cells = cells_in_tones(subject, cells)
    record = session.record("random", part=part, count=count, seed=seed, inputs=inputs(photo=subject), **said(subject))
    return Result(grid(cells, min(COLUMNS, len(cells))), record)


def _cell(photo: Picture, matrix: Matrix, size: int) -> Picture:
    return see(photo, chain(matrix, zoom(CELL / size)), (CELL, CELL), CELL / HAIR_CROP.side)[0]
