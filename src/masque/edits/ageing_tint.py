"""How the colours of a face change with age: what groups of people differ by, folds and lines of the old, and skin made
even for the younger."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.ageing_parts import FaceParts, blurred
from masque.faces.mean_face import HEIGHT, JAW, WIDTH, Floats, Maps, bare_skin, hull
from masque.models.ageing import Prototypes, age_terms

FOLDS, LINES, TEXTURE = 0.48, 0.28, 0.5
"""How much of the donors' folds and lines, and of the groups' difference in texture, is taken."""
SMOOTH, LINED = (0.0025, 0.010), (0.6, 1.25)
"""The skin's detail that bears no lines and all of them, in between in proportion; and the bounds of that share."""
SMOOTHED = 0.75
"""How much of the smoothing of younger skin is taken."""
PAINTED_EYES = 0.7
"""How much of it is left out around the eyes of who becomes younger: young eyes are painted more often."""
WHOLE_SHIFT = 0.7
"""How much of the groups' mean difference in colour over the whole face is left out: it is light and camera."""


@dataclass(frozen=True)
class Asked:
    """What a face is to become, from what it is."""

    years: float
    """Its age."""
    target: float
    """The age that it is to look."""
    male: float
    """How male it looks, in [0,1]."""
    more_male: float
    """By how much more male it is to look, in [-1,1]."""

    @property
    def contrast(self) -> NDArray[np.float64]:
        """How the terms of the prototypes change, (6,)."""
        by_age = age_terms(self.target, self.male) - age_terms(self.years, self.male)
        by_sex = age_terms(35.0, 1.0) - age_terms(35.0, 0.0)
        return np.asarray(by_age + self.more_male * by_sex, dtype=np.float64)


@dataclass
class Tint:
    """The colours of a face as they become."""

    light: Maps
    """ln(L + 8), (h,w)."""
    colour: Maps
    """a and b, (h,w,2)."""


def begin(parts: FaceParts) -> Tint:
    """The colours of a face as they are."""
    return Tint(parts.light, parts.lab[..., 1:].copy())


def buffer(prototypes: Prototypes, name: str) -> Floats:
    """One of the prototypes' buffers as an array."""
    return np.asarray(getattr(prototypes, name).double().cpu().numpy(), dtype=np.float64)


def add_difference(tint: Tint, parts: FaceParts, prototypes: Prototypes, asked: Asked) -> None:
    """Add what groups of the two ages, or sexes, differ by in colour; not on the forehead, which fringes shade, and not
    at the rim, where hair and walls were averaged in."""
    mean = buffer(prototypes, "points")
    colour = np.tensordot(asked.contrast, buffer(prototypes, "colour"), 1).astype(np.float32)
    colour = np.asarray(cv2.resize(colour, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    fade = np.clip((np.arange(HEIGHT) - mean[17:27, 1].min() + 0.10 * JAW) / (0.12 * JAW), 0, 1)[:, None]
    inside = cv2.distanceTransform((hull(mean) > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / JAW
    rim = np.clip((inside - 0.02) / 0.10, 0, 1)
    known = fade * blurred(rim * rim * (3 - 2 * rim), 2)
    everywhere = np.median((colour * known[..., None])[bare_skin(mean) * fade > 0.5], axis=0)
    colour = (colour - WHOLE_SHIFT * everywhere.astype(np.float32)) * known[..., None]
    if asked.target < asked.years:
        colour *= (1 - PAINTED_EYES * _around_eyes(mean))[..., None]
    soft = [blurred(colour[..., i], 2.2 if i == 0 else 4) for i in range(3)]
    added = parts.pulled(np.stack(soft, axis=-1))
    amp = np.clip((parts.lab[..., :1] - 5) / 45, 0.35, 1.15)
    light = np.clip(added[..., 0], -0.30, 0.22) * parts.face
    hue = np.clip(added[..., 1:], -7, 7) * amp * parts.face[..., None]
    if asked.more_male:
        # The beard's zone gets its shadow from the stubble, and loses it by the skin's own colour.
        kept = max(parts.bearded, 0.45) if asked.more_male > 0 else 1 - max(0.3, 0.8 * parts.shaded)
        zone = 1 - kept * parts.beard
        light, hue = light * zone, hue * zone[..., None] * (1 if asked.more_male > 0 else 0.65)
    tint.light += light
    tint.colour += hue


def wrinkled(years: float) -> float:
    """How lined faces of an age are, from 0 at 24 to 1 at 70."""
    return float(np.clip((years - 24) / 46, 0, 1.15) ** 1.15)


def add_lines(tint: Tint, parts: FaceParts, prototypes: Prototypes, asked: Asked, held: float) -> None:
    """Add folds and fine lines of old donors, paler lips and coarser texture.

    held: how much of the fine lines the face can bear, in [0,1]."""
    mean = buffer(prototypes, "points")
    sex = int(asked.male > 0.5)
    folds, lines = (buffer(prototypes, name)[sex] for name in ("folds", "lines"))
    more = 1.5 * (wrinkled(asked.target) - wrinkled(asked.years))
    # On smooth skin donors' lines would look drawn.
    rough = float(np.clip((parts.detail - SMOOTH[0]) / (SMOOTH[1] - SMOOTH[0]), *LINED))
    where = parts.pulled(_lined(mean)) * parts.plain * (more * rough)
    tint.light += where * (FOLDS * parts.pulled(folds) + held * LINES * parts.pulled(lines, smooth=True))
    paler = 0.22 * min(1.0, max(0.0, 2 * more / 1.5)) * parts.lips
    tint.colour[..., 0] -= paler * np.clip(tint.colour[..., 0] - parts.skin[1], 0, 30)
    texture = np.tensordot(asked.contrast, buffer(prototypes, "texture"), 1)
    own = [parts.blurred(parts.light, widths / JAW) for widths in (1, 2, 4, 8)]
    for band, (finer, coarser) in enumerate(pairwise(own)):
        gain = parts.pulled(blurred(texture[..., band], 1.5))
        grown = np.clip(np.exp(0.5 * TEXTURE * gain) - 1, 0, 0.6)
        tint.light += np.clip(finer - coarser, -0.08, 0.05) * grown * parts.plain


def _lined(mean: Floats) -> Maps:
    """Where lines show on a mean face (90,2), (H,W): less between the brows, on the forehead and on the cheeks, where a
    donor's would be pits, and towards their sides, where they would be streaks."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    brows = mean[17:27, 1].min()
    frown = _spot(np.array([(WIDTH - 1) / 2, mean[21:23, 1].mean() - 0.01 * JAW]), 0.10, 0.13)
    forehead = 1 - 0.45 * np.clip((brows - y) / (0.05 * JAW), 0, 1)
    top = np.clip((y - mean[68:86, 1].min() - 0.02 * JAW) / (0.12 * JAW), 0, 1)
    cheeks = sum(
        _spot(0.5 * mean[jaw] + 0.25 * mean[nose] + 0.25 * mean[eye], 0.13, 0.16)
        for jaw, nose, eye in ((3, 31, 41), (13, 35, 46))
    )
    below = np.clip((y - mean[[40, 41, 46, 47], 1].mean() - 0.06 * JAW) / (0.05 * JAW), 0, 1)
    sides = 1 - 0.4 * below * np.clip((np.abs(x - (WIDTH - 1) / 2) / JAW - 0.26) / 0.08, 0, 1)
    inner = (1 - 0.6 * frown) * forehead * top * (1 - 0.55 * np.clip(cheeks, 0, 1))
    return np.asarray(inner * sides, dtype=np.float32)


def _around_eyes(mean: Floats) -> Maps:
    """1 on the eyes of a mean face (90,2), falling off over lids and brows, (H,W)."""
    eyes = [_spot(mean[first : first + 6].mean(axis=0), 0.22, 0.17) for first in (36, 42)]
    return np.asarray(np.clip(np.sum(eyes, axis=0), 0, 1), dtype=np.float32)


def _spot(centre: Floats, across: float, down: float) -> Floats:
    """A Gaussian over the frame, (H,W), 1 at its centre; sigmas over √2, in widths of the face."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    return np.asarray(np.exp(-np.square((x - centre[0]) / (across * JAW)) - np.square((y - centre[1]) / (down * JAW))))


def make_younger(tint: Tint, parts: FaceParts, asked: Asked) -> None:
    """Even out the skin, but for its finest grain; redder lips, clearer whites of the eyes, lighter brows."""
    share = min(1.0, (asked.years - asked.target) / 20)
    even = share * parts.plain
    bands = [parts.light] + [parts.blurred(parts.light, s / JAW) for s in (0.35, 0.7, 1.4, 2.8, 5.6, 11)]
    tint.light += 0.35 * even * (parts.light - bands[1])
    for (finer, coarser), gain in zip(list(pairwise(bands))[1:], (0.40, 0.75, 0.85, 0.75, 0.4), strict=True):
        band = finer - coarser
        band = np.clip(np.where(band < 0, band, 0.75 * band), -0.16, 0.12)
        tint.light -= gain * SMOOTHED * even * band
    for channel in (0, 1):
        values = tint.colour[..., channel]
        uneven = parts.blurred(values, 0.006) - parts.blurred(values, 0.06)
        tint.colour[..., channel] -= 0.6 * SMOOTHED * even * uneven
    sure = parts.lips > 0.5
    red = float(np.median(parts.lab[..., 1][sure])) if sure.sum() > 20 else 20.0
    tint.colour[..., 0] += share * parts.lips * np.clip(parts.skin[1] + 11 - red, 0, 4)
    tint.light -= 0.04 * share * parts.brows
    whites = parts.blurred(parts.eyes * np.clip((parts.lab[..., 0] - 45) / 15, 0, 1), 0.003)
    tint.light += 0.05 * share * whites
    tint.colour *= (1 - 0.3 * share * whites)[..., None]


def pale_shades(tint: Tint, parts: FaceParts) -> None:
    """Take chroma out of what became darker: a shade has less of it."""
    ratio = (np.exp(tint.light) - 8) / np.maximum(parts.lab[..., 0], 4)
    tint.colour *= (1 + 0.75 * parts.plain * (np.clip(ratio, 0.5, 1) - 1))[..., None]


def grey_beard_and_brows(tint: Tint, parts: FaceParts, amount: float) -> None:
    """Let a beard and the brows turn grey; amount: how grey the hair becomes, in [0,1]."""
    light = np.exp(tint.light) - 8
    skin = float(np.exp(parts.skin[0]) - 8)
    if parts.bearded > 0.2:
        hairs = parts.beard * parts.bearded * np.clip((skin - parts.blurred(light, 0.006)) / 25, 0, 1)
        hairs = parts.blurred(np.clip((hairs * (1 - parts.lips) - 0.4) / 0.5, 0, 1), 0.003)
        strands = np.clip((light - parts.blurred(light, 0.012)) / 6, -1, 1)
        turned = min(1.0, 1.15 * amount) * hairs * (0.7 + 0.35 * strands)
        light = light + turned * np.clip(skin - 8 - light, 0, 26)
        tint.colour *= (1 - 0.8 * min(1.0, 1.2 * amount) * hairs)[..., None]
    dark = parts.brows * np.clip((skin - light) / 20, 0, 1)
    tint.colour *= (1 - 0.45 * amount * dark)[..., None]
    light = light + 10 * amount * dark
    tint.light = np.log(np.maximum(light, -7.9) + 8).astype(np.float32)
