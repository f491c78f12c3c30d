"""A smile given or taken on the photo's own pixels: the corners of the mouth go out and up, and cheeks and lower lids a
little with them. Jaw and hair stay, so that no face becomes wider."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from masque.edits.subject import Subject
from masque.faces.bend import bend, face_axes
from masque.faces.change import Change
from masque.faces.detect import Landmarks
from masque.jsonfile import JSON

SMILE: Mapping[int, tuple[float, float]] = {
    31: (-0.041, -0.042),
    32: (-0.022, -0.030),
    33: (0.000, -0.013),
    34: (0.022, -0.030),
    35: (0.041, -0.042),
    40: (0.002, -0.027),
    41: (0.014, -0.032),
    46: (-0.014, -0.032),
    47: (-0.002, -0.027),
    48: (-0.150, -0.189),
    49: (-0.100, -0.092),
    50: (-0.044, -0.013),
    51: (0.000, -0.013),
    52: (0.044, -0.013),
    53: (0.100, -0.092),
    54: (0.150, -0.189),
    55: (0.107, -0.095),
    56: (0.043, -0.063),
    57: (0.000, -0.055),
    58: (-0.043, -0.063),
    59: (-0.107, -0.095),
    60: (-0.154, -0.170),
    61: (-0.043, -0.046),
    62: (0.000, -0.037),
    63: (0.043, -0.046),
    64: (0.154, -0.170),
    65: (0.043, -0.046),
    66: (0.000, -0.037),
    67: (-0.043, -0.046),
}
"""Landmark -> how far a full smile takes it across and down, in widths of the mouth; others stay. `closed_smile` of the
mean over 441 people of CelebA who are seen neutral and smiling (docs/edits.md has the command)."""

BORNE = 0.75
"""How much of that mean smile is given at full strength: more stretches the corners of a mouth until it shows."""

CHEEK, UPPER_CHEEK = (0.04, -0.06), (0.0, -0.045)
"""The same of points on the cheek beside the mouth and below the eye, which have no landmark; across is outward."""

MOST_TURNED = 0.35
"""How far the nose may lie from the middle between the sides of the jaw, in half face widths, for a smile at full
strength; it fades to nothing at twice that."""

TURNED = "The face is turned too far for a full smile: it is given at less strength."
TURNED_AWAY = "The face is turned too far for a smile: it is left as it is."


def change_smile(subject: Subject, landmarks: Landmarks, strength: float) -> tuple[Change, dict[str, JSON]]:
    """The change by which a face smiles more, or less, and what the record says of it.

    landmarks: (68,2) in photo pixels, where the face is once earlier changes are made. strength: from −1, all of a
    smile taken, over 0 to 1, all of one given. A head that is turned gets less of it, and the record says so under
    `note`."""
    size = (subject.photo.shape[1], subject.photo.shape[0])
    points = np.asarray(landmarks, dtype=np.float64)
    left, right = _room(points)
    held = float(np.clip(2 - _turned(points) / MOST_TURNED, 0, 1))
    values: dict[str, JSON] = {"strength": round(strength * held, 3)}
    if held < 1 and strength:
        values["note"] = TURNED if held else TURNED_AWAY
    if strength * held == 0:
        return Change(size), values
    across, down = face_axes(points)
    mouth = float(np.linalg.norm(points[54] - points[48]))
    shifts = np.zeros_like(points)
    for number, (x, y) in SMILE.items():
        side = left if points[number] @ across < points[51] @ across else right
        shifts[number] = x * side * across + y * down
    cheeks = np.stack(
        [
            0.45 * points[48] + 0.3 * points[3] + 0.25 * points[31],
            0.45 * points[54] + 0.3 * points[13] + 0.25 * points[35],
            0.5 * points[41] + 0.2 * points[31] + 0.3 * points[2],
            0.5 * points[46] + 0.2 * points[35] + 0.3 * points[14],
        ]
    )
    moved = np.stack(
        [
            side * sign * cheek[0] * across + cheek[1] * down
            for cheek in (CHEEK, UPPER_CHEEK)
            for sign, side in ((-1, left), (1, right))
        ]
    )
    width = float(np.linalg.norm(points[16] - points[0]))
    layer = bend(
        "smile",
        np.concatenate([points, cheeks]),
        strength * held * mouth * np.concatenate([BORNE * shifts, moved]),
        points[27:36].mean(axis=0),
        width,
    )
    return Change(size, (layer,)), values


def _room(points: NDArray[np.float64]) -> tuple[float, float]:
    """How wide each half of the mouth looks, 1 for a face seen from the front: what turns away moves less."""
    across, _ = face_axes(points)
    middle = points[51] @ across
    halves = np.array([middle - points[48] @ across, points[54] @ across - middle])
    shares = np.clip(2 * halves / max(1e-6, float(halves.sum())), 0.3, 1.2)
    return float(shares[0]), float(shares[1])


def _turned(points: NDArray[np.float64]) -> float:
    """How far the tip of the nose lies from the middle of the jaw's sides, in half face widths."""
    across, _ = face_axes(points)
    left, tip, right = (float(points[number] @ across) for number in (0, 30, 16))
    return abs(2 * tip - left - right) / max(1e-6, right - left)
