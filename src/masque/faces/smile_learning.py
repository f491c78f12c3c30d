"""How landmarks move when people smile, learnt from people who are seen both ways."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from masque.faces.frame import MIRRORED, WIDTH, similarity

FIXED = [*range(27, 31), 36, 39, 42, 45]
"""Landmarks that a smile leaves where they are: the ridge of the nose and the corners of the eyes."""

FRONTAL = 0.25
"""How far the tip of the nose may lie from the middle of the jaw's sides, in face widths."""

NEUTRAL, SMILING = 0.25, 0.8
"""Values of the attribute below which a face is neutral, and above which it smiles."""

CLOSED = 0.4
"""Value of the attribute below which a mouth is closed."""

INNER = ((61, 67, 50, 58), (62, 66, 51, 57), (63, 65, 52, 56))
"""Inner edge of the upper and of the lower lip, and the outer edges beside them."""

THINNER = 0.8
"""How much of what lips lose in thickness by a smile is kept where they stay together."""


NEXT = 0.6
"""How much of the way that closes the lips is gone by the points between their middle and the corners."""


def mean_smile(
    landmarks: NDArray[np.floating],
    people: Sequence[str],
    smiling: NDArray[np.floating],
    mouth_open: NDArray[np.floating],
) -> tuple[NDArray[np.float64], int]:
    """How far a smile takes each landmark, (68,2) in widths of the neutral mouth across and down, and of how many
    people that is the mean.

    landmarks: (N,68,2), of aligned frames. people: who is on each. smiling, mouth_open: (N,) in [0,1]. A person counts
    who is seen, nearly from the front, neutral with the mouth closed and smiling; the more, the more often both. Raises
    ValueError where there is none."""
    centre = landmarks.mean(axis=0)
    centre = (centre + np.stack([WIDTH - 1 - centre[MIRRORED, 0], centre[MIRRORED, 1]], axis=1)) / 2
    aligned = np.stack([_aligned(one, centre) for one in np.asarray(landmarks, dtype=np.float64)])
    width = float(np.linalg.norm(centre[16] - centre[0]))
    frontal = np.abs(2 * aligned[:, 30, 0] - aligned[:, 0, 0] - aligned[:, 16, 0]) / width < FRONTAL
    names = np.asarray(people)
    total, weights, count = np.zeros((68, 2)), 0.0, 0
    for person in np.unique(names):
        own = frontal & (names == person)
        neutral = aligned[own & (smiling < NEUTRAL) & (mouth_open < CLOSED)]
        happy = aligned[own & (smiling > SMILING)]
        if not len(neutral) or not len(happy):
            continue
        before = neutral.mean(axis=0)
        weight = 1 / (1 / len(neutral) + 1 / len(happy))
        total += weight * (happy.mean(axis=0) - before) / np.linalg.norm(before[54] - before[48])
        weights += weight
        count += 1
    if not count:
        raise ValueError("nobody is seen neutral and smiling")
    mean = total / weights
    turned = np.stack([-mean[MIRRORED, 0], mean[MIRRORED, 1]], axis=1)
    return (mean + turned) / 2, count


def closed_smile(smile: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smile (68,2) whose lips stay together, as bending needs it, since it can show no teeth: the inner edges go
    where the middle between them goes."""
    closed = smile.copy()
    for upper, lower, above, below in INNER:
        closed[[upper, lower]] = (smile[upper] + smile[lower]) / 2
        closed[above] = closed[upper] + THINNER * (smile[above] - smile[upper])
        closed[below] = closed[lower] + THINNER * (smile[below] - smile[lower])
    for near, middle in ((49, 50), (53, 52), (59, 58), (55, 56)):  # else the lips would have a kink there
        closed[near] += (closed[middle] - smile[middle]) * NEXT
    return closed


def _aligned(landmarks: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = similarity(landmarks[FIXED], centre[FIXED])
    return np.asarray(landmarks @ matrix[:, :2].T + matrix[:, 2], dtype=np.float64)
