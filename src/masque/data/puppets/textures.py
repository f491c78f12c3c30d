"""What is painted on the head: sixteen layers over its grid, the same for all puppets.

How strongly each layer shows, and in which colour, is the puppet's: see `paint`. The numbers below are places, widths
and depths in mm on the head of `head`, and were chosen by eye; where a layer begins and ends is a pair of them."""

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
    """The opening between the lips."""
    upper_lip: Floats
    """The red of the upper lip."""
    lower_lip: Floats
    """The red of the lower lip."""
    brow: Floats
    """The eyebrow, with a ragged edge."""
    nose: Floats
    """The nose, from its root to below its tip."""
    scalp: Floats
    """Height in mm above which hair grows here: the point's own height, 500 mm more where no hair ever grows."""
    beard: Floats
    """Where a full beard grows."""
    openness: Floats
    """How much of the light from all around arrives: 1 in the open, less in hollows."""
    blush: Floats
    """Redness of cheeks, nose and chin."""
    lines: Floats
    """Wrinkles of the forehead and crow's feet."""
    lashes: Floats
    """Dark of the lashes and of the fold above the eye."""
    mottle: Floats
    """Blotches of the skin, noise about 0."""
    smile_fold: Floats
    """From the wing of the nose down past the corner of the mouth."""
    eye_bag: Floats
    """The fold under the eye."""
    grain: Floats
    """Fine noise within ±1.5, for the edges of hair."""


@dataclass(frozen=True)
class _Texels:
    """What the layers are made from, each (H,W) float32 over the texels."""

    x: Floats
    """Place on the head as built, in mm to the picture's right."""
    y: Floats
    """Place on the head as built, in mm upwards."""
    z: Floats
    """Place on the head as built, in mm towards the viewer."""
    ax: Floats
    """|x|, since the layers are the same on both sides."""
    front: NDArray[np.bool_]
    """Whether the texel is on the face, not behind it."""
    degrees: Floats
    """Angle from the front, to either side."""
    mottle: Floats
    """Blotches of the skin, noise about 0."""
    grain: Floats
    """Fine noise within ±1.5, for the edges of hair."""
    lids: Lids
    """Heights of the edges of the lids at this x."""
    lips: Lips
    """Heights of the edges of the lips at this x."""


def head_textures(head: Floats) -> Floats:
    """The layers of HeadLayers (H,W,16), in its order, for the grid of the head as built, (3,rows,columns)."""
    texel = _texels(head)
    eye, mouth_opening, upper_lip, lower_lip, brow, nose = _edges(texel)
    eyes = texel.front * (np.abs(texel.ax - EYE_X) < EYE_HALF_WIDTH)
    layers = HeadLayers(
        eye=eye,
        mouth_opening=mouth_opening,
        upper_lip=upper_lip,
        lower_lip=lower_lip,
        brow=brow,
        nose=nose,
        scalp=_scalp(texel),
        beard=_beard(texel, np.maximum(upper_lip, lower_lip)),
        openness=_openness(texel, mouth_opening),
        blush=_blush(texel),
        lines=_lines(texel),
        lashes=_lashes(texel, eyes),
        mottle=texel.mottle,
        smile_fold=texel.front * gaussian(texel.ax - 17 + 0.64 * (texel.y + 41), 1.3, texel.y + 53, 9),
        eye_bag=eyes * gaussian(texel.y - texel.lids.lower + 6.5, 1),
        grain=texel.grain,
    )
    return np.dstack(layers)


def _texels(head: Floats) -> _Texels:
    """For the grid of the head as built, (3,rows,columns)."""
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


def _edges(texel: _Texels) -> list[Floats]:
    """The six signed distances: each part lies between two heights and between two places across."""
    lids, lips = texel.lids, texel.lips
    brow, thickness = curve(np.clip(texel.ax, 10, 54), BROW)
    thickness = thickness + 0.8 * texel.grain
    wing = np.where(texel.y < -34, 17, nose_at(texel.y)[1] + 2)  # half width of the nose
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
            texel.front,
            np.minimum(np.minimum(upper - texel.y, texel.y - lower), half_width - np.abs(texel.ax - middle)),
            -9,
        )
        for upper, lower, half_width, middle in parts
    ]


def _scalp(texel: _Texels) -> Floats:
    """Height above which hair grows, as `HeadLayers.scalp` has it."""
    grows_from = curve(texel.degrees, HAIRLINE)[0]
    return texel.y + 500 * smooth_step(texel.y + 2 * texel.grain - grows_from, 3, -4)


def _beard(texel: _Texels, lips: Floats) -> Floats:
    """A full beard: jaw, moustache and chin; not on the lips, nor high on the cheeks, nor behind the jaw."""
    jaw = smooth_step(1.4 * (texel.ax - 30) - texel.y, 64, 80)
    moustache = smooth_step(np.abs(texel.y + 58 + 0.012 * texel.ax**2), 7, 4) * smooth_step(texel.ax, 33, 28)
    chin = smooth_step(-texel.y, 96, 104)
    beard = np.maximum(np.maximum(jaw, moustache), chin) * smooth_step(texel.degrees, 112, 98)
    return beard * (smooth_step(-texel.y, -10, 10) * (0.75 + 0.25 * texel.grain) * (1 - smooth_step(lips, -1.5, 0)))


def _openness(texel: _Texels, mouth_opening: Floats) -> Floats:
    """Less light arrives where the surroundings stand out more than the point, in the nostrils and between the lips."""
    around = cv2.GaussianBlur(texel.z, (0, 0), 17)
    nostrils = gaussian(texel.ax - 7, 2.4, texel.y + 47.1, 1.4)
    deep = 0.5 * smooth_step(around - texel.z, 0.5, 7) + 0.7 * nostrils
    return (1 - texel.front * deep) * (1 - 0.6 * gaussian(mouth_opening, 0.8))


def _blush(texel: _Texels) -> Floats:
    """Red cheeks, tip of the nose and chin."""
    cheeks = gaussian(texel.ax - 42, 15, texel.y + 30, 12)
    nose_tip = 0.8 * gaussian(texel.ax, 10, texel.y + 38, 9)
    chin = 0.3 * gaussian(texel.ax, 14, texel.y + 112, 10)
    return np.asarray(texel.front * (cheeks + nose_tip + chin))


def _lines(texel: _Texels) -> Floats:
    """Three waves over the forehead, the frown between the brows, and three crow's feet beside each eye."""
    waves = sum(gaussian(texel.y - height - 1.5 * np.cos(texel.ax / 9), 1) for height in (32, 40, 49))
    forehead = waves * smooth_step(texel.ax, 42, 32) + gaussian(texel.ax - 5, 1, texel.y - 15, 5)
    feet = sum(gaussian(texel.y - rise * (texel.ax - 48) / 12 + 1, 0.7, texel.ax - 55, 4) for rise in (8, 1, -6))
    return texel.front * (forehead + feet)


def _lashes(texel: _Texels, eyes: NDArray[np.bool_]) -> Floats:
    """Dark along the edge of the upper lid, less so along the lower one, and in the fold above the eye."""
    upper = smooth_step(np.abs(texel.y - texel.lids.upper - 0.2), 1.3, 0.3)
    lower = 0.35 * gaussian(texel.y - texel.lids.lower, 0.5)
    fold = 0.5 * gaussian(texel.y - texel.lids.upper - 3.8, 0.8)
    return np.asarray(eyes * (upper + lower + fold))
