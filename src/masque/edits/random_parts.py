"""Random hair for a face, random faces for a hair (RSGAN Section 4, Fig. 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from masque.edits.grey import grey_note, keep_cells_grey
from masque.edits.measures import inputs
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Photo, region_mask
from masque.errors import ValueRangeError
from masque.faces.frame import Matrix, chain, invert, warp, warp_photo, zoom
from masque.faces.paste import add_change, soften
from masque.faces.regions import HAIR_CROP
from masque.given import check_choice, seed_of, whole
from masque.image import Picture, grid
from masque.jsonfile import JSON
from masque.layers.noise import normal
from masque.models.rsgan import RSGANLatents

CELL = 256
"""Side of each picture on the sheet, in pixels."""

COLUMNS = 5
"""Pictures in a row of the sheet."""

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
    """A sheet of the photo's face and beside it the same with random hair, or a random face (RSGAN Section 4, Fig. 7).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    part: what is drawn at random: `face` or `hair`. It is the network's picture; the other part keeps the photo's own
        pixels, with the network's change added.
    count: how many are drawn, from 1 to 64.
    seed: the same seed gives the same sheet.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the sheet, cells of 256 pixels, and its record. Raises PictureError for a photo that cannot be read,
    NoFaceError, ValueRangeError."""
    check_choice("part", part, ("face", "hair"))
    count, seed = whole("count", count), seed_of(seed)
    if not 1 <= count <= 64:
        raise ValueRangeError(f"count is {count} and must be from 1 to 64.")
    subject = session.subject(photo, pick)
    z = session.encode(subject)
    seeds = torch.arange(count, dtype=torch.int64) + 1000 * seed
    random_latents = session.model.draw(part, SPREAD * normal(seeds, part, z.xf.shape[1]).to(session.device))
    many = RSGANLatents(*(t.expand(count, -1) for t in (z.xf, z.cf, z.xh, z.ch)))
    latents = replace(many, xf=random_latents) if part == "face" else replace(many, xh=random_latents)
    own = _cell(subject.photo, subject.matrix, session.size)
    before = session.compose(z)[0]
    face = soften(region_mask(subject), session.size / 16)
    kept_mask = 255 - face if part == "face" else face
    to_cell, everywhere = zoom(CELL / session.size), np.full_like(face, 255)
    share = warp(kept_mask, to_cell, (CELL, CELL)).astype(np.float32)[..., None] / 255
    cells = [own]
    for composed in session.compose(latents):
        kept = add_change(own, before, composed, invert(to_cell), everywhere).astype(np.float32)
        random = warp(composed, to_cell, (CELL, CELL))
        cells.append(np.rint(random + share * (kept - random)).astype(np.uint8))
    values: dict[str, JSON] = {
        "part": part,
        "count": count,
        "seed": seed,
        "inputs": inputs(photo=subject),
        **grey_note(subject),
    }
    sheet = grid(keep_cells_grey(subject, cells), min(COLUMNS, len(cells)))
    return Result(sheet, session.record("random", values))


def _cell(photo: Picture, matrix: Matrix, size: int) -> Picture:
    """The crop that `matrix` (photo -> crop of `size` pixels) shows, (CELL,CELL,3)."""
    return warp_photo(photo, chain(matrix, zoom(CELL / size)), (CELL, CELL), CELL / HAIR_CROP.side)[0]
