"""New pictures of the same person (FaceFeat-GAN, Section 3.3 and Fig. 3 and 4): other pose, expression and light, the
same identity."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from masque.edits.facefeat import FaceFeatSession
from masque.edits.grey import cells_in_tones, said
from masque.edits.result import Result
from masque.edits.subject import Photo
from masque.errors import ValueRangeError
from masque.given import number, seed_of, whole
from masque.image import Picture, grid

FARTHEST = 60.0
"""Degrees: a head turned farther shows another side than any picture that was trained on."""


def synthesize(
    session: FaceFeatSession, photo: Photo, count: int = 16, seed: int = 0, pick: int | None = None
) -> Result:
    """The same as a sheet (Fig. 4a)."""
    count, seed = whole("count", count), seed_of(seed)
    subject = session.subject(photo, pick)
    sheet = grid(session.draw(subject, count, seed), math.ceil(math.sqrt(count)))
    return Result(sheet, session.record("synthesize", photo=subject.name, count=count, seed=seed, **said(subject)))


def synthesize_pictures(
    session: FaceFeatSession, photo: Photo, count: int = 16, seed: int = 0, pick: int | None = None
) -> list[Picture]:
    """The pictures of `synthesize`, each by itself: `count` of (S,S,3)."""
    return session.draw(session.subject(photo, pick), count, seed)


def modify(
    session: FaceFeatSession,
    photo: Photo,
    yaws: Sequence[float] | None = None,
    expression_from: Photo | None = None,
    light_from: Photo | None = None,
    pick: int | None = None,
) -> Result:
    """The photo's person as the photo shows it but for what is asked; one picture for each yaw, side by side.

    yaws: degrees to the picture's right, within ±60; the photo's own if None. expression_from, light_from: photos
    whose expression, and whose light and all else that is neither person, expression nor pose, are taken. Raises
    PictureError, NoFaceError, ValueRangeError."""
    yaws = None if yaws is None else [number("a yaw", yaw) for yaw in yaws]
    if yaws is not None and (not len(yaws) or not all(abs(yaw) <= FARTHEST for yaw in yaws)):
        raise ValueRangeError(
            f"Heads are turned by up to {FARTHEST:.0f} degrees to either side: name yaws within that."
        )
    subject = session.subject(photo, pick)
    f_id, f_1, f_2 = session.features(subject)
    E_1, names, colour = session.model.E_1, {"photo": subject.name}, 0.0
    if expression_from is not None:
        other = session.subject(expression_from)
        f_1, names["expression"] = E_1.with_yaw(session.features(other)[1], E_1.yaw(f_1)), other.name
    if light_from is not None:
        other = session.subject(light_from)
        f_2, names["light"] = session.features(other)[2], other.name
        colour = float(not other.grey)  # the colours are in f_2
    if yaws is not None:
        f_1 = torch.cat([E_1.with_yaw(f_1, math.radians(yaw)) for yaw in yaws])
    many = len(f_1)
    made = cells_in_tones(subject, session.pictures(f_id.expand(many, -1), f_1, f_2.expand(many, -1)), colour)
    record = session.record(
        "synthesize",
        **names,
        **said(subject, colour),
        **({"yaws": [round(yaw, 2) for yaw in yaws]} if yaws is not None else {}),
    )
    return Result(grid(made, many) if many > 1 else made[0], record)
