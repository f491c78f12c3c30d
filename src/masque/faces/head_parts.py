"""A picture of a head taken apart into hair, face and what is behind: how far inside each part a pixel lies, and the
smooth base colour that each part has everywhere, also where the picture hides it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.crop import HeadCrop
from masque.faces.labels import LABELS
from masque.faces.matte import mean_nearby, resized
from masque.image import Picture

Floats = NDArray[np.float32]
PARTS = ("back", "face", "hair")
"""What a picture is taken apart into."""
SMALL = 256
"""Side at most of what is smooth: base colours and distances."""
FACE = 0.5
"""Width of a face in a hair crop, in shares of its side, about."""
SOFT = 0.007
"""Over which distance a part goes over into another, in shares of the crop's side."""
RIM = 0.03
"""How far from an outline, in shares of the crop's side, colours may be those of both sides."""
FEW = 0.002
"""The share of a crop below which a part counts as not there."""


@dataclass(frozen=True)
class Ingredient:
    """A picture that goes into a mixture."""

    crop: HeadCrop
    shares: Floats | None
    """(11,h,w) over the crop: how sure a face parser is of each label; None where there is no parser."""

    @cached_property
    def parts(self) -> Floats:
        """(3,s,s): how sure each of PARTS is, at most 256 px."""
        size = min(SMALL, self.crop.size)
        if self.shares is None:
            return np.stack([np.zeros((size, size)), np.ones((size, size)), np.zeros((size, size))]).astype(np.float32)
        hair, back = self.shares[LABELS.index("hair")], self.shares[LABELS.index("background")]
        return np.stack([resized(part, (size, size)) for part in (back, 1 - hair - back, hair)])

    @cached_property
    def distances(self) -> Floats:
        """(s,s,3): how far each pixel lies inside each part, in shares of the crop's side; negative outside."""
        inside = self.parts.argmax(axis=0)
        # Hair that is drawn out beyond the photo's edge has no shape.
        beyond = resized(self.crop.valid.astype(np.float32), inside.shape) < 0.5
        inside[beyond & (inside == PARTS.index("hair"))] = PARTS.index("back")
        found = []
        for part in range(len(PARTS)):
            mask = (inside == part).astype(np.uint8)
            within, without = (
                cv2.distanceTransform(np.pad(m, 1, mode="edge"), cv2.DIST_L2, 5) for m in (mask, 1 - mask)
            )
            # Of a part that is nowhere, everything is far outside.
            distance = np.minimum(within, mask.shape[0])[1:-1, 1:-1] - np.minimum(without, mask.shape[0])[1:-1, 1:-1]
            found.append(cv2.GaussianBlur(distance / mask.shape[0], (0, 0), 1.0))
        return np.stack(found, axis=-1).astype(np.float32)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(3,): whether each part is there."""
        return np.asarray(self.parts.mean(axis=(1, 2)) > FEW)

    def bases(self, picture: Picture) -> Floats:
        """(s,s,9): the smooth colour of each part of the crop, seen or not, as a picture (S,S,3) of the crop has it."""
        size = self.parts.shape[1]
        small = resized(picture.astype(np.float32), (size, size))
        # At a rim colours are mixed.
        sure = np.clip(self.distances / np.float32(RIM) - 0.5, 1e-4, 1) * np.square(self.parts.transpose(1, 2, 0))
        return np.concatenate([mean_nearby(small, sure[..., part], FACE * size) for part in range(3)], axis=2)

    @cached_property
    def base(self) -> Floats:
        """The photo's own `bases`."""
        return self.bases(self.crop.picture)


def opacities(distances: Floats, soft: float = SOFT, apart: bool = False) -> Floats:
    """(…,3): how much of each pixel each part is, summing to 1, by how far inside each it lies (…,3).

    apart: whether hair ends where it ends, and whichever else is nearer is seen there; otherwise what is nearest."""
    # Channel by channel, since numpy is slow along an axis of three.
    most = np.maximum(np.maximum(distances[..., 0], distances[..., 1]), distances[..., 2])[..., None]
    power = np.exp((distances - most) / np.float32(soft))
    if apart:
        hair = np.asarray(1 / (1 + np.exp(np.clip(-2 / soft * distances[..., 2:], -30, 30))), dtype=np.float32)
        both = power[..., :2] + np.float32(1e-12)
        return np.concatenate([(1 - hair) * both / (both[..., :1] + both[..., 1:]), hair], axis=-1)
    total = power[..., 0] + power[..., 1] + power[..., 2]
    return np.asarray(power / total[..., None], dtype=np.float32)
