"""The puppet world: a parametric head with exact truth for everything the toolkit has to find, swap or edit.

A puppet is three frozen sets of numbers: a `Face`, a `Hair` and a `Scene`. `render` turns it into a face frame in CelebA's aligned
geometry with its label map, landmarks and attributes. A swap of two puppets and an edit of one are puppets again, so their true
pictures are known: no real photo gives that.

Shape    S = S_mean + A_id alpha_id + A_exp alpha_exp: 20 + 10 named coefficients (IDENTITY, EXPRESSION), linear in every vertex.
Space    millimetres about the middle between the eyes: x to the picture's right, y up, z towards the viewer. Points are (3,…).
Drawing  a z-buffer in numpy with several samples per pixel; colours are computed per sample in linear light, then averaged.
Labels   in the order of portrait Table 3.1, left being left in the picture. Where the table is silent, ears, neck and beard are skin,
         clothes are background, and glasses are what lies behind them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.errors import UnknownAttributeError, ValueRangeError, nearest
from masque.faces.detect import Landmarks
from masque.faces.frame import align, frame_size, scale_of, transform
from masque.image import Picture

Floats = NDArray[np.float32]
RGB = tuple[float, float, float]
LABELS = ("background", "skin", "left brow", "right brow", "left eye", "right eye", "nose", "upper lip", "mouth", "lower lip", "hair")
HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
ATTRIBUTES = ("Smiling", "Mouth_Slightly_Open", *HAIR_COLOURS, "Male", "Young", "Eyeglasses", "Bald", "Bangs", "No_Beard")

# Each bump (x, y, sx, sy, dx, dy, dz) moves the points around (±x, y) by (±dx, dy, dz), fading as a Gaussian of widths sx and sy.
IDENTITY: dict[str, tuple[tuple[float, ...], ...]] = {
    "head width": ((75, 30, 60, 90, 3, 0, 0),), "face length": ((0, -120, 90, 46, 0, -4.5, 0),), "jaw width": ((52, -82, 22, 26, 3.4, 0, 0),),
    "chin length": ((0, -120, 26, 15, 0, -3.5, 1),), "chin width": ((18, -112, 13, 12, 2.6, 0, 1.2),), "ears": ((88, -8, 9, 40, 3.5, 0, 0),),
    "cheekbones": ((56, -24, 18, 15, 2.2, 0, 2.5),), "cheeks": ((46, -60, 18, 20, 2.8, 0, 3),), "forehead": ((0, 95, 90, 40, 0, 5, 0),),
    "brow ridge": ((24, 18, 22, 8, 0, 0, 2),), "brow height": ((30, 17, 22, 9, 0, 1.7, 0),), "eye spacing": ((31, 0, 18, 16, 1.5, 0, 0),),
    "brow tilt": ((44, 15, 10, 9, 0, 1.6, 0), (16, 15, 9, 9, 0, -1.2, 0)), "eye tilt": ((46, 0, 9, 10, 0, 1.3, 0), (17, 0, 6, 8, 0, -0.6, 0)),
    "eye size": ((31, 6, 12, 4.5, 0, 0.9, 0), (31, -6, 12, 4.5, 0, -0.5, 0)), "nose length": ((0, -43, 14, 12, 0, -2.6, 0.4),),
    "nose width": ((13, -41, 7, 9, 1.8, 0, 0.3),), "nose bridge": ((0, -20, 8, 20, 0, 0, 2.4),), "mouth width": ((26, -68, 13, 11, 2.2, 0, 0),),
    "lip fullness": ((0, -60, 20, 4, 0, 1.2, 0.9), (0, -80, 20, 5, 0, -1.4, 0.9))}
EXPRESSION: dict[str, tuple[tuple[float, ...], ...]] = {  # "mouth open" and "eyes closed" also move as in `_jaw_and_lids`
    "smile": ((28, -68, 11, 10, 4.5, 4.6, -3), (46, -36, 14, 12, 1, 3, 3.5), (31, -8, 13, 5, 0, 1.4, 0), (0, -60, 16, 6, 0, 1.2, -0.5)),
    "mouth open": ((26, -69, 10, 10, -2.5, -2, 0), (44, -64, 14, 18, -2, 0, -2)), "brows up": ((30, 20, 24, 11, 0, 4.5, 0),),
    "frown": ((14, 16, 10, 8, -2.4, -3.2, 1),), "eyes closed": (), "pucker": ((25, -68, 12, 11, -6, 0, 2), (0, -68, 16, 10, 0, 0, 4)),
    "mouth corners down": ((27, -69, 11, 9, 0.5, -4, -0.5), (14, 16, 8, 7, 0, 2, 0)), "cheeks puffed": ((44, -64, 15, 14, 4, 0, 5),),
    "sneer": ((12, -42, 9, 9, 0.8, 2.2, 0), (0, -60, 16, 5, 0, 1.5, 0)), "squint": ((31, 7, 13, 4, 0, -1.3, 0), (31, -7, 13, 5, 0, 1.6, 0))}
_MALE = {"head width": 0.3, "jaw width": 0.8, "chin width": 0.7, "brow ridge": 1.0, "brow height": -0.8, "lip fullness": -0.5, "eye size": -0.7,
         "nose width": 0.5, "nose length": 0.3, "face length": 0.2, "cheeks": -0.3}  # added where Male is 1, taken away where it is 0


@dataclass(frozen=True)
class Face:
    """What a face swap carries over. Colours here and below are in linear light, [0,1]."""

    shape: tuple[float, ...]  # 20 coefficients of IDENTITY, about N(0,1)
    expression: tuple[float, ...]  # 10 coefficients of EXPRESSION: 0 at rest, 1 full
    gaze: tuple[float, float]  # how far the eyes turn in the head, radians to the right and up
    male: float
    young: float
    beard: float
    glasses: float  # these four in [0,1]
    frames: tuple[float, float, float, float]  # squareness of the glasses in [0,1], then their colour
    skin: RGB
    lips: RGB
    iris: RGB
    brows: RGB  # and beard


@dataclass(frozen=True)
class Hair:
    """Hair and scalp."""

    pigments: tuple[float, float, float, float]  # shares of HAIR_COLOURS, summing to at most 1; the rest is auburn
    bald: float
    bangs: float
    length: float  # these three in [0,1]; a length of 0 is a short cut
    volume: float  # thickness, about 1
    wave: float  # 0 straight … 1 wavy
    sweep: float  # how far the strands lean to the side, [-1,1]
    streaks: float  # offset into the pattern of strands, [0,1]


@dataclass(frozen=True)
class Scene:
    """Pose, light, clothes and backdrop."""

    pose: tuple[float, float, float]  # yaw to the picture's right, pitch up, roll counter-clockwise, radians
    light: tuple[float, float, float, float]  # of the key light: radians to the right and up, strength about 1, warmth in [-1,1]
    ambient: float  # strength of the light from all around, about 0.3
    clothes: RGB
    collar: float  # depth of the neckline, mm
    backdrop: tuple[RGB, RGB]  # top and bottom
    pattern: int  # seed of the backdrop's blobs and texture


@dataclass(frozen=True)
class Puppet:
    """All parameters of one picture: equal puppets have bit-identical pictures."""

    identity: int
    face: Face
    hair: Hair
    scene: Scene


@dataclass(frozen=True)
class Rendered:
    """A puppet's picture at scale s and its exact truth."""

    picture: Picture  # RGB uint8 (218s,178s,3)
    labels: NDArray[np.uint8]  # (218s,178s), indices into LABELS
    background: NDArray[np.uint8]  # (218s,178s): 255 where neither person nor clothes are, 0 on them, between at their edge
    landmarks: Landmarks  # float32 (68,2) frame pixels, iBUG order; hidden points lie where they would be seen through the head
    attributes: dict[str, float]  # ATTRIBUTES, each in [0,1]
    identity: int
    shape: Floats  # (30,): alpha_id, with what Male adds, then alpha_exp
    pose: Floats  # (3,): yaw, pitch, roll in radians
    puppet: Puppet


# Horizontal sections of the head from the vertex to the chin: row, y, half width, z in front, z behind, z where it is widest.
_SECTIONS = np.array([
    (-1, 113, -24, -36, 26, -8), (0, 116, 0, -8, -8, -8), (1, 113, 24, 23, -40, -8), (2, 104.5, 44, 49, -69, -8), (3, 90, 60, 71.5, -90, -8),
    (4, 71, 69.5, 85, -98, -8), (5, 50, 73.5, 91.5, -100, -8), (6, 25, 74.5, 93, -96, -6), (7, 0, 72.5, 90, -88, -3), (8, -25, 71, 88, -75, 0),
    (9, -45, 68.5, 87.5, -60, 5), (10, -65, 64, 87, -45, 12), (11, -87, 53.5, 85.5, -30, 22), (12, -103, 42, 82, -15, 32),
    (13, -114, 28.5, 75, 0, 40), (14, -120.5, 14, 62, 20, 44), (15, -122.5, 3, 48, 40, 44)], dtype=float)
# Hills and hollows: x, y, widths, height. Brow ridge, glabella, eye socket, its inner corner, cheekbone, hollow cheek, chin, the fold
# above it, temple, the arch of the teeth, wing of the nose, the groove beside it.
_RELIEF = ((26, 20, 17, 8, 3), (0, 22, 9, 9, 1.5), (31, -1, 14, 11, -8.5), (17, 4, 5, 9, -5), (48, -24, 15, 12, 4.5), (40, -50, 13, 16, -1.5),
           (0, -110, 17, 9, 5), (0, -92, 17, 5, -4), (62, 28, 12, 16, -2), (0, -54, 26, 14, 4), (13.5, -41.5, 5, 4.8, 8.5), (22, -46, 4, 9, -1.4))
_NOSE = np.array([(-20, 0, 8), (-12, 1.5, 7), (-2, 4.5, 5.6), (8, 8.3, 5.8), (20, 14, 6.6), (30, 19.5, 7.8), (36, 22.6, 8.8), (41, 20.8, 9.2),
                  (45.5, 14.5, 9.4), (48.5, 7, 9.6), (52, 0.5, 9), (56, 0, 8)])  # -y, height over the face, half width
_HAIRLINE = np.array([(0, 74), (15, 72), (29, 66), (40, 57), (50, 45), (59, 31), (67, 14), (73, 0), (79, -9), (84, -11), (89, 6), (96, 20),
                      (112, 12), (122, -12), (140, -55), (180, -60)], dtype=float)  # degrees from the front, y
_SHOULDERS = np.array([(60, 52, 44), (120, 55, 45), (138, 58, 46), (150, 70, 48), (160, 96, 51), (172, 135, 56), (190, 172, 64), (300, 215, 92)],
                      dtype=float)  # -y, half width, half depth
_CURTAIN = np.array([(-88, 54, 58, 78), (-76, 66, 66, 90), (-58, 79, 70, 101), (-30, 88, 70, 106), (0, 91, 66, 104), (80, 88, 62, 92),
                     (120, 84, 74, 88), (160, 80, 88, 86), (215, 76, 96, 84)], dtype=float)  # long hair: -y, half width, depth in front, behind
_BROW = np.array([(10, 14.5, -3), (15, 15.8, 2.6), (24, 18.6, 3), (34, 20.8, 2.5), (43, 19, 1.6), (54, 11, -1)])  # x, y, half thickness
_EYE_X, _EYE_HALF, _BALL, _BALL_Z, _MOUTH_HALF = 31.3, 15.4, 12.6, 65.5, 26.5  # half widths; radius and depth of the eyeball
_TEXELS = 5  # of the head's textures, per step of its grid
_PIGMENTS = ((0.012, 0.010, 0.009), (0.55, 0.36, 0.16), (0.085, 0.042, 0.02), (0.40, 0.39, 0.38), (0.25, 0.07, 0.02))  # HAIR_COLOURS, auburn
_MIRROR = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
           *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]  # the landmark on the other side of the face
# x and y of the landmarks that are not before their mirror image, on the head as built.
_SPOTS = ((0, -121), (20, -114), (34, -103), (47, -90), (57, -74), (64, -56), (68.5, -37), (71, -18), (72, 2), (13, 16.5), (21, 20), (30, 22.5),
          (40, 21.5), (49, 15), (0, 1), (0, -12), (0, -24), (0, -36), (0, -49), (6.5, -48), (13, -46), (16.5, -0.9), (26, 5.8), (36.7, 6.6), (46, 0.9),
          (36.7, -4.1), (26, -4.8), (0, -61.2), (7, -61.4), (17, -64.8), (26.4, -67.6), (0, -82.3), (-8, -81.9), (-17, -78.3), (0, -68), (8, -68.7),
          (23, -67.9), (0, -72.8), (-8, -73.4))


def _curve(x: Any, knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smooth curves (K,…) through `knots` (N,1+K), whose first column is the place along them."""
    place, value = knots[:, 0], knots[:, 1:].T
    slope = np.gradient(value, place, axis=1)
    i = np.clip(np.searchsorted(place, x, side="right") - 1, 0, len(place) - 2)
    step = place[i + 1] - place[i]
    u = np.clip((x - place[i]) / step, 0, 1)
    bend = u * (1 - u) ** 2 * slope[:, i] - u * u * (1 - u) * slope[:, i + 1]
    return (1 + 2 * u) * (1 - u) ** 2 * value[:, i] + u * u * (3 - 2 * u) * value[:, i + 1] + step * bend


def _ramp(x: Any, low: float, high: float) -> Any:
    """Smoothly from 0 at `low` to 1 at `high`."""
    u = np.clip((x - low) / (high - low), 0, 1)
    return u * u * (3 - 2 * u)


def _hill(x: Any, sx: float, y: Any = 0.0, sy: float = 1.0) -> Any:
    return np.exp(-0.5 * ((x / sx) ** 2 + (y / sy) ** 2))


def _unit(v: Any) -> Any:
    return v / np.sqrt((v * v).sum(axis=0) + 1e-12)


def _row_of(y: Any) -> Any:
    rows = np.linspace(0, 15, 600)
    return np.interp(-np.asarray(y, dtype=float), -_curve(rows, _SECTIONS)[0], rows)


def _lids(x: Any) -> tuple[Any, Any]:
    """Height of the upper and lower edge of the opening between the lids."""
    q = (np.abs(x) - _EYE_X) / _EYE_HALF
    upper = 7.0 * np.clip(1 - np.abs(q - 0.06 * (1 - q * q)) ** 2.3, 0, None) ** 0.9
    return upper + q, -5.0 * np.clip(1 - np.abs(q) ** 2.2, 0, None) ** 0.9 + q


def _lips(x: Any) -> tuple[Any, Any, Any, Any]:
    """Height of the lips' four edges, downwards. The head is built with its mouth a slit, to give the inside room in the textures."""
    q = np.clip(np.abs(x) / _MOUTH_HALF, 0, 1)
    line = -68.6 + 0.6 * np.cos(2 * np.pi * q) * (1 - q) + q**2
    bow = 6.0 * (1 - q**1.7) + 1.4 * _hill(np.abs(x) - 6, 4) - 0.6 * _hill(x, 2.5)
    slit = line - 4.8 * (1 - q**2) ** 0.7
    return line + bow, line, slit, slit - 9.2 * (1 - q**2.2) ** 0.8


def _head(theta: Any, row: Any) -> NDArray[np.float64]:
    """Points of the head as built, at the angle `theta` from the front around it and at `row` of _SECTIONS."""
    y, width, front, back, middle = _curve(row + 0 * theta, _SECTIONS)
    sine, cosine = np.sin(theta), np.cos(theta)
    x = width * np.sign(sine) * np.abs(sine) ** 0.94
    z = middle + np.where(cosine > 0, front - middle, back - middle) * np.abs(cosine) ** 0.92
    ax, facing = np.abs(x), _ramp(cosine, 0.05, 0.45)
    height, half = _curve(np.clip(-y, -20, 56), _NOSE)
    nose = height / (1 + 0.8 * (ax / half) ** 2 + (0.8 * ax / half) ** 6)
    z = z + facing * (nose + sum(h * _hill(ax - x0, sx, y - y0, sy) for x0, y0, sx, sy, h in _RELIEF))
    away = np.hypot(ax - _EYE_X, y - 0.3)
    ball = _BALL_Z + np.sqrt(np.clip((_BALL + 1.3) ** 2 - away**2, 0, None))  # the lids lie on the eyeball
    z = z + facing * _ramp(_BALL + 1.3 - away, -1.0, 4.5) * np.clip(ball - z, 0, None)
    z = z - facing * 1.7 * _hill(y - _lids(x)[0] - 4.2, 1.3) * _ramp(17 - np.abs(ax - 32), 0, 6)
    top, line, slit, low = _lips(x)
    up = np.clip((y - line) / np.maximum(top - line, 0.8), -1, 2)
    down = np.clip((slit - y) / np.maximum(slit - low, 0.8), -1, 2)
    lip = np.where(y > (line + slit) / 2, 4.2 * _hill(up - 0.25, 0.55), 5.6 * _hill(down - 0.35, 0.5))
    return np.stack([x, y, z + facing * lip * _ramp(ax, 30, 14) * _ramp(ax, 27, 14)])


def _movements(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A_id and A_exp at points (3,N) of the head as built: (30,3,N) mm per unit of each coefficient."""
    x, y, z = points
    side, moved = np.tanh(x / 4), np.zeros((30, *points.shape))
    for out, bumps in zip(moved, (*IDENTITY.values(), *EXPRESSION.values()), strict=True):
        for x0, y0, sx, sy, dx, dy, dz in bumps:
            out += _hill(np.abs(x) - x0, sx, y - y0, sy) * np.stack([side * dx, 0 * x + dy, 0 * x + dz])
    names = [*IDENTITY, *EXPRESSION]
    moved[names.index("mouth open")] += _drop_jaw(points)
    upper, lower = _lids(x)
    gap = np.maximum(upper - lower, 0.0)
    fall = np.where(y > upper, _hill(y - upper, 4.5), np.clip((y - lower) / np.maximum(gap, 0.02), 0, 1)) * _ramp(z, 20, 45)
    moved[names.index("eyes closed")] += np.stack([0 * x, -fall * gap, 0.8 * fall * (gap > 0)])
    return moved


def _drop_jaw(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Movement of points (3,N) when the mouth opens by 16 mm; by 4.8 mm it is as built, so S_mean takes that much away."""
    x, y, z = points
    _, line, slit, _ = _lips(x)
    jaw, below = _ramp(slit - y, 0, 34), np.clip((line - y) / np.maximum(line - slit, 0.02), 0, 1)
    drop = below * ((line - slit) / 4.8 * (1 - jaw) + jaw * _hill(x, 60)) * _ramp(z, 10, 45)
    return np.stack([0 * x, -16 * drop, -5 * drop])
