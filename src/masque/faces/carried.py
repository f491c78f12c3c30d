"""A face carried from one photo onto the face of another: posed as the other by a 3D model of the landmarks, and its
pixels bent there by thin plates (Bookstein 1989)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from masque.faces.bend import face_axes
from masque.faces.frame import MIRRORED, similarity, transform
from masque.faces.shape3d import Fit, Floats, ShapeModel, fit, rotations
from masque.faces.strips import Box
from masque.image import Picture

ACROSS = 256
"""Pixels across the face of a canvas, on which everything smooth is worked out."""

AROUND = 0.28
"""How far beyond the landmarks a canvas reaches, in face widths."""

FOREHEAD = 0.9
"""How far above the brows the forehead's points lie, in distances from the brows to the ridge of the nose."""

SMOOTHING = 1e-4
"""Of the thin plates: landmarks are found to within a pixel or two, and must not make bumps."""

LEAST_SHRUNK = 1.25
"""How many times smaller a picture is to become for its areas to be averaged first."""

CELLS = 60
"""Cells across the face of the grid on which the plates are evaluated."""

JAW, MOUTH = slice(0, 17), slice(48, 68)

CHIN_ROOM = 0.8
"""What share of its distance to the chin a mouth keeps, where the other face's is shorter."""


@dataclass(frozen=True)
class Canvas:
    """A part of a photo around a face, at a size at which smooth fields are worked out."""

    box: Box
    """left, top, right, bottom in the photo, within it."""
    size: tuple[int, int]
    """(width, height) of the canvas."""
    width: float
    """Of the face, in pixels of the canvas."""

    @property
    def full(self) -> tuple[int, int]:
        """(width, height) of the part in the photo's own pixels."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    @property
    def scale(self) -> float:
        """Pixels of the canvas per pixel of the photo."""
        return self.size[0] / self.full[0]

    def points(self, points: NDArray[np.generic]) -> Floats:
        """Points (N,2) of the photo, in pixels of the canvas."""
        to = np.array(self.size) / self.full
        return np.asarray((np.asarray(points, np.float64) - self.box[:2] + 0.5) * to - 0.5, dtype=np.float64)

    def cut(self, photo: Picture) -> Picture:
        """The photo (H,W,3) on the canvas, area by area where it shrinks."""
        part = photo[self.box[1] : self.box[3], self.box[0] : self.box[2]]
        if self.size == self.full:
            return part
        return np.asarray(cv2.resize(part, self.size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def enlarged(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values (h,w) or (h,w,C) of the canvas at the photo's own size, smoothly."""
        if self.size == self.full:
            return values
        return np.asarray(cv2.resize(values, self.full, interpolation=cv2.INTER_LINEAR), dtype=np.float32)

    def positions(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where in the photo each pixel of the canvas lies: x and y, each (h,w)."""
        to = np.array(self.full) / self.size
        x = (np.arange(self.size[0]) + 0.5) * to[0] - 0.5 + self.box[0]
        y = (np.arange(self.size[1]) + 0.5) * to[1] - 0.5 + self.box[1]
        across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        return across, down


def face_width(landmarks: NDArray[np.generic]) -> float:
    """From one side of the jaw to the other, in the landmarks' (68,2) pixels."""
    return float(np.linalg.norm(landmarks[16] - landmarks[0]))


def canvas_around(points: Floats, width: float, photo: Picture) -> Canvas:
    """The canvas around points (N,2) of a face of some width in a photo (H,W,3)."""
    low = np.maximum(np.floor(points.min(axis=0) - AROUND * width), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0) + AROUND * width), photo.shape[1::-1]).astype(int)
    high = np.maximum(high, low + 1)
    scale = min(1.0, ACROSS / width)
    full = high - low
    size = (max(1, round(full[0] * scale)), max(1, round(full[1] * scale)))
    box: Box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return Canvas(box, size, width * size[0] / int(full[0]))


@dataclass(frozen=True)
class Carried:
    """Where a face's points lie, and where they are to come to lie in another photo."""

    own: Floats
    """(68,2): the face's landmarks in its own photo."""
    onto: Floats
    """(68,2): where they go in the other photo."""
    other: Floats
    """(68,2): the landmarks of the face there."""
    angles: Floats
    """(2,3): yaw, pitch and roll of the face, and of the other, in radians."""

    mirror: float | None = None
    """The width of the face's photo where it is the photo's mirrored picture that is carried; else None."""

    @property
    def turned(self) -> float:
        """By how many degrees the two heads' yaws differ."""
        return abs(math.degrees(float(self.angles[0, 0] - self.angles[1, 0])))


def carry(
    shapes: ShapeModel,
    own: NDArray[np.generic],
    other: NDArray[np.generic],
    moved: NDArray[np.generic] | None = None,
    jaw: bool = True,
) -> Carried:
    """A face with its own shape and expression in the pose of another, its eyes, nose and mouth where that one's are,
    within the outline of that one's jaw.

    shapes: the 3D model. own, other: landmarks (68,2) of both, each in its own photo. moved: where the face's would be
    in its photo with the expression that it is to have; None for its own. jaw: False for its own jaw."""
    faces = np.stack([own if moved is None else moved, other]).astype(np.float64)
    fits = fit(shapes, faces)
    here, there = faces
    # What of the face the model does not explain goes along, turned as the head is in the picture.
    left = (here - fits.projected(shapes)[0]) / fits.scale[0]
    posed = _posed(fits, shapes) + left @ _in_picture(float(fits.angles[1, 2] - fits.angles[0, 2])).T
    onto = transform(posed, similarity(_anchors(posed), _anchors(there))).astype(np.float64)
    if jaw:
        onto[MOUTH] -= _lift(onto, there)
        onto[JAW] = there[JAW]
    return Carried(np.asarray(own, np.float64), onto, there, fits.angles)


def carry_mirrored(
    shapes: ShapeModel, own: NDArray[np.generic], other: NDArray[np.generic], moved: NDArray[np.generic], across: int
) -> Carried:
    """The same of a face's mirrored picture, whose left side shows what the face's right one does.

    across: width of the face's photo in pixels."""
    mirrored = [np.column_stack([across - 1 - points[:, 0], points[:, 1]])[MIRRORED] for points in (own, moved)]
    return replace(carry(shapes, mirrored[0], other, mirrored[1]), mirror=float(across))


def _posed(fits: Fit, shapes: ShapeModel) -> Floats:
    """The first of two faces in the second's pose, (68,2), y down, in the model's unit."""
    flat: Floats = (fits.shapes(shapes)[0] @ rotations(fits.angles)[1].T)[:, :2] * [1, -1]
    return flat


def _in_picture(roll: float) -> Floats:
    """The matrix (2,2) that turns points of a picture, y down, counter-clockwise."""
    return np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]])


def _lift(posed: Floats, there: Floats) -> Floats:
    """(2,): by how much a mouth is lifted, so that it keeps most of the room to the chin that it has in its own face,
    and leaves half of the room to the nose.

    posed: (68,2), the face with its own jaw. there: (68,2), the one whose jaw it gets."""
    _, down = face_axes(there)
    room = float((posed[8] - posed[57]) @ down)
    lacking = CHIN_ROOM * room - float((there[8] - posed[57]) @ down)
    above = float((posed[51] - posed[33]) @ down)
    lifted: Floats = down * float(np.clip(lacking, 0, max(0.0, 0.5 * above)))
    return lifted


def _anchors(landmarks: Floats) -> Floats:
    """(5,2): the middles of the eyes, of the nose and of its base, and of the mouth."""
    parts = (slice(36, 42), slice(42, 48), slice(27, 36), slice(31, 36), slice(48, 68))
    return np.stack([landmarks[part].mean(axis=0) for part in parts])


def forehead(landmarks: Floats) -> Floats:
    """(10,2): a point above each of the brows' landmarks, about where hair begins."""
    brows = landmarks[17:27]
    above: Floats = brows + FOREHEAD * (brows - landmarks[27:31].mean(axis=0))
    return above


def sources(carried: Carried, canvas: Canvas) -> NDArray[np.float32]:
    """(h,w,2) over a canvas: where in the face's own photo each pixel comes from, in its pixels."""
    mean = (carried.onto + carried.other) / 2
    there = canvas.points(np.concatenate([carried.onto, forehead(mean)])) / canvas.width
    unit = face_width(carried.own)
    here = np.concatenate([carried.own, forehead(carried.own)]) / unit
    plates = RBFInterpolator(there, here, kernel="thin_plate_spline", smoothing=SMOOTHING)
    step = max(2, round(canvas.width / CELLS))
    y, x = np.mgrid[0 : canvas.size[1] + step : step, 0 : canvas.size[0] + step : step]
    coarse = unit * plates(np.stack([x.ravel(), y.ravel()], axis=-1) / canvas.width).reshape(*x.shape, 2)
    at_y, at_x = np.mgrid[0 : canvas.size[1], 0 : canvas.size[0]].astype(np.float32) / np.float32(step)
    found = cv2.remap(coarse.astype(np.float32), at_x, at_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if carried.mirror is not None:
        found[..., 0] = np.float32(carried.mirror - 1) - found[..., 0]
    return np.asarray(found, dtype=np.float32)


def stretch(field: NDArray[np.float32], mirrored: bool) -> NDArray[np.float32]:
    """How large a piece of its own photo each pixel of a field (h,w,2) of sources shows, in pixels, (h,w); below 0
    where the picture is turned inside out. mirrored: whether the field is a mirrored face's."""
    x_down, x_across = np.gradient(field[..., 0])
    y_down, y_across = np.gradient(field[..., 1])
    area = x_across * y_down - x_down * y_across
    return np.asarray(-area if mirrored else area, dtype=np.float32)


def resampled(picture: Picture, field: NDArray[np.float32], ratio: float = 1.0) -> Picture:
    """A picture (H,W,3) seen where a field (h,w,2) says, area by area where it shrinks.

    ratio: pixels of the picture per pixel of the field's."""
    x, y = field[..., 0], field[..., 1]
    if ratio > LEAST_SHRUNK:
        size = max(1, round(picture.shape[1] / ratio)), max(1, round(picture.shape[0] / ratio))
        to = np.float32(size[0] / picture.shape[1]), np.float32(size[1] / picture.shape[0])
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        half = np.float32(0.5)
        x, y = (x + half) * to[0] - half, (y + half) * to[1] - half
    found = cv2.remap(
        picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(found, dtype=np.uint8)
