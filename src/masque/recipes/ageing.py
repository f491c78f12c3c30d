"""The fit of `masque.models.ageing`: what age and sex add to a mean face, lines of the old, and what reads both off a
face.

Ages are those of a data set that says them (UTKFace); where no picture's age is known, those that Young = 1 and
Young = 0 stand for. Folds, fine lines and stubble come from donors, which may be of another set: the named ones that
are among the pictures, or else the oldest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from masque.config import Presets
from masque.data.frames import FrameSet
from masque.errors import DataError
from masque.faces.detect import identity
from masque.faces.mean_face import Floats, Maps
from masque.models.ageing import SERVED, YOUNGEST, Ageing, AgeingConfig
from masque.recipes.ageing_donors import donor_light, folds_and_lines, stubble
from masque.recipes.ageing_groups import Person, cheek_tone, learn_averages

FEWEST = 16
"""From how many people of known age and sex it can be learnt at least."""
RIDGE_READER = 300.0
"""Added to the diagonal of the reader's normal equations, for numbers of a face of variance 1."""
ADULTS_READ = 16.0
"""Years from which people teach the reader: a little below 18, so that it can say that somebody is younger."""


@dataclass(frozen=True)
class AgeingTraining:
    """How it is computed."""

    old_men: tuple[str, ...] = ("t2i-age-5-9", "t2i-age-5-1", "t2i-age-5-4")
    """Donors of men's folds and lines, by names of their pictures without ending; the first gives the fine lines. These
    ones, of SFHQ, were chosen by eye: frontal, evenly lit, with lines that are sharp at the size of a photo."""
    old_women: tuple[str, ...] = (
        *("t2i-ethnicity_x_age_1-0-9", "t2i-age-5-7", "t2i-ethnicity_x_age_1-0-3"),
        *("t2i-ethnicity_x_age_1-0-1", "t2i-ethnicity_x_age_1-1-5"),
    )
    """Donors of women's."""
    shaved: tuple[str, ...] = ("t2i-facial_hair-4-9",)
    """The donor of stubble."""
    young_age: float = 28.0
    """Years that Young = 1 stands for, where no picture's age is known."""
    old_age: float = 62.0
    """Years that Young = 0 stands for there."""


class AgeingFit:
    """The model, and how it is computed."""

    served = SERVED

    def __init__(self, config: AgeingConfig, training: AgeingTraining) -> None:
        self.config, self.training = config, training
        self.model = Ageing(config)
        self.nets: Mapping[str, nn.Module] = {"prototypes": self.model.prototypes}

    def fit(self, frames: FrameSet, on_progress: Callable[[int, int], None]) -> Sequence[str]:
        """Compute it from the pictures to train on. Raises DataError where too few people of known age and sex, or no
        donors, are among them."""
        ages, male = _ages(frames, self.training), frames.attributes[:, 1].astype(float)
        chosen = frames.indices("train")
        known = np.array([i for i in chosen if np.isfinite(ages[i]) and np.isfinite(male[i])], dtype=np.int64)
        if len(known) < FEWEST or np.unique(ages[known]).size < 2:
            raise DataError(
                f"Of {len(chosen)} pictures to train on, {len(known)} are of known age and sex, and {FEWEST} of more "
                "than one age are the fewest to learn from: add UTKFace with --data."
            )
        on_progress(0, 4)
        people = [
            Person(frames.landmarks[i], ages[i], male[i], cheek_tone(frames.frames[i], frames.landmarks[i]))
            for i in known
        ]
        averages = learn_averages(people, lambda position: frames.frames[known[position]])
        on_progress(1, 4)
        lines = self._lines(frames, chosen, averages.points, ages, male)
        on_progress(2, 4)
        reader, notes = _reader(frames, known, ages, male)
        values: dict[str, NDArray[np.floating]] = {
            "points": averages.points,
            "shape": averages.shape,
            "colour": averages.colour,
            "texture": averages.texture,
            "reader": reader,
        }
        self.model.prototypes.take({**values, **lines})
        on_progress(4, 4)
        return [
            f"computed from {len(known)} pictures of known age and sex; colour and texture from {averages.used} of "
            "them, without glasses and not turned",
            *notes,
        ]

    def _lines(
        self, frames: FrameSet, chosen: NDArray[np.int64], points: Floats, ages: Floats, male: Floats
    ) -> dict[str, Maps]:
        """Folds, lines and stubble of donors."""

        def light(wanted: Sequence[str], of: float) -> list[Maps]:
            indices = _donors(frames, chosen, wanted, ages, male, of)
            return [donor_light(points, frames.frames[i], frames.landmarks[i]) for i in indices]

        women = folds_and_lines(light(self.training.old_women, 0))
        men = folds_and_lines(light(self.training.old_men, 1))
        folds, lines = (np.stack(maps) for maps in zip(women, men, strict=True))
        return {"folds": folds, "lines": lines, "stubble": stubble(light(self.training.shaved, 1)[0])}


def _ages(frames: FrameSet, training: AgeingTraining) -> Floats:
    """Years of each face, NaN where unknown."""
    ages: Floats = 100.0 * frames.attributes[:, 0].astype(float)
    if np.isfinite(ages[frames.indices("train")]).any():
        return ages
    young: Floats = frames.attributes[:, 2].astype(float)
    return training.old_age + young * (training.young_age - training.old_age)


def _donors(
    frames: FrameSet, chosen: NDArray[np.int64], wanted: Sequence[str], ages: Floats, male: Floats, of: float
) -> list[int]:
    """The named donors that are among the pictures, in their order; where none is, the two oldest of a sex."""
    by_name = {frames.sources[i].rpartition("/")[2].rpartition(".")[0]: int(i) for i in chosen}
    found = [by_name[name] for name in wanted if name in by_name]
    if found:
        return found
    usable = [int(i) for i in chosen if np.isfinite(ages[i])]
    return sorted(usable, key=lambda i: (abs(male[i] - of) > 0.5, -ages[i]))[:2]


def _reader(frames: FrameSet, known: NDArray[np.int64], ages: Floats, male: Floats) -> tuple[Floats, list[str]]:
    """Weights (1+128,2) by which dlib's embedding of a face tells age in years and sex, by ridge regression, and what
    the card says of it."""
    taught = known[ages[known] >= ADULTS_READ]
    seen = _with_one(_embeddings(frames, taught))
    target = np.stack([ages[taught], male[taught]], axis=1)
    penalty = np.diag(np.r_[0.0, RIDGE_READER * seen[:, 1:].var(axis=0) + 1e-9])
    reader = np.asarray(np.linalg.solve(seen.T @ seen + penalty, seen.T @ target), dtype=np.float64)
    held = [i for i in frames.indices("test") if np.isfinite(ages[i]) and ages[i] >= YOUNGEST and np.isfinite(male[i])]
    if not held:
        return reader, []
    read = _with_one(_embeddings(frames, np.array(held))) @ reader
    error = np.abs(read[:, 0] - ages[held])
    right = np.mean((read[:, 1] > 0.5) == (male[held] > 0.5))
    return reader, [
        f"age is read with a mean error of {error.mean():.1f} years and sex rightly in {100 * right:.0f} % on "
        f"{len(held)} held-out pictures"
    ]


def _embeddings(frames: FrameSet, indices: NDArray[np.int64]) -> Floats:
    return np.array([identity(frames.frames[i], frames.landmarks[i]) for i in indices], dtype=float)


def _with_one(rows: Floats) -> Floats:
    return np.concatenate([np.ones((len(rows), 1)), rows], axis=1)


PRESETS: Presets = {
    "small": {"model": {}, "training": {}, "run": {"steps": 1, "batch_size": 1}},
    "tiny": {"model": {"size": 64}, "training": {}, "run": {"steps": 1, "batch_size": 1}},
}
