"""Where in a photo another's face shows: the whole of it up to the hairline, brows whole or not at all, with hair in
front where there is hair in front. A canvas is the part of the photo around the face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.carried import JAW, Canvas, Carried, forehead
from masque.faces.labels import LABELS
from masque.faces.outlines import Floats, disc, hull_of, smoothstep
from masque.faces.skin_match import Maps, blurred

SKIN = [LABELS.index(name) for name in ("skin", "nose")]
HAIR = LABELS.index("hair")
EYES = [LABELS.index(name) for name in ("left eye", "right eye")]
INNER_MOUTH = LABELS.index("mouth")
FACE = [number for number, name in enumerate(LABELS) if name not in ("background", "hair")]

PARTS = ((17, 22, 0.035), (22, 27, 0.035), (36, 42, 0.03), (42, 48, 0.03))
"""Landmarks of brows and eyes, and how far around them skin belongs to them, in face widths."""

SIDES, CHEEKS = ([0, 1, 2, 14, 15, 16], 0.05), ([3, 4, 12, 13], 0.025)
"""Landmarks of the jaw, and how far the region stays within them, in distances to the nose: the ears begin there."""

SEEN = (0.12, 0.15)
"""The area, in areas that pixels usually show, up to which a side is turned away, and over which that fades."""

SOFT = 0.03
"""Width of the mask's soft rim, in face widths."""

ABOVE_BROWS = 0.05
"""How far above the brows the face shows in full, in face widths; from there on the forehead goes over into the
photo's."""


def outline(carried: Carried, canvas: Canvas) -> Floats:
    """The corners (N,2) of the face's region on the canvas: a little within the jaw, and the forehead."""
    there = carried.other
    jaw, middle = there[JAW].copy(), there[27:36].mean(axis=0)
    for points, inward in (SIDES, CHEEKS):
        jaw[points] += inward * (middle - jaw[points])
    return canvas.points(np.concatenate([jaw, forehead((carried.onto + there) / 2)]))


def part_zones(points: Floats, canvas: Canvas) -> list[Maps]:
    """Each brow and each eye of landmarks (68,2) on the canvas, with some skin around it: 1 within, (h,w)."""
    return [
        np.asarray(cv2.dilate(hull_of(points[first:last], canvas.size), disc(around * canvas.width)), np.float32)
        for first, last, around in PARTS
    ]


def visible(shares: Maps, area: Maps, region: Maps, canvas: Canvas) -> Maps:
    """How surely a carried face shows itself, (h,w) in [0,1]: not its hair, nothing before it, and no side that is
    turned away.

    shares: its label shares (11,h,w). area: what each pixel shows of its own photo, as `masque.faces.carried.stretch`
    has it. region: 1 in the face's, (h,w)."""
    inside = region > 0.5
    usual = float(np.median(area[inside])) if inside.any() else 1.0
    towards = np.clip((area / max(1e-6, usual) - SEEN[0]) / SEEN[1], 0, 1)
    return np.asarray(_face(shares, canvas) * towards, dtype=np.float32)


def _face(shares: Maps, canvas: Canvas) -> Maps:
    """How surely a pixel is of the face, (h,w), with a rim as soft as the parser is unsure."""
    share = blurred(shares[FACE].sum(axis=0), 0.006 * canvas.width)
    return np.clip(1.6 * share - 0.5, 0, 1, dtype=np.float32)


def swap_mask(carried: Carried, canvas: Canvas, others: Maps, seen: Maps, hair: Maps, kept: Maps) -> NDArray[np.uint8]:
    """1 where the face shows, (h,w).

    others: the photo's label shares (11,h,w). seen: how surely the face shows itself, (h,w). hair: the photo's, (h,w)
    in [0,1]. kept: 1 on what the photo keeps whole, (h,w)."""
    width, size = canvas.width, canvas.size
    onto, there = canvas.points(carried.onto), canvas.points(carried.other)
    # The ends of brows may lie beyond the outline, and would be left of one person and cut of the other.
    brows = [zone for points in (onto, there) for zone in part_zones(points, canvas)[:2]]
    region = np.max([hull_of(outline(carried, canvas), size), *brows], axis=0)
    inner = cv2.erode(np.maximum(hull_of(there[17:], size), hull_of(onto[17:], size)), np.ones((3, 3)))
    face = _face(others, canvas)
    usable = region * face * seen
    # Between brows and chin a strand of hair in front, or a doubtful pixel of the face behind, cuts no hole.
    usable = np.maximum(usable, inner * (blurred(hair, 0.004 * width) < 0.35) * face * (seen > 0.25))
    shown = ((usable > 0.5) & (kept < 0.5)).astype(np.uint8)
    shown = np.asarray(cv2.erode(shown, disc(0.012 * width)), np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(shown)
    if count > 2:
        shown = (parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    side = 2 * max(1, int(0.012 * width)) + 3
    return np.asarray(cv2.morphologyEx(shown, cv2.MORPH_CLOSE, np.ones((side, side))), np.uint8)


def opacity(shown: NDArray[np.uint8], carried: Carried, canvas: Canvas) -> Maps:
    """How far the face shows, (h,w) in [0,1]: the mask with a soft rim, and a forehead that fades upwards.

    shown: as `swap_mask` has it."""
    width = canvas.width
    alpha = smoothstep(cv2.distanceTransform(shown, cv2.DIST_L2, 3) / (SOFT * width))
    onto, there = canvas.points(carried.onto), canvas.points(carried.other)
    top = forehead((onto + there) / 2)
    down = there[27:31].mean(axis=0) - (onto[17:27] + there[17:27]).mean(axis=0) / 2
    down = down / max(1e-6, float(np.linalg.norm(down)))
    begin = float((top @ down).mean())
    end = min(float((points[17:27] @ down).min()) for points in (onto, there)) - ABOVE_BROWS * width
    y, x = np.mgrid[0 : canvas.size[1], 0 : canvas.size[0]]
    along = x * down[0] + y * down[1]
    return np.asarray(alpha * smoothstep((along - begin) / max(1.0, end - begin)), dtype=np.float32)
