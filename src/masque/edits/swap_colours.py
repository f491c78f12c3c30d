"""How the colours of a face that is put into a photo become those of the face that it replaces."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.subject import Subject
from masque.edits.swap_mask import EYES, INNER_MOUTH, SKIN, outline
from masque.edits.swap_sides import Side
from masque.faces.carried import Canvas, resampled
from masque.faces.labels import LABELS
from masque.faces.outlines import hull_of
from masque.faces.skin_match import (
    Maps,
    Match,
    blurred,
    contrast_between,
    match_grain,
    rim_shift,
    skin_base,
    to_lab,
    to_rgb,
)
from masque.faces.strips import Box
from masque.image import Picture

WITHIN = 0.03
"""How far from anything else skin is, in face widths, that bases are fitted to."""

TOWARDS = (4.0, 8.0, 8.0)
"""By how much lightness and colours are shifted at most, all over, to be the other's on average."""

LIPS = [LABELS.index(name) for name in ("upper lip", "lower lip")]
LIPS_TAKEN, LIPS_APART = 0.7, 0.5
"""How far lips are taken to the other's colour beside its skin's, and from which difference of the skins' lightness on,
in its logarithm."""

RIM_INWARD, RIM_OUTWARD = 0.05, 0.04
"""How far within and beyond the rim colours are compared, in face widths."""

RIM_MOST = 20.0
"""By how much colours along the rim are corrected at most."""

ROWS = 64
"""Rows whose colours are matched at a time."""

RIM_DEEP, RIM_KEPT = 0.2, 0.6
"""How far from the rim the correction fades, in face widths, and to which share."""


@dataclass(frozen=True)
class Matched:
    """How a face's colours become those of the photo's face. Maps are (h,w) over the canvas."""

    match: Match
    skin: Maps
    """1 on bare skin of the face that shows."""
    other_skin: Maps
    """1 on bare skin of the photo's face."""


def match_side(side: Side, photo: Maps, others: Maps, canvas: Canvas, shown: NDArray[np.uint8]) -> Matched:
    """How a face's colours become those of the photo's face.

    photo: CIELAB (h,w,3) of the photo. others: its label shares (11,h,w). shown: 1 where the face will show, (h,w)."""
    width = canvas.width
    lab = to_lab(side.picture)
    region = cv2.dilate(hull_of(outline(side.carried, canvas), canvas.size), np.ones((3, 3)))
    skin = _bare(side.shares, width) * region * (side.seen > 0.5)
    skin = skin.astype(np.float32)
    other_skin = (_bare(others, width) * region).astype(np.float32)
    middle = canvas.points(side.carried.other[27:36]).mean(axis=0)
    own_base, base = skin_base(lab, skin, middle, width), skin_base(photo, other_skin, middle, width)
    eyes = blurred(np.clip(side.shares[[*EYES, INNER_MOUTH]].sum(axis=0), 0, 1), 0.004 * width)
    match = Match(own_base, base, eyes)
    there = (skin * shown).astype(np.float32)
    contrast = contrast_between(match.matched(lab, _as_it_is), base, photo, base, there, other_skin)
    match = Match(own_base, base, eyes, contrast)
    now = match.matched(lab, _as_it_is)
    shift = (1 - eyes[..., None]) * _towards(now - base, photo - base, there > 0.5, other_skin > 0.5)
    shift += _lips(now - base - shift, photo - base, side.shares, others, own_base, base, width)
    rim = _along_rim(photo - now - shift, side.shares, others, shown, width)
    return Matched(Match(own_base, base, eyes, contrast, (shift + rim).astype(np.float32)), there, other_skin)


def _bare(shares: Maps, width: float) -> Maps:
    kernel = np.ones((max(1, int(WITHIN * width)),) * 2)
    return np.asarray(cv2.erode((shares[list(SKIN)].sum(axis=0) > 0.8).astype(np.float32), kernel), dtype=np.float32)


def _as_it_is(values: Maps) -> Maps:
    return values


def _towards(own: Maps, other: Maps, inside: NDArray[np.bool_], other_inside: NDArray[np.bool_]) -> Maps:
    """(3,): what brings the median of one face's skin to the other's."""
    if min(inside.sum(), other_inside.sum()) < 100:
        return np.zeros(3, np.float32)
    shift = np.median(other[other_inside], axis=0) - np.median(own[inside], axis=0)
    return np.clip(shift, np.negative(TOWARDS), TOWARDS).astype(np.float32)


def _lips(own: Maps, other: Maps, own_shares: Maps, others: Maps, own_base: Maps, base: Maps, width: float) -> Maps:
    """What takes lips part of the way to the other's, (h,w,3), the farther the more the skins differ: lips of dark skin
    are no darker than it, and would be white on light skin.

    own, other: what both faces have beside their bases, (h,w,3)."""
    lips = [shares[LIPS].sum(axis=0) for shares in (own_shares, others)]
    if min(float((one > 0.5).sum()) for one in lips) < 30:
        return np.zeros_like(own)
    here, there = (np.median(values[one > 0.5], axis=0) for values, one in zip((own, other), lips, strict=True))
    apart = abs(float(np.log(np.median(base[..., 0]) / np.median(own_base[..., 0]))))
    share = LIPS_TAKEN * min(1.0, apart / LIPS_APART)
    return np.asarray(blurred(lips[0], 0.006 * width)[..., None] * (share * (there - here)), dtype=np.float32)


def _along_rim(lacking: Maps, own: Maps, others: Maps, shown: NDArray[np.uint8], width: float) -> Maps:
    """What brings colours along the rim to the photo's, (h,w,3): by skin on skin alone, never by hair or what lies
    behind.

    lacking: (h,w,3). own, others: label shares (11,h,w) of both faces."""
    both = [np.clip(2 * shares[list(SKIN)].sum(axis=0) - 1, 0, 1) for shares in (own, others)]
    known = cv2.erode((both[0] * both[1]).astype(np.float32), np.ones((max(1, int(0.012 * width)),) * 2))
    outward = cv2.distanceTransform(1 - shown, cv2.DIST_L2, 3) / width
    inward = cv2.distanceTransform(shown, cv2.DIST_L2, 3) / width
    known = (known * np.exp(-np.square(inward / RIM_INWARD)) * (outward < RIM_OUTWARD)).astype(np.float32)
    rim = np.clip(rim_shift(np.clip(lacking, -25, 25).astype(np.float32), known, width), -RIM_MOST, RIM_MOST)
    faded = RIM_KEPT + (1 - RIM_KEPT) * np.exp(-np.square(inward / RIM_DEEP))
    return np.asarray(rim * faded[..., None], dtype=np.float32)


def paint_face(
    source: Subject,
    target: Subject,
    canvas: Canvas,
    sides: Sequence[Side],
    matches: Sequence[Matched],
    ratio: float,
    part: Box,
) -> Picture:
    """The face over a part of the canvas's box, at the target's photo's own size, in its colours and as sharp.

    sides, matches: what the face is taken from, the first of them everywhere. ratio: pixels of the source's photo per
    pixel of the target's. part: left, top, right, bottom in pixels of the canvas's box."""
    rows, columns = slice(part[1], part[3]), slice(part[0], part[2])

    def enlarged(values: Maps) -> Maps:
        return canvas.enlarged(values)[rows, columns]

    lab = np.zeros(0, np.float32)
    for side, one in zip(sides, matches, strict=True):
        picture = (
            enlarged(side.picture.astype(np.float32)).round().astype(np.uint8)
            if side.painted
            else resampled(source.photo, enlarged(side.field), ratio)
        )
        made = _matched(one.match, picture, enlarged)
        lab = made if side is sides[0] else lab + enlarged(side.share)[..., None] * (made - lab)
    first = matches[0]
    left, top = canvas.box[:2]
    photo = to_lab(target.photo[top + part[1] : top + part[3], left + part[0] : left + part[2]])
    softly = 1 - np.float32(0.6) * enlarged(first.match.eyes)
    inside, other_inside = (enlarged(skin) > 0.5 for skin in (first.skin, first.other_skin))
    lab[..., 0] = match_grain(lab[..., 0], photo[..., 0], inside, other_inside, softly)
    return to_rgb(lab)


def _matched(match: Match, picture: Picture, enlarged: Callable[[Maps], Maps]) -> Maps:
    """CIELAB of a picture in the other face's colours, some rows at a time: what fits into the processor's cache is
    worked on faster."""
    whole = replace(
        match,
        own=enlarged(match.own),
        other=enlarged(match.other),
        eyes=enlarged(match.eyes),
        shift=None if match.shift is None else enlarged(match.shift),
    )
    made = np.empty(picture.shape, np.float32)

    def one(first: int) -> None:
        rows = slice(first, first + ROWS)
        part = replace(
            whole,
            own=whole.own[rows],
            other=whole.other[rows],
            eyes=whole.eyes[rows],
            shift=None if whole.shift is None else whole.shift[rows],
        )
        made[rows] = part.matched(to_lab(picture[rows]), _as_it_is)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(one, range(0, picture.shape[0], ROWS)))
    return made
