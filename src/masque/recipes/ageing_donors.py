"""Folds, fine lines and stubble of donors, in the frame of the mean face at twice its size.

Averages of many faces have no lines: they lie in a different place on each (Tiddeman et al. 2001). So lines come from a
few old people, as light relative to its surroundings."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from masque.faces.detect import Landmarks
from masque.faces.mean_face import HEIGHT, JAW, WIDTH, Floats, Maps, Plates, with_forehead
from masque.image import Picture
from masque.recipes.ageing_groups import warped_lab

SHADING = 9.0
"""Sigma, in pixels at twice the frame's size, of what is left out of a donor: its broad light and shade would become
pits."""
FINE = 2.0
"""Sigma below which a fold is a fine line."""
STUBBLE = 3.5
"""Sigma below which a shaved beard's light is stubble."""


def donor_light(points: Floats, picture: Picture, landmarks: Landmarks) -> Maps:
    """ln(L + 8) of a donor, (2·HEIGHT, 2·WIDTH)."""
    size = (2 * WIDTH, 2 * HEIGHT)
    at = (points + 0.5) * 2 - 0.5
    where = Plates(at, size, 4, 2 * JAW).map(with_forehead(landmarks))
    return np.asarray(np.log(warped_lab(where, picture)[..., 0] + 8), dtype=np.float32)


def folds_and_lines(donors: Sequence[Maps]) -> tuple[Maps, Maps]:
    """Folds that old donors share, with those of the first, and the first one's fine lines; of light and shade alike,
    but for the shade, which counts for more: folds are dark."""
    relative = [light - _soft(light, SHADING) for light in donors]
    folds = [_soft(light, FINE) for light in relative]
    shared = np.mean(folds, axis=0)
    shared = (shared + shared[:, ::-1]) / 2
    own = folds[0] - _soft(folds[0], 5)  # of one donor only lines, no patches
    shared = np.where(shared < 0, 1.25 * shared, 0.7 * shared)
    own = np.where(own < 0, 1.1 * own, 0.6 * own)
    both = np.clip(0.9 * shared + 0.55 * own, -0.35, 0.2)
    return both.astype(np.float32), np.clip(relative[0] - folds[0], -0.22, 0.12).astype(np.float32)


def stubble(light: Maps) -> Maps:
    """The grain of a shaved beard."""
    return np.asarray(np.clip(light - _soft(light, STUBBLE), -0.15, 0.06), dtype=np.float32)


def _soft(light: Maps, sigma: float) -> Maps:
    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(light), (0, 0), sigma), dtype=np.float32)
