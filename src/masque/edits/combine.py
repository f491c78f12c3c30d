"""One face of several: the mean of a person's photos, arithmetic on faces (ProGAN paper, Fig. 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.edits.formula import compute
from masque.edits.grey import KEPT
from masque.edits.latents import Latent, LatentSession
from masque.edits.mixing import checked_size, turned_apart
from masque.edits.photos_of import guided, side_for
from masque.edits.result import Result
from masque.edits.subject import Detail
from masque.errors import PictureError, ValueRangeError, printable
from masque.faces.head_mixture import Proportions
from masque.faces.tones import fade
from masque.given import check_choice, number
from masque.image import Picture
from masque.jsonfile import JSON

MOST_OF_CHANGE = 90.0
"""Levels of 255 by which a formula that takes faces away changes the first photo's light and colour at most."""


ROUNDED = 0.005
"""By how much the sum of weights may differ from 1, since people write them with two or three digits."""


def average(session: LatentSession, latents: Sequence[Latent], name: str) -> Latent:
    """The mean of several faces: one operand of several examples (Radford et al. 2015).

    latents: of this model, one at least.
    name: what to call their mean.

    Raises PictureError without any, CheckpointError for latents of another model."""
    if not latents:
        raise PictureError(f"{name} holds no photos: an operand needs one at least.")
    grey, subject = all(latent.grey for latent in latents), latents[0].subject if len(latents) == 1 else None
    return session.latent(torch.stack(session.vectors(latents)).mean(dim=0), name, grey, subject)


def combine(
    session: LatentSession,
    latents: Sequence[Latent],
    formula: str | None = None,
    weight: float = 0.5,
    *,
    weights: Sequence[float] | None = None,
    detail: Detail = "keep",
    size: int | None = None,
) -> Result:
    """One face of several (ProGAN paper, Fig. 4 and 5).

    latents: of this model, in the order of the formula's names.
    formula: arithmetic on a, b, c …, the latents in their order, such as "a - b + c" or "(a + b + c) / 3"; None
        combines two as (1 − weight)·a + weight·b.
    weight: how much of the second, in [0,1], without a formula.
    weights: in place of a formula, how much of each face, in the latents' order: numbers from 0 on that sum to 1.
    detail: `keep` mixes the own pixels of the photos that latents were found of, and takes from the network what no
        pixels show, coarsely; where a face is taken away, the first photo's pixels are changed as the network changes
        its picture of it. `network` shows the network's picture (S,S,3), and so does a combination without any photo.
    size: side of the picture in pixels, from 64 to 2,048, where there are photos; as large as the largest face is in
        its photo if None, 512 at most.

    Returns the picture and its record. Raises ValueRangeError for a formula that cannot be computed and weights that
    are none, CheckpointError for latents of another model."""
    check_choice("detail", detail, get_args(Detail))
    check_combination(len(latents), formula, weight, weights)
    if weights is not None:
        formula = _weighted(weights)
    combined, shares, formula = _combined(session, latents, formula, weight)
    side = side_for(latents, detail, checked_size(size, detail))
    (picture,) = session.pictures(session.model.settle(combined[None]))
    grey = all(latent.grey for latent in latents)
    picture = fade(picture, 0.0) if grey else picture
    if side is not None:
        own = _of_own_pixels(session, latents, shares, picture, side)
        picture = fade(own, 0.0) if grey and np.count_nonzero(shares) > 1 else own
    values: dict[str, JSON] = {"formula": formula, "faces": [latent.name for latent in latents], "detail": detail}
    shown = [latent.subject for latent, share in zip(latents, shares, strict=True) if latent.subject and share > 0]
    notes = turned_apart(shown) if side is not None else []
    if notes:
        values["notes"] = notes
    return Result(picture, session.record("combine", {**values, **(KEPT if grey else {})}))


def _combined(
    session: LatentSession, latents: Sequence[Latent], formula: str | None, weight: float
) -> tuple[Tensor, NDArray[np.float64], str]:
    """The latent (Z+detail,) that a formula or a weight makes of others, how many times each face is in it (N,), and
    the formula. Raises ValueRangeError for one that leaves nothing."""
    z, width = session.vectors(latents), session.model.config.z
    if formula is None:
        weight = number("weight", weight)
        shares = np.array([1 - weight, weight])
        return torch.lerp(z[0], z[1], weight), shares, f"{1 - weight:g}*a + {weight:g}*b"
    combined = compute(formula, dict(zip(ascii_lowercase, z, strict=False))).clone()  # it may be a face's own
    # A z that sums have made long will be shortened: its detail as much, or 2*a would have twice that of a.
    longer = combined[:width].square().mean().sqrt().clamp_min(1.0)
    combined[width:] /= longer
    if float(combined[:width].square().mean()) < 1e-6:
        raise ValueRangeError(f"The formula {printable(formula)!r} leaves no face: its faces cancel each other.")
    return combined, _shares(len(latents), formula), formula


def _weighted(weights: Sequence[float]) -> str:
    """The formula that takes so much of each face, in proportion."""
    total = sum(float(one) for one in weights)
    pairs = zip(weights, ascii_lowercase, strict=False)
    return " + ".join(f"{float(one) / total:.6g}*{name}" for one, name in pairs if one)


def _shares(count: int, formula: str) -> NDArray[np.float64]:
    """(N,): how many times a formula takes each of N faces."""
    units = dict(zip(ascii_lowercase, torch.eye(count, dtype=torch.float64), strict=False))
    return np.asarray(compute(formula, units).numpy(), dtype=np.float64)


def _of_own_pixels(
    session: LatentSession, latents: Sequence[Latent], shares: NDArray[np.float64], guide: Picture, size: int
) -> Picture:
    """A combination (size,size,3) of the photos' own pixels.

    shares: (N,), how many times each face is in it. guide: the network's picture of it (S,S,3)."""
    if (shares >= 0).all():
        used = [(latent, share) for latent, share in zip(latents, shares, strict=True) if share]
        if any(latent.subject for latent, _ in used):
            weights = np.array([share for _, share in used])
            mixture = guided(session, [latent for latent, _ in used], size)
            return mixture.mixed(Proportions.all_of(weights / weights.sum()), guide)
    # A face that is taken away cannot be mixed: the first photo that stays is changed as the network changes it.
    staying = [latent for latent, share in zip(latents, shares, strict=True) if latent.subject and share > 0]
    first = next(iter([*staying, *(latent for latent in latents if latent.subject)]))
    mixture = guided(session, [first], size)
    points = mixture.follow(mixture.network.ingredients[0].crop.picture, guide)
    return mixture.mixed(Proportions.all_of(np.ones(1)), guide, points, MOST_OF_CHANGE)


def check_combination(
    count: int, formula: str | None = None, weight: float = 0.5, weights: Sequence[float] | None = None
) -> None:
    """Raise ValueRangeError for what `combine` could not make of any `count` faces: known before they are sought, which
    takes a while."""
    if weights is not None:
        _check_weights(count, weights, formula)
        return
    if formula is not None:
        compute(formula, dict.fromkeys(ascii_lowercase[:count], torch.ones(1)))
        return
    weight = number("weight", weight)
    if count != 2:
        raise ValueRangeError(
            f"Without a formula two faces are combined, not {count}: give weights, or a formula such as 'a - b + c'."
        )
    if not 0.0 <= weight <= 1.0:
        raise ValueRangeError(f"The weight {weight:g} is outside [0, 1]: 0 is the first face, 1 the second.")


def _check_weights(count: int, weights: Sequence[float], formula: str | None) -> None:
    if formula is not None:
        raise ValueRangeError("A formula and weights exclude one another: leave out one.")
    if not isinstance(weights, Sequence | np.ndarray) or isinstance(weights, str) or len(weights) != count:
        raise ValueRangeError(
            f"weights are numbers, one for each of the {count} faces: {printable(repr(weights), 80)}."
        )
    each = [number("a weight", one) for one in weights]
    if count < 2 or count > len(ascii_lowercase):
        raise ValueRangeError(f"From 2 to {len(ascii_lowercase)} faces are combined by weights, not {count}.")
    if min(each) < 0 or abs(sum(each) - 1) > ROUNDED:
        raise ValueRangeError(f"weights are from 0 on and sum to 1, and these sum to {sum(each):g}: write others.")
