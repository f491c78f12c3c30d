"""Edits of label maps by which repainting is measured, and what is measured of what it makes of them.

An edit takes the label map (H,W) that the photo has and the width of the face in its pixels, and returns the map that
is asked for. The masks say where a part has moved or grown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.labels import LABELS, MOUTH, Labels
from masque.image import Picture

Mask = NDArray[np.bool_]

SKIN, NOSE, HAIR = (LABELS.index(name) for name in ("skin", "nose", "hair"))
BROWS = (LABELS.index("left brow"), LABELS.index("right brow"))
EYES = (LABELS.index("left eye"), LABELS.index("right eye"))


def scaled_part(labels: Labels, part: Sequence[int], across: float, down: float, shift: float = 0.0) -> Labels:
    """A label map whose part is `across` times as wide and `down` times as high about its centre, and lies `shift`
    pixels lower. What it leaves becomes skin."""
    there = np.isin(labels, part)
    if not there.any():
        return labels.copy()
    rows, columns = np.nonzero(there)
    x, y = float(columns.mean()), float(rows.mean())
    matrix = np.array([[across, 0, x - across * x], [0, down, y + shift - down * y]])
    only = np.where(there, labels, 0).astype(np.uint8)
    size = (labels.shape[1], labels.shape[0])
    placed = cv2.warpAffine(only, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    edited = np.where(there, SKIN, labels)
    # A part grows over skin, never over hair, wall or another part.
    return np.where((placed > 0) & np.isin(edited, (SKIN, NOSE)), placed, edited).astype(np.uint8)


def mouth_larger(labels: Labels, face_width: float) -> Labels:  # noqa: ARG001
    """The mouth wider and higher by a quarter."""
    return scaled_part(labels, MOUTH, 1.25, 1.25)


def brows_raised(labels: Labels, face_width: float) -> Labels:
    """Each brow higher by 4 % of the face's width, or by as much as there is forehead above it."""
    for brow in BROWS:
        rows, columns = np.nonzero(labels == brow)
        if len(rows):
            above: Mask = np.isin(labels[: rows.min() + 1, columns.min() : columns.max() + 1], (SKIN, brow))
            free = int(np.asarray(above.all(axis=1))[::-1].cumprod().sum()) - 1
            labels = scaled_part(labels, (brow,), 1, 1, -min(0.04 * face_width, max(0.0, free - 0.02 * face_width)))
    return labels


def eyes_larger(labels: Labels, face_width: float) -> Labels:  # noqa: ARG001
    """Each eye larger by a quarter."""
    for eye in EYES:
        labels = scaled_part(labels, (eye,), 1.25, 1.25)
    return labels


def nose_narrower(labels: Labels, face_width: float) -> Labels:  # noqa: ARG001
    """The nose narrower by a fifth."""
    return scaled_part(labels, (NOSE,), 0.8, 1)


def hair_removed(labels: Labels, face_width: float) -> Labels:
    """No hair at all: a bald head, a little wider than the face and as high as heads are."""
    rows, columns = np.nonzero(np.isin(labels, EYES))
    if not len(rows):
        return labels.copy()
    middle = round(float(rows.mean()))
    face = np.nonzero(((labels > 0) & (labels != HAIR))[middle])[0]
    x = (float(face.min() + face.max()) + float(columns.mean())) / 3
    half = max(0.52 * face_width, (float(np.ptp(face)) + 0.04 * face_width) / 2)
    down, across = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]]
    high = np.where(down < middle, 0.72, 0.85) * face_width
    head = np.square((across - x) / half) + np.square((down - middle) / high) < 1
    return np.where(labels == HAIR, np.where(head, SKIN, 0), labels).astype(np.uint8)


def hair_grown(labels: Labels, face_width: float) -> Labels:
    """The hair's outline farther out by 8 % of the face's width."""
    reach = max(1, round(0.08 * face_width))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = cv2.dilate((labels == HAIR).astype(np.uint8), kernel) > 0
    return np.where(grown & (labels == 0), HAIR, labels).astype(np.uint8)


EDITS: Mapping[str, tuple[Callable[[Labels, float], Labels], tuple[int, ...]]] = {
    "mouth larger": (mouth_larger, MOUTH),
    "brows raised": (brows_raised, BROWS),
    "eyes larger": (eyes_larger, EYES),
    "nose narrower": (nose_narrower, (NOSE,)),
    "hair removed": (hair_removed, (SKIN,)),
    "hair grown": (hair_grown, (HAIR,)),
}
"""Name of an edit -> what it does to a label map, and the labels of the part that moves or grows."""

FINE = 1.0
"""Standard deviation in pixels of the Gaussian that leaves of a picture what is not fine detail."""

NEAR = 0.03
"""How far around what changed, in face widths, a part counts as changed."""


def changed_part(own: Labels, asked: Labels, part: Sequence[int], face_width: float) -> Mask:
    """Where a part lies, in the asked map (H,W) or in one's own, within a few pixels of where the two differ."""
    reach = 2 * max(1, round(NEAR * face_width)) + 1
    near = cv2.dilate((own != asked).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    return np.asarray(near & (np.isin(asked, part) | np.isin(own, part)))


def agreement(asked: Labels, seen: Labels, part: Sequence[int], where: Mask) -> float | None:
    """Intersection over union of a part in the label map that was asked for and in that which a parser sees, over the
    pixels `where` (H,W) it has changed; None where neither has it there.

    asked, seen: (H,W). Left and right parts count as one, and so do lips and inner mouth."""
    a, b = np.isin(asked, part) & where, np.isin(seen, part) & where
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else None


def sharpness(
    before: Picture, after: Picture, own: Labels, asked: Labels, part: Sequence[int], face_width: float
) -> float | None:
    """Fine detail of a part after an edit over that before: mean differences of lightness from its own blur.

    before, after: (H,W,3). own, asked: label maps (H,W). Scalp that is new is compared with the photo's
    skin, and hair that is new with as wide a rim of the photo's hair; of other parts all. None where either shows too
    little."""
    mine, wanted = np.isin(own, part), np.isin(asked, part)
    if HAIR in part or SKIN in part:
        wanted &= ~mine
    if HAIR in part:
        mine &= cv2.distanceTransform(mine.astype(np.uint8), cv2.DIST_L2, 3) < 0.08 * face_width
    inside = [_inner(one) for one in (mine, wanted)]
    if min(int(one.sum()) for one in inside) < FEWEST:
        return None
    one, other = (
        float(np.abs(_fine(picture))[where].mean()) for picture, where in zip((before, after), inside, strict=True)
    )
    return other / one if one > 0.05 else None


FEWEST = 30
"""Pixels of a part that are needed to say anything of it."""


def _inner(mask: Mask) -> Mask:
    """A mask (H,W) without its rim, where the outline is what is sharp."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _fine(picture: Picture) -> NDArray[np.float32]:
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(light - cv2.GaussianBlur(light, (0, 0), FINE), dtype=np.float32)
