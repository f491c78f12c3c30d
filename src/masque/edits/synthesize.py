"""New pictures of the same person (FaceFeat-GAN, Section 3.3 and Fig. 3 and 4): other pose, expression and light, the
same identity."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from masque.edits.facefeat import FaceFeatSession
from masque.edits.grey import grey_note, keep_cells_grey
from masque.edits.result import Result
from masque.edits.subject import Photo
from masque.errors import ValueRangeError
from masque.given import number, seed_of, whole
from masque.image import Picture, grid
from masque.jsonfile import JSON

FARTHEST = 60.0
"""Degrees: a head turned farther shows another side than any picture that was trained on."""


def synthesize(
    session: FaceFeatSession, photo: Photo, count: int = 16, seed: int = 0, pick: int | None = None
) -> Result:
    """A sheet of new pictures of a photo's person, with other poses, expressions and light (FaceFeat-GAN, Fig. 4a).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    count: how many, at least 1.
    seed: the same seed gives the same pictures.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the sheet and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    ValueRangeError."""
    count, seed = whole("count", count), seed_of(seed)
    subject = session.subject(photo, pick)
    sheet = grid(session.draw(subject, count, seed), math.ceil(math.sqrt(count)))
    values: dict[str, JSON] = {"photo": subject.name, "count": count, "seed": seed, **grey_note(subject)}
    return Result(sheet, session.record("synthesize", values))


def synthesize_pictures(
    session: FaceFeatSession, photo: Photo, count: int = 16, seed: int = 0, pick: int | None = None
) -> list[Picture]:
    """The pictures of `synthesize`, each by itself: (S,S,3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    count: how many, at least 1.
    seed: the same seed gives the same pictures.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Raises PictureError for a photo that cannot be read, NoFaceError, ValueRangeError."""
    return session.draw(session.subject(photo, pick), count, seed)


def modify(
    session: FaceFeatSession,
    photo: Photo,
    yaws: Sequence[float] | None = None,
    expression_from: Photo | None = None,
    light_from: Photo | None = None,
    pick: int | None = None,
) -> Result:
    """A photo's person as the photo shows it but for what an argument changes (FaceFeat-GAN, Fig. 3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    yaws: degrees by which the head is turned to the picture's right, within ±60; one picture for each, side by side.
        None keeps the photo's own.
    expression_from: a photo whose expression is taken.
    light_from: a photo whose light is taken, and all else that is neither person, expression nor pose.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the picture or strip, and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    ValueRangeError."""
    degrees = None if yaws is None else [number("a yaw", yaw) for yaw in yaws]
    if degrees is not None and (not degrees or not all(abs(yaw) <= FARTHEST for yaw in degrees)):
        raise ValueRangeError(
            f"Heads are turned by up to {FARTHEST:.0f} degrees to either side: name yaws within that."
        )
    subject = session.subject(photo, pick)
    f_id, f_1, f_2 = session.features(subject)
    E_1 = session.model.E_1
    names, colour = {"photo": subject.name}, 0.0
    if expression_from is not None:
        other = session.subject(expression_from)
        f_1, names["expression"] = E_1.with_yaw(session.features(other)[1], E_1.yaw(f_1)), other.name
    if light_from is not None:
        other = session.subject(light_from)
        f_2, names["light"] = session.features(other)[2], other.name
        colour = float(not other.grey)  # the colours are in f_2
    values: dict[str, JSON] = {**names, **grey_note(subject, colour)}
    if degrees is not None:
        f_1 = torch.cat([E_1.with_yaw(f_1, math.radians(yaw)) for yaw in degrees])
        values["yaws"] = [round(yaw, 2) for yaw in degrees]
    count = len(f_1)
    pictures = session.pictures(f_id.expand(count, -1), f_1, f_2.expand(count, -1))
    pictures = keep_cells_grey(subject, pictures, colour)
    return Result(grid(pictures, count) if count > 1 else pictures[0], session.record("synthesize", values))
