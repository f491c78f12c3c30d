"""Every attribute of a CCA-GAN's edited, side by side (CCA-GAN Fig. 4-6)."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np

from masque.edits.ccagan import CCAGANSession, make_edits
from masque.edits.grey import grey_note, keep_cells_grey, requested_colour
from masque.edits.measures import inputs
from masque.edits.moving import add_painting, moves_of
from masque.edits.person import edited_mask
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, flip_attributes
from masque.faces.frame import chain, warp_photo, zoom
from masque.faces.regions import HAIR_CROP
from masque.given import check_choice
from masque.image import grid
from masque.models.ccagan import HAIR_COLOURS

CELL = 256
"""Side of each picture on a sheet, in pixels."""


def sheet(session: CCAGANSession, photo: Photo, *, detail: Detail = "keep", pick: int | None = None) -> Result:
    """A sheet of the photo's face and beside it the same with each attribute flipped (CCA-GAN, Fig. 4-6): hair colours
    given, all others reversed.

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    detail: `keep` adds the network's change to the photo's own pixels, `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the sheet, cells of 256 pixels in a row, and its record. Raises PictureError for a photo that cannot be
    read, NoFaceError, ValueRangeError for a detail that does not exist."""
    check_choice("detail", detail, get_args(Detail))
    subject = session.subject(photo, pick)
    own = session.estimate(subject)
    flips = flip_attributes(own, session.attributes, HAIR_COLOURS)
    shares = session.shares(subject)
    paintings = make_edits(session, subject, own, [wanted for _, wanted in flips], shares)
    mask = edited_mask(subject, "both", shares)  # as in `edit`, so that the sheet shows what it will give
    to_cell = chain(subject.matrix, zoom(CELL / subject.size))
    cells = [warp_photo(subject.photo, to_cell, (CELL, CELL), CELL / HAIR_CROP.side)[0]]
    to_crop = zoom(subject.size / CELL)
    for (values, _), painting in zip(flips, paintings, strict=True):
        if detail == "network":
            cell = cv2.resize(painting.bare, (CELL, CELL), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        else:
            moves = moves_of(painting, cells[0], to_crop, mask, session.family)
            cell = add_painting(cells[0], painting, to_crop, mask, moves)
        cells += keep_cells_grey(subject, [cell], requested_colour(values, shares))
    shown = ["the photo", *(f"{name}={value:g}" for values, _ in flips for name, value in values.items())]
    record = session.record(
        "sheet", {"detail": detail, "shown": shown, "inputs": inputs(photo=subject), **grey_note(subject, 1.0)}
    )
    return Result(grid(cells, len(cells)), record)
