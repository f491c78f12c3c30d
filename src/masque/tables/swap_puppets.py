"""Swaps of puppets against the puppet that really has the one's face and the other's hair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypedDict

from masque.data.puppets import draw_puppet, render, true_swap
from masque.errors import MasqueError
from masque.faces.regions import HAIR_CROP, cut_crop
from masque.image import Picture, to_tensor
from masque.metrics.estimates import Estimate, estimate_mean
from masque.metrics.similarity import absolute_error
from masque.tables.swapping import Swap

SIDE = 128
"""Side in pixels of the hair crop in which errors are taken, as in Table 1."""


class TrueSwapMeasures(TypedDict):
    """Swaps of puppets against true ones."""

    failed: int
    """Pairs in which no face is found"""
    error: Estimate
    """Mean absolute error on a [0,1] scale, where all skin has the face's colour, that of neck and ears, too"""
    error_target_skin: Estimate
    """The same where all skin has the target's colour"""


class Trial(NamedTuple):
    """A pair of puppets, and their true swaps."""

    face: Picture
    target: Picture
    truth: Picture
    """With the face's skin"""
    truth_target_skin: Picture


def trials(pairs: int, seed: int = 0) -> Iterator[Trial]:
    """Pairs of puppets as Table 1 draws them."""
    for number in range(pairs):
        first = 1_000_000 + 2 * (number + 10_000 * seed)
        face, target = draw_puppet(first), draw_puppet(first + 1)
        truth = true_swap(face, target)
        own_skin = replace(truth, face=replace(truth.face, skin=target.face.skin))
        yield Trial(*(render(puppet).picture for puppet in (face, target, truth, own_skin)))


def measure_true_swaps(
    swaps: Sequence[Swap], pairs: int, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> list[TrueSwapMeasures]:
    """What several methods make of the same pairs of puppets, in their order.

    pairs: how many. seed: of the puppets. progress: called with pairs done and their number."""
    values: list[list[tuple[float, float]]] = [[] for _ in swaps]
    for done, trial in enumerate(trials(pairs, seed), start=1):
        for swap, found in zip(swaps, values, strict=True):
            try:
                found.append(compare_trial(trial, swap(trial.face, trial.target).picture))
            except MasqueError:  # no face in a puppet, or one that the method refuses
                continue
        if progress:
            progress(done, pairs)
    return [_summarised(found, pairs, seed) for found in values]


def compare_trial(trial: Trial, made: Picture) -> tuple[float, float]:
    """Both errors of a swap."""
    true, own_skin, ours = (
        to_tensor([cut_crop(picture, HAIR_CROP, SIDE, 1.0)]) for picture in (trial.truth, trial.truth_target_skin, made)
    )
    return float(absolute_error(true, ours)), float(absolute_error(own_skin, ours))


def _summarised(found: Sequence[tuple[float, float]], pairs: int, seed: int) -> TrueSwapMeasures:
    error, target_skin = (list(column) for column in zip(*found, strict=True)) if found else ([], [])
    return {
        "failed": pairs - len(found),
        "error": estimate_mean(error, seed=seed),
        "error_target_skin": estimate_mean(target_skin, seed=seed),
    }
