"""The fit of `masque.models.expression`: how landmarks move with an attribute, from people who are seen both ways, by
least squares.

Every face is fitted with a linear 3D model of the landmarks, which takes its pose out. What is left of a picture, less
the mean of the same person's pictures, is explained by how the picture's attributes differ from their mean there, and
by their products with the face's own coefficients (ridge regression): so a move is that of this face, not of the mean
one, and no difference between people is taken for one. Pictures of unknown people count as those of one person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from masque.config import Presets
from masque.data.frames import FrameSet
from masque.errors import DataError
from masque.faces.frame import MIRRORED
from masque.faces.shape3d import Fit, Floats, ShapeModel, fit, rotations
from masque.faces.shape_learning import learn_ways
from masque.models.expression import SERVED, ExpressionConfig, ExpressionModel, with_one
from masque.recipes.teeth import find_teeth

STILL = (0, 1, 15, 16, 27, 28, 29, 36, 39, 42, 45)
"""Landmarks that no expression moves: the upper ends of the jaw line, the bridge of the nose, the corners of the eyes.
What they are seen to move is the head's, and is taken out of every move."""
FEWEST = 8
"""From how many pictures moves can be learnt at least."""


@dataclass(frozen=True)
class ExpressionTraining:
    """How it is computed."""

    ridge: float = 400.0
    """How strongly a face's own shape is kept from changing the mean move, in pictures: products with its coefficients
    weigh as much as the data at so many pictures."""
    turned: float = 25.0
    """Faces turned farther than this many degrees are left out: half of the mouth is hidden there."""


class ExpressionFit:
    """The model, and how it is computed."""

    served = SERVED

    def __init__(self, config: ExpressionConfig, training: ExpressionTraining) -> None:
        self.config, self.training = config, training
        self.model = ExpressionModel(config)
        self.nets: Mapping[str, nn.Module] = {"motion": self.model.motion}

    def fit(self, frames: FrameSet, on_progress: Callable[[int, int], None]) -> Sequence[str]:
        """Compute it from the landmarks of the pictures to train on. Raises DataError where they are too few."""
        chosen = frames.indices("train")
        landmarks = np.asarray(frames.landmarks[chosen], dtype=float)
        on_progress(0, 3)
        shapes = learn_ways(landmarks, self.config.ways)
        on_progress(1, 3)
        # A face in a mirror is a face as well: no move leans to a side.
        both = np.concatenate([landmarks, landmarks[:, MIRRORED] * [-1, 1]])
        fitted = fit(shapes, both)
        on_progress(2, 3)
        known = ~np.isnan(frames.attributes[chosen]).any(axis=1)
        usable = np.tile(known, 2) & (np.abs(np.degrees(fitted.angles[:, 0])) <= self.training.turned)
        if usable.sum() < 2 * FEWEST:
            raise DataError(
                f"Of {len(chosen)} pictures to train on, {usable.sum() // 2} face the viewer and have known "
                f"attributes, and {FEWEST} are the fewest to learn moves from: add others with --data."
            )
        values = np.tile(np.nan_to_num(frames.attributes[chosen]), (2, 1)).astype(float)[usable]
        people = np.tile(frames.people()[chosen], 2)[usable]
        alpha = fitted.identity[usable]
        moves = learn_moves(unposed(shapes, fitted, both)[usable], alpha, values, people, self.training.ridge)
        teeth, source = find_teeth(frames)
        self.model.motion.take(shapes, without_rigid(shapes.mean, moves), learn_readout(alpha, values), teeth)
        on_progress(3, 3)
        known_people = len(set(people.tolist()) - {-1})
        return [
            f"computed from the landmarks of {usable.sum() // 2} pictures of {known_people} known people, and of their "
            f"mirror images; {len(chosen)} pictures taught the 3D model",
            f"the teeth are those on {source}"
            if source
            else "no picture shows teeth well enough to be shown in others",
        ]


def unposed(shapes: ShapeModel, fitted: Fit, landmarks: Floats) -> Floats:
    """Faces as they are before they are turned, (N,68,3) in the model's unit: what the model makes of them, and what it
    does not explain of their landmarks (N,68,2), in the plane of the picture."""
    rest = (landmarks - fitted.projected(shapes)) * [1, -1] / fitted.scale[:, None, None]
    made: Floats = fitted.shapes(shapes) + rest @ rotations(fitted.angles)[:, :2]
    return made


def learn_moves(shapes: Floats, alpha: Floats, values: Floats, people: NDArray[np.int64], ridge: float) -> Floats:
    """(A,1+K,68,3): what one unit of each attribute adds to a face, all else equal, and how that changes with each of
    the face's coefficients.

    shapes: (N,68,3). alpha: (N,K) of mean square 1. values: (N,A). people: (N,), those of -1 taken together. ridge: in
    pictures."""
    numbers = np.unique(people, return_inverse=True)[1]
    of_person = np.bincount(numbers)[:, None]

    def centre(rows: Floats) -> Floats:
        sums = np.stack([np.bincount(numbers, column) for column in rows.T], axis=1)
        centred: Floats = rows - (sums / of_person)[numbers]
        return centred

    own = np.stack([np.bincount(numbers, column) for column in alpha.T], axis=1) / of_person
    own = np.where(of_person > 1, own, 0.0)[numbers] if (people >= 0).any() else np.zeros_like(alpha)
    moved = centre(values)
    rows = np.einsum("na,nk->nak", moved, with_one(own)).reshape(len(values), -1)
    target = centre(shapes.reshape(len(shapes), -1))
    penalty = np.tile(np.r_[1e-6, np.full(alpha.shape[1], ridge)], values.shape[1]) * np.square(moved).mean()
    solved = np.linalg.solve(rows.T @ rows + np.diag(penalty + 1e-9), rows.T @ target)
    return solved.reshape(values.shape[1], 1 + alpha.shape[1], *shapes.shape[1:])


def learn_readout(alpha: Floats, values: Floats) -> Floats:
    """(A,1+K): what each attribute is by a face's coefficients (N,K), 0 and 1 on average over those with at most and
    with more than ½ of it. values: (N,A)."""
    rows, readout = with_one(alpha), []
    for column in (values > 0.5).astype(float).T:
        weights = np.linalg.solve(rows.T @ rows + np.eye(rows.shape[1]), rows.T @ column)
        said = rows @ weights
        low, high = said[column == 0].mean(), said[column == 1].mean()
        weights[0] -= low
        readout.append(weights / max(high - low, 1e-6))
    return np.array(readout)


def without_rigid(mean: Floats, moves: Floats) -> Floats:
    """Moves (…,68,3) less what moves the landmarks STILL of the mean face as one solid: shift, turn, enlargement."""
    x, y, z = mean.T
    o, e = np.zeros_like(x), np.ones_like(x)
    rigid = np.stack(
        [
            np.stack(axes, axis=1)
            for axes in ((e, o, o), (o, e, o), (o, o, e), (o, -z, y), (z, o, -x), (-y, x, o), (x, y, z))
        ]
    )  # (7,68,3)
    still = list(STILL)
    flat = moves.reshape(-1, *mean.shape)
    solved = np.linalg.lstsq(rigid[:, still].reshape(7, -1).T, flat[:, still].reshape(len(flat), -1).T, rcond=None)[0]
    left: Floats = moves - np.einsum("rn,rja->nja", solved, rigid).reshape(moves.shape)
    return left


PRESETS: Presets = {
    "small": {"model": {}, "training": {}, "run": {"steps": 1, "batch_size": 1}},
    "tiny": {
        "model": {"size": 32, "ways": 4},
        "training": {"turned": 90.0},
        "run": {"steps": 1, "batch_size": 1},
    },
}
