"""A face as it comes to lie in another photo: as it is, and mirrored. What the face's own side does not show, because
hair or a hand is before it or because it is turned away, is taken from its other side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.mattes import Mattes
from masque.edits.subject import Subject
from masque.edits.swap_mask import outline, part_zones, visible
from masque.faces.carried import Canvas, Carried, carry, carry_mirrored, resampled, sources, stretch
from masque.faces.outlines import hull_of
from masque.faces.shape3d import Floats, ShapeModel
from masque.faces.skin_match import Maps, blurred
from masque.image import Picture

TURNED, BETTER = 15.0, 8.0
"""From how many degrees between two heads on the mirrored face is carried, where it is nearer by so many degrees."""

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


def make_side(carried: Carried, canvas: Canvas, source: Subject, mattes: Mattes, ratio: float) -> Side:
    """A face on the canvas of another photo.

    source: whose face it is. mattes: of its photo. ratio: pixels of its photo per pixel of the other."""
    field = sources(carried, canvas)
    shares = shares_at(mattes, field[..., 0], field[..., 1])
    area = stretch(field, carried.mirror is not None)
    region = hull_of(outline(carried, canvas), canvas.size)
    seen = visible(shares, area, region, canvas)
    return Side(carried, field, shares, seen, resampled(source.photo, field, ratio / canvas.scale))


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


def shares_on(mattes: Mattes, canvas: Canvas) -> Maps:
    """The label shares (11,h,w) of mattes on a canvas of their photo."""
    return shares_at(mattes, *canvas.positions())


def shares_at(mattes: Mattes, x: Maps, y: Maps) -> Maps:
    """The label shares (11,h,w) of mattes at points of their photo, each (h,w): background beyond."""
    at_x, at_y = _within(mattes, mattes.shares.shape[2:0:-1], x, y)
    planes = [
        cv2.remap(
            np.ascontiguousarray(share),
            at_x,
            at_y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=float(label == 0),
        )
        for label, share in enumerate(mattes.shares)
    ]
    return np.asarray(np.stack(planes), dtype=np.float32)


def hair_on(mattes: Mattes, canvas: Canvas) -> Maps:
    """The matte of hair on a canvas of its photo, (h,w) in [0,1]."""
    at_x, at_y = _within(mattes, mattes.hair.shape[::-1], *canvas.positions())
    hair = mattes.hair.astype(np.float32) / np.float32(255)
    found = cv2.remap(hair, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found, dtype=np.float32)


def _within(mattes: Mattes, size: Sequence[int], x: Maps, y: Maps) -> tuple[Maps, Maps]:
    """Points of the photo in pixels of a map of `size` (width, height) over the mattes' box."""
    left, top, right, bottom = mattes.box
    to_x, to_y = np.float32(size[0] / (right - left)), np.float32(size[1] / (bottom - top))
    return (x - left + np.float32(0.5)) * to_x - np.float32(0.5), (y - top + np.float32(0.5)) * to_y - np.float32(0.5)
