"""The face frame: CelebA's aligned geometry, reached from any photo by a similarity transform and left again by its
inverse.

Coordinates are pixel centres, (x,y), as OpenCV has them. At scale s the frame is 178s × 218s pixels and the point p of
scale 1 lies at s(p + ½) − ½, so that frames of every scale show exactly the same part of the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.detect import Landmarks
from masque.image import Picture

Matrix = NDArray[np.float64]
"""(2,3) affine transform of points (x,y,1)."""

Pixel = TypeVar("Pixel", bound=np.integer | np.floating)
"""The kind of number that a picture or a mask holds."""

WIDTH, HEIGHT = 178, 218
"""CelebA's aligned pictures (Liu et al. 2015)."""

MIRRORED = [
    *range(16, -1, -1),  # jaw
    *range(26, 16, -1),  # brows
    *range(27, 31),  # ridge of the nose
    *range(35, 30, -1),  # below the tip of the nose
    *(45, 44, 43, 42, 47, 46),  # the left eye is the right one
    *(39, 38, 37, 36, 41, 40),
    *range(54, 47, -1),  # outer edge of the lips, above and below
    *range(59, 54, -1),
    *range(64, 59, -1),  # inner edge
    *(67, 66, 65),
]
"""For each of iBUG's 68 landmarks the one on the other side: landmarks[MIRRORED], with x turned over, are those of the
mirrored picture."""

TEMPLATE = np.array([[69.4, 111.2], [107.6, 111.2], [71.9, 152.2], [104.9, 152.2]])
"""Where CelebA's aligned pictures have, on average, left and right eye, left and right corner of the mouth (left in the
picture)."""


@dataclass(frozen=True)
class Frame:
    """A face frame and how it was cut out of its photo."""

    picture: Picture
    """RGB uint8 (218s,178s,3), softly extended where the photo ends."""
    valid: NDArray[np.bool_]
    """(218s,178s): True where the photo really has pixels."""
    landmarks: Landmarks
    """The face's 68 landmarks, (68,2) in frame pixels."""
    matrix: Matrix
    """Photo pixels -> frame pixels."""
    scale: float
    """s: pixels of the frame per pixel of CelebA's aligned pictures."""


def five_points(landmarks: Landmarks) -> NDArray[np.float64]:
    """Eye centres and mouth corners, float64 (4,2), in the order of TEMPLATE."""
    return np.stack(
        [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0), landmarks[48], landmarks[54]], dtype=np.float64
    )


def frame_size(scale: float) -> tuple[int, int]:
    """(width, height) in whole pixels of a frame at `scale`, in frame pixels per CelebA pixel."""
    return round(WIDTH * scale), round(HEIGHT * scale)


def at_scale(points: NDArray[np.generic], scale: float) -> NDArray[np.float64]:
    """Points (…,2) of the frame at scale 1, in pixels of the frame at `scale`."""
    return (np.asarray(points, dtype=np.float64) + 0.5) * scale - 0.5


def align(landmarks: Landmarks, scale: float = 1.0) -> Matrix:
    """The similarity (Umeyama 1991, no reflection) that brings eyes and mouth closest to TEMPLATE: photo pixels ->
    frame pixels.

    landmarks: (68,2) photo pixels. A similarity keeps the proportions of the face, as CelebA's own alignment does.
    """
    return similarity(five_points(landmarks), at_scale(TEMPLATE, scale))


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> Matrix:
    """The similarity without reflection that brings points (N,2) closest to others (Umeyama 1991)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    # With z = x + iy a similarity is one complex factor, and its least-squares value is <a,b>/<a,a>.
    za, zb = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = complex(np.vdot(za, zb) / np.vdot(za, za))
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, target.mean(axis=0) - linear @ source.mean(axis=0)])


def identity_matrix() -> Matrix:
    """The transform that changes nothing."""
    return np.eye(2, 3)


def zoom(factor: float) -> Matrix:
    """The transform of a picture's points when the picture is enlarged `factor` times."""
    return np.array([[factor, 0, 0.5 * factor - 0.5], [0, factor, 0.5 * factor - 0.5]])


def invert(matrix: Matrix) -> Matrix:
    """The inverse of an affine transform."""
    return np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float64)


def chain(*matrices: Matrix) -> Matrix:
    """The affine transform that applies the given ones from left to right."""
    product = np.eye(3)
    for matrix in matrices:
        product = np.vstack([matrix, [0, 0, 1]]) @ product
    return product[:2]


def transform(points: NDArray[np.generic], matrix: Matrix) -> NDArray[np.float32]:
    """Points (N,2) moved by an affine transform, float32."""
    moved = np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return moved.astype(np.float32)


def scale_of(matrix: Matrix) -> float:
    """How many target pixels one source pixel becomes, along a line."""
    return math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))


def warp(
    picture: NDArray[Pixel], matrix: Matrix, size: tuple[int, int], *, border: int = cv2.BORDER_REPLICATE
) -> NDArray[Pixel]:
    """`picture` (H,W) or (H,W,C) seen through `matrix`, as an array of `size` (width, height), without aliasing when it
    shrinks.

    A transform that shrinks below 0.7 first averages areas to about the target's pixel size (`cv2.warpAffine` alone
    would skip pixels), and only the part of the picture that is seen is touched."""
    factor = scale_of(matrix)
    if factor < 0.7:
        picture, offset = _visible_part(picture, matrix, size)
        matrix = chain(np.array([[1.0, 0, offset[0]], [0, 1.0, offset[1]]]), matrix)
        height, width = picture.shape[:2]
        small = (max(1, round(width * factor)), max(1, round(height * factor)))
        ratio = np.array([small[0] / width, small[1] / height])
        picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), dtype=picture.dtype)
        enlarge = np.array([[1 / ratio[0], 0, 0.5 / ratio[0] - 0.5], [0, 1 / ratio[1], 0.5 / ratio[1] - 0.5]])
        matrix = chain(enlarge, matrix)
    flags = cv2.INTER_CUBIC if factor > 1.5 else cv2.INTER_LINEAR
    warped = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=border)
    return np.asarray(warped, dtype=picture.dtype)


def _visible_part(
    picture: NDArray[Pixel], matrix: Matrix, size: tuple[int, int]
) -> tuple[NDArray[Pixel], tuple[int, int]]:
    """The part of a picture that `warp` shows, with a margin, and its left upper corner (x,y)."""
    width, height = size
    corners = transform(np.array([[0, 0], [width, 0], [0, height], [width, height]]), invert(matrix))
    margin = 2.0 / scale_of(matrix)
    limits = (picture.shape[1], picture.shape[0])
    low = [int(np.clip(math.floor(corners[:, i].min() - margin), 0, limits[i] - 1)) for i in (0, 1)]
    high = [int(np.clip(math.ceil(corners[:, i].max() + margin), low[i] + 1, limits[i])) for i in (0, 1)]
    return picture[low[1] : high[1], low[0] : high[0]], (low[0], low[1])


def cut_frame(photo: Picture, landmarks: Landmarks, scale: float = 1.0, matrix: Matrix | None = None) -> Frame:
    """The face frame around the face with these landmarks.

    photo: RGB uint8 (H,W,3). landmarks: (68,2) photo pixels. scale: frame pixels per CelebA pixel.
    matrix: the transform to use instead of the aligning one (pictures that are aligned already).
    """
    matrix = align(landmarks, scale) if matrix is None else matrix
    picture, valid = warp_photo(photo, matrix, frame_size(scale), scale)
    return Frame(picture, valid, transform(landmarks, matrix), matrix, scale)


def warp_photo(
    photo: Picture, matrix: Matrix, size: tuple[int, int], scale: float
) -> tuple[Picture, NDArray[np.bool_]]:
    """A photo seen through `matrix` as a picture of `size` (width, height), softly extended where the photo ends; and a
    mask (H,W) that is True where the photo has pixels.

    matrix: photo pixels -> the picture's pixels. scale: the picture's pixels per CelebA pixel.
    """
    picture = warp(photo, matrix, size)
    valid = inside_photo(photo.shape[:2], matrix, size)
    return (picture if valid.all() else extend_softly(picture, valid, scale)), valid


def inside_photo(photo_size: tuple[int, ...], matrix: Matrix, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels of a picture of `size` (width, height), to which `matrix` takes a photo of `photo_size` (height,
    width), show the photo: bool (H,W)."""
    height, width = photo_size[:2]
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    back = invert(matrix)
    u = back[0, 0] * x + back[0, 1] * y + back[0, 2]
    v = back[1, 0] * x + back[1, 1] * y + back[1, 2]
    inside: NDArray[np.bool_] = (u >= -0.5) & (u <= width - 0.5) & (v >= -0.5) & (v <= height - 0.5)
    return inside


def extend_softly(picture: Picture, valid: NDArray[np.bool_], scale: float = 1.0) -> Picture:
    """Fill the pixels outside `valid` from those inside, blurring more the farther away.

    The edge pixels (already repeated by `warp`) go over into their blurred surroundings within 12 CelebA pixels.
    Mirroring would be sharper and wrong: it grows a second scalp above a cropped head. The surroundings are smooth, so
    they are made at a quarter of the size."""
    if not valid.any():
        return picture
    size = picture.shape[1], picture.shape[0]
    quarter = max(2, size[0] // 4), max(2, size[1] // 4)
    reach = 12.0 * scale
    known = cv2.resize(valid.astype(np.float32), quarter, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(picture.astype(np.float32), quarter, interpolation=cv2.INTER_AREA)
    repeated = cv2.GaussianBlur(colour, (0, 0), reach / 4)
    weight = cv2.GaussianBlur(known, (0, 0), reach / 4, borderType=cv2.BORDER_REPLICATE)[..., None]
    total = cv2.GaussianBlur(colour * known[..., None], (0, 0), reach / 4, borderType=cv2.BORDER_REPLICATE)
    # Far outside no known pixel is in reach of the blur: the blurred repeated edge stays.
    soft = cv2.resize(
        np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), repeated), size, interpolation=cv2.INTER_LINEAR
    )
    distance = cv2.distanceTransform((~valid).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(distance / reach, 0.0, 1.0)[..., None]
    filled = picture + share * (soft - picture)
    return np.clip(np.rint(filled), 0, 255).astype(np.uint8)
