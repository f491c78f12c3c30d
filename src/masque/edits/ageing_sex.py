"""How the colours of a face change with sex, besides what groups differ by: stubble and heavier brows, or the beard's
shadow and coarse texture taken out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from masque.edits.ageing_parts import FaceParts
from masque.edits.ageing_tint import Tint, buffer
from masque.faces.mean_face import JAW, Maps
from masque.models.ageing import Prototypes

STUBBLE = 0.8
"""How much of a shaved beard is given."""


def make_male(tint: Tint, parts: FaceParts, prototypes: Prototypes, share: float) -> None:
    """A shaved beard, darker brows, lips of the skin's colour. share: of it all, in [0,1]."""
    brows = parts.brows > 0.5
    dark = float(np.median(parts.lab[..., 0][brows])) if brows.sum() > 20 else 45.0
    zone = parts.beard * parts.plain * (1 - parts.bearded) * share * STUBBLE * float(np.clip((62 - dark) / 25, 0.35, 1))
    grain = np.clip(_hairs(parts), -2.4, 1.2)
    donor = parts.pulled(buffer(prototypes, "stubble"), smooth=True)
    tint.light += zone * (0.55 * donor + 0.050 * grain - 0.070)
    amp = np.clip((parts.lab[..., 0] - 5) / 45, 0.35, 1.15)
    tint.colour[..., 0] -= 0.8 * zone
    tint.colour[..., 1] -= 1.2 * zone * amp
    tint.light -= 0.14 * share * parts.brows
    for channel, redder in ((0, 4.0), (1, 0.0)):
        wanted = parts.skin[1 + channel] + redder
        tint.colour[..., channel] += 0.3 * share * parts.lips * (wanted - tint.colour[..., channel])


def _hairs(parts: FaceParts) -> Maps:
    """Noise (h,w) of short hairs that stand upright, of deviation 1, the same for each face."""
    noise = np.random.default_rng(0).standard_normal(parts.lab.shape[:2]).astype(np.float32)
    noise = parts.blurred(noise, 0.003)
    noise -= parts.blurred(noise, 0.010)
    noise /= max(1e-6, float(noise.std()))
    return np.asarray(np.where(noise < 0, 1.2 * noise, 0.6 * noise), dtype=np.float32)


def make_female(tint: Tint, parts: FaceParts, share: float) -> None:
    """Finer texture, above all where beards grow, without a shaved beard's shadow, and redder lips. share: of it all,
    in [0,1]; a beard that there is stays."""
    bare = 1 - parts.bearded
    zone = parts.blurred(parts.beard, 0.03) * parts.plain
    bands = [parts.light] + [parts.blurred(parts.light, s / JAW) for s in (0.3, 0.7, 1.4, 2.8, 5.6)]
    tint.light += 0.4 * share * bare * parts.plain * (parts.light - bands[1])
    where = (zone + 0.45 * np.maximum(0, parts.plain - zone)) * (1 - 0.7 * parts.bearded)
    for (finer, coarser), gain in zip(pairwise(bands), (0.15, 0.5, 0.65, 0.55, 0.35), strict=True):
        tint.light -= gain * share * where * np.clip(finer - coarser, -0.15, 0.1)
    lips = parts.lips > 0.5
    red, light = 20.0, float(parts.skin[0])
    if lips.sum() > 20:
        red, light = float(np.median(parts.lab[..., 1][lips])), float(np.median(parts.light[lips]))
    tint.colour[..., 0] += share * parts.lips * np.clip(parts.skin[1] + 15 - red, 0, 7)
    tint.light -= 0.5 * share * parts.lips * float(np.clip(light - (parts.skin[0] - 0.32), 0, 0.2))
    tint.light += 0.6 * share * zone * bare * np.clip(parts.skin[0] - _around(parts, tint.light) - 0.03, 0, 0.15)
    for channel in (0, 1):
        lacking = parts.skin[1 + channel] - _around(parts, tint.colour[..., channel])
        tint.colour[..., channel] += 0.5 * share * zone * bare * np.clip(lacking, -1, 4)


def _around(parts: FaceParts, values: Maps) -> Maps:
    """The mean of values (h,w) around each pixel over plain skin alone: lips and nostrils would leave a light rim."""
    total = parts.blurred(values * parts.plain, 0.05)
    return np.asarray(total / np.maximum(parts.blurred(parts.plain, 0.05), 0.05), dtype=np.float32)
