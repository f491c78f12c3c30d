"""What all puppets share: the linear model of their points, S = S_mean + A_id alpha_id + A_exp alpha_exp, the triangles
between these points, and what is painted on them. It is built once, in float64, and kept in float32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.data.puppets.curves import Floats, smooth_step
from masque.data.puppets.head import EYE_X, EYE_Y, EYEBALL_Z, angle_at, head_points
from masque.data.puppets.movements import IDENTITY, MALE, MOVEMENTS, closed_lips, movements
from masque.data.puppets.surfaces import (
    Surface,
    cap_surface,
    curtain_surface,
    ear_surfaces,
    glasses_surface,
    head_surface,
    shoulders_surface,
)
from masque.data.puppets.textures import head_textures
from masque.data.puppets.world import Face
from masque.faces.frame import MIRRORED

# The last vertices belong to no surface: the 68 landmarks, and the points from which paint on the head is measured.
LANDMARKS = slice(-71, -3)
"""The 68 landmarks among the vertices, in iBUG's order."""
LEFT_EYEBALL, RIGHT_EYEBALL, UPPER_TEETH = -3, -2, -1
"""Vertices: the middle of each eyeball, and of the edge of the upper teeth."""
ON_SURFACES = slice(None, -71)
"""All other vertices: the points of the surfaces."""

ANCHORS = np.array([[-EYE_X, EYE_X, 0], [EYE_Y, EYE_Y, -69], [EYEBALL_Z, EYEBALL_Z, 84]])
"""(3,3): the left and the right eyeball and the upper teeth, as columns."""

UNMIRRORED_LANDMARKS = np.array([
    [0, -121], [20, -114], [34, -103], [47, -90], [57, -74], [64, -56], [68.5, -37], [71, -18], [72, 2],  # jaw
    [13, 16.5], [21, 20], [30, 22.5], [40, 21.5], [49, 15],  # brow
    [0, 1], [0, -12], [0, -24], [0, -36], [0, -49], [6.5, -48], [13, -46],  # nose: its ridge, then below its tip
    [16.5, -0.9], [26, 5.8], [36.7, 6.6], [46, 0.9], [36.7, -4.1], [26, -4.8],  # eye
    [0, -61.2], [7, -61.4], [17, -64.8], [26.4, -67.6], [0, -82.3], [-8, -81.9], [-17, -78.3],  # lips, outside
    [0, -68], [8, -68.7], [23, -67.9], [0, -72.8], [-8, -73.4],  # lips, inside
], dtype=float)  # fmt: skip
"""x and y of the landmarks that do not come before their mirror image in iBUG's order; the others mirror them."""


@dataclass(frozen=True)
class Patch:
    """One surface among the vertices."""

    vertices: slice
    """Which of the model's vertices are its points."""
    grid: tuple[int, int]
    """Rows and columns; the vertices lie row by row."""
    triangles: NDArray[np.int32]
    """(T,3) vertices of each triangle, counter-clockwise as its front is seen."""


@dataclass(frozen=True)
class Model:
    """What all puppets share, for V vertices. Arrays are float32."""

    mean: Floats
    """S_mean (3,V) in mm."""
    basis: Floats
    """(A_id, A_exp) (30,3V) in mm per unit, a row for each of MOVEMENTS."""
    patches: Mapping[str, Patch]
    """Name of a surface -> its place among the vertices."""
    uv: Floats
    """(2,·) for the vertices of the surfaces: see `Surface.uv`."""
    turning: Floats
    """(V,): how far each vertex turns with the head, from 0 to 1."""
    short_hair: Floats
    """(3,·) mm: what a cut of volume 1 adds to the vertices of the cap."""
    bangs: Floats
    """(3,·) mm: what full bangs add to them."""
    textures: Floats
    """(H,W,16): what is painted on the head, the layers of `masque.data.puppets.textures.HeadLayers`."""
    strands: Floats
    """(256,1024): how much brighter or darker a strand of hair is than its neighbours, about N(0,0.85)."""


@cache
def model() -> Model:
    """The model. Building it takes about a second, once in a process."""
    surfaces, short_hair, bangs = _surfaces()
    patches = _patches(surfaces)
    points = [s.points.reshape(3, -1) for s in surfaces.values()]
    built = np.concatenate([*points, _landmarks(), ANCHORS], axis=1)
    basis = movements(built)
    expressions = slice(len(IDENTITY), None)
    # Eyeballs, upper teeth and glasses keep still, whatever the face does.
    basis[expressions, :, LEFT_EYEBALL:] = basis[expressions, :, patches["glasses"].vertices] = 0
    turning = [_turning(s) for s in surfaces.values()]
    return Model(
        mean=_single(built + closed_lips(built)),
        basis=_single(basis.reshape(len(MOVEMENTS), -1)),
        patches=MappingProxyType(patches),
        uv=_single(np.concatenate([s.uv.reshape(2, -1) for s in surfaces.values()], axis=1)),
        turning=_single(np.concatenate([*turning, np.ones(built.shape[1] - sum(map(len, turning)))])),
        short_hair=_single(short_hair),
        bangs=_single(bangs),
        textures=_single(head_textures(surfaces["head"].points)),
        strands=_single(_strands()),
    )


def vertices(alpha: Floats) -> Floats:
    """S = S_mean + A alpha, float32 (3,V) in mm: all points of a puppet but for the thickness of its hair, before it is
    turned. alpha: (30,), see `coefficients`. The landmarks are `vertices(alpha)[:, LANDMARKS]`."""
    return np.asarray(model().mean + (alpha @ model().basis).reshape(3, -1))


def coefficients(face: Face) -> Floats:
    """alpha, float32 (30,): alpha_id, with what the face's sex adds, then alpha_exp; in the order of IDENTITY, then of
    EXPRESSION."""
    male = (2 * face.male - 1) * np.array([MALE.get(name, 0.0) for name in IDENTITY])
    return np.concatenate([np.array(face.shape) + male, face.expression]).astype(np.float32)


def _single(numbers: Floats) -> Floats:
    return numbers.astype(np.float32)


def _surfaces() -> tuple[dict[str, Surface], Floats, Floats]:
    """The surfaces by name, and what short hair and bangs add to the cap."""
    right_ear, left_ear = ear_surfaces()
    cap, (short_hair, bangs) = cap_surface()
    surfaces = {
        "head": head_surface(),
        "right ear": right_ear,
        "left ear": left_ear,
        "shoulders": shoulders_surface(),
        "cap": cap,
        "curtain": curtain_surface(),
        "glasses": glasses_surface(),
    }
    return surfaces, short_hair, bangs


def _patches(surfaces: Mapping[str, Surface]) -> dict[str, Patch]:
    """The surfaces' places among the vertices, one after the other, and two triangles in each cell of their grids."""
    patches, first = {}, 0
    for name, surface in surfaces.items():
        rows, columns = surface.points.shape[1:]
        corners = (first + np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
        # Steps from a cell's upper left corner to the three corners of each of its two triangles.
        triangles = np.add(corners, [0, columns, 1, 1, columns, columns + 1]).reshape(-1, 3).astype(np.int32)
        if surface.two_sided:
            triangles = np.concatenate([triangles, triangles[:, ::-1]])
        patches[name] = Patch(slice(first, first + rows * columns), (rows, columns), triangles)
        first += rows * columns
    return patches


def _landmarks() -> Floats:
    """The 68 landmarks on the head as built, (3,68)."""
    x, y = UNMIRRORED_LANDMARKS.T
    given = np.arange(68) >= MIRRORED
    points = np.zeros((3, 68))
    points[:, given] = head_points(angle_at(x, y), y)
    return np.where(given, points, points[:, MIRRORED] * [[-1], [1], [1]])


def _turning(surface: Surface) -> Floats:
    """(·,): how far each point of a surface turns with the head."""
    if surface.turns_from is None:
        return np.ones(surface.points[1].size)
    return smooth_step(surface.points[1].ravel(), *surface.turns_from)


def _strands() -> Floats:
    """Streaks of noise, fine ones on coarse ones, which run down the rows."""
    fine, coarse = np.random.default_rng(9).normal(size=(2, 256, 1024))
    fine, coarse = cv2.GaussianBlur(fine, (0, 0), 0.9, sigmaY=22), cv2.GaussianBlur(coarse, (0, 0), 5, sigmaY=40)
    return np.asarray(0.6 * (fine / fine.std() + coarse / coarse.std()))
