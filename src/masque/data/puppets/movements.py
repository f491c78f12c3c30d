"""How identity and expression move the points of the head: the columns of A_id and A_exp, each with a name.

A movement is a sum of Gaussian bumps, so it is smooth, local and the same on both sides. Opening the mouth and closing
the eyes also move the jaw and the lids, which have edges that a bump cannot follow. Lengths are mm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from masque.data.puppets.curves import Floats, gaussian, smooth_step
from masque.data.puppets.head import LIPS_APART, Lids, lids_at, lips_at


class Bump(NamedTuple):
    """Points about (±x, y) move by (±dx, dy, dz), fading with the distance as a Gaussian."""

    x: float
    y: float
    width_x: float
    """Standard deviation of the Gaussian across."""
    width_y: float
    dx: float = 0
    """Away from the middle of the face."""
    dy: float = 0
    """Upwards."""
    dz: float = 0
    """Towards the viewer."""


IDENTITY = {
    "head width": (Bump(75, 30, 60, 90, dx=3),),
    "face length": (Bump(0, -120, 90, 46, dy=-4.5),),
    "jaw width": (Bump(52, -82, 22, 26, dx=3.4),),
    "chin length": (Bump(0, -120, 26, 15, dy=-3.5, dz=1),),
    "chin width": (Bump(18, -112, 13, 12, dx=2.6, dz=1.2),),
    "cheekbones": (Bump(56, -24, 18, 15, dx=2.2, dz=2.5),),
    "cheeks": (Bump(46, -60, 18, 20, dx=2.8, dz=3),),
    "forehead": (Bump(0, 95, 90, 40, dy=5),),
    "brow ridge": (Bump(24, 18, 22, 8, dz=2),),
    "brow height": (Bump(30, 17, 22, 9, dy=1.7),),
    "brow tilt": (Bump(44, 15, 10, 9, dy=1.6), Bump(16, 15, 9, 9, dy=-1.2)),
    "ears": (Bump(88, -8, 9, 40, dx=3.5),),
    "eye size": (Bump(31, 6, 12, 4.5, dy=0.9), Bump(31, -6, 12, 4.5, dy=-0.5)),
    "eye spacing": (Bump(31, 0, 18, 16, dx=1.5),),
    "eye tilt": (Bump(46, 0, 9, 10, dy=1.3), Bump(17, 0, 6, 8, dy=-0.6)),
    "nose length": (Bump(0, -43, 14, 12, dy=-2.6, dz=0.4),),
    "nose width": (Bump(13, -41, 7, 9, dx=1.8, dz=0.3),),
    "nose bridge": (Bump(0, -20, 8, 20, dz=2.4),),
    "mouth width": (Bump(26, -68, 13, 11, dx=2.2),),
    "lip fullness": (Bump(0, -60, 20, 4, dy=1.2, dz=0.9), Bump(0, -80, 20, 5, dy=-1.4, dz=0.9)),
}
"""A_id: what a coefficient of 1 does, about one standard deviation between people."""

EXPRESSION = {
    "smile": (
        Bump(28, -68, 11, 10, dx=4.5, dy=4.6, dz=-3),  # corners of the mouth
        Bump(46, -36, 14, 12, dx=1, dy=3, dz=3.5),  # cheeks
        Bump(31, -8, 13, 5, dy=1.4),  # lower lids
        Bump(0, -60, 16, 6, dy=1.2, dz=-0.5),  # upper lip
    ),
    "mouth open": (Bump(26, -69, 10, 10, dx=-2.5, dy=-2), Bump(44, -64, 14, 18, dx=-2, dz=-2)),
    "brows up": (Bump(30, 20, 24, 11, dy=4.5),),
    "eyes closed": (),
    "frown": (Bump(14, 16, 10, 8, dx=-2.4, dy=-3.2, dz=1),),
    "pucker": (Bump(25, -68, 12, 11, dx=-6, dz=2), Bump(0, -68, 16, 10, dz=4)),
    "puffed": (Bump(44, -64, 15, 14, dx=4, dz=5),),
    "corners down": (Bump(27, -69, 11, 9, dx=0.5, dy=-4, dz=-0.5), Bump(14, 16, 8, 7, dy=2)),
    "sneer": (Bump(12, -42, 9, 9, dx=0.8, dy=2.2), Bump(0, -60, 16, 5, dy=1.5)),
    "squint": (Bump(31, 7, 13, 4, dy=-1.3), Bump(31, -7, 13, 5, dy=1.6)),
}
"""A_exp: what a coefficient of 1 does, the full expression. "mouth open" and "eyes closed" also move as `movements`
adds."""

MALE = {
    "head width": 0.3,
    "jaw width": 0.8,
    "chin width": 0.7,
    "brow ridge": 1.0,
    "brow height": -0.8,
    "lip fullness": -0.5,
    "eye size": -0.7,
    "nose width": 0.5,
    "nose length": 0.3,
    "cheeks": -0.3,
}
"""What a man's face (`Face.male` = 1) adds to alpha_id, and a woman's (0) takes away."""

MOVEMENTS = (*IDENTITY, *EXPRESSION)
"""Names of the coefficients alpha, in their order: identity, then expression."""

JAW_DROP = 16
"""How far the lower lip falls when the mouth opens fully."""
JAW_BACK = 5
"""How far it moves back meanwhile."""


def movements(points: Floats) -> Floats:
    """A: how far each of MOVEMENTS moves points (3,N) of the head as built, per unit of its coefficient, (30,3,N)."""
    x, y, z = points
    side = np.tanh(x / 4)  # −1 to the left and 1 to the right, without a crease in the middle
    moved = np.zeros((len(MOVEMENTS), *points.shape))
    for out, bumps in zip(moved, (*IDENTITY.values(), *EXPRESSION.values()), strict=True):
        for bump in bumps:
            fading = gaussian(np.abs(x) - bump.x, bump.width_x, y - bump.y, bump.width_y)
            out += fading * np.stack([side * bump.dx, 0 * x + bump.dy, 0 * x + bump.dz])
    lids = lids_at(x)
    gap, share = np.maximum(lids.upper - lids.lower, 0.0), _lid_fall(y, z, lids)
    moved[MOVEMENTS.index("eyes closed")] += np.stack([0 * x, -share * gap, 0.8 * share * (gap > 0)])
    drop = _jaw_drop(points)
    moved[MOVEMENTS.index("mouth open")] += np.stack([0 * x, -JAW_DROP * drop, -JAW_BACK * drop])
    return moved


def closed_lips(points: Floats) -> Floats:
    """What S_mean adds to points (3,N) of the head as built, (3,N): the jaw goes up until the lips just meet."""
    drop = _jaw_drop(points)
    return np.stack([0 * points[0], LIPS_APART * drop, 1.5 * drop])


def _lid_fall(y: Floats, z: Floats, lids: Lids) -> Floats:
    """How far the skin of the lids falls when the eyes close, as a share of the opening's height: all of it at the edge
    of the upper lid, fading above it and, over the opening, towards the lower lid. z keeps the back of the head still.
    """
    gap = np.maximum(lids.upper - lids.lower, 0.0)
    above, within = gaussian(y - lids.upper, 4.5), np.clip((y - lids.lower) / np.maximum(gap, 0.02), 0, 1)
    return np.where(y > lids.upper, above, within) * smooth_step(z, 20, 45)


def _jaw_drop(points: Floats) -> Floats:
    """How far points (3,N) follow the jaw, 1 at the middle of the lower lip: its whole way below the mouth, and in
    proportion between the lips, whose corners stay."""
    x, y, z = points
    lips = lips_at(x)
    opening = lips.opening_top - lips.opening_bottom
    below_lip = smooth_step(lips.opening_bottom - y, 0, 34)
    below_mouth = np.clip((lips.opening_top - y) / np.maximum(opening, 0.02), 0, 1)
    follows_lip, follows_jaw = opening / LIPS_APART * (1 - below_lip), below_lip * gaussian(x, 60)
    return np.asarray(below_mouth * (follows_lip + follows_jaw) * smooth_step(z, 10, 45))
