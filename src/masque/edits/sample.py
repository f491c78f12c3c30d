"""Faces of nobody, drawn from the prior (ProGAN paper, Fig. 2)."""

from __future__ import annotations

import math

import torch

from masque.edits.latents import LatentSession
from masque.edits.result import Result
from masque.errors import ValueRangeError
from masque.given import number, seed_of, whole
from masque.image import grid

TRUNCATION = 0.7
"""How far faces that are drawn to be looked at are truncated. What is measured of a generator is not."""


def sample(
    session: LatentSession,
    count: int = 16,
    seed: int = 0,
    columns: int | None = None,
    truncation: float | None = None,
) -> Result:
    """A sheet of faces of nobody.

    count: how many, at least 1.
    seed: the same seed gives the same faces.
    columns: of the sheet; as many as rows if None.
    truncation: in [0,1]: 1 has all the variety, less has fewer spoilt faces; 0.7 if None.

    Returns the sheet and its record. Raises ValueRangeError."""
    count, seed = whole("count", count), seed_of(seed)
    columns = None if columns is None else whole("columns", columns)
    if columns is not None and columns < 1:
        raise ValueRangeError(f"A sheet of {columns} columns cannot be made: ask for at least 1.")
    if count < 1:
        raise ValueRangeError(f"{count} faces cannot be drawn: ask for one at least.")
    truncation = TRUNCATION if truncation is None else number("truncation", truncation)
    if not 0 <= truncation <= 1:
        raise ValueRangeError(f"truncation is {truncation} and must be from 0 to 1.")
    z = session.model.draw(torch.arange(count) + 1_000_003 * seed, "sample")
    sheet = grid(list(session.pictures(z, truncation)), columns or math.ceil(math.sqrt(count)))
    return Result(sheet, session.record("sample", {"count": count, "seed": seed, "truncation": truncation}))
