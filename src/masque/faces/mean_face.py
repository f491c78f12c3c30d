"""The frame of a mean face, into which faces are warped so that the same place is the same part of each (Rowland and
Perrett 1995): where averages of groups are taken, and where what they differ by is kept.

It is 192×224 pixels, symmetric, with 125 pixels between the sides of the jaw. Brows are carried up to the forehead,
which has no landmarks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from masque.faces.frame import MIRRORED, similarity, transform

Floats = NDArray[np.float64]
Maps = NDArray[np.float32]
"""(H,W,…) over the frame of the mean face."""

WIDTH, HEIGHT = 192, 224
JAW = 125.0
"""Pixels between landmarks 0 and 16."""
MIDDLE = (WIDTH - 1) / 2
INNER = slice(27, 68)
"""Nose, eyes and mouth, by which faces are aligned: jaw and brows differ most by age and sex."""
POINTS = 90
"""Landmarks, and the points of the forehead."""
SMOOTHING = 1e-5
"""Of the thin plates: points are all but met."""


def with_forehead(landmarks: NDArray[np.generic]) -> Floats:
    """(90,2): the 68 landmarks of a face, the brows carried up by 0.14 and 0.3 of the face's width, and the sides."""
    points = np.asarray(landmarks, dtype=np.float64)
    up = points[17:27].mean(axis=0) - points[30]
    up = up / max(1e-6, float(np.linalg.norm(up)))
    width = float(np.linalg.norm(points[16] - points[0]))
    brows = points[17:27]
    middle = brows.mean(axis=0)
    return np.concatenate(
        [
            points,
            brows + 0.14 * width * up,
            middle + 0.95 * (brows - middle) + 0.30 * width * up,
            points[[0, 16]] + 0.25 * width * up,
        ]
    )


def mean_shape(landmarks: NDArray[np.generic], rounds: int = 4) -> Floats:
    """The symmetric mean (68,2) of faces (N,68,2) in the frame, each aligned to it (Procrustes; Gower 1975)."""
    faces = np.asarray(landmarks, dtype=np.float64)
    mean = faces[0]
    for _ in range(rounds):
        mean = aligned(faces, mean).mean(axis=0)
        mean = mean - [mean[27:36, 0].mean(), mean[27:36, 1].mean()]
        mirrored = mean[MIRRORED] * [-1, 1]
        mean = (mean + mirrored) / 2
        mean *= JAW / np.linalg.norm(mean[16] - mean[0])
    result: Floats = mean + np.array([MIDDLE, 0.55 * HEIGHT])
    return result


def aligned(faces: Floats, shape: Floats) -> Floats:
    """Faces (N,68,2), each brought to a shape (68,2) by the similarity of nose, eyes and mouth."""
    moved = [transform(face, similarity(face[INNER], shape[INNER])) for face in faces]
    return np.array(moved, dtype=np.float64)


def mirrored_shapes(shapes: Floats) -> Floats:
    """Displacements (…,68,2) of the mirrored face."""
    return shapes[..., MIRRORED, :] * [-1, 1]


class Plates:
    """Thin plates (Bookstein 1989) that stand on fixed points, worked out once for any number of faces."""

    def __init__(self, points: Floats, size: tuple[int, int], step: int, unit: float = JAW) -> None:
        """points: (N,2) in a picture of `size` (width, height). step: pixels of the grid on which the plates are worked
        out; in between they are interpolated. unit: a length of the face, by which coordinates are divided."""
        self.size, self.step = size, step
        y, x = np.mgrid[0 : size[1] + step : step, 0 : size[0] + step : step]
        self.shape = x.shape
        at = np.stack([x.ravel(), y.ravel()], axis=-1)
        plates = RBFInterpolator(points / unit, np.eye(len(points)), kernel="thin_plate_spline", smoothing=SMOOTHING)
        self.weights = plates(at / unit)

    def map(self, targets: Floats) -> NDArray[np.float32]:
        """(H,W,2): where each pixel lies among other points (N,2), into which the plates' own are taken."""
        coarse = np.ascontiguousarray((self.weights @ targets).reshape(*self.shape, 2), dtype=np.float32)
        y, x = np.mgrid[0 : self.size[1], 0 : self.size[0]].astype(np.float32) / np.float32(self.step)
        return np.asarray(cv2.remap(coarse, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32)


def polygon(points: Floats, scale: float = 1.0) -> Maps:
    """1 within a polygon (N,2) of the frame at `scale`, 0 outside."""
    mask = np.zeros((round(HEIGHT * scale), round(WIDTH * scale)), np.uint8)
    at = np.rint((points + 0.5) * scale - 0.5).astype(np.int32)
    cv2.fillPoly(mask, [at], (1,))
    return mask.astype(np.float32)


def hull(points: Floats) -> Maps:
    """1 within jaw and forehead of a mean face (90,2)."""
    outline = np.concatenate([points[:17], points[68:86]]).astype(np.float32)
    return polygon(cv2.convexHull(outline)[:, 0].astype(np.float64))


def bare_skin(points: Floats) -> Maps:
    """1 on the skin of a mean face (90,2): within its hull, without eyes, brows and lips."""
    holes = np.zeros((HEIGHT, WIDTH), np.float32)
    for first, last, around in ((36, 42, 5), (42, 48, 5), (17, 22, 3), (22, 27, 3), (48, 60, 3)):
        part = polygon(cv2.convexHull(points[first:last].astype(np.float32))[:, 0].astype(np.float64))
        holes = np.maximum(holes, cv2.dilate(part, np.ones((2 * around + 1, 2 * around + 1))))
    return hull(points) * (1 - holes)


def cheeks(points: Floats) -> NDArray[np.bool_]:
    """True on cheeks and nose of a mean face (90,2), where skin shows a person's own tone."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    between = (y > points[40, 1]) & (y < points[50, 1]) & (np.abs(x - MIDDLE) < 0.36 * JAW)
    inside: NDArray[np.bool_] = (bare_skin(points) > 0) & between
    return inside


def beard_zone(points: Floats) -> Maps:
    """Where beards grow on a mean face (90,2), from 0 to 1."""
    left = 0.55 * points[[3]] + 0.45 * points[[31]]
    right = 0.55 * points[[13]] + 0.45 * points[[35]]
    outline = np.concatenate([points[2:15], right, points[[35, 33, 31]], left])
    soft = cv2.GaussianBlur(polygon(outline), (0, 0), 6)
    return np.asarray(soft * bare_skin(points), dtype=np.float32)


def into_frame(mean: Floats, landmarks: Floats, size: tuple[int, int], width: float) -> NDArray[np.float32]:
    """(h,w,2): where in the frame each pixel of a picture with a face lies, by thin plates.

    mean: (90,2), the mean face. landmarks: (68,2), the face in a picture of `size` (width, height). width: of the face,
    in pixels."""
    step = max(2, round(width / 50))
    y, x = np.mgrid[0 : size[1] + step : step, 0 : size[0] + step : step]
    plates = RBFInterpolator(
        with_forehead(landmarks) / width, mean / width, kernel="thin_plate_spline", smoothing=SMOOTHING
    )
    coarse = width * plates(np.stack([x.ravel(), y.ravel()], axis=-1) / width).reshape(*x.shape, 2)
    at_y, at_x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) / np.float32(step)
    found = cv2.remap(coarse.astype(np.float32), at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, dtype=np.float32)
