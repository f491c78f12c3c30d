"""What is painted on the head: sixteen layers over its grid, the same for all puppets.

How strongly each layer shows, and in which colour, is the puppet's: see `paint`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.data.puppets.curves import Floats, curve, gaussian, smooth_step
from masque.data.puppets.head import (
    EYE_HALF_WIDTH,
    EYE_X,
    HAIRLINE,
    MOUTH_HALF_WIDTH,
    Lids,
    Lips,
    lids_at,
    lips_at,
    nose_at,
)
from masque.data.puppets.surfaces import TEXELS


class HeadLayers(NamedTuple):
    """The layers, each (H,W) over the texels or (N,) at N samples.

    The first six are signed distances in mm to the edge of a part: positive inside it, −9 behind the face. The others
    are strengths, mostly in [0,1], unless they say otherwise."""

    eye: Floats
    """The opening between the lids."""
    mouth_opening: Floats
    upper_lip: Floats
    lower_lip: Floats
    brow: Floats
    nose: Floats
    scalp: Floats
    """Height in mm above which hair grows here: the point's own height, 500 mm more where no hair ever grows."""
    beard: Floats
    openness: Floats
    """How much of the light from all around arrives: 1 in the open, less in hollows."""
    blush: Floats
    lines: Floats
    """Wrinkles of the forehead and crow's feet."""
    lashes: Floats
    mottle: Floats
    """Blotches of the skin, noise about 0."""
    smile_fold: Floats
    """From the wing of the nose down past the corner of the mouth."""
    eye_bag: Floats
    grain: Floats
    """Fine noise within ±1.5, for the edges of hair."""


@dataclass(frozen=True)
class _Texels:
    """Where the texels lie on the head, each (H,W) float32."""

    x: Floats
    y: Floats
    z: Floats
    ax: Floats
    """|x|."""
    front: NDArray[np.bool_]
    """On the face, not behind it."""
    degrees: Floats
    """Angle from the front, to either side."""
    mottle: Floats
    grain: Floats
    lids: Lids
    lips: Lips


def head_textures(head: Floats) -> Floats:
    """The layers of HeadLayers (H,W,16), in its order, for the grid of the head as built, (3,rows,columns)."""
    at = _texels(head)
    eye, mouth_opening, upper_lip, lower_lip, brow, nose = _edges(at)
    eyes = at.front * (np.abs(at.ax - EYE_X) < EYE_HALF_WIDTH)
    layers = HeadLayers(
        eye=eye,
        mouth_opening=mouth_opening,
        upper_lip=upper_lip,
        lower_lip=lower_lip,
        brow=brow,
        nose=nose,
        scalp=_scalp(at),
        beard=_beard(at, np.maximum(upper_lip, lower_lip)),
        openness=_openness(at, mouth_opening),
        blush=_blush(at),
        lines=_lines(at),
        lashes=_lashes(at, eyes),
        mottle=at.mottle,
        smile_fold=at.front * gaussian(at.ax - 17 + 0.64 * (at.y + 41), 1.3, at.y + 53, 9),
        eye_bag=eyes * gaussian(at.y - at.lids.lower + 6.5, 1),
        grain=at.grain,
    )
    return np.dstack(layers)


def _texels(head: Floats) -> _Texels:
    x, y, z = (cv2.resize(plane, None, fx=TEXELS, fy=TEXELS) for plane in head.astype(np.float32))
    noise = np.random.default_rng(68).normal(size=x.shape).astype(np.float32)
    return _Texels(
        x=x,
        y=y,
        z=z,
        ax=np.abs(x),
        front=z > 25,
        degrees=np.degrees(np.arctan2(np.abs(x), z + 3)),
        mottle=cv2.GaussianBlur(noise, (0, 0), 7) * 14,
        grain=np.clip(cv2.GaussianBlur(noise, (0, 0), 1) * 2.4, -1.5, 1.5),
        lids=lids_at(x),
        lips=lips_at(x),
    )


BROW = np.array([[10, 14.5, -3], [15, 15.8, 2.6], [24, 18.6, 3], [34, 20.8, 2.5], [43, 19, 1.6], [54, 11, -1]])
"""The eyebrow from its inner to its outer end: |x|, y, half thickness."""


def _edges(at: _Texels) -> list[Floats]:
    """The six signed distances: each part lies between two heights and between two places across."""
    lids, lips = at.lids, at.lips
    brow, thickness = curve(np.clip(at.ax, 10, 54), BROW)
    thickness = thickness + 0.8 * at.grain
    wing = np.where(at.y < -34, 17, nose_at(at.y)[1] + 2)  # half width of the nose
    parts = (  # upper edge, lower edge, half width, |x| of the middle
        (lids.upper, lids.lower, EYE_HALF_WIDTH, EYE_X),
        (lips.opening_top, lips.opening_bottom, MOUTH_HALF_WIDTH, 0),
        (lips.top, lips.opening_top - 1, MOUTH_HALF_WIDTH, 0),  # lips reach 1 mm into the opening: no gap in between
        (lips.opening_bottom + 1, lips.bottom, MOUTH_HALF_WIDTH, 0),
        (brow + thickness, brow - thickness, 22, 32),
        (4, -51, wing, 0),
    )
    return [
        np.where(
            at.front,
            np.minimum(np.minimum(upper - at.y, at.y - lower), half_width - np.abs(at.ax - middle)),
            -9,
        )
        for upper, lower, half_width, middle in parts
    ]


def _scalp(at: _Texels) -> Floats:
    grows_from = curve(at.degrees, HAIRLINE)[0]
    return at.y + 500 * smooth_step(at.y + 2 * at.grain - grows_from, 3, -4)


def _beard(at: _Texels, lips: Floats) -> Floats:
    """A full beard: jaw, moustache and chin; not on the lips, nor high on the cheeks, nor behind the jaw."""
    jaw = smooth_step(1.4 * (at.ax - 30) - at.y, 64, 80)
    moustache = smooth_step(np.abs(at.y + 58 + 0.012 * at.ax**2), 7, 4) * smooth_step(at.ax, 33, 28)
    chin = smooth_step(-at.y, 96, 104)
    beard = np.maximum(np.maximum(jaw, moustache), chin) * smooth_step(at.degrees, 112, 98)
    return beard * (smooth_step(-at.y, -10, 10) * (0.75 + 0.25 * at.grain) * (1 - smooth_step(lips, -1.5, 0)))


def _openness(at: _Texels, mouth_opening: Floats) -> Floats:
    """Less light arrives where the surroundings stand out more than the point, in the nostrils and between the lips."""
    around = cv2.GaussianBlur(at.z, (0, 0), 17)
    nostrils = gaussian(at.ax - 7, 2.4, at.y + 47.1, 1.4)
    deep = 0.5 * smooth_step(around - at.z, 0.5, 7) + 0.7 * nostrils
    return (1 - at.front * deep) * (1 - 0.6 * gaussian(mouth_opening, 0.8))


def _blush(at: _Texels) -> Floats:
    cheeks = gaussian(at.ax - 42, 15, at.y + 30, 12)
    nose_tip = 0.8 * gaussian(at.ax, 10, at.y + 38, 9)
    chin = 0.3 * gaussian(at.ax, 14, at.y + 112, 10)
    return np.asarray(at.front * (cheeks + nose_tip + chin))


def _lines(at: _Texels) -> Floats:
    """Three waves over the forehead, the frown between the brows, and three crow's feet beside each eye."""
    waves = sum(gaussian(at.y - height - 1.5 * np.cos(at.ax / 9), 1) for height in (32, 40, 49))
    forehead = waves * smooth_step(at.ax, 42, 32) + gaussian(at.ax - 5, 1, at.y - 15, 5)
    feet = sum(gaussian(at.y - rise * (at.ax - 48) / 12 + 1, 0.7, at.ax - 55, 4) for rise in (8, 1, -6))
    return at.front * (forehead + feet)


def _lashes(at: _Texels, eyes: NDArray[np.bool_]) -> Floats:
    """Dark along the edge of the upper lid, less so along the lower one, and in the fold above the eye."""
    upper = smooth_step(np.abs(at.y - at.lids.upper - 0.2), 1.3, 0.3)
    lower = 0.35 * gaussian(at.y - at.lids.lower, 0.5)
    fold = 0.5 * gaussian(at.y - at.lids.upper - 3.8, 0.8)
    return np.asarray(eyes * (upper + lower + fold))
