"""Photos on the way into one another: their own pixels, with the low frequencies of what a network says between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.parser import ParserSession
from masque.edits.subject import Detail, Subject, SubjectParser
from masque.errors import ValueRangeError
from masque.faces.bend import face_axes
from masque.faces.crop import HeadCrop, cut_head, own_size
from masque.faces.detect import Landmarks, landmarks_near
from masque.faces.frame import at_scale, identity_matrix, zoom
from masque.faces.head_mixture import FEATURES, LUMINANCE, Mixture, Points, Proportions
from masque.faces.head_parts import PARTS, Floats, Ingredient
from masque.faces.tones import fade
from masque.given import whole
from masque.image import Picture, to_tensor
from masque.jsonfile import JSON

Part = Literal["face", "hair", "both"]
"""What goes from one photo's to the other's."""

LARGEST = 512
"""Side in pixels of what comes out unless another is asked for, or the photos' own if they are smaller."""
SIZES = (64, 2048)
"""The sides that may be asked for."""
LOW, MOST = 0.08, 24.0
"""Standard deviation of the Gaussian below which the network decides, in shares of the crop's side, since finer than
that its shape is not exactly the photos'; and by how many levels of 255 at most, since between faces that it has learnt
it paints stains."""


APART = 0.9
"""How differently two faces look to the side, in half face widths of the nose's tip, at which bending fails."""


def checked_size(size: int | None, detail: Detail = "keep") -> int | None:
    """A side that is asked for. Raises ValueRangeError for one that is out of range, or that detail has no use for."""
    if size is None:
        return None
    if detail == "network":
        raise ValueRangeError("A network's own pictures have one size: leave out size, or detail=network.")
    size = whole("size", size)
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueRangeError(f"size is {size} and must be from {SIZES[0]} to {SIZES[1]}.")
    return size


def size_for(subjects: Sequence[Subject], size: int | None = None) -> int:
    """The side of what comes out: as asked for, or as large as the largest face has pixels, at most 512; even, so that
    films can hold it."""
    if size is not None:
        return size
    largest = max(own_size(subject.face.landmarks) for subject in subjects)
    return min(LARGEST, max(*(subject.size for subject in subjects), largest + largest % 2))


def turned_apart(subjects: Sequence[Subject]) -> list[JSON]:
    """A note where faces that follow one another look to different sides, which no bending brings together."""
    seen = [_facing(subject.face.landmarks) for subject in subjects]
    pairs = [
        f"{one.name} and {other.name}"
        for one, other, a, b in zip(subjects, subjects[1:], seen, seen[1:], strict=False)
        if abs(a - b) > APART
    ]
    return [f"{pair} look to different sides: pictures between them show parts of both." for pair in pairs]


def _facing(landmarks: Landmarks) -> float:
    """How far to the picture's right a face looks: -1 and 1 are about profiles."""
    across, _ = face_axes(landmarks)
    right, tip, left = (float(landmarks[number] @ across) for number in (0, 30, 16))
    return (2 * tip - right - left) / max(1e-6, left - right)


def ingredient(
    subject: Subject, parser: SubjectParser | None, size: int, tone: NDArray[np.float64] | None = None
) -> Ingredient:
    """A subject's photo, cut at a size.

    parser: a face parser; without, the picture is not taken apart. tone: (3,), what black-and-white pixels are
    multiplied by."""
    photo = subject.photo
    if tone is not None:
        photo = np.clip(np.rint(fade(photo, 0.0) * tone), 0, 255).astype(np.uint8)
    return _parsed(cut_head(photo, subject.face.landmarks, size), parser)


def tone_of(one: Ingredient, part: str) -> NDArray[np.float64]:
    """(3,): by how much more red, green and blue than grey a part of a picture is, one of `head_parts.PARTS`."""
    weight = one.parts[PARTS.index(part)]
    base = one.base[..., 3 * PARTS.index(part) :][..., :3]
    colour = (base * weight[..., None]).sum(axis=(0, 1)) / max(1e-6, float(weight.sum()))
    return np.asarray(colour / max(1.0, float(colour @ LUMINANCE)), np.float64)


def painted(picture: Picture, expected: Landmarks, parser: SubjectParser | None, size: int) -> Ingredient:
    """A network's picture (S,S,3) at another size, in the place of a photo that there is none of.

    expected: landmarks (68,2) about where its face is, in its pixels."""
    factor = size / len(picture)
    found = landmarks_near(picture, expected)
    landmarks = at_scale(expected if found is None else found, factor).astype(np.float32)
    large = cv2.warpAffine(picture, zoom(factor), (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    whole_crop = np.ones((size, size), np.bool_)
    return _parsed(HeadCrop(np.asarray(large, np.uint8), landmarks, picture, zoom(factor), whole_crop), parser)


def _parsed(crop: HeadCrop, parser: SubjectParser | None) -> Ingredient:
    if not isinstance(parser, ParserSession):
        return Ingredient(crop, None)
    how = cv2.INTER_AREA if crop.size > parser.size else cv2.INTER_CUBIC
    seen = np.asarray(cv2.resize(crop.picture, (parser.size, parser.size), interpolation=how), np.uint8)
    with parser.inference():
        shares = parser.model.shares(to_tensor(seen).to(parser.device)).float()
    return Ingredient(crop, np.asarray(shares[0].cpu().numpy(), np.float32))


def towards(part: Part, share: float) -> Proportions:
    """What a mixture of two pictures is made of, `share` of the way from the first to the second.

    part: what goes. A face keeps the outline and the place among the hair that the first picture's has."""
    first, along = np.array([1.0, 0.0]), np.array([1 - share, share])
    if part == "both":
        return Proportions.all_of(along)
    if part == "face":
        return Proportions(first, along, np.stack([first, along, first]), np.stack([first] * 3), (0.0, 1.0, 0.0))
    rows = np.stack([first, first, along])
    return Proportions(first, first, rows, rows, (0.0, 0.0, 1.0))


class GuidedMixture:
    """Mixtures of photos that a network's pictures guide."""

    def __init__(self, ingredients: Sequence[Ingredient], reconstructions: Sequence[Picture]) -> None:
        """ingredients: the photos. reconstructions: what the network makes of each of them as it is, (s,s,3)."""
        self.photos = Mixture(ingredients)
        self.network = Mixture(
            [_in_place_of(one, picture) for one, picture in zip(ingredients, reconstructions, strict=True)]
        )

    def mixed(
        self, proportions: Proportions, guide: Picture, points: Points | None = None, most: float = MOST
    ) -> Picture:
        """A mixture (S,S,3); a photo's own crop, bit for bit, where it is of that alone.

        guide: the network's picture of it (s,s,3). Where it differs from the mixture of its own reconstructions, it
        knows better, and the difference is added below `LOW`, up to `most` levels of it. points: the shape (106,2), if
        not as the proportions say."""
        if points is None and proportions.one is not None:
            return self.photos.mixed(proportions)
        smaller = None if points is None else at_scale(points, len(guide) / self.photos.size)
        own = self.network.mixed(proportions, smaller)
        return self.photos.mixed(proportions, points, low(np.subtract(guide, own, dtype=np.float32), most))

    def follow(self, start: Picture, guide: Picture) -> Points:
        """(106,2): the first photo's shape, its landmarks gone where the network moves them.

        start, guide: the network's pictures (s,s,3) of the first photo, and of what it becomes. Where no face is
        found in them the shape stays."""
        points = self.photos.points[0].copy()
        expected = self.network.ingredients[0].crop.landmarks
        before, after = landmarks_near(start, expected), landmarks_near(guide, expected)
        if before is not None and after is not None:
            moved = (after - before) * (self.photos.size / len(guide))
            points[: FEATURES.stop] += moved[: FEATURES.stop]
        return points


def _in_place_of(photo: Ingredient, picture: Picture) -> Ingredient:
    """A network's picture (s,s,3) with the landmarks and parts of the photo that it shows."""
    size = len(picture)
    landmarks = at_scale(photo.crop.landmarks, size / photo.crop.size).astype(np.float32)
    crop = HeadCrop(picture, landmarks, picture, identity_matrix(), np.ones((size, size), np.bool_))
    return Ingredient(crop, photo.shares)


def low(values: Floats, most: float = MOST) -> Floats:
    """The low frequencies of (s,s,3), none beyond `most`."""
    soft = cv2.GaussianBlur(values, (0, 0), LOW * len(values), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(most * np.tanh(soft / most), np.float32)
