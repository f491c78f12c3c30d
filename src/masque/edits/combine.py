"""One face of several: the mean of a person's photos, arithmetic on faces (ProGAN paper, Fig. 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

import torch

from masque.edits.formula import compute
from masque.edits.grey import KEPT
from masque.edits.latents import Latent, LatentSession
from masque.edits.result import Result
from masque.errors import PictureError, ValueRangeError, printable
from masque.faces.tones import fade
from masque.given import number


def average(session: LatentSession, latents: Sequence[Latent], name: str) -> Latent:
    """The mean of several faces: one operand of several examples (Radford et al. 2015).

    latents: of this model, one at least.
    name: what to call their mean.

    Raises PictureError without any, CheckpointError for latents of another model."""
    if not latents:
        raise PictureError(f"{name} holds no photos: an operand needs one at least.")
    return session.latent(
        torch.stack(session.vectors(latents)).mean(dim=0), name, all(latent.grey for latent in latents)
    )


def combine(
    session: LatentSession, latents: Sequence[Latent], formula: str | None = None, weight: float = 0.5
) -> Result:
    """One face of several (ProGAN paper, Fig. 4 and 5).

    latents: of this model, in the order of the formula's names.
    formula: arithmetic on a, b, c …, the latents in their order, such as "a - b + c" or "(a + b + c) / 3"; None
        combines two as (1 − weight)·a + weight·b.
    weight: how much of the second, in [0,1], without a formula.

    Returns the picture (S,S,3) and its record. Raises ValueRangeError for a formula that cannot be computed,
    CheckpointError for latents of another model."""
    check_combination(len(latents), formula, weight)
    z, width = session.vectors(latents), session.model.config.z
    if formula is None:
        weight = number("weight", weight)
        combined, formula = torch.lerp(z[0], z[1], weight), f"{1 - weight:g}*a + {weight:g}*b"
    else:
        combined = compute(formula, dict(zip(ascii_lowercase, z, strict=False))).clone()  # it may be a face's own
        # A z that sums have made long will be shortened: its detail as much, or 2*a would have twice that of a.
        longer = combined[:width].square().mean().sqrt().clamp_min(1.0)
        combined[width:] /= longer
    if float(combined[:width].square().mean()) < 1e-6:
        raise ValueRangeError(f"The formula {printable(formula)!r} leaves no face: its faces cancel each other.")
    (picture,) = session.pictures(session.model.settle(combined[None]))
    record = session.record("combine", {"formula": formula, "faces": [latent.name for latent in latents]})
    if all(latent.grey for latent in latents):
        return Result(fade(picture, 0.0), {**record, **KEPT})
    return Result(picture, record)


def check_combination(count: int, formula: str | None = None, weight: float = 0.5) -> None:
    """Raise ValueRangeError for what `combine` could not make of any `count` faces: known before they are sought, which
    takes a while."""
    if formula is not None:
        compute(formula, dict.fromkeys(ascii_lowercase[:count], torch.ones(1)))
        return
    weight = number("weight", weight)
    if count != 2:
        raise ValueRangeError(
            f"Without a formula two faces are combined, not {count}: give a formula such as 'a - b + c'."
        )
    if not 0.0 <= weight <= 1.0:
        raise ValueRangeError(f"The weight {weight:g} is outside [0, 1]: 0 is the first face, 1 the second.")
