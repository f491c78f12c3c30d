"""Where a subject's hair and skin are, at the photo's own size: what every edit of the photo's own pixels is kept
within."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from masque.edits.parser import ParserSession
from masque.edits.subject import Subject
from masque.faces.frame import Matrix, align, chain, warp, warp_photo
from masque.faces.labels import LABELS
from masque.faces.matte import Floats, refine_along_edges, refine_along_strands, resized
from masque.faces.paste import feathered_square, into_region, region_of
from masque.faces.regions import HAIR_CROP
from masque.image import Picture, to_tensor

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the photo."""

SHARES_ACROSS = 256
"""Pixels across the face of the label shares: twice what the parser sees, so that nothing is lost by turning."""

LARGEST = 2048
"""Longer side in pixels up to which mattes are as large as their part of the photo."""

WIDE = 1.7
"""How much more than the hair crop the wide look shows: long hair ends beyond the crop."""

SKIN = [LABELS.index("skin"), LABELS.index("nose")]
HAIR = LABELS.index("hair")
INNER = [LABELS.index(name) for name in LABELS if name not in ("background", "skin", "nose", "hair")]
"""Brows, eyes and mouth: never hair, whatever their colour."""


@dataclass(frozen=True)
class Mattes:
    """Where the parts of a head are, over a part of its photo."""

    box: Box
    """left, top, right, bottom: the part of the photo with head and hair."""
    shares: NDArray[np.float32]
    """(11,h,w) over the box: how sure the parser is of each label, summing to 1; about 256 px across the face, or as
    large as the box where that is smaller."""
    hair: NDArray[np.uint8]
    """(H,W) over the box, 0..255: how much of each pixel is hair. As large as the box, or 2,048 px on the longer
    side."""
    skin: NDArray[np.uint8]
    """(H,W) over the box, 0..255: how much of each pixel is bare skin of face, ears or neck."""
    face_width: float
    """Pixels of the photo from one side of the jaw to the other, below the ears."""

    @property
    def scale(self) -> float:
        """Pixels of `hair` and `skin` per pixel of the photo, along a line."""
        return self.hair.shape[1] / (self.box[2] - self.box[0])

    @property
    def hair_seen(self) -> float:
        """How much hair is seen: its area in squares of the face's width. About 1 for short hair, 0.1 and less for a
        shaved head."""
        return float(self.hair.mean()) / 255 * self.hair.size / (self.face_width * self.scale) ** 2


def find_mattes(parser: ParserSession, subject: Subject) -> Mattes:
    """The mattes of hair and skin of a subject, at the size of its photo.

    parser: a loaded face parser. It looks twice, at the hair crop that it has learnt from and at one 1.7 times as wide,
    since long hair ends beyond the first; both looks are joined softly and refined by the photo's own pixels."""
    crop = chain(align(subject.face.landmarks), HAIR_CROP.to_crop(parser.size, 1.0))
    middle = (parser.size - 1) / 2
    wider = np.array([[1 / WIDE, 0, middle * (1 - 1 / WIDE)], [0, 1 / WIDE, middle * (1 - 1 / WIDE)]])
    looks = [crop, chain(crop, wider)]
    box = region_of(subject.photo, looks[1], parser.size)
    assert box is not None  # the face lies in the photo
    landmarks = subject.face.landmarks
    face_width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    shares = _joined(_looked(parser, subject.photo, looks), looks, box, face_width)
    part = subject.photo[box[1] : box[3], box[0] : box[2]]
    scale = min(1.0, LARGEST / max(part.shape[:2]))
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    part = part if scale == 1 else np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    hair, skin = _refined(part, shares, face_width * scale)
    return Mattes(box, shares, hair, skin, face_width)


def _looked(parser: ParserSession, photo: Picture, looks: list[Matrix]) -> NDArray[np.float32]:
    """(N,11,S,S): what the parser sees through each of N transforms."""
    size = (parser.size, parser.size)
    seen = [warp_photo(photo, look, size, parser.size / HAIR_CROP.side)[0] for look in looks]
    with parser.inference():
        shares = parser.model.shares(to_tensor(seen).to(parser.device)).to(torch.float32)
    return np.asarray(shares.cpu().numpy(), dtype=np.float32)


def _joined(seen: NDArray[np.float32], looks: list[Matrix], box: Box, face_width: float) -> NDArray[np.float32]:
    """(11,h,w) over the box: the first look where it reaches, with a soft edge, and the second beyond."""
    scale = min(1.0, SHARES_ACROSS / face_width)
    size = (max(1, round((box[2] - box[0]) * scale)), max(1, round((box[3] - box[1]) * scale)))
    ratio = np.array([[size[0] / (box[2] - box[0])], [size[1] / (box[3] - box[1])]])
    enlarge = np.hstack([np.diag(ratio[:, 0]), 0.5 * ratio - 0.5])
    backs = [chain(into_region(look, box)[0], enlarge) for look in looks]
    edge = feathered_square(seen.shape[2], 0.2).astype(np.float32) / 255
    near = warp(edge, backs[0], size, border=cv2.BORDER_CONSTANT)
    shares = np.empty((len(LABELS), size[1], size[0]), np.float32)
    for label in range(len(LABELS)):
        narrow, wide = (warp(look[label], back, size) for look, back in zip(seen, backs, strict=True))
        shares[label] = wide + near * (narrow - wide)
    # Cubic interpolation overshoots.
    np.clip(shares, 0, 1, out=shares)
    return shares / shares.sum(axis=0)


def _refined(part: Picture, shares: NDArray[np.float32], face_width: float) -> tuple[NDArray[np.uint8], ...]:
    """The mattes of hair and of skin, 0..255, of a part of the photo."""
    size = (part.shape[1], part.shape[0])
    light = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), dtype=np.float32) / np.float32(255)
    hair = refine_along_strands(part.astype(np.float32) / np.float32(255), shares[HAIR], face_width)
    skin = refine_along_edges(light, np.add(*shares[SKIN]), face_width)
    inner = resized(_widened(shares[INNER].sum(axis=0), face_width * shares.shape[2] / size[0]), size)
    hair = hair * (1 - inner)
    return _bytes(hair), _bytes(np.minimum(skin, 1 - hair))


def _widened(inner: Floats, face_width: float) -> Floats:
    """The share of brows, eyes and mouth with a soft rim around them."""
    sigma = max(0.5, 0.012 * face_width)
    return np.clip(1.5 * cv2.GaussianBlur(inner, (0, 0), sigma), 0, 1, dtype=np.float32)


def _bytes(matte: Floats) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.clip(matte, 0, 1)), dtype=np.uint8)
