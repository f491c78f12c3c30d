"""Beards: whether a face has a full one, and where it grows."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.outlines import Floats, Size, disc, filled, hull_of
from masque.faces.skin_match import Maps, blurred

DETAIL = 0.012
"""Below how many widths of the face detail is fine."""

LIPS = 0.03
"""How far around the lips no beard is looked for, in face widths."""

WEIGHTS, OFFSET = (1.7, 2.0, 1.9, 1.8, -0.09, -0.13), 8.8
"""Logistic regression on what `_measured` returns."""

FULL = 0.85
"""Likelihood from which a beard counts as full. Of 27 people with one and 261 without, in pictures of SFHQ and of
CelebAMask-HQ below number 750, in eight parts of which each was judged by what the others taught, 74 % and 3 % are said
to have one; stubble was left out."""

CHEEKS = ((1, 31), (15, 35))
"""Landmarks of jaw and nostril; bare skin lies between them."""

FEWEST = 30
"""Pixels of chin, upper lip and cheeks that are needed to tell."""


def beard_outline(points: Floats) -> Floats:
    """Corners (N,2) of where beards grow, with the mouth. points: landmarks (68,2)."""
    left, right = (0.55 * points[[jaw]] + 0.45 * points[[nostril]] for jaw, nostril in ((13, 35), (3, 31)))
    return np.concatenate([points[2:15], left, points[[35, 33, 31]], right])


def has_beard(lab: Maps, points: Floats, width: float) -> bool:
    """Whether a face has a full beard, by the fine detail of its hairs and by how little colour they have; False where
    too little of it is seen.

    lab: CIELAB (h,w,3). points: landmarks (68,2), and the face's width, in pixels."""
    measured = _measured(lab, points, width)
    if measured is None:
        return False
    return 1 / (1 + math.exp(-float(measured @ np.array(WEIGHTS)) - OFFSET)) > FULL


def _measured(lab: Maps, points: Floats, width: float) -> NDArray[np.float64] | None:
    """(6,): the logarithms of how much fine detail chin and upper lip have over the cheeks', and of how much they have;
    and how much redder and yellower than the cheeks the chin is. None where too little is seen."""
    size: Size = (lab.shape[1], lab.shape[0])
    light = np.log(lab[..., 0] + 8)
    detail = np.abs(light - blurred(light, DETAIL * width))
    lips = cv2.dilate(hull_of(points[48:60], size), disc(LIPS * width)) > 0
    zone = (filled(beard_outline(points), size) > 0) & ~lips
    y = np.arange(size[1])[:, None]
    chin, upper = zone & (y > points[57, 1]), zone & (y < points[51, 1])
    cheeks = _cheeks(points, width, size)
    if min(chin.sum(), upper.sum(), cheeks.sum()) < FEWEST:
        return None
    amounts = np.log([float(np.median(detail[inside])) + 1e-3 for inside in (chin, upper, cheeks)])
    colours = [float(np.median(lab[..., k][chin]) - np.median(lab[..., k][cheeks])) for k in (1, 2)]
    return np.array([*(amounts[:2] - amounts[2]), *amounts[:2], *colours])


def _cheeks(points: Floats, width: float, size: Size) -> NDArray[np.bool_]:
    """Two discs of bare skin, (h,w)."""
    found = np.zeros((size[1], size[0]), np.uint8)
    for jaw, nostril in CHEEKS:
        x, y = (points[jaw] + points[nostril]) / 2 - [0, 0.02 * width]
        cv2.circle(found, (round(x), round(y)), max(1, round(0.09 * width)), (1,), -1)
    return found > 0
