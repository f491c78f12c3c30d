"""Beards: whether a face has a full one, and where it grows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.outlines import Floats, Size, disc, filled, hull_of
from masque.faces.skin_match import Maps, blurred

DETAIL = 0.012
"""Below how many widths of the face detail is fine."""

LIPS = 0.03
"""How far around the lips no beard is looked for, in face widths."""

DARKER = 0.28
"""By how much, in ln(L + 8), a beard is darker than the cheeks: beards as light as the skin go unseen."""

ROUGHER = (2.8, 1.8)
"""How many times as much fine detail as the cheeks chin and upper lip of a beard have."""

CHEEKS = ((1, 31), (15, 35))
"""Landmarks of jaw and nostril; bare skin lies between them."""

FEWEST = 30
"""Pixels of chin, upper lip and cheeks that are needed to tell."""


def beard_outline(points: Floats) -> Floats:
    """Corners (N,2) of where beards grow, with the mouth. points: landmarks (68,2)."""
    left, right = (0.55 * points[[jaw]] + 0.45 * points[[nostril]] for jaw, nostril in ((13, 35), (3, 31)))
    return np.concatenate([points[2:15], left, points[[35, 33, 31]], right])


def has_beard(lab: Maps, skin: NDArray[np.bool_], points: Floats, width: float) -> bool:
    """Whether a face has a full beard; False where too little of its skin is seen.

    lab: CIELAB (h,w,3). skin: (h,w), where it is skin. points: landmarks (68,2), and the face's width, in pixels."""
    size: Size = (lab.shape[1], lab.shape[0])
    light = np.log(lab[..., 0] + 8)
    detail = np.abs(light - blurred(light, DETAIL * width))
    lips = cv2.dilate(hull_of(points[48:60], size), disc(LIPS * width)) > 0
    zone = (filled(beard_outline(points), size) > 0) & skin & ~lips
    y = np.arange(size[1])[:, None]
    chin, upper = zone & (y > points[57, 1]), zone & (y < points[51, 1])
    bare = _cheeks(points, width, size) & skin
    if min(chin.sum(), upper.sum(), bare.sum()) < FEWEST:
        return False
    darker = float(np.median(light[bare])) - float(np.median(light[chin]))
    smooth = max(1e-3, float(np.median(detail[bare])))
    rough = [float(np.median(detail[inside])) / smooth for inside in (chin, upper)]
    return darker > DARKER and all(value > least for value, least in zip(rough, ROUGHER, strict=True))


def _cheeks(points: Floats, width: float, size: Size) -> NDArray[np.bool_]:
    """Two discs of bare skin, (h,w)."""
    found = np.zeros((size[1], size[0]), np.uint8)
    for jaw, nostril in CHEEKS:
        x, y = (points[jaw] + points[nostril]) / 2 - [0, 0.02 * width]
        cv2.circle(found, (round(x), round(y)), max(1, round(0.09 * width)), (1,), -1)
    return found > 0
