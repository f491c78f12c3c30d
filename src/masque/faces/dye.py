"""Hair in another colour: the photo's own strands, on another curve of lightness and in another hue.

Dyed or bleached hair keeps its shape, and shine and shadow stay where they were. So lightness goes through a curve that
takes the hair's darkest, middle and lightest tones to those of the asked colour, and the finest detail is passed on
with a bounded slope, since a steep curve would blow up the photo's grain. The colour follows from the new lightness:
shadows and highlights of hair have less of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.matte import CLUES_ACROSS, mean_nearby, resized
from masque.faces.strand_curve import dyed, sharp_detail
from masque.faces.strips import Box, Strip, enlarged_box

LIFTED = (14.0, 38.0, 100.0)
"""By how much the darkest, middle and lightest tones may become lighter: a photo of black hair has shadows without any
drawing in them, which would turn into flat patches."""

KEPT_COLOUR = 0.25
"""How much of a strand's own deviation from the hair's mean colour stays: no head is of one hue."""

SURE = 0.9
"""Matte from which a pixel is taken for hair alone when colours are measured."""

MOSTLY = 0.7
"""Matte from which the colour of a pixel at the rim, not its lightness, is taken for that of hair alone."""

HIGHLIGHT = 6.0
"""By how much a pixel at the rim may be lighter than the new hair beside it."""

TONES = np.array([[0, 0, 8], [6, 1, 29], [29, 7, 60], [60, 27, 83], [90, 70, 98], [100, 90, 100]], dtype=np.float64)
"""Middle lightness of hair -> its darkest and lightest (4th and 97th percentile), of black, brown and blond hair as
measured (docs/edits.md); beyond them continued."""

PALER = (0.5, 0.7)
"""How much of its middle colour hair has in shadow and in shine."""

TURNED = (-12.0, 8.0)
"""By how many degrees the hue of reddish, brown and blond hair turns in shadow and in shine: towards red where it is
dark, towards yellow where it is light."""

BASE, WIDEST = 0.016, 6.0
"""Over what distance, in face widths and at most in pixels, lightness is averaged before it goes through the curve:
what is finer is grain, and that is no larger in large photos."""

Tone = tuple[float, float, float]
"""L in [0,100], a, b of CIELAB."""


@dataclass(frozen=True)
class HairColour:
    """A colour of hair in CIELAB: of its middle tones, and where they are known of its shadows and its shine."""

    light: float
    """Its middle lightness, in [0,100]."""
    a: float
    """Green to red, of the middle tones."""
    b: float
    """Blue to yellow, of the middle tones."""
    dark: Tone | None = None
    """Its darkest tone (4th percentile of lightness); None for what is usual beside the middle."""
    bright: Tone | None = None
    """Its lightest (97th percentile)."""

    @property
    def tones(self) -> NDArray[np.float64]:
        """(3,3): L, a, b of its darkest, middle and lightest tones."""
        ends = [self._end(i) if end is None else end for i, end in enumerate((self.dark, self.bright))]
        return np.array([ends[0], (self.light, self.a, self.b), ends[1]])

    def _end(self, end: int) -> Tone:
        """The darkest (0) or lightest (1) tone that goes with the middle one."""
        hue, chroma = float(np.arctan2(self.b, self.a)), float(np.hypot(self.a, self.b))
        if 0.35 < hue < 1.6:  # colours that hair grows in
            hue += float(np.radians(TURNED[end]))
        light = float(np.interp(self.light, TONES[:, 0], TONES[:, 1 + end]))
        return light, PALER[end] * chroma * float(np.cos(hue)), PALER[end] * chroma * float(np.sin(hue))


def of_tones(tones: NDArray[np.floating]) -> HairColour:
    """The colour with these darkest, middle and lightest tones, (3,3) of L, a, b."""
    dark, (light, a, b), bright = ((float(tone[0]), float(tone[1]), float(tone[2])) for tone in tones)
    return HairColour(light, a, b, dark, bright)


def mixed(colours: Sequence[HairColour], shares: Sequence[float]) -> HairColour:
    """A mixture of colours.

    shares: of each, above 0 in all."""
    return of_tones(np.average([colour.tones for colour in colours], axis=0, weights=shares))


def tones_of(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> HairColour:
    """The colour of the hair of a picture (H,W,3): lightness at its 4th, 50th and 97th percentile, with the median a
    and b of the pixels that are about as light.

    inside: (H,W), where the hair is; some pixels at least."""
    lab = cv2.cvtColor(picture.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)[inside]
    tones = []
    for light in np.percentile(lab[:, 0], (4, 50, 97)):
        alike = lab[np.abs(lab[:, 0] - light) <= 4, 1:]
        tones.append([light, *np.median(alike, axis=0)])
    return of_tones(np.array(tones))


@dataclass(frozen=True)
class Dye:
    """Gives hair another colour."""

    name: str
    box: Box
    matte: NDArray[np.uint8]
    """(h,w) over the box: how much of each pixel is hair."""
    sure: NDArray[np.uint8]
    """(h,w) over the box: where a pixel is hair alone, so that its own colour says what it becomes."""
    nearby: NDArray[np.float32]
    """(h',w',4) over the box: by how much L, a and b of the hair nearby change, and its new L. At the rim, where skin
    or wall shine through, that is added in proportion to the matte."""
    curve: NDArray[np.float32]
    """(101,3): for each whole lightness of the photo, the new L, a and b."""
    own: NDArray[np.float32]
    """(1,2): the hair's mean a and b as it is."""
    kept: float
    """How much of each strand's deviation from that stays."""
    blur: float
    """Pixels over which lightness is averaged before it goes through the curve."""
    detail: float
    """By how much finer detail than that is multiplied, beside the curve's slope, so that the hair is as sharp as it
    was."""
    strength: float = 1.0

    @property
    def reach(self) -> int:
        """As far as lightness is averaged."""
        return int(np.ceil(3.5 * self.blur))

    def scaled(self, strength: float) -> Dye:
        """The same with the new colour mixed with the old one."""
        return replace(self, strength=self.strength * strength)

    def enlarged(self, factor: float) -> Dye:
        """The same for a photo that is `factor` times as large."""
        return replace(self, box=enlarged_box(self.box, factor), blur=self.blur * factor)

    def apply(self, strip: Strip) -> None:
        """Dye the strip's hair."""
        alpha = strip.sample(self.matte, self.box)
        if self.strength == 0 or not alpha.any():
            return
        sure = strip.sample(self.sure, self.box)
        *nearby, new_light = cv2.split(strip.sample(self.nearby, self.box))
        new = cv2.split(dyed(strip.lab, self.curve, self.own, self.kept, self.blur, self.detail))
        before = cv2.split(strip.lab)
        # Skin between strands may shine through in its own light, but a strand in its old colour would be seen.
        coloured = np.maximum(sure, (alpha - np.float32(MOSTLY)) / np.float32(1 - MOSTLY))
        share = np.float32(self.strength) * alpha
        after = [
            was + share * (near + certain * (wanted - was - near))
            for was, near, wanted, certain in zip(before, nearby, new, (sure, coloured, coloured), strict=True)
        ]
        # What shines through at the rim was lit by what stands behind: it must not outshine the new hair.
        limit = np.maximum(before[0], new_light + np.float32(HIGHLIGHT))
        capped = np.where(sure < SURE, np.minimum(after[0], limit), after[0])
        after[0] = np.where(alpha > 0, np.clip(capped, 0, 100), before[0])
        strip.lab[:] = cv2.merge(after)


def colour_curve(light: NDArray[np.float32], colour: HairColour, coloured: bool = True) -> NDArray[np.float32]:
    """The curve (101,3) that takes hair to a colour: for each whole lightness the new L, a and b.

    light: lightness (N,) of the hair as it is. coloured: whether it gets a hue at all, which in a black-and-white photo
    it does not."""
    dark, middle, bright = (float(v) for v in np.percentile(light, (4, 50, 97)))
    dark, bright = max(0.0, min(dark, middle - 4)), max(bright, middle + 10)
    own = (dark, middle, bright)
    wanted = colour.tones
    tones = [min(tone, light + most) for tone, light, most in zip(wanted[:, 0], own, LIFTED, strict=True)]
    ends = (min(0.5 * tones[0], LIFTED[0] / 2), min(100.0, tones[2] + 8))
    knots = np.maximum.accumulate([-1.0, dark, middle, bright, 101.0])
    curve = np.zeros((101, 3))
    curve[:, 0] = np.interp(np.arange(101, dtype=np.float64), knots, [ends[0], *tones, ends[1]])
    if coloured:
        curve[:, 1:] = colours_at(curve[:, 0], colour)
    return curve.astype(np.float32)


def colours_at(light: NDArray[np.float64], colour: HairColour) -> NDArray[np.float64]:
    """The a and b that hair of a colour has at each lightness (N,): (N,2). Black and white have none."""
    tones = colour.tones
    places = np.maximum.accumulate([0.0, *tones[:, 0], max(100.0, tones[2, 0] + 1)])
    return np.stack([np.interp(light, places, [0, *tones[:, axis], 0.5 * tones[2, axis]]) for axis in (1, 2)], axis=-1)


def dye(
    name: str,
    part: NDArray[np.uint8],
    box: Box,
    matte: NDArray[np.uint8],
    face_width: float,
    colour: HairColour,
    coloured: bool = True,
) -> Dye | None:
    """The layer that gives hair a colour; None where too little of it is seen to tell its own.

    part: (h,w,3), the photo within the box at any size. matte: (h',w') over the box. face_width: pixels of the photo.
    coloured: False for a black-and-white photo."""
    size = (part.shape[1], part.shape[0])
    across = face_width * size[0] / (box[2] - box[0])
    lab = np.asarray(cv2.cvtColor(part.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), dtype=np.float32)
    alpha = resized(matte.astype(np.float32) / np.float32(255), size)
    inside = alpha > SURE
    if inside.sum() < max(50, 0.004 * across**2):
        return None
    own = lab[inside].mean(axis=0)
    light = np.ascontiguousarray(lab[..., 0])
    curve = colour_curve(light[inside], colour, coloured)
    blur = max(0.7, BASE * across)
    own_colour = own[None, 1:].astype(np.float32)
    # Black and grey hair has no hue of its own, and the old one's would show as blue and green.
    kept = KEPT_COLOUR * min(1.0, float(np.hypot(colour.a, colour.b)) / 15)
    detail = sharp_detail(light, inside, curve, blur)
    new = dyed(lab, curve, own_colour, kept, blur, detail)
    reach = max(1, round(0.02 * across))
    core = cv2.erode((alpha > SURE).astype(np.float32), np.ones((reach, reach), np.uint8))
    core = core if core.sum() > 50 else inside.astype(np.float32)
    differences = np.dstack([new - lab, new[..., 0]])
    sure = cv2.GaussianBlur(core, (0, 0), max(0.7, 0.012 * across))
    return Dye(
        name=name,
        box=box,
        matte=matte,
        sure=np.rint(255 * np.clip(sure, 0, 1)).astype(np.uint8),
        nearby=_nearby(differences, np.asarray(core, dtype=np.float32), across),
        curve=curve,
        own=own_colour,
        kept=kept,
        blur=min(blur * face_width / across, WIDEST),
        detail=detail,
    )


def _nearby(differences: NDArray[np.float32], weight: NDArray[np.float32], across: float) -> NDArray[np.float32]:
    """The mean of differences (H,W,4) around each pixel, (h,w,4): smooth, so it is computed small.

    weight: (H,W), where hair is. across: pixels of the face's width."""
    height, width = weight.shape
    scale = min(1.0, CLUES_ACROSS / across)
    small = (max(8, round(width * scale)), max(8, round(height * scale)))
    sums, shares = resized(differences * weight[..., None], small), resized(weight, small)
    means = (sums / np.maximum(shares, np.float32(1e-6))[..., None]).astype(np.float32)
    return mean_nearby(means, shares, across * small[0] / width)
