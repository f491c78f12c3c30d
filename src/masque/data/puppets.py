"""The puppet world: a parametric head with exact truth for everything the toolkit has to find, swap or edit.

A swap of two puppets and an edit of one are puppets again, so their true pictures are known: no real photo gives that.
Shape is linear, S = S_mean + A_id alpha_id + A_exp alpha_exp, in mm about the middle between the eyes: x to the
picture's right, y up, z towards the viewer. Labels follow portrait Table 3.1; where it is silent, ears, neck and
glasses are skin, clothes background. """

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from types import SimpleNamespace as Record
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.errors import UnknownAttributeError, ValueRangeError, nearest
from masque.faces.detect import Landmarks
from masque.faces.frame import MIRRORED, align, frame_size, scale_of, transform
from masque.image import Picture

Floats = NDArray[np.floating[Any]]
RGB = tuple[float, float, float]
HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
ATTRIBUTES = ("Smiling", "Mouth_Slightly_Open", *HAIR_COLOURS, "Male", "Young", "Eyeglasses", "Bald", "Bangs", "No_Beard")
# Bumps x y sx sy dx dy dz: points around (±x, y) move by (±dx, dy, dz), fading as a Gaussian of widths sx and sy.
IDENTITY = {
    "head width": "75 30 60 90 3 0 0", "face length": "0 -120 90 46 0 -4.5 0", "jaw width": "52 -82 22 26 3.4 0 0",
    "chin length": "0 -120 26 15 0 -3.5 1", "chin width": "18 -112 13 12 2.6 0 1.2", "cheekbones": "56 -24 18 15 2.2 0 2.5",
    "cheeks": "46 -60 18 20 2.8 0 3", "forehead": "0 95 90 40 0 5 0", "brow ridge": "24 18 22 8 0 0 2",
    "brow height": "30 17 22 9 0 1.7 0", "brow tilt": "44 15 10 9 0 1.6 0  16 15 9 9 0 -1.2 0", "ears": "88 -8 9 40 3.5 0 0",
    "eye size": "31 6 12 4.5 0 0.9 0  31 -6 12 4.5 0 -0.5 0", "eye spacing": "31 0 18 16 1.5 0 0",
    "eye tilt": "46 0 9 10 0 1.3 0  17 0 6 8 0 -0.6 0", "nose length": "0 -43 14 12 0 -2.6 0.4",
    "nose width": "13 -41 7 9 1.8 0 0.3", "nose bridge": "0 -20 8 20 0 0 2.4", "mouth width": "26 -68 13 11 2.2 0 0",
    "lip fullness": "0 -60 20 4 0 1.2 0.9  0 -80 20 5 0 -1.4 0.9"}
EXPRESSION = {  # the jaw and the lids also move as in `_movements`
    "smile": "28 -68 11 10 4.5 4.6 -3  46 -36 14 12 1 3 3.5  31 -8 13 5 0 1.4 0  0 -60 16 6 0 1.2 -0.5",
    "mouth open": "26 -69 10 10 -2.5 -2 0  44 -64 14 18 -2 0 -2", "brows up": "30 20 24 11 0 4.5 0", "eyes closed": "",
    "frown": "14 16 10 8 -2.4 -3.2 1", "pucker": "25 -68 12 11 -6 0 2  0 -68 16 10 0 0 4", "puffed": "44 -64 15 14 4 0 5",
    "corners down": "27 -69 11 9 0.5 -4 -0.5  14 16 8 7 0 2 0", "sneer": "12 -42 9 9 0.8 2.2 0  0 -60 16 5 0 1.5 0",
    "squint": "31 7 13 4 0 -1.3 0  31 -7 13 5 0 1.6 0"}
_MALE = {"head width": 0.3, "jaw width": 0.8, "chin width": 0.7, "brow ridge": 1.0, "brow height": -0.8, "lip fullness": -0.5,
         "eye size": -0.7, "nose width": 0.5, "nose length": 0.3, "cheeks": -0.3}  # what Male = 1 adds and Male = 0 takes away

def _table(columns: int, numbers: str) -> Floats:
    return np.array(numbers.split(), dtype=float).reshape(-1, columns)

# The head as built, vertex to chin: -y, half width, depth before and behind the widest place, squared, and that place's
# z.
_SECTIONS = _table(5, """-116 0 0 0 -8  -113 24 31 32 -8  -104.5 44 57 61 -8  -90 60 79.5 82 -8  -71 69.5 93 90 -8
    -50 73.5 99.5 92 -8  -25 74.5 99 90 -6  0 72.5 93 85 -3  25 71 88 75 0  45 68.5 82.5 65 5  65 64 75 57 12
    87 53.5 63.5 52 22  103 42 50 47 32  114 28.5 35 40 40  120.5 14 18 24 44  122.5 0 0 0 44""") ** (1, 2, 2, 2, 1)
# x, y, widths and height of brow ridge, glabella, eye socket, its inner corner, cheekbone, hollow cheek, chin, the fold
# above it, temple, the arch of the teeth, wing of the nose, the groove beside it.
_RELIEF = _table(5, """26 20 17 8 3  0 22 9 9 1.5  31 -1 14 11 -8.5  17 4 5 9 -5  48 -24 15 12 4.5  40 -50 13 16 -1.5
    0 -110 17 9 5  0 -92 17 5 -4  62 28 12 16 -2  0 -54 26 14 4  13.5 -41.5 5 4.8 8.5  22 -46 4 9 -1.4""")
_NOSE = _table(3, """-20 0 8  -12 1.5 7  -2 4.5 5.6  8 8.3 5.8  20 14 6.6  30 19.5 7.8  36 22.6 8.8  41 20.8 9.2  45.5 14.5 9.4
    48.5 7 9.6  52 0.5 9  56 0 8""")  # -y, height over the face, half width
_HAIRLINE = _table(2, "0 74 15 72 29 66  40 57  50 45  59 31  67 14  73 0  79 -9  86 -8  89 6  96 20  112 12  122 -12  140 -55")
_BROW = _table(3, "10 14.5 -3 15 15.8 2.6 24 18.6 3 34 20.8 2.5 43 19 1.6 54 11 -1")  # x, y, half thickness; above: degrees, y
_EYE_X, _EYE_HALF, _BALL, _BALL_Z, _MOUTH_HALF = 31.3, 15.4, 12.6, 65.5, 26.5  # half widths; radius and depth of the eyeball
# x and y of the landmarks that do not come before their mirror image.
_SPOTS = _table(2, """0 -121  20 -114  34 -103  47 -90  57 -74  64 -56  68.5 -37  71 -18  72 2  13 16.5  21 20  30 22.5
    40 21.5  49 15  0 1  0 -12  0 -24  0 -36  0 -49  6.5 -48  13 -46  16.5 -0.9  26 5.8  36.7 6.6  46 0.9  36.7 -4.1  26 -4.8
    0 -61.2  7 -61.4  17 -64.8  26.4 -67.6  0 -82.3  -8 -81.9  -17 -78.3  0 -68  8 -68.7  23 -67.9  0 -72.8  -8 -73.4""")
_PIGMENTS = _table(3, "0.012 0.01 0.009  0.55 0.36 0.16  0.085 0.042 0.02  0.4 0.39 0.38  0.25 0.07 0.02")  # the last is auburn
_SKINS = _table(3, "1 0.84 0.75  0.94 0.75 0.64  0.88 0.67 0.54  0.77 0.53 0.39  0.57 0.36 0.25  0.38 0.24 0.17")
_IRISES = _table(3, "0.27 0.17 0.1  0.38 0.26 0.14  0.36 0.42 0.27  0.33 0.47 0.59  0.42 0.5 0.55")
_TEXELS = 6  # of the head's textures, per step of its grid

@dataclass(frozen=True)
class Puppet:
    """All parameters of one picture; equal puppets have bit-identical pictures. Colours are in linear light, [0,1]."""
    identity: int  # from here to `brows` a swap takes the one puppet's values, below it the other's
    shape: tuple[float, ...]  # 20 coefficients of IDENTITY, about N(0,1)
    expression: tuple[float, ...]  # 10 coefficients of EXPRESSION: 0 at rest, 1 full
    gaze: tuple[float, float]  # how far the eyes turn in the head, radians to the right and up
    male: float
    young: float
    beard: float
    glasses: float  # these four in [0,1]; glasses are worn from 0.5 on
    skin: RGB
    lips: RGB
    iris: RGB
    brows: RGB  # and beard
    pigments: tuple[float, ...]  # shares of HAIR_COLOURS, summing to at most 1; the rest is auburn
    bald: float
    bangs: float
    length: float  # these three in [0,1]; a length of 0 is a short cut
    volume: float  # thickness of the hair, about 1
    sweep: float  # how far the strands lean to the side, [-1,1]; it also picks their pattern
    pose: tuple[float, float, float]  # yaw to the picture's right, pitch up, roll counter-clockwise, radians
    light: tuple[float, float]  # where the key light stands, radians to the right and up
    key: RGB  # its colour times its strength, about 1
    clothes: RGB
    backdrop: tuple[RGB, RGB]  # top and bottom
    pattern: int  # seed of the backdrop's blobs

@dataclass(frozen=True)
class Rendered:
    """A puppet's picture at scale s and its exact truth."""
    picture: Picture  # RGB uint8 (218s,178s,3)
    labels: NDArray[np.uint8]  # (218s,178s), indices into masque.faces.labels.LABELS
    background: NDArray[np.uint8]  # (218s,178s): 255 where neither person nor clothes are, 0 on them, between at their edge
    landmarks: Landmarks  # float32 (68,2) frame pixels, iBUG order; hidden ones where they would be seen through the head
    attributes: dict[str, float]  # ATTRIBUTES, each in [0,1]
    identity: int
    shape: Floats  # (30,): alpha_id, with what Male adds, then alpha_exp
    pose: Floats  # (3,): yaw, pitch, roll in radians
    puppet: Puppet

def _curve(x: Any, knots: Floats) -> Floats:
    """The smooth curves (K,…) through `knots` (N,1+K), whose first column is the place along them."""
    dense = cv2.resize(knots, (knots.shape[1], 32 * len(knots)), interpolation=cv2.INTER_CUBIC)[16:-15]
    return np.stack([np.interp(x, dense[:, 0], column) for column in dense[:, 1:].T])

def _ramp(x: Any, low: float, high: float) -> Any:
    u = np.clip((x - low) / (high - low), 0, 1)
    return u * u * (3 - 2 * u)

def _hill(x: Any, sx: float, y: Any = 0.0, sy: float = 1.0) -> Any:
    return np.exp(-0.5 * ((x / sx) ** 2 + (y / sy) ** 2))

def _unit(v: Any) -> Any:
    return v / np.sqrt((v * v).sum(axis=0) + 1e-12)

def _mix(a: Any, b: Any, share: Any) -> Any:
    return a + (b - a) * share

def _rgb(colour: Any) -> Floats:
    return np.array(colour, np.float32).reshape(3, 1)

def _lids(x: Any) -> tuple[Any, Any]:
    """Height of the upper and lower edge of the opening between the lids."""
    q = (np.abs(x) - _EYE_X) / _EYE_HALF
    upper = 7.0 * np.clip(1 - np.abs(q - 0.06 * (1 - q * q)) ** 2.3, 0, None) ** 0.9
    return upper + q, -5.0 * np.clip(1 - np.abs(q) ** 2.2, 0, None) ** 0.9 + q

def _lips(x: Any) -> tuple[Any, Any, Any, Any]:
    """Height of the lips' four edges, downwards. The head is built with open lips, to give the inside room in the
    textures."""
    q = np.clip(np.abs(x) / _MOUTH_HALF, 0, 1)
    line = -68.6 + 0.6 * np.cos(2 * np.pi * q) * (1 - q) + q**2
    bow = 6.0 * (1 - q**1.7) + 1.4 * _hill(np.abs(x) - 6, 4) - 0.6 * _hill(x, 2.5)
    slit = line - 4.8 * (1 - q**2) ** 0.7
    return line + bow, line, slit, slit - 9.2 * (1 - q**2.2) ** 0.8

def _head(theta: Any, y: Any) -> Floats:
    """Points of the head as built, at height y and at the angle `theta` from the front."""
    width, ahead, behind, middle = _curve(-y + 0 * theta, _SECTIONS)
    sine, cosine = np.sin(theta), np.cos(theta)
    x = np.sqrt(np.maximum(width, 0)) * np.sign(sine) * np.abs(sine) ** 0.94
    z = middle + np.sqrt(np.maximum(np.where(cosine > 0, ahead, behind), 0)) * np.sign(cosine) * np.abs(cosine) ** 0.92
    ax, facing = np.abs(x), _ramp(cosine, 0.05, 0.45)
    height, half = _curve(np.clip(-y, -20, 56), _NOSE)
    nose = height / (1 + 0.8 * (ax / half) ** 2 + (0.8 * ax / half) ** 6)
    z = z + facing * (nose + sum(h * _hill(ax - x0, sx, y - y0, sy) for x0, y0, sx, sy, h in _RELIEF))
    away = np.hypot(ax - _EYE_X, y - 0.3)
    ball = _BALL_Z + np.sqrt(np.maximum((_BALL + 1.3) ** 2 - away**2, 0))  # the lids lie on the eyeball
    z = z + facing * _ramp(_BALL + 1.3 - away, -1.0, 4.5) * np.maximum(ball - z, 0)
    z = z - facing * 1.7 * _hill(y - _lids(x)[0] - 4.2, 1.3) * _ramp(17 - np.abs(ax - 32), 0, 6)
    top, line, slit, low = _lips(x)
    up, down = np.clip([(y - line) / np.maximum(top - line, 0.8), (slit - y) / np.maximum(slit - low, 0.8)], -1, 2)
    lip = np.where(y > (line + slit) / 2, 4.2 * _hill(up - 0.25, 0.55), 5.6 * _hill(down - 0.35, 0.5))
    return np.stack([x, y + 0 * x, z + facing * lip * _ramp(ax, 30, 14) * _ramp(ax, 27, 14)])

def _movements(points: Floats) -> tuple[Floats, Floats]:
    """(A_id, A_exp) at points (3,N) of the head as built, (30,3,N) mm per unit, and what S_mean adds to the points,
    (3,N)."""
    x, y, z = points
    side, moved, names = np.tanh(x / 4), np.zeros((30, *points.shape)), [*IDENTITY, *EXPRESSION]
    for out, bumps in zip(moved, (*IDENTITY.values(), *EXPRESSION.values()), strict=True):
        for x0, y0, sx, sy, dx, dy, dz in _table(7, bumps):
            out += _hill(np.abs(x) - x0, sx, y - y0, sy) * np.stack([side * dx, 0 * x + dy, 0 * x + dz])
    (upper, lower), (_, line, slit, _) = _lids(x), _lips(x)
    gap = np.maximum(upper - lower, 0.0)
    fall = np.where(y > upper, _hill(y - upper, 4.5), np.clip((y - lower) / np.maximum(gap, 0.02), 0, 1)) * _ramp(z, 20, 45)
    moved[names.index("eyes closed")] += np.stack([0 * x, -fall * gap, 0.8 * fall * (gap > 0)])
    jaw, below = _ramp(slit - y, 0, 34), np.clip((line - y) / np.maximum(line - slit, 0.02), 0, 1)
    drop = below * ((line - slit) / 4.8 * (1 - jaw) + jaw * _hill(x, 60)) * _ramp(z, 10, 45)
    moved[names.index("mouth open")] += np.stack([0 * x, -16 * drop, -5 * drop])
    return moved, np.stack([0 * x, 4.8 * drop, 1.5 * drop])  # the lips are built 4.8 mm apart: in S_mean they just meet

def _glasses() -> tuple[Floats, Floats]:
    """A ribbon from one ear round both lenses to the other ear."""
    t, arm = np.linspace(0, 3 * np.pi, 40), np.linspace(150, 57, 9)  # once round a lens, then on over its top to the bridge
    across, up = (np.sign(f) * np.abs(f) ** 0.57 for f in (np.cos(t), np.sin(t)))
    u = np.concatenate([arm, 33 + 24 * across, [0], -33 - 24 * across[::-1], -arm[::-1]])
    v = np.concatenate([0 * arm + 3, 18 * up - 3, [2], 18 * up[::-1] - 3, 0 * arm + 3])
    du, dv = _unit(np.gradient(np.stack([u, v]), axis=1))
    u, v = u + [[1.5], [-1.5]] * dv, v + [[-1.5], [1.5]] * du
    inner, outer = np.minimum(np.abs(u), 58), np.maximum(np.abs(u) - 58, 0)
    return np.stack([np.sign(u) * (inner + 0.2 * outer), v, 101 - 0.002 * inner**2 - outer]), np.stack([u, v])

def _surfaces() -> tuple[dict[str, tuple[Floats, Floats]], Floats]:
    """Every surface: a grid of points (3,rows,columns), rows running down, and what is written on it (2,rows,columns):
    the place in the textures on head and ears, in the pattern of strands on hair. How short hair and bangs stand out:
    (2,3,·)."""
    theta = np.radians(np.interp(np.arange(79), [0, 12, 66, 78], [-140, -52, 52, 140]))
    knots = _table(2, "0 116 1 115 3 111 6 96 9 70 16 28 23 10 36 -9 59 -58 62 -63 74 -75 80 -86 91 -120 93 -122.49").T
    head = _head(*np.meshgrid(theta, np.interp(np.arange(94), *knots)))
    turn, r = np.meshgrid(np.linspace(0, 2 * np.pi, 25), [*np.linspace(0.05, 1, 9), 1.02])
    back, up = 18 * r * np.cos(turn) * (1 + 0.16 * np.sin(turn)), 31 * r * np.sin(turn)
    out = 4.5 * _hill(r - 0.86, 0.1) - 7 * _hill(r * np.cos(turn) + 0.15, 0.35, r * np.sin(turn) + 0.12, 0.3) - 8 * (r > 1.01)
    ear = np.stack([76 + 0.52 * back + 0.06 * up + 0.84 * out, 0.1 * back + up - 9, -8 - 0.84 * back - 0.12 * up + 0.52 * out])
    cheek = _TEXELS * np.stack([63 + 2 * r, 38 + 0.4 * turn])  # ears wear the skin of a plain spot of the cheek
    theta, depth = np.meshgrid(np.radians(np.linspace(-115, 115, 47)), [*range(60, 140, 8), *range(140, 200, 4), 210, 250, 300])
    width = 52 + 5 * _ramp(depth, 90, 140) + 160 * _ramp(depth, 138, 215) ** 1.2
    shoulders = np.stack([width * np.sin(theta), -depth, (44 + 36 * _ramp(depth, 130, 230)) * np.cos(theta) - 18])
    theta, depth = np.meshgrid(np.radians(np.linspace(52, 308, 61)), np.linspace(-88, 205, 31))
    swell, low, strands = _ramp(depth, -112, -60), _ramp(depth, 60, 200), np.stack([theta * 120, depth])
    width = 52 + 29 * swell + 10 * _ramp(depth, -60, 20) - 12 * low
    radius = np.where(np.cos(theta) > 0, 52 + 10 * swell + 28 * low, 76 + 30 * swell - 20 * low)
    curtain = np.stack([width * np.sin(theta), -depth, radius * np.cos(theta) - 6])
    theta, s = np.meshgrid(np.radians(np.linspace(-170, 170, 97)), np.linspace(1, 0, 17) ** 1.5)  # s: 1 on top
    degrees, noise = np.degrees(np.abs(theta)), np.random.default_rng(4).normal(size=97)
    edge = _curve(degrees, _HAIRLINE)[0] + 1.6 * noise
    fringe = edge - (edge - 22 + 2 * noise) * _ramp(degrees, 66, 54)
    cap, bangs = (_head(theta, e + (116 - e) * np.sin(np.pi / 2 * s)) for e in (edge, fringe))
    up = _unit(cap - [[[0]], [[15]], [[-10]]])
    short = up * (6.4 + (1 - (1 - s) ** 2.2) * (5 + 12 * _ramp(cap[1], 20, 90)))
    return {"head": (head, _TEXELS * (np.indices(head.shape[1:])[::-1] + 0.5)), "right ear": (ear, cheek),
            "left ear": (ear[:, :, ::-1] * [[[-1]], [[1]], [[1]]], cheek), "shoulders": (shoulders, shoulders[:2]),
            "cap": (cap - 6 * up, np.stack([theta * 120, 110 * (1 - s)])), "curtain": (curtain, strands),
            "glasses": _glasses()}, np.stack([short, bangs - cap + up * 5 * (1 - s) ** 0.3]).reshape(2, 3, -1)

def _textures(head: Floats) -> Floats:
    """What is painted on the head, (H,W,16): edges as signed distances in mm, positive inside, all else as a
    strength."""
    x, y, z = (cv2.resize(c, None, fx=_TEXELS, fy=_TEXELS) for c in head.astype(np.float32))
    ax, front, degrees = np.abs(x), z > 25, np.degrees(np.arctan2(np.abs(x), z + 3))
    noise = np.random.default_rng(68).normal(size=x.shape).astype(np.float32)
    mottle, grain = cv2.GaussianBlur(noise, (0, 0), 7) * 14, np.clip(cv2.GaussianBlur(noise, (0, 0), 1) * 2.4, -1.5, 1.5)
    (upper, lower), (top, line, slit, low), (brow, thick) = _lids(x), _lips(x), _curve(np.clip(ax, 10, 54), _BROW)
    thick, wing = thick + 0.8 * grain, np.where(y < -34, 17, _curve(np.clip(-y, -20, 56), _NOSE)[1] + 2)
    edges = [np.where(front, np.minimum(np.minimum(a - y, y - b), half - np.abs(ax - middle)), -9) for a, b, half, middle in (
        (upper, lower, _EYE_HALF, _EYE_X), (line, slit, _MOUTH_HALF, 0), (top, line - 1, _MOUTH_HALF, 0),
        (slit + 1, low, _MOUTH_HALF, 0), (brow + thick, brow - thick, 22, 32), (4, -51, wing, 0))]
    scalp = y + 500 * _ramp(y + 2 * grain - _curve(degrees, _HAIRLINE)[0], 3, -4)  # height, lifted where no hair grows
    moustache = _ramp(np.abs(y + 58 + 0.012 * ax**2), 7, 4) * _ramp(ax, 33, 28)
    beard = np.maximum(np.maximum(_ramp(1.4 * (ax - 30) - y, 64, 80), moustache), _ramp(-y, 96, 104)) * _ramp(degrees, 112, 98)
    beard *= _ramp(-y, -10, 10) * (0.75 + 0.25 * grain) * (1 - _ramp(np.maximum(edges[2], edges[3]), -1.5, 0))
    deep = 0.5 * _ramp(cv2.GaussianBlur(z, (0, 0), 17) - z, 0.5, 7) + 0.7 * _hill(ax - 7, 2.4, y + 47.1, 1.4)
    hollow = (1 - front * deep) * (1 - 0.6 * _hill(edges[1], 0.8))
    blush = front * (_hill(ax - 42, 15, y + 30, 12) + 0.8 * _hill(ax, 10, y + 38, 9) + 0.3 * _hill(ax, 14, y + 112, 10))
    lines = sum(_hill(y - h - 1.5 * np.cos(ax / 9), 1) for h in (32, 40, 49)) * _ramp(ax, 42, 32) + _hill(ax - 5, 1, y - 15, 5)
    lines = front * (lines + sum(_hill(y - h * (ax - 48) / 12 + 1, 0.7, ax - 55, 4) for h in (8, 1, -6)))
    eyes, fold = front * (np.abs(ax - _EYE_X) < _EYE_HALF), front * _hill(ax - 17 + 0.64 * (y + 41), 1.3, y + 53, 9)
    lash = eyes * (_ramp(np.abs(y - upper - 0.2), 1.3, 0.3) + 0.35 * _hill(y - lower, 0.5) + 0.5 * _hill(y - upper - 3.8, 0.8))
    return np.dstack([*edges, scalp, beard, hollow, blush, lines, lash, mottle, fold, eyes * _hill(y - lower + 6.5, 1), grain])

@cache
def _model() -> Record:
    """What all puppets share, for V vertices: the surfaces', 68 landmarks, two eyeballs and the upper teeth. mean
    (3,V), basis (30,3V); parts: vertices and grid of each surface; triangles (T,3) of each; written, grown: see
    `_surfaces`; follow (V,): how far the head's pose moves a vertex; textures (H,W,16); strands (256,1024): streaks."""
    (surfaces, grown), parts, triangles, follow, first = _surfaces(), {}, {}, [], 0
    for name, (points, _) in surfaces.items():
        rows, columns = grid = points.shape[1:]
        parts[name] = slice(first, first + rows * columns), grid
        corner = (first + np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
        faces = np.add(corner, [0, columns, 1, 1, columns, columns + 1]).reshape(-1, 3).astype(np.int32)
        follow.append(_ramp(points[1].ravel(), -150, -85) if name in ("shoulders", "curtain") else np.ones(rows * columns))
        backs = faces[:, ::-1] if name in ("cap", "curtain", "glasses") else faces[:0]  # what is seen from behind, too
        triangles[name], first = np.concatenate([faces, backs]), first + rows * columns
    (x, y), spots = _SPOTS.T, np.zeros((3, 68))
    sine = np.clip(np.abs(x) / np.sqrt(_curve(-y, _SECTIONS)[0]), 0, 0.995) ** (1 / 0.94)
    spots[:, [i for i in range(68) if i >= MIRRORED[i]]] = _head(np.sign(x) * np.arcsin(sine), y)
    spots = np.where(np.arange(68) < MIRRORED, spots[:, MIRRORED] * [[-1], [1], [1]], spots)
    anchors = np.array([(-_EYE_X, _EYE_X, 0), (0.3, 0.3, -69), (_BALL_Z, _BALL_Z, 84)])
    built = np.concatenate([*(p.reshape(3, -1) for p, _ in surfaces.values()), spots, anchors], axis=1)
    basis, closing = _movements(built)
    basis[20:, :, -3:] = basis[20:, :, parts["glasses"][0]] = 0  # eyeballs, upper teeth and glasses keep still
    fine, coarse = np.random.default_rng(9).normal(size=(2, 256, 1024))
    fine, coarse = cv2.GaussianBlur(fine, (0, 0), 0.9, sigmaY=22), cv2.GaussianBlur(coarse, (0, 0), 5, sigmaY=40)
    exact = {"mean": built + closing, "basis": basis.reshape(30, -1), "follow": np.concatenate([*follow, np.ones(71)]),
             "strands": 0.6 * (fine / fine.std() + coarse / coarse.std()), "textures": _textures(surfaces["head"][0]),
             "written": np.concatenate([w.reshape(2, -1) for _, w in surfaces.values()], axis=1), "grown": grown}
    return Record(**{k: v.astype(np.float32) for k, v in exact.items()}, parts=parts, triangles=triangles)

def vertices(shape: Floats) -> Floats:
    """S = S_mean + A alpha in mm, float32 (3,V), for coefficients (30,): without the thickness of hair, before the
    pose."""
    return np.asarray(_model().mean + (shape @ _model().basis).reshape(3, -1))

def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    turn, nod, tilt = (cv2.Rodrigues(np.array(v, dtype=float))[0] for v in ((0, yaw, 0), (-pitch, 0, 0), (0, 0, roll)))
    return (tilt @ nod @ turn).astype(np.float32)

def _view(puppet: Puppet, scale: float, samples: int) -> Record:
    """The puppet posed, and placed by the similarity that aligns its true landmarks, as `prepare` places a face: shape
    (30,); bare: height in mm above which no hair grows; values (8,V): x, y in samples, depth in mm, normal (3), written
    (2); unit: samples per mm; rotation (3,3) from head to picture; key, half (3,): directions of the key light and of
    its highlight."""
    male = (2 * puppet.male - 1) * np.array([_MALE.get(name, 0.0) for name in IDENTITY])
    shape = np.concatenate([np.array(puppet.shape) + male, puppet.expression]).astype(np.float32)
    model, points = _model(), vertices(shape)
    cap, (curtain, grid) = model.parts["cap"][0], model.parts["curtain"]
    bare = 130 - 200 * puppet.bald  # above this height no hair grows
    points[:, cap] += _ramp(bare - model.mean[1, cap], 0, 10) * (puppet.volume * model.grown[0] + puppet.bangs * model.grown[1])
    height, ragged = points[1, curtain].reshape(grid), 0.95 + 0.05 * np.sin(2.4 * np.arange(grid[1]))
    points[1, curtain] = _mix(height[0], height, (0.4 + 0.6 * puppet.length) * ragged).ravel()
    pivot, rotation = _rgb([0, -75, -25]), _rotation(*puppet.pose)  # the neck; shoulders turn along only a little
    points = pivot + _mix(_rotation(0.35 * puppet.pose[0], 0, 0) @ (points - pivot), rotation @ (points - pivot), model.follow)
    flat = (np.stack([points[0], -points[1]]) * (1000 / (1000 - points[2]))).T  # the camera stands 1 m away
    matrix = align(flat[-71:-3], scale)
    frame, turn = transform(flat, matrix), np.eye(3, dtype=np.float32)
    turn[:2, :2] = matrix[:, :2] / scale_of(matrix) * [[1, -1], [-1, 1]]
    points, values = turn @ points, np.zeros((8, points.shape[1]), np.float32)
    values[:2], values[2], values[6:, :-71] = (frame.T + 0.5) * samples - 0.5, points[2], model.written
    for part, grid in model.parts.values():
        down, across = np.gradient(points[:, part].reshape(3, *grid), axis=(1, 2))
        values[3:6, part] = _unit(np.cross(down, across, axis=0)).reshape(3, -1)
    (right, up), pigment = puppet.light, _rgb([*puppet.pigments, max(0.0, 1 - sum(puppet.pigments))] @ _PIGMENTS)
    key = np.array([np.sin(right) * np.cos(up), np.sin(up), np.cos(right) * np.cos(up)], np.float32)
    half = _unit(np.array([*key[:2], key[2] + 1]))
    return Record(puppet=puppet, bare=bare, shape=shape, values=values, unit=scale_of(matrix) * samples, key=key,
                  rotation=turn @ rotation, half=half, pigment=pigment, landmarks=frame[-71:-3])

def _spread(counts: NDArray[np.int32]) -> tuple[Any, Any]:
    """For counts (2,3): owners 0 0 1 1 1 and positions 0 1 0 1 2."""
    owner = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    starts = np.cumsum(counts, dtype=np.int32) - counts
    return owner, (np.arange(len(owner), dtype=np.int32) - starts.take(owner)).astype(np.float32)

def _rasterise(values: Floats, triangles: NDArray[np.int32], width: int, height: int) -> tuple[Any, Any, Floats]:
    """What is nearest at every sample: the covered samples (N,), the number of the triangle there, and the values there
    (8,N). Triangles (T,3) are cut into rows and these into samples, so only samples inside triangles facing the viewer
    are made."""
    a, b, c = (values.take(triangles[:, i], axis=1) for i in range(3))
    ab, ac, ys = b - a, c - a, np.stack([a[1], b[1], c[1]])
    area = ab[0] * ac[1] - ab[1] * ac[0]
    low, high = np.ceil(ys.min(axis=0)).clip(0, None), np.floor(ys.max(axis=0)).clip(None, height - 1)
    seen = np.nonzero((area < -1e-3) & (high >= low))[0]
    a, ab, ac, area, low, high = (np.asarray(v).take(seen, axis=-1) for v in (a, ab, ac, area, low, high))
    owner, y = _spread((high - low + 1).astype(np.int32))
    y += low.take(owner)
    left, right = np.zeros(len(y), np.float32), np.full(len(y), width - 1, np.float32)
    for start, edge in ((a, ab), (a + ab, ac - ab), (a + ac, -ac)):
        slope, rise = edge[0] / np.where(edge[1] == 0, 1, edge[1]), edge[1].take(owner)
        x = (start[0] - slope * start[1]).take(owner) + slope.take(owner) * y
        left, right = np.maximum(left, np.where(rise > 0, x, 0)), np.minimum(right, np.where(rise < 0, x, width - 1))
    left = np.ceil(left)
    row, x = _spread((np.floor(right) - left + 1).clip(0, None).astype(np.int32))
    tri, x, y = owner.take(row), left.take(row) + x, y.take(row)
    # Every value is a plane over its triangle. Positive floats sort like their bits: one integer maximum finds the
    # nearest.
    vx, vy = (ab * ac[1] - ac * ab[1]) / area, (ac * ab[0] - ab * ac[0]) / area
    depth = a[2].take(tri) + vx[2].take(tri) * (x - a[0].take(tri)) + vy[2].take(tri) * (y - a[1].take(tri))
    best = np.zeros(width * height, np.int64)
    np.maximum.at(best, (y * width + x).astype(np.int64), (depth + 4096).view(np.int32).astype(np.int64) << 32 | tri)
    covered = np.nonzero(best)[0]
    won = best[covered] & 0xFFFFFFFF
    y, x = (n.astype(np.float32) - c.take(won) for n, c in zip(divmod(covered, width), (a[1], a[0]), strict=True))
    found = [p.take(won) + px.take(won) * x + py.take(won) * y for p, px, py in zip(a, vx, vy, strict=True)]
    return covered, seen[won], np.stack(found)

# A painter takes the values at N samples, (8,N), and says what is there before light falls on it: colour (3,N), how
# much of the light from all around arrives, strength of the highlight, label.
def _paint_head(s: Floats, view: Record) -> tuple[Any, ...]:
    puppet, paints = view.puppet, _model().textures
    column, row = np.clip(s[6:].T, 0, (paints.shape[1] - 1, paints.shape[0] - 1)).T.astype(np.int32)
    layers = np.ascontiguousarray(paints[row, column].T)
    eye, slit, upper, lower, brow, nose, scalp, beard, hollow, blush, lines, lash, mottle, fold, bag, grain = layers
    old, female, brow = 1 - puppet.young, 1 - puppet.male, brow + 1.5 * (puppet.male - 0.75)
    lip, grown = np.clip(np.maximum(upper, lower) / 1.2 + 0.5, 0, 1), np.clip((view.bare - scalp) / 8, 0, 1)
    crease = 0.4 * old * lines + (0.2 + 0.35 * old) * bag + (0.12 + 0.35 * old + 0.25 * max(puppet.expression[0], 0)) * fold
    colour = _rgb(puppet.skin) * (1 + 0.05 * mottle - 0.55 * np.minimum(crease, 1)) * (1 + _rgb([0.05, -0.13, -0.1]) * blush)
    colour = _mix(colour, _rgb(puppet.brows), np.clip(puppet.beard * 1.15 * beard * (0.8 + 0.3 * grain), 0, 0.94))
    colour = _mix(colour, _rgb(puppet.lips), lip * (0.75 + 0.15 * female))
    colour = _mix(colour, _rgb(puppet.brows), np.clip(brow / 2.6 + 0.35, 0, 1) * (0.62 + 0.28 * puppet.male))
    colour = _mix(colour, 0.8 * view.pigment, grown * 0.9) * (1 - (0.6 + 0.25 * female) * np.clip(lash, 0, 1))
    facing, labels = np.clip(view.half @ s[3:6], 0, 1), np.ones(len(eye), np.uint8)
    shine = (0.06 * hollow * facing**14 + 0.16 * lip * (0.4 + female) * facing**45) * (1 - grown)
    for label, edge in ((6, nose), (3, brow + 0.3), (10, grown - 0.5), (7, upper), (9, lower), (8, slit - 0.9), (5, eye)):
        labels[edge > 0] = label
    labels[((labels == 3) | (labels == 5)) & (column < paints.shape[1] // 2)] -= 1
    for label, anchor in ((4, -3), (5, -2)):
        at = np.nonzero(labels == label)[0]
        colour[:, at], shine[at] = _eye(s[0, at] - view.values[0, anchor], view.values[1, anchor] - s[1, at], view)
        hollow[at] = 0.55 + 0.45 * np.clip(eye[at] / 2.6, 0, 1)
    at = np.nonzero(labels == 8)[0]
    across, down = (s[:2, at] - view.values[:2, -1:]) / view.unit  # from the upper teeth
    teeth = _rgb([0.72, 0.67, 0.58]) * (1 - 0.9 * _ramp(np.abs(across), 8, 22))
    colour[:, at] = _mix(_rgb([0.09, 0.012, 0.01]), teeth, _ramp(down + 0.006 * across**2, 6.3, 5.3))
    hollow[at], shine[at] = 0.5 + 0.5 * np.clip(slit[at] / 1.5, 0, 1), 0
    return colour, hollow, shine, labels

def _eye(x: Floats, y: Floats, view: Record) -> tuple[Floats, Floats]:
    """Colour and catchlight of a true sphere behind the opening of the lids, at samples x, y from its middle."""
    across, up, (right, above) = x / (view.unit * _BALL), y / (view.unit * _BALL), view.puppet.gaze
    ball = _unit(np.stack([across, up, np.sqrt(np.clip(1 - across**2 - up**2, 0.02, 1))]))
    gaze = view.rotation @ np.array([np.sin(right), np.sin(above), np.cos(right) * np.cos(above)], np.float32)
    turn = np.sqrt(np.clip(2 - 2 * (gaze @ ball), 0, None))  # distance from the middle of the pupil, in radii of the eyeball
    iris = _rgb(view.puppet.iris) * (0.75 + 0.9 * _hill(turn - 0.26, 0.07)) * (1 - 0.8 * _ramp(turn, 0.4, 0.47))
    colour = _mix(iris * _ramp(turn, 0.17, 0.215) + 0.004, _rgb([0.66, 0.62, 0.59]), _ramp(turn, 0.46, 0.5))
    return colour, 0.9 * np.exp((view.half @ ball - 1) / 0.0085)

def _paint_hair(s: Floats, view: Record) -> tuple[Any, ...]:
    inside, across = s[5] < 0, s[6] + view.puppet.sweep * (250 + s[7])
    streak = np.clip(_model().strands[s[7].astype(np.int32) % 256, across.astype(np.int32) % 1024], -2, 2)
    s[3:6] *= np.where(inside, -1, 1)
    gloss = np.clip(view.half @ _unit(s[3:6] + _rgb([0, 0.22, 0]) * streak), 0, 1) ** 16 * (0.02 + 0.25 * view.pigment.mean())
    return view.pigment * np.exp(0.33 * streak) * np.where(inside, 0.2, 1.0), 0.85, gloss * ~inside, 10

def _paint_shoulders(s: Floats, view: Record) -> tuple[Any, ...]:
    x, y = s[6:]
    below = -147 - 20 * _hill(x, 24) + 0.06 * np.abs(x) - y  # mm under the neckline
    hollow = (0.45 + 0.55 * _ramp(-y, 105, 150)) * np.where(below > 0, 1, 1 - 0.45 * np.exp(np.minimum(below, 0) / 3))
    colour = np.where(below > 0, _rgb(view.puppet.clothes) * (1 - 0.25 * _hill(below - 5, 1)), _rgb(view.puppet.skin))
    return colour, hollow, 0, np.where(below > 0, 0, 1)

_PAINTERS: dict[str, Any] = {
    "head": _paint_head, "right ear": _paint_head, "left ear": _paint_head, "shoulders": _paint_shoulders, "cap": _paint_hair,
    "curtain": _paint_hair, "glasses": lambda s, view: (_rgb([0.03] * 3), 1, 0.4 * np.clip(view.half @ s[3:6], 0, 1) ** 20, 1)}

def render(puppet: Puppet, scale: float = 1.0) -> Rendered:
    """The picture of a puppet as a face frame of 178s × 218s pixels at scale s > 0, with its exact truth."""
    k, size, triangles = 2 if scale >= 0.75 else 4, frame_size(scale), _model().triangles  # k × k samples in each pixel
    view, (width, height) = _view(puppet, scale, k), (k * size[0], k * size[1])
    absent = {"cap": puppet.bald > 0.98, "curtain": puppet.length < 0.02 or puppet.bald > 0.7, "glasses": puppet.glasses < 0.5}
    names = [name for name in _PAINTERS if not absent.get(name)]
    covered, won, seen = _rasterise(view.values, np.concatenate([triangles[name] for name in names]), width, height)
    surface = np.repeat(np.arange(len(names)), [len(triangles[name]) for name in names])[won]
    canvas, labels = np.zeros((4, width * height), np.float32), np.zeros(width * height, np.uint8)  # red, green, blue, cover
    key, wrap = _rgb(puppet.key), _rgb([0.32, 0.2, 0.14])  # red light reaches farther round an edge, as it does under skin
    fill_from = _unit(np.array([-view.key[0], 0.1, 0.9], np.float32))
    for i, name in enumerate(names):
        at = np.nonzero(surface == i)[0]
        s, here = seen.take(at, axis=1), covered[at]
        s[3:6] = _unit(s[3:6])
        colour, around, shine, labels[here] = _PAINTERS[name](s, view)
        direct = np.clip((view.key @ s[3:6] + wrap) / (1 + wrap), 0, None) * (0.35 + 0.65 * around)
        fill = 0.75 + 0.25 * s[4] + 0.35 * np.clip(fill_from @ s[3:6], 0, None)
        canvas[:3, here], canvas[3, here] = colour * (key * direct + 0.27 * fill * around**2) + key * shine, 1
    *light, cover = (cv2.resize(plane.reshape(height, width), size, interpolation=cv2.INTER_AREA) for plane in canvas)
    blobs = cv2.resize(np.random.default_rng(puppet.pattern).normal(size=(7, 6, 4)), size, interpolation=cv2.INTER_CUBIC)
    behind = _mix(np.array(puppet.backdrop[0]), np.array(puppet.backdrop[1]), np.linspace(0, 1, size[1])[:, None, None])
    light = np.dstack(light) + (1 - cover[..., None]) * behind * np.exp(0.13 * blobs[..., :1] + 0.05 * blobs[..., 1:])
    light = np.clip(1.12 * light / (1 + 0.22 * light), 0, 1) ** (1 / 2.2)  # highlights roll off, as on film
    others = (puppet.male, puppet.young, puppet.glasses, puppet.bald, puppet.bangs, 1 - puppet.beard)
    values = np.clip([*puppet.expression[:2], *puppet.pigments, *others], 0, 1).tolist()
    return Rendered(
        (light * 255 + 0.5).astype(np.uint8), labels.reshape(height, width)[k // 2 :: k, k // 2 :: k].copy(),
        np.rint(255 - 255 * cover).astype(np.uint8), view.landmarks, dict(zip(ATTRIBUTES, values, strict=True)),
        puppet.identity, view.shape, np.array(puppet.pose, np.float32), puppet)

def true_swap(face: Puppet, hair: Puppet) -> Puppet:
    """The puppet with one's identity and face (shape, expression, colours, age, beard, glasses) and all else of the
    other."""
    names = [field.name for field in fields(Puppet)]
    return replace(hair, **{name: getattr(face, name) for name in names[: names.index("pigments")]})

def true_style(shape: Puppet, style: Puppet) -> Puppet:
    """The puppet with one's shape, place and light, and the other's colours of skin, lips, irises, brows and hair."""
    return replace(shape, skin=style.skin, lips=style.lips, iris=style.iris, brows=style.brows, pigments=style.pigments)

def true_edit(puppet: Puppet, attribute: str, value: float) -> Puppet:
    """The puppet with one attribute set to `value`; of the hair colours the others are lowered so that they sum to at
    most 1. Raises UnknownAttributeError for a name that is not in ATTRIBUTES and ValueRangeError for a value outside
    [0,1]."""
    if attribute not in ATTRIBUTES:
        raise UnknownAttributeError(f"Puppets have no attribute {attribute}: {nearest(attribute, ATTRIBUTES)}.")
    if not 0.0 <= value <= 1.0:
        raise ValueRangeError(f"{attribute} takes values from 0 to 1, not {value:g}.")
    at, field = ATTRIBUTES.index(attribute), {"Eyeglasses": "glasses", "No_Beard": "beard"}.get(attribute, attribute.lower())
    if at < 2:
        return replace(puppet, expression=(*puppet.expression[:at], value, *puppet.expression[at + 1 :]))
    if attribute in HAIR_COLOURS:
        lower = min(1.0, (1.0 - value) / max(sum(puppet.pigments) - puppet.pigments[at - 2], 1e-9))
        return replace(puppet, pigments=tuple(value if i == at - 2 else lower * v for i, v in enumerate(puppet.pigments)))
    changed: dict[str, Any] = {field: 1.0 - value if field == "beard" else value}
    return replace(puppet, **changed)

def _linear(colour: Any, muted: float = 1.0) -> Any:
    return tuple(_mix(np.mean(colour), colour, muted).clip(0, 1) ** 2.2)

def draw_puppet(seed: int, identity: int | None = None) -> Puppet:
    """A random puppet; seed and identity are whole numbers from 0, and without an identity the seed is one. The
    identity fixes shape, Male, age, colours, hair and beard; the seed varies expression, pose, light, clothes,
    backdrop, glasses."""
    identity = seed if identity is None else identity
    person, moment = np.random.default_rng([1, identity]), np.random.default_rng([2, identity, seed])
    u, v = person.uniform, moment.uniform
    male, age, tone = float(u() < 0.5), u(), u(0, 5)
    young, dark, skin = min(1.35 - 1.1 * age, 1.0), tone > 2.6, np.array([np.interp(tone, range(6), c) for c in _SKINS.T])
    pigments = np.eye(4)[person.choice(4, p=[0.85, 0, 0.15, 0] if dark else [0.25, 0.3, 0.45, 0])] * u(0.75, 1.0)
    pigments = _mix(pigments, np.array([0, 0, 0, 0.95]), min(max(1.9 - 3.6 * young, 0.0), 1.0))
    brows = _PIGMENTS[0] if dark else 0.55 * pigments @ _PIGMENTS[:4] + 0.004
    long, balding, wears = u() < (0.07 if male else 0.85), male and u() < 0.12 + 0.3 * age, 0.75 if u() < 0.18 else 0.05
    smile = v(0.5, 1) if v() < 0.5 else v(0, 0.15)
    opened = v(0.2, 0.8) if v() < (0.55 if smile > 0.4 else 0.15) else 0.0
    brows_up, *rest = moment.normal(size=8) * (0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    (yaw, pitch, roll), strength, warmth = moment.normal(size=3).clip(-2.4, 2.4) * (0.32, 0.1, 0.08), v(0.7, 1), v(-0.13, 0.13)
    return Puppet(
        identity, shape=tuple(person.normal(size=20).clip(-2, 2)), expression=(smile, opened, brows_up, *np.abs(rest)),
        gaze=(v(-0.2, 0.2), v(-0.1, 0.1)), young=young, beard=u(0.4, 1) if male and u() < 0.45 else 0.0, male=male,
        skin=_linear(skin), lips=_linear(skin * ((0.86, 0.56, 0.56) if male else (0.9, 0.46, 0.48))), brows=tuple(brows),
        iris=_linear(_IRISES[person.integers(2 if dark else 5)]), pigments=tuple(pigments), bald=u(0.3, 1) if balding else 0.0,
        bangs=u(0.6, 1) if not balding and u() < 0.22 else 0.0, length=u(0.3, 1) if long and not balding else 0.0,
        volume=1.0 if long else u(0.75, 1.3), sweep=u(-0.7, 0.7), pose=(yaw, pitch, roll), glasses=float(v() < wears),
        key=(strength * (1 + warmth), strength, strength * (1 - warmth)), light=(v(-1.1, 1.1), v(0.1, 0.9)),
        clothes=_linear(v(size=3), 0.55), backdrop=(_linear(v(0.15, 0.9, 3), 0.5), _linear(v(0.15, 0.9, 3), 0.5)),
        pattern=int(moment.integers(1 << 30)))

def puppets(count: int, seed: int = 0, scale: float = 1.0, per_identity: int = 4) -> Iterator[Rendered]:
    """`count` rendered puppets in order, `per_identity` pictures of each identity in a row; another seed gives other
    people."""
    for i in range(count):
        yield render(draw_puppet(seed * 1_000_000 + i, seed * 1_000_000 + i // per_identity), scale)
