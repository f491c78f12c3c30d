"""The light on a face as a plane: how much brighter its right and its lower side are, and the same face in other
light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.bend import face_axes
from masque.faces.change import Shift
from masque.faces.regions import hull_mask
from masque.faces.strips import Box
from masque.image import Picture

Slopes = NDArray[np.float64]
"""(2,): by how much ln(L + 8) rises over the face's width, across from its right eye to its left one, and down."""

MOST = 0.35
"""The largest slope that a face is given or taken: more darkens eyes and lips with the skin."""

CELLS = 64
"""Cells along a side of the field of a change of light."""

ROUNDS = 5
"""How often the plane is fitted anew without what lies far from it: brows, eyes, nostrils, teeth."""

FAR = 0.15
"""How far from the plane, in ln(L + 8), half of a pixel's weight is lost."""


def light_slopes(picture: Picture, landmarks: NDArray[np.floating]) -> Slopes:
    """How light falls on the face in a picture (H,W,3): a plane through ln(L + 8) within the face mask, fitted
    robustly (iteratively reweighted least squares).

    landmarks: (68,2)."""
    inside = hull_mask(np.asarray(landmarks, dtype=np.float32), (picture.shape[1], picture.shape[0])) > 0
    if inside.sum() < 30:
        return np.zeros(2)
    lab = cv2.cvtColor(picture.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    light = np.log(lab[..., 0][inside].astype(np.float64) + 8)
    y, x = np.nonzero(inside)
    across, down = _places(x, y, landmarks)
    plane = np.stack([np.ones(len(x)), across, down], axis=-1)
    weight = np.ones(len(x))
    for _ in range(ROUNDS):
        weighted = plane * weight[:, None]
        found = np.linalg.lstsq(weighted.T @ plane, weighted.T @ light, rcond=None)[0]
        weight = 1 / (1 + np.square((light - plane @ found) / FAR))
    return np.clip(found[1:], -2 * MOST, 2 * MOST)


def relit(name: str, slopes: Slopes, landmarks: NDArray[np.floating], box: Box, matte: NDArray[np.uint8]) -> Shift:
    """The change of light by which a face's slopes grow by others, within what is held.

    name: of the layer. landmarks: (68,2) of the face in its photo. matte: (h,w) over the box: where it shows."""
    held = np.clip(slopes, -MOST, MOST)
    left, top, right, bottom = box
    x = left - 0.5 + (np.arange(CELLS) + 0.5) * (right - left) / CELLS
    y = top - 0.5 + (np.arange(CELLS) + 0.5) * (bottom - top) / CELLS
    across, down = _places(*np.meshgrid(x, y), landmarks)
    # Beyond the face the light changes no more: heads are round.
    field = np.zeros((CELLS, CELLS, 3), np.float32)
    field[..., 0] = held[0] * np.tanh(across / 0.6) * 0.6 + held[1] * np.tanh(down / 0.6) * 0.6
    return Shift(name, box, matte, field)


def _places(
    x: NDArray[np.generic], y: NDArray[np.generic], landmarks: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where pixels lie from the middle of the face, across and down, in widths of the face."""
    points = np.asarray(landmarks, dtype=np.float64)
    width = float(np.linalg.norm(points[16] - points[0]))
    middle = points[27:36].mean(axis=0)
    offset = np.stack([x, y], axis=-1).astype(np.float64) - middle
    across, down = face_axes(points)
    return offset @ across / width, offset @ down / width
