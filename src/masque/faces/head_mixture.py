"""One head of several: the photos' own pixels, bent to the shape in between and put together part by part.

A plain dissolve shows two outlines of everything that landmarks do not hold: hair, collars, fringes. So each picture is
taken apart into hair, face and what is behind. Of each part the smooth base colour is known everywhere, also where the
picture hides it; where a part ends is a signed distance, and distances are what is mixed (Cohen-Or et al. 1998), so
that one outline goes from one shape to the other. What a picture has beyond its base colours, its detail, is taken from
those pictures that show the same part at that place, and keeps its strength though textures of several people cancel
each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from masque.faces.crop import Field, moved_grid
from masque.faces.head_parts import PARTS, RIM, SOFT, Floats, Ingredient, opacities
from masque.faces.matte import resized
from masque.faces.mean_face import with_forehead
from masque.image import Picture

Weights = NDArray[np.float64]
"""How much of each of N pictures, (N,) or in rows (3,N), summing to 1."""
Points = NDArray[np.float64]
"""(106,2) pixels of a crop: landmarks, forehead, rim."""
LUMINANCE = np.array([0.299, 0.587, 0.114])
"""Of R, G and B."""
CELLS = 40
"""Cells of the grid on which thin plates are evaluated, across a crop."""
STIFFNESS = 2e-4
"""Smoothing of the thin plates: landmarks are found to within a pixel or two."""
HALO, MOVED = 0.025, 0.012
"""How far from an outline, in the same shares, detail belongs to it, light and dark lines that cameras leave beside it
included; and how far the outline may have moved for it to fit still."""
GRAIN = 0.1
"""Levels of 255: detail that is weaker is none."""
ENERGY = 0.012
"""Over which distance the strength of detail is measured, in shares of the crop's side."""
GAIN = 1.8
"""How much at most mixed detail is strengthened."""
HIDDEN = 0.02
"""How much say in a face's detail a picture has that has none: it may be the only one whose forehead is seen."""
UNSURE = (0.01, 0.3)
"""How soon detail is left out where it hardly fits, of mixtures of whole heads and of those with others' hair."""
NOBODYS = np.float32(4)
"""How much farther away than it is a part counts where no picture shows it."""
FEATURES = slice(17, 68)
"""Landmarks of brows, eyes, nose and mouth."""


@dataclass(frozen=True)
class Proportions:
    """How much of each of N pictures is in a mixture; rows of parts in the order of PARTS."""

    outline: Weights
    """(N,): whose outline of head and picture."""
    features: Weights
    """(N,): whose brows, eyes, nose and mouth, in shape."""
    parts: Weights
    """(3,N): whose colours and detail each part has."""
    layout: Weights
    """(3,N): whose each part is in where it begins and ends."""
    lit: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """How much each part is changed by what is added to a mixture."""

    @classmethod
    def all_of(cls, weights: Weights) -> Proportions:
        """So much (N,) of each picture in everything."""
        rows = np.stack([weights] * len(PARTS))
        return cls(weights, weights, rows, rows)

    @property
    def one(self) -> int | None:
        """The number of the picture that the mixture is made of alone; None of several."""
        rows = np.vstack([self.outline, self.features, self.parts, self.layout])
        (whole,) = np.nonzero((rows == 1).all(axis=0))
        return int(whole[0]) if len(whole) and (rows.sum(axis=1) == 1).all() and (rows >= 0).all() else None


class Mixture:
    """What all mixtures of some pictures have in common."""

    def __init__(self, ingredients: Sequence[Ingredient]) -> None:
        """ingredients: crops of one size."""
        self.ingredients = list(ingredients)
        self.size = ingredients[0].crop.size
        self.points = np.stack([with_rim(one.crop.landmarks, self.size) for one in ingredients])

    def shape(self, proportions: Proportions) -> Points:
        """(106,2): landmarks, forehead and rim of a mixture."""
        outline, features = (
            np.einsum("n,nij->ij", weights, self.points) for weights in (proportions.outline, proportions.features)
        )
        outline[FEATURES] = features[FEATURES]
        return np.asarray(outline, dtype=np.float64)

    def mixed(self, proportions: Proportions, points: Points | None = None, light: Floats | None = None) -> Picture:
        """A mixture (S,S,3); the picture itself, bit for bit, where it is of one alone.

        points: its shape (106,2), if not as the proportions say. light: (h,w,3), added to what comes out."""
        one = proportions.one
        if one is not None and points is None and light is None:
            return self.ingredients[one].crop.picture
        at = self.shape(proportions) if points is None else points
        mixed = _Mixing(self, proportions, at).picture(light)
        return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def with_rim(landmarks: NDArray[np.generic], size: int) -> Points:
    """(106,2): the landmarks (68,2) of a crop, points of its forehead and of its rim."""
    last = size - 1
    places = np.linspace(0, last, 5)
    rim = [(x, y) for x in places for y in places if x in (0, last) or y in (0, last)]
    return np.concatenate([with_forehead(landmarks), np.array(rim)])


def bending(points: Points, own: Points, size: int) -> Field:
    """The field by which a crop's own points (N,2) come to lie on others, by thin plates (Bookstein 1989)."""
    at = (np.arange(CELLS) + 0.5) * size / CELLS - 0.5
    grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    plates = RBFInterpolator(points / size, (own - points) / size, kernel="thin_plate_spline", smoothing=STIFFNESS)
    return np.ascontiguousarray((size * plates(grid / size)).reshape(CELLS, CELLS, 2), dtype=np.float32)


class _Mixing:
    """One mixture on its way."""

    def __init__(self, mixture: Mixture, proportions: Proportions, points: Points) -> None:
        self.of, self.size = mixture.ingredients, mixture.size
        self.fields = [bending(points, own, self.size) for own in mixture.points]
        self.small = self.of[0].parts.shape[1]
        present = np.stack([one.present for one in self.of])
        self.weights = _of_present(proportions.parts, present)
        self.distances = _of_absent(np.stack([self._bent(one.distances, n) for n, one in enumerate(self.of)]), present)
        self.bases = [self._bent(one.base, n).reshape(self.small, self.small, 3, 3) for n, one in enumerate(self.of)]
        self.apart = not np.array_equal(proportions.layout[1], proportions.layout[2])
        self.distance = self._mixed_distances(proportions.layout)
        self.chosen = self._chosen(proportions.layout)
        self.lit = np.array(proportions.lit, np.float32)

    def _mixed_distances(self, layout: Weights) -> Floats:
        """(s,s,3): how far inside each part each pixel of the mixture lies."""
        mixed = np.einsum("pn,nyxp->yxp", layout, self.distances).astype(np.float32)
        if self.apart:
            # What hair hid is behind it as the picture whose hair comes has it.
            own, other = (np.einsum("n,nyxp->yxp", layout[row], self.distances).astype(np.float32) for row in (1, 2))
            mixed[..., :2] += opacities(own)[..., 2:] * (other - own)[..., :2]
        return mixed

    def _chosen(self, layout: Weights) -> Floats:
        """(s,s,3): the same, where a part that no picture shows counts as far away: where one has hair and another the
        wall, neither has a face, though its rim is nearest on average."""
        if self.apart:
            return self.distance
        shown = np.max(self.distances[layout.max(axis=0) > 0], axis=0)
        return np.asarray(self.distance + NOBODYS * np.minimum(shown, 0), dtype=np.float32)

    def _bent(self, values: Floats, number: int) -> Floats:
        """Small values (s,s,C) of a picture where its pixels go."""
        x, y = moved_grid(self.fields[number] * np.float32(self.small / self.size), self.small)
        bent = [
            cv2.remap(
                np.ascontiguousarray(values[..., first : first + 3]),
                *(x, y, cv2.INTER_LINEAR),
                borderMode=cv2.BORDER_REPLICATE,
            )
            for first in range(0, values.shape[2], 3)
        ]
        return np.concatenate(bent, axis=2).astype(np.float32)

    def picture(self, light: Floats | None) -> Floats:
        """(S,S,3): base colours and detail. light: (h,w,3), added to the base colours."""
        opacity, whole = opacities(self.chosen, apart=self.apart), (self.size, self.size)
        colours = [
            sum(float(weight) * base[:, :, part] for weight, base in zip(self.weights[part], self.bases, strict=True))
            for part in range(len(PARTS))
        ]
        mixed = sum(opacity[..., part, None] * colour for part, colour in enumerate(colours))
        if light is not None:
            mixed = mixed + (opacity @ self.lit)[..., None] * resized(light, (self.small, self.small))
        shares = [resized(share, whole)[..., None] for share in self._shares(opacity)]
        return resized(np.asarray(mixed, dtype=np.float32), whole) + strengthened(self._details(), shares)

    def _details(self) -> list[Floats]:
        """(S,S,3) of each picture: what it has beyond its base colours, bent along."""
        found = []
        for n, one in enumerate(self.of):
            own = opacities(self.distances[n])
            base = np.asarray(sum(own[..., part, None] * self.bases[n][:, :, part] for part in range(3)), np.float32)
            found.append(one.crop.bent(self.fields[n]) - resized(base, (self.size, self.size)))
        return found

    def _alike(self, own: Floats) -> Floats:
        """(s,s): how far a picture with its own distances (s,s,3) shows there what the mixture shows."""
        wide = opacities(self.chosen, RIM, self.apart)
        a, b, c = np.moveaxis(np.abs(wide - opacities(own, RIM)), 2, 0)
        same = 1 - 0.5 * (a + b + c)
        a, b, c = np.moveaxis(own, 2, 0)
        first, last = np.maximum(np.maximum(a, b), c), np.minimum(np.minimum(a, b), c)
        margin = 2 * first + last - (a + b + c)  # of the part that is seen over the next
        near = np.exp(-np.square(margin / (2 * HALO)))
        a, b, c = np.moveaxis(np.abs(self.distance - own), 2, 0)
        moved = np.maximum(np.maximum(a, b), c)
        return np.asarray(np.square(same) * np.exp(-near * np.square(moved / MOVED)), dtype=np.float32)

    def _shares(self, opacity: Floats) -> list[Floats]:
        """(s,s) of each picture: how much of its detail is taken; 1 in all where any shows the mixture's part."""
        alike = [self._alike(own) for own in self.distances]
        said = self.weights.copy()
        said[1] = (1 - HIDDEN) * said[1] + HIDDEN / len(self.of)
        heard = [opacity @ said[:, n] for n in range(len(self.of))]
        agreed = [one * weight for one, weight in zip(alike, heard, strict=True)]
        fits = np.max([one * np.minimum(1, 5 * weight) for one, weight in zip(alike, heard, strict=True)], axis=0)
        total = np.sum(agreed, axis=0) + UNSURE[self.apart] * (1 - fits) + 1e-5
        return [(one / total).astype(np.float32) for one in agreed]


def _of_present(weights: Weights, present: NDArray[np.bool_]) -> Weights:
    """Weights (3,N) of parts, where those of pictures that have no such part go to those that have.

    present: (N,3)."""
    kept = weights * present.T
    missing = np.abs(kept).sum(axis=1, keepdims=True) < 1e-6
    there = np.where(missing, present.T, kept)
    total = there.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, there / np.maximum(total, 1e-9), weights), dtype=np.float64)


def _of_absent(distances: Floats, present: NDArray[np.bool_]) -> Floats:
    """Distances (N,s,s,3), where those of a part that a picture has not are the other pictures', all of it outside: it
    grows from its middle."""
    for part in range(len(PARTS)):
        there = distances[present[:, part], ..., part]
        if len(there) and not present[:, part].all():
            shrunk = there.mean(axis=0)
            distances[~present[:, part], ..., part] = shrunk - shrunk.max() - SOFT
    return distances


def strengthened(details: Sequence[Floats], shares: Sequence[Floats]) -> Floats:
    """The mean (H,W,3) of details by their shares (H,W,1), as strong in each place as they are by themselves."""
    mixed = np.sum([share * detail for share, detail in zip(shares, details, strict=True)], axis=0)
    wanted = np.sum([share[..., 0] * _strength(detail) for share, detail in zip(shares, details, strict=True)], axis=0)
    gain = np.clip((wanted + GRAIN) / (_strength(mixed) + GRAIN), 1, GAIN)
    return np.asarray(mixed * gain[..., None], dtype=np.float32)


def _strength(detail: Floats) -> Floats:
    """(H,W): root mean square of the light of a detail (H,W,3) around each pixel."""
    light = np.asarray(cv2.transform(detail, LUMINANCE[None]), dtype=np.float32)
    height, width = light.shape[:2]
    half = resized(np.square(light), (width // 2, height // 2))
    soft = resized(np.asarray(cv2.GaussianBlur(half, (0, 0), ENERGY * width / 2), np.float32), (width, height))
    return np.sqrt(np.maximum(0, soft))
