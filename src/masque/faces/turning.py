"""A head turned in its photo: every pixel of it is given a depth, and goes where a turn of the head takes it.

The landmarks have the depth of a fitted 3D model. The rest of a head has no landmarks: forehead, temples, crown and
ears are given that of an ellipsoid around the skull, and the neck less and less. The skull turns about its middle, so
what is at its outline, as deep as its middle, stays where it is, and so does the background. On one side of the head
pixels are drawn apart where more of it comes into view, and on the other they come together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from masque.faces.change import Move
from masque.faces.shape3d import Fit, Floats, ShapeModel, rotations
from masque.faces.strips import Box

SKULL = (0.0, 0.4, -1.3)
"""The middle of the skull as seen from the middle between the eyes, in distances between the eyes: x to the picture's
right, y up, z towards the viewer. An adult's eyes are 63 mm apart, and the holes of the ears, half way from front to
back, lie some 85 mm behind them."""

RADII = (1.2, 1.5, 1.45)
"""Of the skull with short hair: its width as a multiple of that of the jaw at the ears; its height above its middle and
its depth in distances between the eyes."""

BELOW = 2.1
"""How far below its middle the ellipsoid ends, in distances between the eyes: at the chin."""

NECK = ((0.45, 0.7), (0.95, 0.4))
"""Depth of the neck before the skull's middle, at two heights below the chin; in distances between the eyes."""

NECK_ENDS = 1.5
"""How far below the chin nothing turns along, in distances between the eyes."""

OUTSIDE = 0.6
"""Over which share of the skull's radius beyond its outline movement fades."""

RINGS, AROUND = np.array([0.55, 0.7, 0.85]), np.array([1.12, 1.4, 1.9])
"""Radii within the skull's outline at which it gives the depth, and beyond it at which there is none."""

ASIDE = 15.0
"""The yaw in degrees from which the face itself is a head's outline on the side that turns away."""

BESIDE = 1.03
"""How far beyond its outermost landmark at the eyes a face ends there, as a multiple of its distance."""

OUTLINE_FROM = 0.86
"""The radius from which on depth is lost towards such an outline."""

SMOOTHING = 1e-3
"""Of the thin plates through the depths."""

COARSE, CELLS = 56, 224
"""Cells along a side of the grid on which depths are worked out, and of the field of the movement."""

REACH = 3.0
"""Half the side of the field, in distances between the eyes."""

LEAST_WIDTH = 0.3
"""The least share of its width that a part of the face keeps where it turns away."""

LEAST_AREA = 0.15
"""The least share of its area that a patch of the photo keeps: near 0 it would fold over."""


RELIEF = 0.83
"""How deep a face is, as a share of what the 3D model has learnt. Landmarks under weak perspective tell depths and
angles only up to a factor, since deeper faces that turn less look the same (the bas-relief ambiguity; Belhumeur et
al. 1999): by the model, puppets of known yaw are turned by this share of it."""


@dataclass(frozen=True)
class Head:
    """A head in its photo, as it is turned."""

    landmarks: Floats
    """(68,2) about the middle of the skull, y up, in distances between the mean face's eyes."""
    depths: Floats
    """(68,): how far before the middle of the skull landmarks lie, in the same unit."""
    rotation: Floats
    """(3,3): how it is turned."""
    angles: Floats
    """(3,): yaw to the picture's right, pitch up and roll counter-clockwise, in radians."""
    radii: tuple[float, float, float]
    """Of the skull: half its width, its height above its middle, half its depth."""
    centre: Floats
    """(2,): the middle of the skull in the photo."""
    unit: float
    """Pixels of the photo in the unit of all else."""

    @property
    def yaw(self) -> float:
        """Degrees by which it is turned to the picture's right."""
        return math.degrees(float(self.angles[0]))


def find_head(shapes: ShapeModel, fitted: Fit, landmarks: NDArray[np.floating]) -> Head:
    """The head around a face.

    shapes: the 3D model. fitted: the face in its terms, alone. landmarks: (68,2) in photo pixels."""
    shape = fitted.shapes(shapes)[0]
    eyes = shape[36:48].mean(axis=0)
    unit = float(fitted.scale[0])
    middle = rotations(fitted.angles)[0] @ (eyes + SKULL)
    centre = unit * middle[:2] * [1, -1] + fitted.offset[0]
    angles = fitted.angles[0] / [RELIEF, RELIEF, 1]
    rotation = rotations(angles[None])[0]
    solid = (shape - eyes) * [1, 1, RELIEF] - SKULL
    half = float(np.linalg.norm(shape[16] - shape[0])) / 2
    points = (np.asarray(landmarks, dtype=np.float64) - centre) / unit * [1, -1]
    radii = (RADII[0] * half, RADII[1], RADII[2])
    return Head(points, (solid @ rotation.T)[:, 2], rotation, angles, radii, centre, unit)


def turn_pixels(name: str, head: Head, yaw: float, pitch: float, size: tuple[int, int]) -> tuple[Move, float]:
    """The movement of pixels by which a head turns, and what share of the turn it is: less than 1 where all of it would
    fold the photo over.

    name: of the movement. head: as it is. yaw, pitch: degrees by which it turns to the picture's right and up. size:
    (width, height) of the photo."""
    at, box = _grid(head)
    depth, weight = _depths(head, at), _weights(head, at)
    share = 1.0
    while True:
        angles = head.angles + share * np.radians([yaw, pitch, 0.0])
        moved = _moved(at, depth, rotations(angles[None])[0] @ head.rotation.T) * weight[..., None]
        moved = _unfolded(moved * head.unit * [1, -1], box)
        moved = _within_photo(moved, box, size)
        if _least_area(moved, box) >= LEAST_AREA or share < 0.05:
            break
        share *= 0.9
    return Move(name, box, _sources(moved, box)), share


def _grid(head: Head) -> tuple[Floats, Box]:
    """Centres of the cells, (CELLS,CELLS,2) about the skull's middle, y up, and the part of the photo they cover."""
    reach = REACH * head.unit
    lower = 0.35 * reach  # the neck is below
    middle = head.centre + np.array([0.0, lower])
    left, top = (math.floor(v) for v in middle - reach)
    right, bottom = (math.ceil(v) for v in middle + reach)
    x = left - 0.5 + (np.arange(CELLS) + 0.5) * (right - left) / CELLS
    y = top - 0.5 + (np.arange(CELLS) + 0.5) * (bottom - top) / CELLS
    at = (np.stack(np.meshgrid(x, y), axis=-1) - head.centre) / head.unit * [1, -1]
    return at, (left, top, right, bottom)


def _depths(head: Head, at: Floats) -> Floats:
    """(CELLS,CELLS): how far before the skull's middle what is seen at each point lies."""
    skull = _Skull(head)
    known = head.landmarks
    chin, down = known[8], skull.down
    on_skull = skull.points(RINGS)
    on_skull = on_skull[~_inside(known, on_skull) & ((on_skull - chin) @ down < 0)]
    side = np.array([-down[1], down[0]])
    neck = np.array([chin + below * down + across * side for below, _ in NECK for across in (-0.5, 0.0, 0.5)])
    around = skull.points(AROUND)
    around = around[((around - chin) @ down < 0.3) | (np.abs((around - chin) @ side) > 1.0)]
    points = np.concatenate([known, on_skull, neck, around])
    values = np.concatenate(
        [head.depths, skull.depth(on_skull), np.repeat([depth for _, depth in NECK], 3), np.zeros(len(around))]
    )
    plates = RBFInterpolator(points, values, kernel="thin_plate_spline", smoothing=SMOOTHING)
    step = CELLS // COARSE
    coarse = at.reshape(COARSE, step, COARSE, step, 2).mean(axis=(1, 3))
    found = plates(coarse.reshape(-1, 2)).reshape(COARSE, COARSE).astype(np.float32)
    fine = np.asarray(cv2.resize(found, (CELLS, CELLS), interpolation=cv2.INTER_CUBIC), dtype=np.float64)
    return np.maximum(fine, 0) * skull.kept(at)


def _weights(head: Head, at: Floats) -> Floats:
    """(CELLS,CELLS): how far what is seen at each point turns along with the head."""
    skull = _Skull(head)
    beyond = 1 - _smooth((skull.radius(at) - 1) / OUTSIDE)
    below: Floats = 1 - _smooth(((at - head.landmarks[8]) @ skull.down - 0.1) / (NECK_ENDS - 0.1))
    return beyond * below


class _Skull:
    """The ellipsoid around a head as it is seen, about its middle, y up; it is an egg, longer below."""

    def __init__(self, head: Head) -> None:
        rotation = head.rotation
        self.down: Floats = -rotation[:2, 1] / np.linalg.norm(rotation[:2, 1])
        self.squares = [
            (rotation * np.square([head.radii[0], height, head.radii[2]])) @ rotation.T
            for height in (head.radii[1], BELOW)
        ]
        self.right = head.yaw > 0
        self.temple: Floats = head.landmarks[16 if self.right else 0]
        """Where the outline of the face is at the eyes, on the side that turns away."""
        self.aside = float(_smooth(np.array(abs(head.yaw) / ASIDE)))
        self.narrow = self.aside * (1 - min(1.0, BESIDE * float(self._ellipse(self.temple))))

    def _half(self, at: Floats) -> NDArray[np.int64]:
        """Which of both halves points (…,2) lie in, 0 above and 1 below."""
        return ((at @ self.down) > 0).astype(np.int64)

    def radius(self, at: Floats) -> Floats:
        """How far points (…,2) are from the middle, 1 at the outline."""
        return self._ellipse(at) / self._outline(at)

    def _ellipse(self, at: Floats) -> Floats:
        """The same, 1 at the outline of the ellipsoid."""
        inverse = np.stack([np.linalg.inv(square[:2, :2]) for square in self.squares])[self._half(at)]
        found: Floats = np.sqrt(np.einsum("...a,...ab,...b->...", at, inverse, at))
        return found

    def _outline(self, at: Floats) -> Floats:
        """How wide the head is in the directions of points (…,2), 1 where it is as wide as the ellipsoid: on the side
        that turns away it is narrower at the temple, whose bone lies before the widest place of the skull."""
        result: Floats = 1 - self.narrow * self._beside_temple(at)
        return result

    def kept(self, at: Floats) -> Floats:
        """How much of their depth points (…,2) keep: at the temple that turns away less and less towards the outline,
        which stays where it is, so that it does not dent when the brow beside it moves."""
        near = _smooth((self.radius(at) - OUTLINE_FROM) / (1 - OUTLINE_FROM))
        result: Floats = 1 - self.aside * self._beside_temple(at) * near
        return result

    def _beside_temple(self, at: Floats) -> Floats:
        """How far points (…,2) lie in the direction of the temple that turns away, or a little above it."""
        x, y = self.temple
        above = np.degrees(np.arctan2(x * at[..., 1] - y * at[..., 0], at @ self.temple)) * (1 if self.right else -1)
        result: Floats = (1 - _smooth((above - 35) / 45)) * (1 - _smooth(-above / 40))
        return result

    def points(self, radii: Floats) -> Floats:
        """(N,2): points all around at some radii."""
        turn = np.arange(0, 2 * np.pi, 2 * np.pi / 24)
        circle = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        circle = circle / self.radius(circle)[:, None]
        return np.concatenate([radius * circle for radius in radii])

    def depth(self, at: Floats) -> Floats:
        """Of the surface towards the viewer at points (N,2) within the outline."""
        inverse = np.stack([np.linalg.inv(square) for square in self.squares])[self._half(at)]
        at = at / self._outline(at)[:, None]
        linear = np.einsum("na,na->n", inverse[:, 2, :2], at)
        constant = np.einsum("na,nab,nb->n", at, inverse[:, :2, :2], at) - 1
        height = inverse[:, 2, 2]
        found: Floats = (np.sqrt(np.maximum(np.square(linear) - height * constant, 0)) - linear) / height
        return found


def _inside(known: Floats, points: Floats) -> NDArray[np.bool_]:
    """Which points (N,2) landmarks (68,2) say enough of: those within their hull and a little around it."""
    middle = known.mean(axis=0)
    hull = cv2.convexHull((middle + 1.12 * (known - middle)).astype(np.float32))
    return np.array([cv2.pointPolygonTest(hull, (float(x), float(y)), False) >= 0 for x, y in points])


def _moved(at: Floats, depth: Floats, rotation: Floats) -> Floats:
    """By how much (h,w,2) what is seen at points, at a depth (h,w), moves when it is rotated about the middle."""
    solid = np.concatenate([at, depth[..., None]], axis=-1)
    moved: Floats = (solid @ rotation.T - solid)[..., :2]
    return moved


def _within_photo(moved: Floats, box: Box, size: tuple[int, int]) -> Floats:
    """Movements (h,w,2), in photo pixels, that fade towards the edges of the photo, beyond which it shows nothing."""
    cells = len(moved)
    farthest = max(1.0, float(np.abs(moved).max()))
    fade = np.ones((cells, cells))
    for axis, first, last, length in ((1, box[0], box[2], size[0]), (0, box[1], box[3], size[1])):
        at = first - 0.5 + (np.arange(cells) + 0.5) * (last - first) / cells
        near = _smooth(np.minimum(at + 0.5, length - 0.5 - at) / (3 * farthest))
        fade *= near[None, :] if axis == 1 else near[:, None]
    return moved * fade[..., None]


def _unfolded(moved: Floats, box: Box) -> Floats:
    """Movements (h,w,2), in photo pixels, by which no pixel comes to lie beyond its neighbour: what turns away is
    pushed on by what comes up to it."""
    to_come = (1 - LEAST_WIDTH) * (box[2] - box[0]) / len(moved) * np.arange(len(moved))

    def pushed(shift: Floats) -> Floats:
        """(h,w), along rows."""
        forward = shift[np.unravel_index(np.abs(shift).argmax(), shift.shape)] > 0
        shift = shift if forward else -shift[:, ::-1]
        shift = np.maximum.accumulate(shift + to_come, axis=1) - to_come
        return shift if forward else -shift[:, ::-1]

    result = np.stack([pushed(moved[..., 0]), pushed(moved[..., 1].T).T], axis=-1)
    return np.asarray(cv2.GaussianBlur(result, (0, 0), 1.5), dtype=np.float64)


def _least_area(moved: Floats, box: Box) -> float:
    """The least share of its area that any cell keeps, below 0 where it folds over. moved: (h,w,2), where it goes."""
    step = (box[2] - box[0]) / len(moved)
    down, across = np.gradient(moved, step, axis=0), np.gradient(moved, step, axis=1)
    area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
    return float(area.min())


def _sources(moved: Floats, box: Box) -> NDArray[np.float32]:
    """(h,w,2): where pixels come from, minus where they are, where `moved` (h,w,2) says how far they go."""
    cells = len(moved)
    step = (box[2] - box[0]) / cells
    forward = (moved / step).astype(np.float32)
    y, x = np.mgrid[0:cells, 0:cells].astype(np.float32)
    back = -forward
    for _ in range(60):
        at = x + back[..., 0], y + back[..., 1]
        there = cv2.remap(forward, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        back = back - np.float32(0.5) * (back + there)
    return np.ascontiguousarray(back * np.float32(step), dtype=np.float32)


def _smooth(share: Floats) -> Floats:
    """0 below 0, 1 above 1, smooth in between."""
    held = np.clip(share, 0, 1)
    result: Floats = held * held * (3 - 2 * held)
    return result
