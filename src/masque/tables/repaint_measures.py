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
"""Name of an edit -> what it does to a label map, and the labels of the part that it changes."""


def agreement(asked: Labels, seen: Labels, part: Sequence[int], near: Mask) -> float | None:
    """Intersection over union of a part in the label map that was asked for and in that which a parser sees, over the
    pixels `near` (H,W) the edit; None where neither has it there.

    asked, seen: (H,W). Left and right parts count as one, and so do lips and inner mouth."""
    a, b = np.isin(asked, part) & near, np.isin(seen, part) & near
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else None


def sharpness(picture: Picture, inside: Mask) -> float:
    """Mean square of a picture's finest detail where a mask (H,W) is true: its light less what a Gaussian of 1.2 pixels
    leaves of it; in squared levels."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = light - cv2.GaussianBlur(light, (0, 0), 1.2)
    return float(np.square(detail[inside]).mean()) if inside.any() else 0.0
