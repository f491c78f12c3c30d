"""Every attribute that can be edited, side by side, at half and at full strength."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from masque.edits.ageing import ADULT, read_face
from masque.edits.ageing_values import MALE, YOUNG, checked_stated
from masque.edits.expression import OPEN, SMILE
from masque.edits.hair_colour import COLOURS
from masque.edits.measures import inputs
from masque.edits.own import SIZE, OwnSession, edit_subject
from masque.edits.result import Result
from masque.edits.sheet import CELL
from masque.edits.subject import Photo, find_subject
from masque.faces.frame import chain, warp_photo, zoom
from masque.faces.regions import HAIR_CROP
from masque.image import Picture, grid
from masque.jsonfile import JSON
from masque.version import __version__

STRENGTHS = (0.5, 1.0)


TOO_YOUNG = "The face reads under {years:.0f}, so the sheet has neither age nor sex: say how old the person is."


def sheet(session: OwnSession, photo: Photo, *, age: float | None = None, pick: int | None = None) -> Result:
    """A sheet of the photo's face and beside it the same with each attribute given, above at half its strength and
    below at all of it; youth is taken, and a face's sex is changed for the other.

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    age: how old the person is, in years from 18 on; as the face reads if None. A face that reads too young to be aged
        has no cells of that.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the sheet, cells of 256 pixels in two rows, and its record. Raises PictureError for a photo that cannot be
    read, NoFaceError, and CheckpointError where the weights that it takes are missing."""
    stated = checked_stated(age)
    subject = replace(find_subject(photo, SIZE, pick, session.device), first=None, earlier=None)  # changes from here on
    to_cell = chain(subject.matrix, zoom(CELL / SIZE))

    def cell(picture: Picture) -> Picture:
        return warp_photo(picture, to_cell, (CELL, CELL), CELL / HAIR_CROP.side)[0]

    shown = dict.fromkeys((*COLOURS, SMILE, OPEN), 1.0)
    read, male = read_face(session.prototypes()[0], subject)
    aged = read >= ADULT or stated is not None
    if aged:
        shown |= {YOUNG: 0.0, MALE: 0.0 if male > 0.5 else 1.0}
    rows: list[list[Picture]] = [[cell(subject.photo)] for _ in STRENGTHS]
    for name, value in shown.items():
        change = edit_subject(session, subject, {name: value}, stated).change
        assert change is not None
        for row, strength in zip(rows, STRENGTHS, strict=True):
            row.append(cell(change.scaled(strength).apply(subject.photo)))
    names = ["the photo", *(f"{name}={value:g}" for name, value in shown.items())]
    picture = np.asarray(grid([one for row in rows for one in row], len(names)), dtype=np.uint8)
    record: dict[str, JSON] = {"edit": "sheet", "model": session.family, "masque": __version__, "shown": list(names)}
    if not aged:
        record["notes"] = [TOO_YOUNG.format(years=ADULT)]
    return Result(picture, {**record, "strengths": list(STRENGTHS), "inputs": inputs(photo=subject)})
