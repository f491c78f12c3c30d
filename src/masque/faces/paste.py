"""Back from the painted crop into the whole photo: feathered, colour-matched, stitched in the gradient domain, or as a
change."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.frame import Matrix, chain, invert, scale_of, transform, warp
from masque.faces.harmonic import fill_smoothly
from masque.faces.regions import Mask
from masque.image import Picture


def feathered_square(
    size: int, feather: float = 0.12, sides: tuple[bool, bool, bool, bool] = (True, True, True, True)
) -> Mask:
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
    """The mask with its edge drawn in and blurred over about `width` pixels, so that nothing shows outside the old
    edge."""
    if width < 0.5:
        return mask
    # Extended by repeating, so that a mask that reaches the border stays full there.
    reach = 2 * math.ceil(0.75 * width) + 1
    drawn_in = cv2.erode(
        mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)), borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.GaussianBlur(drawn_in, (0, 0), width / 4, borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)


def region_of(photo: Picture, matrix: Matrix, size: int) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom in the photo of a square of `size` pixels that `matrix` (photo -> square) cuts; None
    when outside."""
    edge = np.array([[-0.5, -0.5], [size - 0.5, -0.5], [-0.5, size - 0.5], [size - 0.5, size - 0.5]])
    corners = transform(edge, invert(matrix))
    left, top = (max(0, math.floor(float(v))) for v in corners.min(axis=0))
    right = min(photo.shape[1], math.ceil(float(corners[:, 0].max())) + 1)
    bottom = min(photo.shape[0], math.ceil(float(corners[:, 1].max())) + 1)
    return (left, top, right, bottom) if right > left and bottom > top else None


def into_region(matrix: Matrix, region: tuple[int, int, int, int]) -> tuple[Matrix, tuple[int, int]]:
    """The transform square -> region of the photo, and the region's (width, height)."""
    left, top, right, bottom = region
    return chain(invert(matrix), np.array([[1.0, 0, -left], [0, 1.0, -top]])), (right - left, bottom - top)


def paste(photo: Picture, overlay: Picture, matrix: Matrix, mask: Mask, *, match: bool = True) -> Picture:
    """The photo with `overlay` laid over it where `mask` says.

    overlay: RGB uint8 (S,S,3). matrix: photo pixels -> its pixels. mask: (S,S), 0..255. match: shift the colours so
    that they meet the photo's along the mask's edge."""
    region = region_of(photo, matrix, overlay.shape[0])
    if region is None:
        return photo
    back, size = into_region(matrix, region)
    left, top, right, bottom = region
    under = photo[top:bottom, left:right].astype(np.float32)
    over = warp(overlay, back, size).astype(np.float32)
    share = warp(mask, back, size, border=cv2.BORDER_CONSTANT).astype(np.float32)[..., None] / 255
    if match:
        over += _edge_difference(under, over, share.astype(np.float32))
    result = photo.copy()
    result[top:bottom, left:right] = np.clip(np.rint(under + share * (over - under)), 0, 255).astype(np.uint8)
    return result


def _edge_difference(
    under: NDArray[np.float32], over: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mean colour difference where the mask is neither full nor empty; at most 24 of 255, since more is content and not
    colour cast."""
    edge = (share * (1 - share))[..., 0] > 0.05
    if not edge.any():
        return np.zeros(3, np.float32)
    difference: NDArray[np.float32] = np.clip(np.median((under - over)[edge], axis=0), -24, 24).astype(np.float32)
    return difference


def stitch(photo: Picture, overlay: Picture, matrix: Matrix, mask: Mask) -> Picture:
    """The photo with the part of `overlay` inside `mask` stitched in so that gradients stay and the edge vanishes
    (RSGAN Section 3.3).

    The gradient-domain composition of Levin et al. 2004 in the form of Pérez et al. 2003, solved for the difference
    from `overlay`: see `masque.faces.harmonic`. Arguments as in `paste`; only mask values above 127 count, and nothing
    outside them changes."""
    region = region_of(photo, matrix, overlay.shape[0])
    if region is None:
        return photo
    back, size = into_region(matrix, region)
    inside = warp(mask, back, size, border=cv2.BORDER_CONSTANT) > 127
    if not inside.any():
        return photo
    x, y, width, height = cv2.boundingRect(inside.astype(np.uint8))
    # A rim of the photo around the mask is known, except where the photo ends; solved small, it still is some pixels
    # wide.
    rim = math.ceil(max(width, height) / 100)
    rows, columns = slice(max(0, y - rim), y + height + rim), slice(max(0, x - rim), x + width + rim)
    inside = inside[rows, columns]
    over = warp(overlay, back, size)[rows, columns]
    result = photo.copy()
    under = result[region[1] : region[3], region[0] : region[2]][rows, columns]
    correction = fill_smoothly(np.subtract(under, over, dtype=np.float32), inside)
    under[inside] = np.clip(np.rint(over + correction), 0, 255).astype(np.uint8)[inside]
    return result


def add_change(
    photo: Picture, before: Picture, after: Picture, matrix: Matrix, mask: Mask, *, spared: Mask | None = None
) -> Picture:
    """The photo with the difference after − before added where `mask` says, enlarged along the photo's own edges.

    before, after: RGB uint8 (S,S,3) as a network paints them without and with an edit; what it cannot paint (pores,
    strands, its own blur) is in both and cancels. matrix: photo pixels -> their pixels. mask: (S,S). spared: (S,S), 255
    where nothing is to change up to its very border, though the change around it is blurred by enlarging."""
    size = before.shape[0]
    region = region_of(photo, matrix, size)
    if region is None:
        return photo
    back, whole = into_region(matrix, region)
    left, top, right, bottom = region
    under = photo[top:bottom, left:right]
    change = np.subtract(after, before, dtype=np.float32)
    if scale_of(matrix) < 1:
        guide = _light(warp(photo, matrix, (size, size)))
        slope = guided_slope(guide, change)
        # The change, and along with it what the photo's light has and a picture of S pixels has not.
        enlarged = warp(slope, back, whole) * _light(under)[..., None] + warp(
            change - slope * guide[..., None], back, whole
        )
    else:
        enlarged = warp(change, back, whole)
    share = warp(mask, back, whole, border=cv2.BORDER_CONSTANT).astype(np.float32)[..., None] / 255
    if spared is not None:
        share = share * (
            1 - np.clip(warp(spared, back, whole, border=cv2.BORDER_CONSTANT).astype(np.float32)[..., None] / 127, 0, 1)
        )
    result = photo.copy()
    result[top:bottom, left:right] = np.clip(np.rint(under + share * enlarged), 0, 255).astype(np.uint8)
    return result


def _light(picture: Picture) -> NDArray[np.float32]:
    """Luminance in [0,1], (H,W)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.float32) / np.float32(255)


def guided_slope(
    guide: NDArray[np.float32], signal: NDArray[np.float32], radius: int = 2, smoothness: float = 0.002
) -> NDArray[np.float32]:
    """How much `signal` (H,W,C) rises with `guide` (H,W) around each pixel, (H,W,C): the slope of He & Sun 2015, fast
    guided filter.

    Enlarged smoothly it says how the signal goes over edges that only a larger guide shows.
    """

    def mean(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(
            cv2.blur(x, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE), dtype=np.float32
        )

    centre = mean(guide)
    variance = mean(guide * guide) - centre * centre
    covariance = mean(signal * guide[..., None]) - mean(signal) * centre[..., None]
    return mean((covariance / (variance[..., None] + smoothness)).astype(np.float32))
