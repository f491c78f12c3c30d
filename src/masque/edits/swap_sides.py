"""A face as it comes to lie in another photo: as it is, and mirrored. What the face's own side does not show, because
hair or a hand is before it or because it is turned away, is taken from its other side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.mattes import Mattes
from masque.edits.subject import Subject, SubjectParser, cut_again
from masque.edits.swap_mask import outline, part_zones, visible
from masque.faces.carried import Canvas, Carried, carry, carry_mirrored, resampled, sources, stretch
from masque.faces.frame import Matrix
from masque.faces.outlines import hull_of
from masque.faces.shape3d import Floats, ShapeModel
from masque.faces.skin_match import Maps, blurred
from masque.image import Picture

TURNED, BETTER = 15.0, 8.0
"""From how many degrees between two heads on the mirrored face is carried, where it is nearer by so many degrees."""

LITTLE = 0.01
"""What share of a face's region may be hidden without a look at its other side."""

HIDDEN = 0.12
"""What share of a brow or an eye may be hidden before the mirrored one is taken in its place."""


@dataclass(frozen=True)
class Side:
    """A face carried onto a canvas of another photo. Maps are (h,w) over the canvas."""

    carried: Carried
    field: Maps
    """(h,w,2): where in its own photo each pixel comes from."""
    shares: Maps
    """(11,h,w): how sure the parser is of each label."""
    seen: Maps
    """How surely the face shows itself, in [0,1]."""
    picture: Picture
    """(h,w,3)"""
    share: Maps
    """How far it is taken in place of the sides before it, in [0,1]."""
    painted: bool = False
    """Whether the picture is a network's, and there are no finer pixels."""


def carried_both_ways(
    shapes: ShapeModel, source: Subject, moved: Floats, there: NDArray[np.generic]
) -> tuple[Carried, Carried]:
    """A face carried as it is and mirrored; the first is the one to begin with, which is the mirrored one where the
    other head is turned to the other side.

    moved: the face's landmarks (68,2) in its photo with the expression that it is to have. there: the other's."""
    own = source.face.landmarks
    plain = carry(shapes, own, there, moved)
    mirrored = carry_mirrored(shapes, own, there, moved, source.photo.shape[1])
    swapped = plain.turned > TURNED and mirrored.turned < plain.turned - BETTER
    return (mirrored, plain) if swapped else (plain, mirrored)


def needs_mirroring(side: Side, canvas: Canvas) -> bool:
    """Whether so much of a face is hidden that its mirrored side is worth a look."""
    region = hull_of(outline(side.carried, canvas), canvas.size) > 0
    return bool((side.seen[region] < 0.5).mean() > LITTLE)


def make_side(carried: Carried, canvas: Canvas, source: Subject, looked: Looked, ratio: float) -> Side:
    """A face on the canvas of another photo.

    source: whose face it is. looked: what the parser sees of it. ratio: pixels of its photo per pixel of the other."""
    field = sources(carried, canvas)
    shares = shares_at(looked, field[..., 0], field[..., 1])
    area = stretch(field, carried.mirror is not None)
    region = hull_of(outline(carried, canvas), canvas.size)
    seen = visible(shares, area, region, canvas)
    picture = resampled(source.photo, field, ratio / canvas.scale)
    return Side(carried, field, shares, seen, picture, np.ones_like(seen))


def mirrored_share(side: Side, back: Side, canvas: Canvas) -> Maps:
    """How far each pixel is taken from the face's other side, (h,w) in [0,1]: where its own does not show itself and
    the other does. Brows and eyes are taken whole or not at all."""
    hidden, there = side.seen < 0.5, back.seen > 0.5
    wanted = (hidden & there).astype(np.float32)
    for zone in part_zones(canvas.points(side.carried.onto), canvas):
        inside = zone > 0
        lacking = float(hidden[inside].mean())
        better = lacking > HIDDEN and float(there[inside].mean()) > 1 - lacking
        wanted[inside] = float(better)
    grown = cv2.dilate(wanted, np.ones((max(1, round(0.03 * canvas.width)),) * 2))
    return blurred(grown * (back.seen > 0.3), 0.012 * canvas.width)


@dataclass(frozen=True)
class Looked:
    """What the parser sees of a face."""

    shares: Maps
    """(11,S,S): how sure it is of each label."""
    matrix: Matrix
    """Photo pixels -> pixels of `shares`."""


def look_once(parser: SubjectParser, subject: Subject, size: int) -> Looked:
    """What the parser sees in a face's hair crop, which is all that a face needs that is taken out of its photo.

    size: side of the parser's pictures in pixels."""
    own = cut_again(subject, size)
    return Looked(parser.shares(own), own.matrix)


def shares_of(mattes: Mattes) -> Looked:
    """What the parser has seen for mattes."""
    return Looked(mattes.shares, _over(mattes, mattes.shares.shape[2:0:-1]))


def shares_at(looked: Looked, x: Maps, y: Maps) -> Maps:
    """The label shares (11,h,w) at points of their photo, each (h,w): background beyond."""
    at_x, at_y = _within(looked.matrix, x, y)
    found = np.empty((len(looked.shares), *x.shape), np.float32)
    for first in range(0, len(found), 4):  # OpenCV takes up to four channels, faster than one by one
        last = min(first + 4, len(found))
        beyond = [float(label == 0) for label in range(first, last)]
        planes = cv2.remap(
            np.ascontiguousarray(looked.shares[first:last].transpose(1, 2, 0)),
            at_x,
            at_y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=beyond,
        )
        found[first:last] = planes.transpose(2, 0, 1)
    return found


def hair_on(mattes: Mattes, canvas: Canvas) -> Maps:
    """The matte of hair on a canvas of its photo, (h,w) in [0,1]."""
    at_x, at_y = _within(_over(mattes, mattes.hair.shape[::-1]), *canvas.positions())
    hair = mattes.hair.astype(np.float32) / np.float32(255)
    found = cv2.remap(hair, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found, dtype=np.float32)


def _over(mattes: Mattes, size: Sequence[int]) -> Matrix:
    """Photo pixels -> pixels of a map of `size` (width, height) over the mattes' box."""
    left, top, right, bottom = mattes.box
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    return np.array([[across, 0, across * (0.5 - left) - 0.5], [0, down, down * (0.5 - top) - 0.5]])


def _within(matrix: Matrix, x: Maps, y: Maps) -> tuple[Maps, Maps]:
    """Points, each (h,w), moved by an affine transform."""
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return a * x + b * y + c, d * x + e * y + f
