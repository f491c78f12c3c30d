"""Prototypes of age and sex (Rowland and Perrett 1995; Tiddeman, Burt and Perrett 2001): how the mean face changes with
both, and who reads them off a face. Nothing in it is found by gradients.

buffer     of                                                        in the frame of `masque.faces.mean_face`
points     the mean face                                             (90,2)
shape      landmarks' displacement by each term                      (6,68,2)
colour     ln(L + 8), a, b less the cheeks' mean, by each term       (6,112,96,3), at half size
texture    log energy of three bands of light, by each term          (6,56,48,3), at a quarter
folds      folds of the old, men's and women's, in ln(L + 8)         (2,448,384), at twice the size
lines      fine lines of the same                                    (2,448,384)
stubble    shaved beard, in ln(L + 8)                                (448,384)
reader     age in years and how male, by 1 and dlib's embedding      (129,2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from masque.faces.mean_face import HEIGHT, POINTS, WIDTH

SERVED = ("prototypes",)
"""The networks that a trained model consists of."""

EMBEDDING = 128
"""Numbers of dlib's embedding of a face."""

TERMS = 6
"""1, decades from 40, decades above 40; and the same three for men. Folds and lines are of women first."""
BEND = 40.0
"""Age in years at which the course of ageing bends: skin changes little before it, and fast after."""
YOUNGEST, OLDEST = 18.0, 80.0
"""Ages that the prototypes know."""

FARTHEST = {"shape": 200.0, "colour": 200.0, "texture": 50.0, "folds": 3.0, "lines": 3.0, "stubble": 3.0}
"""What no number of a buffer exceeds; learnt ones stay below 3, 13, 12, 0.4, 0.3 and 0.2."""
LEAST_SPREAD = 0.3
"""What share of its frame a mean face takes up across and down at least; a learnt one takes up two thirds."""


@dataclass(frozen=True)
class AgeingConfig:
    """Sizes."""

    size: int = 256
    """Side in pixels of the pictures that are loaded when it is computed."""
    attributes: tuple[str, ...] = ("Age", "Male", "Young")
    """What it is computed from: ages as shares of 100 years, sex, and where no age is known, youth."""


def age_terms(age: NDArray[np.float64] | float, male: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The terms (…,6) by which prototypes are regressed, for ages in years and how male faces are, in [0,1]."""
    years = np.clip(np.asarray(age, dtype=np.float64), YOUNGEST, OLDEST) - BEND
    three = np.stack([np.ones_like(years), years / 10, np.maximum(0, years) / 10], axis=-1)
    return np.concatenate([three, three * np.asarray(male, dtype=np.float64)[..., None]], axis=-1)


class Prototypes(nn.Module):
    """The mean face, and what age and sex add to it."""

    points: Tensor
    shape: Tensor
    colour: Tensor
    texture: Tensor
    folds: Tensor
    lines: Tensor
    stubble: Tensor
    reader: Tensor

    def __init__(self, config: AgeingConfig) -> None:  # noqa: ARG002 - the sizes are those of the frame
        super().__init__()
        shapes: Mapping[str, tuple[int, ...]] = {
            "points": (POINTS, 2),
            "shape": (TERMS, 68, 2),
            "colour": (TERMS, HEIGHT // 2, WIDTH // 2, 3),
            "texture": (TERMS, HEIGHT // 4, WIDTH // 4, 3),
            "folds": (2, 2 * HEIGHT, 2 * WIDTH),
            "lines": (2, 2 * HEIGHT, 2 * WIDTH),
            "stubble": (2 * HEIGHT, 2 * WIDTH),
            "reader": (1 + EMBEDDING, 2),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))

    @property
    def sound(self) -> bool:
        """Whether its numbers may be those of faces: a mean face that is spread within its frame, and no difference
        beyond `FARTHEST`. What was never learnt is all zeros."""
        if any(float(getattr(self, name).abs().max()) > most for name, most in FARTHEST.items()):
            return False
        points = self.points.double().cpu().numpy()
        width, height = np.ptp(points, axis=0)
        within = bool((points >= 0).all() and (points <= (WIDTH, HEIGHT)).all())
        return within and min(width / WIDTH, height / HEIGHT) >= LEAST_SPREAD

    def take(self, values: Mapping[str, NDArray[np.floating]]) -> None:
        """Take over buffers by their names."""
        for name, value in values.items():
            getattr(self, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))


class Ageing(nn.Module):
    """Prototypes alone, as a model."""

    def __init__(self, config: AgeingConfig) -> None:
        super().__init__()
        self.config = config
        self.prototypes = Prototypes(config)
