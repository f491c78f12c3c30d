"""Back from the painted crop into the whole photo: feathered, colour-matched, stitched in the gradient domain, or as a change."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.frame import Matrix, chain, invert, scale_of, transform, warp
from masque.faces.regions import Mask
from masque.image import Picture

STITCHED_AT = 400
"""Longer side in pixels up to which the gradient equation is solved; its correction is smooth, so beyond it is enlarged."""


def feathered_square(size: int, feather: float = 0.12, sides: tuple[bool, bool, bool, bool] = (True, True, True, True)) -> Mask:
    """A mask (size,size) that is 255 in the middle and falls smoothly to 0 over the outer `feather` share of each side.

    sides: which of left, top, right, bottom fall; one that lies beyond the photo's edge need not.
    """
    ramp = np.clip((np.arange(size) + 0.5) / max(1.0, feather * size), 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    full = np.ones(size)
    across = (ramp if sides[0] else full) * (ramp[::-1] if sides[2] else full)
    down = (ramp if sides[1] else full) * (ramp[::-1] if sides[3] else full)
    mask: Mask = np.rint(255 * np.outer(down, across)).astype(np.uint8)
    return mask


def soften(mask: Mask, width: float) -> Mask:
    """The mask with its edge drawn in and blurred over about `width` pixels, so that nothing shows outside the old edge."""
    if width < 0.5:
        return mask
    # Extended by repeating, so that a mask that reaches the border stays full there.
    reach = 2 * math.ceil(width / 2) + 1
    drawn_in = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(drawn_in, (0, 0), width / 3, borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)


def region_of(photo: Picture, matrix: Matrix, size: int) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom in the photo of a square of `size` pixels that `matrix` (photo -> square) cuts; None when outside."""
    edge = np.array([[-0.5, -0.5], [size - 0.5, -0.5], [-0.5, size - 0.5], [size - 0.5, size - 0.5]])
    corners = transform(edge, invert(matrix))
    left, top = (max(0, math.floor(float(v))) for v in corners.min(axis=0))
    right = min(photo.shape[1], math.ceil(float(corners[:, 0].max())) + 1)
    bottom = min(photo.shape[0], math.ceil(float(corners[:, 1].max())) + 1)
    return (left, top, right, bottom) if right > left and bottom > top else None


def _into_region(matrix: Matrix, region: tuple[int, int, int, int]) -> tuple[Matrix, tuple[int, int]]:
    """The transform square -> region of the photo, and the region's (width, height)."""
    left, top, right, bottom = region
    return chain(invert(matrix), np.array([[1.0, 0, -left], [0, 1.0, -top]])), (right - left, bottom - top)


def paste(photo: Picture, painted: Picture, matrix: Matrix, mask: Mask, *, match: bool = True) -> Picture:
    """The photo with `painted` laid over it where `mask` says.

    painted: RGB uint8 (S,S,3). matrix: photo pixels -> its pixels. mask: (S,S), 0..255. match: shift the colours so that they meet the
    photo's along the mask's edge.
    """
    region = region_of(photo, matrix, painted.shape[0])
    if region is None:
        return photo
    back, size = _into_region(matrix, region)
    left, top, right, bottom = region
    under = photo[top:bottom, left:right].astype(np.float32)
    over = warp(painted, back, size).astype(np.float32)
    share = warp(mask, back, size, border=cv2.BORDER_CONSTANT).astype(np.float32)[..., None] / 255
    if match:
        over += _edge_difference(under, over, share.astype(np.float32))
    result = photo.copy()
    result[top:bottom, left:right] = np.clip(np.rint(under + share * (over - under)), 0, 255).astype(np.uint8)
    return result


def _edge_difference(under: NDArray[np.float32], over: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean colour difference where the mask is neither full nor empty; at most 24 of 255, since more is content and not colour cast."""
    edge = (share * (1 - share))[..., 0] > 0.05
    if not edge.any():
        return np.zeros(3, np.float32)
    difference: NDArray[np.float32] = np.clip(np.median((under - over)[edge], axis=0), -24, 24).astype(np.float32)
    return difference


def stitch(photo: Picture, painted: Picture, matrix: Matrix, mask: Mask) -> Picture:
    """The photo with the part of `painted` inside `mask` stitched in so that gradients stay and the edge vanishes (RSGAN Section 3.3).

    The gradient-domain composition of Levin et al. 2004 in the form of Pérez et al. 2003 (cv2.seamlessClone). Arguments as in `paste`;
    only mask values above 127 count.
    """
    region = region_of(photo, matrix, painted.shape[0])
    if region is None:
        return photo
    back, size = _into_region(matrix, region)
    left, top, right, bottom = region
    under = photo[top:bottom, left:right]
    over = warp(painted, back, size)
    inside = np.where(warp(mask, back, size, border=cv2.BORDER_CONSTANT) > 127, 255, 0).astype(np.uint8)
    # The solver needs known pixels all around: what touches the region's edge is drawn in by two pixels.
    inside[:2] = inside[-2:] = 0
    inside[:, :2] = inside[:, -2:] = 0
    if not inside.any():
        return photo
    shrink = min(1.0, STITCHED_AT / max(size))
    correction = _correction(under, over, inside, shrink)
    share = (
        cv2.GaussianBlur(inside, (0, 0), 1.0 / shrink).astype(np.float32)[..., None] / 255
        if shrink < 1
        else (inside[..., None] > 0).astype(np.float32)
    )
    mixed = under + share * (over + correction - under)
    result = photo.copy()
    result[top:bottom, left:right] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return result


def _correction(under: Picture, over: Picture, inside: Mask, shrink: float) -> NDArray[np.float32]:
    """What has to be added to `over` so that it meets `under` along the edge of `inside`: smooth, so solved small and enlarged."""
    small = [cv2.resize(a, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else a for a in (under, over, inside)]
    target, source, mask = small[0], small[1], np.where(small[2] > 127, 255, 0).astype(np.uint8)
    if not mask.any():
        return np.zeros_like(over, dtype=np.float32)
    x, y, width, height = cv2.boundingRect(mask)
    # A copy of the mask, since seamlessClone draws in the one it is given (OpenCV issue 12053).
    cloned = cv2.seamlessClone(source, target, mask.copy(), (x + width // 2, y + height // 2), cv2.NORMAL_CLONE)
    change = np.subtract(cloned, source, dtype=np.float32)
    if shrink < 1:
        # Outside the mask the clone is the target; its difference there would leak in when enlarged.
        change[mask == 0] = 0
        weight = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), 1.5)[..., None]
        spread = cv2.GaussianBlur(change, (0, 0), 1.5) / np.maximum(weight, 1e-3)
        change = np.where(mask[..., None] > 0, change, spread)
        change = np.asarray(cv2.resize(change, over.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    return change.astype(np.float32)


def add_change(photo: Picture, before: Picture, after: Picture, matrix: Matrix, mask: Mask) -> Picture:
    """The photo with the difference after − before added where `mask` says, enlarged along the photo's own edges.

    before, after: RGB uint8 (S,S,3) as a network paints them without and with an edit; what it cannot paint (pores, strands, its own
    blur) is in both and cancels. matrix: photo pixels -> their pixels. mask: (S,S).
    """
    size = before.shape[0]
    region = region_of(photo, matrix, size)
    if region is None:
        return photo
    back, whole = _into_region(matrix, region)
    left, top, right, bottom = region
    under = photo[top:bottom, left:right]
    change = np.subtract(after, before, dtype=np.float32)
    if scale_of(matrix) < 1:
        guide = _light(warp(photo, matrix, (size, size)))
        slope, offset = guided_coefficients(guide, change)
        enlarged = warp(slope, back, whole) * _light(under)[..., None] + warp(offset, back, whole)
    else:
        enlarged = warp(change, back, whole)
    share = warp(mask, back, whole, border=cv2.BORDER_CONSTANT).astype(np.float32)[..., None] / 255
    result = photo.copy()
    result[top:bottom, left:right] = np.clip(np.rint(under + share * enlarged), 0, 255).astype(np.uint8)
    return result


def _light(picture: Picture) -> NDArray[np.float32]:
    """Luminance in [0,1], (H,W)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.float32) / np.float32(255)


def guided_coefficients(
    guide: NDArray[np.float32], signal: NDArray[np.float32], radius: int = 2, smoothness: float = 0.002
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope and offset (H,W,C) that express `signal` (H,W,C) locally as a line in `guide` (H,W) (He & Sun 2015, fast guided filter).

    Enlarged smoothly and applied to the full-size guide, they give the signal at full size with the guide's edges.
    """

    def mean(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(x, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)

    signal = signal.astype(np.float32)
    centre = mean(guide)
    variance = mean(guide * guide) - centre * centre
    average = mean(signal)
    covariance = mean(signal * guide[..., None]) - average * centre[..., None]
    slope = (covariance / (variance[..., None] + smoothness)).astype(np.float32)
    offset = average - slope * centre[..., None]
    return mean(slope), mean(offset)
