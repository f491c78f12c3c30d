"""The head as it is built: the mean person, eyes open and lips 4.8 mm apart, without ears and hair.

Lengths are mm and angles radians unless a name says degrees. The left half mirrors the right one, so most functions
look at |x| alone. The numbers were modelled by eye on the mean of aligned photos."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from masque.data.puppets.curves import Floats, curve, gaussian, smooth_step

EYE_X = 31.3
"""From the middle of the face to the middle of an eye."""
EYE_Y = 0.3
EYE_HALF_WIDTH = 15.4
EYEBALL_RADIUS = 12.6
EYEBALL_Z = 65.5
"""Depth of the eyeball's middle."""
LID_THICKNESS = 1.3
MOUTH_HALF_WIDTH = 26.5
LIPS_APART = 4.8
"""Height of the opening between the lips as built, in the middle; it gives the inside of the mouth room in the
textures."""
MOUTH_Y = -68.6
"""Height of the line between the lips."""

SECTIONS = np.array([
    [-116, 0, 0, 0, -8], [-113, 24, 31, 32, -8], [-104.5, 44, 57, 61, -8], [-90, 60, 79.5, 82, -8],
    [-71, 69.5, 93, 90, -8], [-50, 73.5, 99.5, 92, -8], [-25, 74.5, 99, 90, -6], [0, 72.5, 93, 85, -3],
    [25, 71, 88, 75, 0], [45, 68.5, 82.5, 65, 5], [65, 64, 75, 57, 12], [87, 53.5, 63.5, 52, 22],
    [103, 42, 50, 47, 32], [114, 28.5, 35, 40, 40], [120.5, 14, 18, 24, 44], [122.5, 0, 0, 0, 44],
], dtype=float) ** (1, 2, 2, 2, 1)  # fmt: skip
"""Horizontal sections from the vertex down to the chin: −y; the squares of half width and of the depths before
and behind the widest place, and that place's z. What is squared ends in a round tip where it falls to 0 evenly."""

NOSE = np.array([
    [-20, 0, 8], [-12, 1.5, 7], [-2, 4.5, 5.6], [8, 8.3, 5.8], [20, 14, 6.6], [30, 19.5, 7.8],
    [36, 22.6, 8.8], [41, 20.8, 9.2], [45.5, 14.5, 9.4], [48.5, 7, 9.6], [52, 0.5, 9], [56, 0, 8],
], dtype=float)  # fmt: skip
"""The nose from its root to below its tip: −y, height over the face, half width."""

NOSE_TOP, NOSE_END = -20, 56
"""−y of the first and the last row of NOSE."""

HAIRLINE = np.array([
    [0, 74], [15, 72], [29, 66], [40, 57], [50, 45], [59, 31], [67, 14], [73, 0],
    [79, -9], [86, -8], [89, 6], [96, 20], [112, 12], [122, -12], [140, -55],
], dtype=float)  # fmt: skip
"""Degrees from the front to either side, and the height above which hair grows there; it passes round the ear."""


class Relief(NamedTuple):
    """A Gaussian hill or hollow of the face, on both sides."""

    x: float
    y: float
    width_x: float
    width_y: float
    height: float
    """Towards the viewer."""


RELIEFS = {
    "brow ridge": Relief(26, 20, 17, 8, 3),
    "glabella": Relief(0, 22, 9, 9, 1.5),
    "eye socket": Relief(31, -1, 14, 11, -8.5),
    "inner corner of the eye socket": Relief(17, 4, 5, 9, -5),
    "cheekbone": Relief(48, -24, 15, 12, 4.5),
    "hollow of the cheek": Relief(40, -50, 13, 16, -1.5),
    "chin": Relief(0, -110, 17, 9, 5),
    "fold above the chin": Relief(0, -92, 17, 5, -4),
    "temple": Relief(62, 28, 12, 16, -2),
    "arch of the teeth": Relief(0, -54, 26, 14, 4),
    "wing of the nose": Relief(13.5, -41.5, 5, 4.8, 8.5),
    "groove beside the wing": Relief(22, -46, 4, 9, -1.4),
}


class Lids(NamedTuple):
    """Heights of the two edges of the opening between the lids."""

    upper: Floats
    """y of the upper lid's edge."""
    lower: Floats
    """y of the lower lid's edge."""


class Lips(NamedTuple):
    """Heights of the lips' four edges, downwards: the upper lip lies between `top` and `opening_top`, the lower one
    between `opening_bottom` and `bottom`."""

    top: Floats
    opening_top: Floats
    opening_bottom: Floats
    bottom: Floats


def lids_at(x: Floats) -> Lids:
    """The lids of open eyes at the places `x`, of both eyes; outside the eyes the two edges meet."""
    across = (np.abs(x) - EYE_X) / EYE_HALF_WIDTH  # from −1 at the inner corner to 1 at the outer one
    bowed = np.abs(across - 0.06 * (1 - across * across))  # highest a little outside the middle
    upper = 7.0 * np.clip(1 - bowed**2.3, 0, None) ** 0.9
    lower = -5.0 * np.clip(1 - np.abs(across) ** 2.2, 0, None) ** 0.9
    return Lids(upper + across, lower + across)  # the outer corner lies higher


def lips_at(x: Floats) -> Lips:
    """The lips as built, 4.8 mm apart, at the places `x`; outside the mouth all edges meet."""
    across = np.clip(np.abs(x) / MOUTH_HALF_WIDTH, 0, 1)  # from 0 in the middle to 1 in the corner
    opening_top = MOUTH_Y + 0.6 * np.cos(2 * np.pi * across) * (1 - across) + across**2
    cupids_bow = 6.0 * (1 - across**1.7) + 1.4 * gaussian(np.abs(x) - 6, 4) - 0.6 * gaussian(x, 2.5)
    opening_bottom = opening_top - LIPS_APART * (1 - across**2) ** 0.7
    fullness = 9.2 * (1 - across**2.2) ** 0.8
    return Lips(opening_top + cupids_bow, opening_top, opening_bottom, opening_bottom - fullness)


def nose_at(y: Floats) -> tuple[Floats, Floats]:
    """Height over the face, and half width, of the nose at the heights `y`."""
    height, half_width = curve(np.clip(-y, NOSE_TOP, NOSE_END), NOSE)
    return height, half_width


def half_width_at(y: Floats) -> Floats:
    """Half width of the head at the heights `y`."""
    return np.asarray(np.sqrt(curve(-y, SECTIONS)[0]))


ROUNDNESS_X = 0.94
ROUNDNESS_Z = 0.92
"""Exponents of sine and cosine: below 1 the sections are a little squarer than ellipses."""


def head_points(angle: Floats, y: Floats) -> Floats:
    """Points (3,…) of the head as built.

    angle: radians round the vertical axis, from 0 at the front to π at the back, positive to the picture's right. y:
    heights, which broadcast with the angles."""
    half_width, ahead, behind, middle = curve(-y + 0 * angle, SECTIONS)
    sine, cosine = np.sin(angle), np.cos(angle)
    depth = np.sqrt(np.maximum(np.where(cosine > 0, ahead, behind), 0))
    x = np.sqrt(np.maximum(half_width, 0)) * np.sign(sine) * np.abs(sine) ** ROUNDNESS_X
    z = middle + depth * np.sign(cosine) * np.abs(cosine) ** ROUNDNESS_Z
    facing = smooth_step(cosine, 0.05, 0.45)  # the skull goes over into the face
    z = z + facing * (_nose(np.abs(x), y) + _reliefs(np.abs(x), y))
    z = _with_eyelids(z, np.abs(x), y, facing)
    z = _with_lips(z, np.abs(x), y, facing)
    return np.stack([x, y + 0 * x, z])


def angle_at(x: Floats, y: Floats) -> Floats:
    """The angle at which `head_points` passes through x at height y; the widest place where it does not."""
    sine = np.clip(np.abs(x) / half_width_at(y), 0, 0.995) ** (1 / ROUNDNESS_X)
    return np.sign(x) * np.arcsin(sine)


def _nose(ax: Floats, y: Floats) -> Floats:
    """Height of the nose over the face: a ridge with a round back and steep sides."""
    height, half_width = nose_at(y)
    return height / (1 + 0.8 * (ax / half_width) ** 2 + (0.8 * ax / half_width) ** 6)


def _reliefs(ax: Floats, y: Floats) -> Floats:
    """Height of all hills and hollows over the face."""
    heights = [r.height * gaussian(ax - r.x, r.width_x, y - r.y, r.width_y) for r in RELIEFS.values()]
    return np.asarray(np.add.reduce(heights))


def _with_eyelids(z: Floats, ax: Floats, y: Floats, facing: Floats) -> Floats:
    """Depths `z` with the lids laid on the eyeball, and the fold in the upper lid above its edge."""
    lid_radius = EYEBALL_RADIUS + LID_THICKNESS
    from_eye = np.hypot(ax - EYE_X, y - EYE_Y)
    ball = EYEBALL_Z + np.sqrt(np.maximum(lid_radius**2 - from_eye**2, 0))
    z = z + facing * smooth_step(lid_radius - from_eye, -1.0, 4.5) * np.maximum(ball - z, 0)
    fold = gaussian(y - lids_at(ax).upper - 4.2, 1.3)  # 4.2 mm above the edge
    return z - facing * 1.7 * fold * smooth_step(17 - np.abs(ax - 32), 0, 6)  # 1.7 mm deep, fading beside the eye


def _with_lips(z: Floats, ax: Floats, y: Floats, facing: Floats) -> Floats:
    """Depths `z` with the swell of both lips, which runs out towards the corners."""
    lips = lips_at(ax)
    # Place across each lip, from 0 at the opening to 1 at its outer edge. A lip is never thinner than 0.8 mm.
    across_upper = (y - lips.opening_top) / np.maximum(lips.top - lips.opening_top, 0.8)
    across_lower = (lips.opening_bottom - y) / np.maximum(lips.opening_bottom - lips.bottom, 0.8)
    across_upper, across_lower = np.clip([across_upper, across_lower], -1, 2)
    swell_upper, swell_lower = 4.2 * gaussian(across_upper - 0.25, 0.55), 5.6 * gaussian(across_lower - 0.35, 0.5)
    swell = np.where(y > (lips.opening_top + lips.opening_bottom) / 2, swell_upper, swell_lower)
    return z + facing * swell * smooth_step(ax, 30, 14) * smooth_step(ax, 27, 14)
