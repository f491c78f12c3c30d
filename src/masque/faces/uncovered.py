"""What lay under hair that is gone: scalp in the skin's own shading, and the wall behind, both with the photo's grain.

Pictures are CIELAB float32 (h,w,3), lightness in [0,100]; masks are bool (h,w); distances are pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.matte import mean_nearby
from masque.faces.outlines import disc

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

HAIRLINE = 0.05
"""How far from hair, in face widths, skin shows no shadow and no strand of it."""

CURVED, CURVED_OVER = 0.34, 0.22
"""How much darker a skull is at its outline, as a share of its lightness, and over which distance, in face widths."""

GLOSS, GLOSS_ABOVE = 4.0, 0.42
"""Lightness of the gloss on a bald head, and how far above the eyes it lies, in face widths."""

SHADED = 10.0
"""How much darker than most of it skin may be to say what scalp looks like."""

FOREHEAD = 0.02
"""Area of bare forehead, in squares of the face's width, from which on the scalp is told by it alone."""

STEP = 10.0
"""Most by which scalp is changed, in each channel of CIELAB, to meet the skin that is seen."""

COARSE = 1.5
"""Standard deviation in pixels of the Gaussian that leaves of a picture what is not grain."""

TILE = 15
"""Pixels from the middle to the edge of the square that grain is taken from."""

STRONGER = 1.6
"""How much stronger grain may be made, so that it is that of the whole and not of its smoothest place."""

MOST = 2.5
"""Standard deviations of grain beyond which a pixel is a mole or a strand."""


def widened(mask: Mask, reach: float) -> Mask:
    """A mask and what lies up to `reach` pixels around it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(reach)) > 0)


def scalp(lab: Floats, skin: Mask, hidden: Mask, bare: Mask, eyes: NDArray[np.floating], face_width: float) -> Floats:
    """A picture with scalp where `bare` asks for it: the skin's smooth shading, carried on from the forehead, darker
    towards the outline of the skull, and meeting the skin that is seen without a step.

    skin: where skin is seen. hidden: where there is, or was, hair. bare: where there is to be skin, scalp and face.
    eyes: (x,y) between them. What is not `bare` is unspecified."""
    known = skin & ~widened(hidden, HAIRLINE * face_width)
    rows = np.mgrid[0 : lab.shape[0], 0 : lab.shape[1]][0]
    forehead = known & (rows < eyes[1])
    if forehead.sum() > FOREHEAD * face_width**2:
        known = forehead
    elif not known.any():
        known = skin
    if known.any():  # strands and their shadows are no skin
        known = known & (lab[..., 0] > np.median(lab[..., 0][known]) - SHADED)
    smooth = mean_nearby(lab, known.astype(np.float32), face_width)
    away = cv2.distanceTransform((bare | skin).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(CURVED_OVER * face_width)
    smooth[..., 0] *= 1 - CURVED * np.square(1 - np.clip(away, 0, 1))
    y, x = (np.mgrid[0 : lab.shape[0], 0 : lab.shape[1]] - np.array(eyes[::-1])[:, None, None]) / face_width
    gloss = np.exp(-np.square(x / 0.16) - np.square((y + GLOSS_ABOVE) / 0.1))
    smooth[..., 0] *= 1 + GLOSS / 100 * gloss
    rim = skin & widened(hidden, 2 * HAIRLINE * face_width) & ~widened(hidden, HAIRLINE * face_width)
    # Strands that a parser takes for skin would stain the scalp.
    rim &= lab[..., 0] > smooth[..., 0] - STEP
    if rim.any():
        soft = mean_nearby(lab, (skin & ~hidden).astype(np.float32), 0.3 * face_width)
        step = np.clip(soft - smooth, -STEP, STEP)
        smooth += mean_nearby(step, rim.astype(np.float32), face_width)
    smooth[..., 0] = np.clip(smooth[..., 0], 0, 98)
    return smooth


def grain_of(light: Floats, like: Mask, seed: int = 0) -> Floats:
    """Grain (h,w) that has the spectrum of a picture's fine detail where `like`, in the square that lies deepest in it:
    noise convolved with that square (Galerne et al. 2011).

    light: (h,w) lightness of the picture."""
    framed = np.pad(like.astype(np.uint8), 1)
    inside = cv2.distanceTransform(framed, cv2.DIST_C, 3)[1:-1, 1:-1]
    half = int(min(float(inside.max()) - 2, TILE))
    if half < 3:
        return np.zeros_like(light)
    fine = light - cv2.GaussianBlur(light, (0, 0), COARSE)
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    tile = fine[y - half : y + half + 1, x - half : x + half + 1]
    spread = 1.4826 * float(np.median(np.abs(tile)))
    tile = np.clip(tile - tile.mean(), -MOST * spread, MOST * spread)
    strength = float(np.median(np.abs(fine[like]))) / max(1e-6, float(np.median(np.abs(tile))))
    tile = tile * np.float32(np.clip(strength, 1, STRONGER))
    tile = tile / np.float32(2 * np.sqrt(tile.size))
    rng = np.random.default_rng(seed)
    spots = np.zeros_like(light)
    for turn in range(4):  # grain has no direction, though a wrinkle in the square may have one
        noise = rng.standard_normal(light.shape).astype(np.float32)
        kernel = np.ascontiguousarray(np.rot90(tile, turn))
        spots += cv2.filter2D(noise, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(spots, dtype=np.float32)
