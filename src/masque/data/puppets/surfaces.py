"""Every surface of a puppet as a grid of points, as built: before identity, expression and pose move it.

Rows of a grid run down and columns to the picture's right, where the surface shows its front; rows of ears and glasses
run outwards. Lengths are mm, angles radians round the vertical axis from the front, unless a name says otherwise; the
numbers were modelled by eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from masque.data.puppets.curves import Floats, curve, gaussian, smooth_step, unit
from masque.data.puppets.head import HAIRLINE, head_points

TEXELS = 6
"""Texels of the head's textures per step of its grid, both ways."""

EAR_ROOT = 8
"""How far the outermost row of an ear dips into the head."""


@dataclass(frozen=True)
class Surface:
    """A grid of points, and where each of them lies in the surface's own paint."""

    points: Floats
    """(3,rows,columns): x, y and z of each point of the grid, in mm."""
    uv: Floats
    """(2,rows,columns), the place in the paint: column and row of the textures on head and ears; mm round and down the
    head in the pattern of strands on hair; x and y on the shoulders; x and y on the plane of the lenses on glasses."""
    two_sided: bool = False
    """Whether its back is ever seen: that of hair and of glasses is."""
    turns_from: tuple[float, float] | None = None
    """Heights between which a point turns with the head from not at all to fully; None: it always does."""


def head_surface() -> Surface:
    """From the vertex to the chin and, at the sides, to behind the ears; dense where the face is."""
    angles = np.radians(np.interp(np.arange(79), [0, 12, 66, 78], [-140, -52, 52, 140]))
    rows = [0, 1, 3, 6, 9, 16, 23, 36, 59, 62, 74, 80, 91, 93]
    heights = [116, 115, 111, 96, 70, 28, 10, -9, -58, -63, -75, -86, -120, -122.49]  # of these rows
    points = head_points(*np.meshgrid(angles, np.interp(np.arange(94), rows, heights)))
    down, right = np.indices(points.shape[1:])
    return Surface(points, TEXELS * (np.stack([right, down]) + 0.5))


def ear_surfaces() -> tuple[Surface, Surface]:
    """The ears to the picture's right and left: shells with a rim and a hollow, in the skin of a plain cheek."""
    turn, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 25), [*np.linspace(0.05, 1, 9), 1.02])
    back = 18 * radius * np.cos(turn) * (1 + 0.16 * np.sin(turn))  # wider above than below
    up = 31 * radius * np.sin(turn)
    rim = 4.5 * gaussian(radius - 0.86, 0.1)
    hollow = 7 * gaussian(radius * np.cos(turn) + 0.15, 0.35, radius * np.sin(turn) + 0.12, 0.3)
    out = rim - hollow - EAR_ROOT * (radius > 1.01)
    right = np.stack(
        [76 + 0.52 * back + 0.06 * up + 0.84 * out, 0.1 * back + up - 9, -8 - 0.84 * back - 0.12 * up + 0.52 * out]
    )
    cheek = TEXELS * np.stack([63 + 2 * radius, 38 + 0.4 * turn])  # columns and rows of the head's grid there
    left = right[:, :, ::-1] * [[[-1]], [[1]], [[1]]]
    return Surface(right, cheek), Surface(left, cheek)


def shoulders_surface() -> Surface:
    """The neck, which widens to the shoulders until below the picture."""
    angles = np.radians(np.linspace(-115, 115, 47))
    angle, down = np.meshgrid(angles, [*range(60, 140, 8), *range(140, 200, 4), 210, 250, 300])
    half_width = 52 + 5 * smooth_step(down, 90, 140) + 160 * smooth_step(down, 138, 215) ** 1.2
    half_depth = 44 + 36 * smooth_step(down, 130, 230)
    points = np.stack([half_width * np.sin(angle), -down, half_depth * np.cos(angle) - 18])
    return Surface(points, points[:2], turns_from=NECK)


NECK = (-150, -85)
"""Heights between which what hangs from the head or carries it turns with it more and more."""

MM_PER_RADIAN = 120
"""Strands are as wide everywhere as on a head of this radius, a little above the true one."""


def curtain_surface() -> Surface:
    """Long hair: a sheet round the sides and the back of the head, at its full length."""
    angle, down = np.meshgrid(np.radians(np.linspace(52, 308, 61)), np.linspace(-88, 205, 31))
    swell, lower = smooth_step(down, -112, -60), smooth_step(down, 60, 200)
    half_width = 52 + 29 * swell + 10 * smooth_step(down, -60, 20) - 12 * lower
    half_depth = np.where(np.cos(angle) > 0, 52 + 10 * swell + 28 * lower, 76 + 30 * swell - 20 * lower)
    points = np.stack([half_width * np.sin(angle), -down, half_depth * np.cos(angle) - 6])
    return Surface(points, np.stack([angle * MM_PER_RADIAN, down]), two_sided=True, turns_from=NECK)


CAP_ROOT = 6
"""How deep under the scalp the cap lies as built: where no hair grows it stays there, unseen."""


def cap_surface() -> tuple[Surface, Floats]:
    """The hair on top of the head, from a ragged hairline up to the vertex, as built under the scalp; and how it
    stands out, (2,3,rows·columns): what a cut of volume 1 adds to its points, and what bangs add."""
    angle, up_to_vertex = np.meshgrid(np.radians(np.linspace(-170, 170, 97)), np.linspace(1, 0, 17) ** 1.5)
    degrees = np.degrees(np.abs(angle))
    ragged = np.random.default_rng(4).normal(size=97)  # one edge for all puppets
    hairline = curve(degrees, HAIRLINE)[0] + 1.6 * ragged
    fringe = hairline - (hairline - 22 + 2 * ragged) * smooth_step(degrees, 66, 54)  # bangs end at 22 mm: on the brows
    scalp, fallen = (
        head_points(angle, edge + (116 - edge) * np.sin(np.pi / 2 * up_to_vertex)) for edge in (hairline, fringe)
    )
    out = unit(scalp - [[[0]], [[15]], [[-10]]])  # away from the middle of the skull
    thickness = 5 + 12 * smooth_step(scalp[1], 20, 90)  # at the sides and on top
    short = out * (CAP_ROOT + 0.4 + (1 - (1 - up_to_vertex) ** 2.2) * thickness)
    bangs = fallen - scalp + out * 5 * (1 - up_to_vertex) ** 0.3
    strands = np.stack([angle * MM_PER_RADIAN, 110 * (1 - up_to_vertex)])
    cap = Surface(scalp - CAP_ROOT * out, strands, two_sided=True)
    return cap, np.stack([short, bangs]).reshape(2, 3, -1)


def glasses_surface() -> Surface:
    """A ribbon 3 mm wide from one ear round both lenses to the other ear."""
    turn = np.linspace(0, 3 * np.pi, 40)  # once round a lens, then on over its top to the bridge
    # A lens is a superellipse: between an ellipse and a rectangle.
    across, up = (np.sign(f) * np.abs(f) ** 0.57 for f in (np.cos(turn), np.sin(turn)))
    arm = np.linspace(150, 57, 9)
    # u and v: the ribbon's middle, unrolled on the plane of the lenses; 33 mm from the bridge to the middle of a lens.
    u = np.concatenate([arm, 33 + 24 * across, [0], -33 - 24 * across[::-1], -arm[::-1]])
    v = np.concatenate([0 * arm + 3, 18 * up - 3, [2], 18 * up[::-1] - 3, 0 * arm + 3])
    along_u, along_v = unit(np.gradient(np.stack([u, v]), axis=1))
    u, v = u + [[1.5], [-1.5]] * along_v, v + [[-1.5], [1.5]] * along_u
    # Up to 58 mm from the bridge the plane bends round the face a little; beyond, the arms run back to the ears.
    front, arms = np.minimum(np.abs(u), 58), np.maximum(np.abs(u) - 58, 0)
    points = np.stack([np.sign(u) * (front + 0.2 * arms), v, 101 - 0.002 * front**2 - arms])
    return Surface(points, np.stack([u, v]), two_sided=True)
