"""Every attribute of a CCA-GAN's edited, side by side (CCA-GAN Fig. 4-6)."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np

from masque.edits.ccagan import CCAGANSession, painted
from masque.edits.grey import asked_colour, cells_in_tones, said
from masque.edits.measures import inputs
from masque.edits.person import edited_mask
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, turned_round
from masque.faces.frame import chain, see, zoom
from masque.faces.paste import add_change
from masque.faces.regions import HAIR_CROP
from masque.given import check_choice
from masque.image import grid
from masque.models.ccagan import HAIR_COLOURS

CELL = 256
"""Side of each picture on a sheet, in pixels."""


def sheet(session: CCAGANSession, photo: Photo, *, detail: Detail = "keep", pick: int | None = None) -> Result:
    """The photo's face, and beside it the same with each attribute turned round (Fig. 4-6): hair colours given, all
    others reversed.

    Raises PictureError, NoFaceError, ValueRangeError.
    """
    check_choice("detail", detail, get_args(Detail))
    subject = session.subject(photo, pick)
    own = session.estimate(subject)
    turned = turned_round(own, session.attributes, HAIR_COLOURS)
    shares = session.shares(subject)
    before, *after = painted(session, subject, own, [wanted for _, wanted in turned], shares)
    mask = edited_mask(subject, "both", shares)  # as in `edit`, so that the sheet shows what it will give
    to_cell = chain(subject.matrix, zoom(CELL / subject.size))
    cells = [see(subject.photo, to_cell, (CELL, CELL), CELL / HAIR_CROP.side)[0]]
    for (asked, _), one in zip(turned, after, strict=True):
        if detail == "network":
            cell = cv2.resize(one, (CELL, CELL), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        else:
            cell = add_change(cells[0], before, one, zoom(subject.size / CELL), mask)
        cells += cells_in_tones(subject, [cell], asked_colour(asked, shares))
    shown = ["the photo", *(f"{name}={value:g}" for asked, _ in turned for name, value in asked.items())]
    return Result(
        grid(cells, len(cells)),
        session.record("sheet", detail=detail, shown=shown, inputs=inputs(photo=subject), **said(subject, 1.0)),
    )
