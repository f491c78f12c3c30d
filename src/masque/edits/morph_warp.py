"""The classical morph: features moved along straight lines, each picture bent to where they are, the two dissolved into
each other.

What "Faces combination and Faces Morphing with Progressive Growing of GAN", Section 3.4, calls the computer graphic
technique and compares its latent morph with: Wolberg 1998 ("Image morphing: a survey"), with 68 landmarks and the
picture's rim as features and, between them, triangles that are each moved by an affine map (Goshtasby 1986)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from masque.edits.morph import Ease, frame_positions
from masque.edits.subject import Photo, find_subject
from masque.errors import ValueRangeError
from masque.faces.detect import Landmarks
from masque.image import Picture, to_pictures

Points = NDArray[np.float64]
"""(N,2) pixels (x,y)."""

Triangles = NDArray[np.intp]
"""(T,3): each row the numbers of three points."""


WARP_SIZE = 256
"""Side of the pictures that the classical morph bends."""


def warp_morph(photos: Sequence[Photo], frames: int, ease: Ease = "smooth", loop: bool = False) -> Iterator[Picture]:
    """The classical morph of photos, which needs no generator, as `frames` pictures (256,256,3).

    photos: two at least, each a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3). frames: how
    many pictures, at least 2. ease: `smooth` slows down at each face. loop: whether it goes back to the first face.
    Raises PictureError, NoFaceError, ValueRangeError."""
    places = frame_positions(len(photos) + bool(loop), frames, ease)
    subjects = [find_subject(photo, WARP_SIZE) for photo in photos]
    pictures, landmarks = [to_pictures(s.image)[0] for s in subjects], [s.landmarks for s in subjects]
    if loop:
        pictures, landmarks = [*pictures, pictures[0]], [*landmarks, landmarks[0]]
    morph = WarpMorph(pictures, landmarks)
    return (morph.frame(at) for at in places)


class WarpMorph:
    """A morph through two or more aligned face pictures, by their landmarks alone."""

    def __init__(self, pictures: Sequence[Picture], landmarks: Sequence[Landmarks]) -> None:
        """pictures: two or more RGB uint8 (H,W,3) of one size. landmarks: for each (68,2) in its pixels; those outside
        are moved to its rim. Raises ValueError when there are fewer than two pictures, when they differ in size, or
        when landmarks are missing or not finite."""
        if len(pictures) < 2 or len(pictures) != len(landmarks):
            raise ValueError(
                f"a morph takes two or more pictures with their landmarks, not {len(pictures)} with {len(landmarks)}"
            )
        for picture, points in zip(pictures, landmarks, strict=True):
            if (
                picture.dtype != np.uint8
                or picture.ndim != 3
                or picture.shape[2] != 3
                or picture.shape != pictures[0].shape
            ):
                raise ValueError(
                    f"a picture is {picture.dtype} {picture.shape}, the first one {pictures[0].shape}: "
                    "all are uint8 (H,W,3)"
                )
            if points.shape != (68, 2) or not np.isfinite(points).all():
                raise ValueError(f"landmarks are {points.shape} or not finite, and should be (68,2)")
        self.pictures = [picture.copy() for picture in pictures]
        self.points = [features(points, pictures[0].shape) for points in landmarks]
        # Of the mean points, so that the triangles are at their best half way, where both pictures are bent most.
        self.triangles = [np.asarray(Delaunay((a + b) / 2).simplices, np.intp) for a, b in pairwise(self.points)]

    def frame(self, at: float) -> Picture:
        """The picture at one place of the morph, uint8 (H,W,3); the same place gives the same pixels.

        at: in [0, n−1] for n pictures: 0.25 is a quarter of the way from the first to the second. At a whole number it
        is the picture given for it, bit for bit. Raises ValueRangeError outside."""
        last = len(self.pictures) - 1
        if not 0 <= at <= last:
            raise ValueRangeError(
                f"There is no frame at {at} of this morph: "
                f"give a number from 0, its first picture, to {last}, its last."
            )
        first = math.floor(at)
        weight = at - first
        if weight == 0:
            return self.pictures[first].copy()
        pair = self.points[first], self.points[first + 1]
        points = (1 - weight) * pair[0] + weight * pair[1]
        lookup = lookup_maps(points, self.triangles[first], pair, self.pictures[0].shape)
        bent = [
            cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for picture, (x, y) in zip(self.pictures[first : first + 2], lookup, strict=True)
        ]
        mixed: Picture = np.asarray(cv2.addWeighted(bent[0], 1 - weight, bent[1], weight, 0), np.uint8)
        return mixed


def features(landmarks: Landmarks, size: tuple[int, ...]) -> Points:
    """The landmarks, moved into a picture of `size` (height, width), and its corners and the middles of its edges,
    which stay: (76,2)."""
    right, bottom = size[1] - 1, size[0] - 1
    rim = [(x, y) for y in (0, bottom / 2, bottom) for x in (0, right / 2, right) if (x, y) != (right / 2, bottom / 2)]
    return np.concatenate([np.clip(landmarks.astype(np.float64), 0, (right, bottom)), rim])


def lookup_maps(
    points: Points, triangles: Triangles, sources: Sequence[Points], size: tuple[int, ...]
) -> list[NDArray[np.float32]]:
    """For each of `sources`, where in it each pixel of the frame comes from: x and y, float32 (2,H,W).

    points: the frame's. size: (height, width).
    """
    barycentric, kept = barycentric_maps(points, triangles)
    owner = owners(points, kept, barycentric, size)
    y, x = np.ogrid[: size[0], : size[1]]
    maps = []
    for source in sources:
        # (T,2,3): the affine map of a triangle is its corners there, weighted by the barycentric coordinates here.
        affine = source[kept].transpose(0, 2, 1) @ barycentric
        u, v = (
            (row[:, 0][owner] * x + row[:, 1][owner] * y + row[:, 2][owner]) for row in (affine[:, 0], affine[:, 1])
        )
        maps.append(np.stack([u, v]).astype(np.float32))
    return maps


def barycentric_maps(points: Points, triangles: Triangles) -> tuple[NDArray[np.float64], Triangles]:
    """The matrices (T,3,3) that make the barycentric coordinates in a triangle out of (x,y,1), and the triangles that
    have an area.

    One without area, of points that coincide or lie on a line, covers no pixel.
    """
    corners = np.concatenate([points[triangles].transpose(0, 2, 1), np.ones((len(triangles), 1, 3))], axis=1)
    has_area = np.abs(np.linalg.det(corners)) > 1e-6
    return np.linalg.inv(corners[has_area]), triangles[has_area]


def owners(
    points: Points, triangles: Triangles, barycentric: NDArray[np.float64], size: tuple[int, ...]
) -> NDArray[np.intp]:
    """The triangle that each pixel lies in, (H,W).

    Where features change their order between the two faces, the mesh folds and several triangles cover one pixel: it
    belongs to the one in which it lies deepest. Deciding by the coordinates, and not by drawing, gives no pixel to a
    triangle that it is not in, whose affine map would throw it far if the triangle is narrow."""
    height, width = size[:2]
    owner = np.zeros((height, width), np.intp)
    depth = np.full((height, width), -np.inf)
    x, y = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)[:, None]
    corners = points[triangles]
    low = np.floor(corners.min(axis=1)).astype(int).tolist()
    high = (np.ceil(corners.max(axis=1)).astype(int) + 1).tolist()
    rows: list[list[list[float]]] = barycentric.tolist()
    for number, ((left, top), (right, bottom), (a, b, c)) in enumerate(zip(low, high, rows, strict=True)):
        block = slice(top, bottom), slice(left, right)
        across, down = x[left:right], y[top:bottom]
        here = np.minimum(a[0] * across + (a[1] * down + a[2]), b[0] * across + (b[1] * down + b[2]))
        np.minimum(here, c[0] * across + (c[1] * down + c[2]), out=here)
        deeper = here > depth[block]
        depth[block][deeper] = here[deeper]
        owner[block][deeper] = number
    return owner
