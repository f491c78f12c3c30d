"""Where a subject's hair and skin are, at the photo's own size: what every edit of the photo's own pixels is kept
within."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from masque.edits.found import Found, kept
from masque.edits.parser import ParserSession
from masque.edits.subject import Shares, Subject, undyed
from masque.faces.detect import Landmarks
from masque.faces.frame import Matrix, align, chain, transform, warp, warp_photo
from masque.faces.labels import LABELS
from masque.faces.matte import (
    Floats,
    of_the_same_colour,
    one_head,
    refine_along_edges,
    refine_along_strands,
    resized,
    taken_from_skin,
    without_haze,
)
from masque.faces.paste import feathered_square, into_region, region_of
from masque.faces.regions import HAIR_CROP
from masque.faces.strips import Box
from masque.image import Picture, to_tensor

SHARES_ACROSS = 256
"""Pixels across the face of the label shares: twice what the parser sees, so that nothing is lost by turning."""

LARGEST = 2048
"""Longer side in pixels up to which mattes are as large as their part of the photo."""

WIDE = 1.6
"""How many times as wide as the hair crop the second look is: long hair ends beyond the crop. Farther out the parser
sees faces too small."""

LOWER = 0.06
"""How much lower the second look is, in shares of its side: hair is long below."""

SOFT_EDGE = 0.1
"""The share of the first look's side over which it fades into the second."""

UNSURE = (0.6, 0.95)
"""Shares of hair up to which the colour has to agree, and from which it need not."""

RIM, RIM_KEPT = 0.025, 3.0
"""How far around sure hair, in face widths, its colour may be mixed with others; and how soon that ends."""

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
    found: Found = field(default_factory=Found, compare=False, repr=False)
    """What edits have found by them."""

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

    parser: a loaded face parser. It looks twice, at the hair crop that it has learnt from and at a wider and lower one,
    since long hair ends beyond the first; both looks are joined softly and refined by the photo's own pixels. They are
    found once of a face, and not to be written into."""
    return subject.found.once(("mattes", *parser.key), lambda: _found(parser, undyed(subject)))


def _found(parser: ParserSession, subject: Subject) -> Mattes:
    landmarks = subject.face.landmarks
    face_width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    looks = _looks(landmarks, parser.size)
    box = region_of(subject.photo, looks[1], parser.size)
    assert box is not None  # the face lies in the photo
    scale = min(1.0, SHARES_ACROSS / face_width)
    part = subject.photo[box[1] : box[3], box[0] : box[2]]
    small = _area_averaged(part, scale)
    to_small = _enlarging(box, small.shape[1::-1])
    shares, near = _joined(_looked(parser, subject.photo, looks), looks, box, small.shape[1::-1])
    middle = transform(landmarks[27:28], chain(_moved(box), to_small))[0]
    shares = _with_own_hair(shares, near, small, middle, face_width * scale)
    part = _area_averaged(part, min(1.0, LARGEST / max(part.shape[:2])))
    hair, skin = _refined(part, shares, face_width * part.shape[1] / (box[2] - box[0]))
    return Mattes(box, kept(shares), kept(hair), kept(skin), face_width)


def mattes_of_shares(subject: Subject, shares: Shares) -> Mattes:
    """The mattes of a subject by what is known of its hair crop alone: shares (11,S,S) of the labels at each pixel."""
    size = shares.shape[1]
    shares = shares.copy()
    shares[LABELS.index("background")] += np.clip(1 - shares.sum(axis=0), 0, 1)  # where nothing is known of any part
    matrix = chain(subject.frame.matrix, HAIR_CROP.to_crop(size, subject.frame.scale))
    face_width = float(np.linalg.norm(subject.face.landmarks[16] - subject.face.landmarks[0]))
    box = region_of(subject.photo, matrix, size)
    assert box is not None  # the face lies in the photo
    part = subject.photo[box[1] : box[3], box[0] : box[2]]
    small = _area_averaged(part, min(1.0, SHARES_ACROSS / face_width))
    joined, _ = _joined(np.stack([shares, shares]), [matrix, matrix], box, small.shape[1::-1])
    part = _area_averaged(part, min(1.0, LARGEST / max(part.shape[:2])))
    hair, skin = _refined(part, joined, face_width * part.shape[1] / (box[2] - box[0]))
    return Mattes(box, joined, hair, skin, face_width)


def _looks(landmarks: Landmarks, size: int) -> list[Matrix]:
    """Photo pixels -> pixels of what the parser is shown: the hair crop, and a wider square that reaches lower."""
    crop = chain(align(landmarks), HAIR_CROP.to_crop(size, 1.0))
    left = (size - 1) / 2 * (1 - 1 / WIDE)
    return [crop, chain(crop, np.array([[1 / WIDE, 0, left], [0, 1 / WIDE, left - LOWER * size]]))]


def _moved(box: Box) -> Matrix:
    """Photo pixels -> pixels of the box."""
    return np.array([[1.0, 0, -box[0]], [0, 1.0, -box[1]]])


def _enlarging(box: Box, size: Sequence[int]) -> Matrix:
    """Pixels of the box -> pixels of a picture of it of `size` (width, height)."""
    across, down = size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1])
    return np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5]])


def _area_averaged(picture: Picture, scale: float) -> Picture:
    """A picture (H,W,3) shrunk to `scale`; as it is at 1."""
    if scale == 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _looked(parser: ParserSession, photo: Picture, looks: list[Matrix]) -> NDArray[np.float32]:
    """(N,11,S,S): what the parser sees through each of N transforms."""
    size = (parser.size, parser.size)
    seen = [warp_photo(photo, look, size, parser.size / HAIR_CROP.side)[0] for look in looks]
    with parser.inference():
        shares = parser.model.shares(to_tensor(seen).to(parser.device)).to(torch.float32)
    return np.asarray(shares.cpu().numpy(), dtype=np.float32)


def _joined(
    seen: NDArray[np.float32], looks: list[Matrix], box: Box, size: Sequence[int]
) -> tuple[NDArray[np.float32], Floats]:
    """Shares (11,h,w) over the box at `size` (width, height): the first look where it reaches, with a soft edge, and
    the second beyond; and how far they are the first's, (h,w)."""
    width, height = size
    backs = [chain(into_region(look, box)[0], _enlarging(box, size)) for look in looks]
    edge = feathered_square(seen.shape[2], SOFT_EDGE).astype(np.float32) / np.float32(255)
    near = warp(edge, backs[0], (width, height), border=cv2.BORDER_CONSTANT)
    shares = np.empty((len(LABELS), height, width), np.float32)
    for first in range(0, len(LABELS), 4):  # OpenCV takes up to four channels, faster than one by one
        labels = range(first, min(first + 4, len(LABELS)))
        narrow, wide = (
            warp(np.ascontiguousarray(look[labels].transpose(1, 2, 0)), back, (width, height))
            for look, back in zip(seen, backs, strict=True)
        )
        for place, label in enumerate(labels):
            shares[label] = wide[..., place] + near * (narrow[..., place] - wide[..., place])
    # Cubic interpolation overshoots.
    np.clip(shares, 0, 1, out=shares)
    shares /= shares.sum(axis=0)
    return shares, near


def _with_own_hair(
    shares: NDArray[np.float32], near: Floats, picture: Picture, middle: NDArray[np.float32], face_width: float
) -> NDArray[np.float32]:
    """The shares (11,h,w) with what is hair of nobody, or of somebody else, counted as background.

    near: (h,w), how far they come from the look that the parser has learnt from. picture: (h,w,3). middle: between the
    eyes, and the face's width, in its pixels."""
    scaled = cv2.GaussianBlur(picture.astype(np.float32) / np.float32(255), (0, 0), 1)
    lab = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), dtype=np.float32)
    hair = taken_from_skin(lab, shares[HAIR], shares[SKIN[0]])
    shares[SKIN[0]] += shares[HAIR] - hair
    same = of_the_same_colour(lab, hair, near)
    sure = np.clip((hair - UNSURE[0]) / (UNSURE[1] - UNSURE[0]), 0, 1)
    # At the rim skin and wall are mixed into the colour of hair, and the matte tells them apart later.
    rim = np.clip(RIM_KEPT * cv2.GaussianBlur(sure, (0, 0), max(0.5, RIM * face_width)), 0, 1)
    known = near * np.maximum(sure, rim)
    own = one_head(without_haze(hair * (known + (1 - known) * same), face_width), middle, face_width)
    shares[LABELS.index("background")] += hair - own
    shares[HAIR] = own
    return shares


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
