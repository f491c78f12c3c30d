"""The face and hair regions of a face frame (RSGAN Section 3.2 and Fig. 3): hull mask, the two square crops, background
mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.detect import Landmarks
from masque.faces.frame import WIDTH, Matrix, at_scale, frame_size, invert, transform, warp
from masque.image import Picture

Mask = NDArray[np.uint8]
"""(H,W), 0 outside and 255 inside; edges may lie between."""

HULL_POINTS = np.arange(27, 68)
"""The 41 landmarks of nose, eyes and mouth (Section 3.2)."""

STRETCH = (1.3, 1.4)
"""How far the hull of these landmarks is stretched horizontally and vertically (Section 3.2)."""


@dataclass(frozen=True)
class Crop:
    """A square of the frame, in pixels of scale 1."""

    left: int
    """Column of its left edge."""
    top: int
    """Row of its upper edge."""
    side: int
    """Length of its side."""

    def to_crop(self, size: int, scale: float) -> Matrix:
        """The transform from pixels of a frame at `scale` to pixels of this crop shown at `size`."""
        zoom = size / (self.side * scale)
        left, top = self.left * scale, self.top * scale
        return np.array([[zoom, 0, zoom * (0.5 - left) - 0.5], [0, zoom, zoom * (0.5 - top) - 0.5]])


FACE_CROP = Crop(30, 70, 118)
HAIR_CROP = Crop(0, 20, 178)
"""Top-left corners and sides of Section 3.2. The hair crop is the whole picture x that the composer paints."""


def cut_crop(frame: NDArray[np.uint8], crop: Crop, size: int, scale: float) -> NDArray[np.uint8]:
    """A crop of a frame (or of a mask of it) at `scale`, as (size,size[,3])."""
    cut: NDArray[np.uint8] = warp(frame, crop.to_crop(size, scale), (size, size))
    return cut


def into_frame(frame: Picture, crop: Picture) -> Picture:
    """A face frame (218s,178s,3) with its hair crop replaced by another (S,S,3)."""
    scale, size = frame.shape[1] / WIDTH, crop.shape[0]
    back = invert(HAIR_CROP.to_crop(size, scale))
    whole = warp(np.full((size, size), 255, np.uint8), back, frame_size(scale), border=cv2.BORDER_CONSTANT) > 127
    result: Picture = np.where(whole[..., None], warp(crop, back, frame_size(scale)), frame)
    return result


def stretched_hull(landmarks: Landmarks) -> NDArray[np.float32]:
    """Corners (K,2) of the convex hull of the 41 landmarks, stretched about the centre of its bounding box (Section
    3.2)."""
    hull = cv2.convexHull(landmarks[HULL_POINTS].astype(np.float32))[:, 0]
    centre = (hull.min(axis=0) + hull.max(axis=0)) / 2
    stretched: NDArray[np.float32] = (centre + (hull - centre) * np.array(STRETCH, dtype=np.float32)).astype(np.float32)
    return stretched


def hull_mask(landmarks: Landmarks, size: tuple[int, int], matrix: Matrix | None = None) -> Mask:
    """The face mask: 255 inside the stretched hull, antialiased, as an array of `size` (width, height).

    landmarks: (68,2). matrix: a transform applied to the hull's corners after stretching, so that one hull serves
    frame, crops and photo. Pixels that the edge touches count, so the mask is some 0.7 pixels wider all round than the
    hull."""
    corners = stretched_hull(landmarks)
    if matrix is not None:
        corners = transform(corners, matrix)
    mask = np.zeros((size[1], size[0]), np.uint8)
    bits = 4
    cv2.fillConvexPoly(mask, np.rint(corners * 2**bits).astype(np.int32), 255, lineType=cv2.LINE_AA, shift=bits)
    return mask


def background_mask(picture: Picture, landmarks: Landmarks, valid: NDArray[np.bool_] | None = None) -> Mask:
    """M_BG of a face frame: 255 where there is neither person nor clothes, by GrabCut seeded from the face and the
    picture's border.

    picture: RGB uint8 (H,W,3) frame. landmarks: (68,2) frame pixels. valid: False where the frame reaches beyond the
    photo; those pixels count as background. Works at 89 pixels across, where it takes some 15 ms."""
    height, width = picture.shape[:2]
    shrink = min(1.0, 89 / width)
    small = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    seeds = _grabcut_seeds(at_scale(landmarks, shrink).astype(np.float32), small.shape[0], small.shape[1])
    try:
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), seeds, (0, 0, 1, 1), *models, 2, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        pass  # one of the two sides lost all its pixels, as on a uniform picture: the seeds are then the best answer
    background = cv2.medianBlur(np.isin(seeds, (cv2.GC_BGD, cv2.GC_PR_BGD)).astype(np.uint8) * 255, 5)
    full = np.where(cv2.resize(background, (width, height), interpolation=cv2.INTER_LINEAR) > 127, 255, 0).astype(
        np.uint8
    )
    if valid is not None:
        full[~valid] = 255
    return full


def _grabcut_seeds(landmarks: Landmarks, height: int, width: int) -> NDArray[np.uint8]:
    """Sure person: inside jaw and brows. Probable person: head, hair and shoulders. Sure background: the upper corners
    and sides."""
    seeds = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    jaw_width = float(np.ptp(landmarks[:17, 0]))
    chin, centre = landmarks[8], landmarks[27:36].mean(axis=0)
    border = max(1, round(0.03 * width))
    seeds[: height // 2, :border] = seeds[: height // 2, -border:] = cv2.GC_BGD
    seeds[:border, : width // 4] = seeds[:border, -(width // 4) :] = cv2.GC_BGD
    cv2.ellipse(seeds, _box(centre - (0, 0.32 * jaw_width), 1.55 * jaw_width, 2.2 * jaw_width), cv2.GC_PR_FGD, -1)
    shoulders = np.array(
        [
            [chin[0] - 1.1 * jaw_width, height],
            [chin[0] - 0.5 * jaw_width, chin[1] + 0.1 * jaw_width],
            [chin[0] + 0.5 * jaw_width, chin[1] + 0.1 * jaw_width],
            [chin[0] + 1.1 * jaw_width, height],
        ]
    )
    cv2.fillConvexPoly(seeds, np.rint(shoulders).astype(np.int32), cv2.GC_PR_FGD)
    cv2.fillConvexPoly(seeds, cv2.convexHull(np.rint(landmarks[:27]).astype(np.int32)), cv2.GC_FGD)
    return seeds


def _box(
    centre: NDArray[np.float32], width: float, height: float
) -> tuple[tuple[float, float], tuple[float, float], float]:
    return (float(centre[0]), float(centre[1])), (width, height), 0.0
