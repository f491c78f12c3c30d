"""New pictures of the same person (FaceFeat-GAN, Section 3.3 and Fig. 3 and 4): other pose, expression and light, the
same identity."""

from __future__ import annotations

import math

from masque.edits.drawn import draw_own
from masque.edits.facefeat import FaceFeatSession
from masque.edits.grey import grey_note
from masque.edits.own_cells import OwnCells, largest_cell
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, Subject
from masque.given import check_choice, seed_of, whole
from masque.image import Picture, grid
from masque.jsonfile import JSON


def synthesize(
    session: FaceFeatSession,
    photo: Photo,
    count: int = 16,
    seed: int = 0,
    pick: int | None = None,
    *,
    detail: Detail = "keep",
) -> Result:
    """A sheet of new pictures of a photo's person, with other poses, expressions and light (FaceFeat-GAN, Fig. 4a).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    count: how many, at least 1.
    seed: the same seed gives the same pictures.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    detail: "keep" makes them of the photo's own pixels, at the size that its face has there, up to 512; "network" are
        the network's pictures, as in the paper.

    Returns the sheet and its record, which says under `method` how they were made, and of own pixels under `drawn` what
    each differs in. Raises PictureError for a photo that cannot be read, NoFaceError, ValueRangeError."""
    subject = session.subject(photo, pick)
    pictures, how = _drawn(session, subject, count, seed, detail)
    sheet = grid(pictures, math.ceil(math.sqrt(len(pictures))))
    values: dict[str, JSON] = {"photo": subject.name, "count": len(pictures), "seed": seed_of(seed), **how}
    return Result(sheet, session.record("synthesize", {**values, **grey_note(subject)}))


def synthesize_pictures(
    session: FaceFeatSession,
    photo: Photo,
    count: int = 16,
    seed: int = 0,
    pick: int | None = None,
    *,
    detail: Detail = "keep",
) -> list[Picture]:
    """The pictures of `synthesize`, each by itself: (S,S,3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    count: how many, at least 1.
    seed: the same seed gives the same pictures.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    detail: "keep" makes them of the photo's own pixels, up to 512 pixels large; "network" are the network's.

    Raises PictureError for a photo that cannot be read, NoFaceError, ValueRangeError."""
    return _drawn(session, session.subject(photo, pick), count, seed, detail)[0]


def _drawn(
    session: FaceFeatSession, subject: Subject, count: int, seed: int, detail: Detail
) -> tuple[list[Picture], dict[str, JSON]]:
    """New pictures of a subject, and what the record says of how they were made."""
    check_choice("detail", detail, ("keep", "network"))
    if detail == "network" or session.own is None:
        return session.draw(subject, count, seed), {"method": "network"}
    cells = OwnCells(session.own, subject, largest_cell(math.ceil(math.sqrt(max(1, whole("count", count))))))
    pictures, varied = draw_own(session, cells, subject, count, seed)
    return pictures, {"method": "own", "drawn": [one.record() for one in varied]}
