"""Whether a swap takes brows and beards whole or leaves them whole: a mask that cuts them shows two people's at once.

The face's own parts are brought to where they come to lie in the result by landmarks that are found there, so that
nothing need be known of the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from masque.edits.ageing_parts import DETAIL, blurred
from masque.faces.detect import Landmarks
from masque.faces.frame import Matrix, similarity
from masque.faces.labels import LABELS
from masque.metrics.colours import Region
from masque.tables.edit_true import filled, widened
from masque.tables.swap_seen import Seen, Share

BROWS = {"left": (LABELS.index("left brow"), 17, 36), "right": (LABELS.index("right brow"), 22, 42)}
"""Side -> its brow's label, and the first of the five landmarks of that brow and of the six of the eye below it."""

SEEN = 0.15
"""Share of a brow from which on it is seen."""

FEWEST = 10
"""Pixels that a part has at least."""

BEARDED = 1.6
"""Fine detail of the beard's zone over that of the cheeks from which there is a beard."""

LEAST_DETAIL = 0.2
"""Fine detail of cheeks, in L*, at least: less is a picture's rounding."""

SHADE = 8.0
"""By how much, in L*, a beard is darker or lighter than the cheeks."""

INNER = 0.12
"""By how much of the way to the mouth the zone of beards stays within the jaw, whose outline is no beard."""

LEAST_BEARD = 0.35
"""Share of that zone from which on hairs in it are a beard, or a moustache."""


@dataclass(frozen=True)
class Part:
    """A part of a face on a result: how many pixels it has, and how many of them are the swap's."""

    pixels: float
    swapped: float

    @property
    def share(self) -> float:
        """In [0,1]: how much of it is the swap's."""
        return self.swapped / self.pixels

    @property
    def cut(self) -> float:
        """Pixels on the other side of the mask than most of it."""
        return min(self.swapped, self.pixels - self.swapped)


def part_of(region: Region, shown: Share) -> Part | None:
    """A part (H,W) of a face, and how much of it `shown` (H,W) covers; None where it has too few pixels."""
    count = int(region.sum())
    return Part(count, float(shown[region].sum())) if count >= FEWEST else None


def cut_share(*parts: Part | None) -> float:
    """Share of all parts' pixels that are on the other side of the mask than most of their part."""
    known = [part for part in parts if part is not None]
    return sum(part.cut for part in known) / sum(part.pixels for part in known) if known else float("nan")


def both_seen(own: Part | None, old: Part | None) -> bool:
    """Whether both the face's own brow, of which the swapped part is seen, and the target's old one, of which the rest
    is, are seen."""
    return own is not None and old is not None and own.share > SEEN and 1 - old.share > SEEN


def brow_shares(face: Seen, target: Seen, result: Seen, shown: Share) -> Mapping[str, tuple[Part | None, Part | None]]:
    """Side -> the face's own brow where it comes to lie in the result, and the target's old brow.

    The own one is brought there by the affine map of the landmarks of that brow and of the eye below it, which is how
    far brows go along with the turn of a head. What the target's hair hides of it is not cut."""
    found, bare = {}, target.labels != LABELS.index("hair")
    for side, (label, brow, eye) in BROWS.items():
        points = [*range(brow, brow + 5), *range(eye, eye + 6)]
        matrix = affine(face.landmarks[points], result.landmarks[points])
        posed = moved(face.labels == label, matrix, shown.shape)
        found[side] = part_of(posed & bare, shown), part_of(target.labels == label, shown)
    return found


def brow_area(face: Seen, result: Seen) -> float:
    """The area of both brows in the result over that of the face's own, each in squares of its face's width between the
    outer corners of the eyes."""
    own = _brows(face)
    return _brows(result) / own if own > 0 else float("nan")


def _brows(seen: Seen) -> float:
    labels = [label for label, _, _ in BROWS.values()]
    eyes = float(np.linalg.norm(seen.landmarks[45] - seen.landmarks[36]))
    return float(np.isin(seen.labels, labels).sum()) / eyes**2


def beard_shares(face: Seen, target: Seen, result: Seen, shown: Share) -> tuple[Part | None, Part | None]:
    """The face's own beard where it comes to lie in the result, and the target's old one; None for one without."""
    matrix = similarity(face.landmarks.astype(np.float64), result.landmarks.astype(np.float64))
    own, old = beard(face), beard(target)
    posed = None if own is None else part_of(moved(own, matrix, shown.shape), shown)
    return posed, None if old is None else part_of(old, shown)


def beard(seen: Seen) -> Region | None:
    """Where a face has a beard, (H,W): what has more fine detail than its cheeks and is darker or, as grey ones are,
    lighter, in the zone where beards grow; None where that is little of it."""
    points, width = seen.landmarks, seen.width
    left, right = (0.55 * points[[jaw]] + 0.45 * points[[nose]] for jaw, nose in ((3, 31), (13, 35)))
    jaw = points[3:14] + INNER * (points[[62]] - points[3:14])
    lips = widened(filled(seen.size, [points[48:60]]), 0.04 * width)
    zone = filled(seen.size, [np.concatenate([left, jaw, right, points[[35, 33, 31]]])]) & ~lips
    cheeks = filled(seen.size, [points[[1, 2, 31, 40, 41, 36]], points[[15, 14, 35, 47, 46, 45]]]) & seen.skin & ~zone
    if min(cheeks.sum(), zone.sum()) < FEWEST:
        return None
    detail = blurred(np.abs(seen.light - blurred(seen.light, DETAIL * width)), 0.02 * width)
    differs = np.abs(blurred(seen.light, 0.02 * width) - np.median(seen.light[cheeks])) > SHADE
    hairy = zone & differs & (detail > BEARDED * max(LEAST_DETAIL, float(np.median(detail[cheeks]))))
    return hairy if hairy.sum() > LEAST_BEARD * zone.sum() else None


def affine(points: Landmarks, onto: Landmarks) -> Matrix:
    """The affine map (2,3) that brings points (N,2) closest to others."""
    rows = np.column_stack([points, np.ones(len(points))]).astype(np.float64)
    return np.asarray(np.linalg.lstsq(rows, onto.astype(np.float64), rcond=None)[0].T, np.float64)


def moved(region: Region, matrix: Matrix, shape: tuple[int, ...]) -> Region:
    """A region where an affine map takes it, in a picture of `shape` (height, width)."""
    there = cv2.warpAffine(region.astype(np.float32), matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(there > 0.5, bool)
