"""How the parts of a face have to move to go from one label map to another: each part's outline is brought onto the
asked one by centre, extent and contour, and thin plates (Bookstein 1989) carry what lies in between along."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import KDTree

from masque.faces.labels import LABELS, Labels

Points = NDArray[np.float64]
Field = NDArray[np.float32]
"""(h,w,2): where each pixel comes from, minus where it is; x and y in pixels of the map."""

BROWS_EYES_NOSE = tuple((LABELS.index(name),) for name in LABELS[2:7])
LIPS = tuple((LABELS.index(name),) for name in LABELS[7:10])
MOUTH = tuple(label for (label,) in LIPS)
FACE = tuple(range(1, 10))
HAIR = LABELS.index("hair")

FEWEST = 12
"""Pixels of a part below which its outline says nothing."""

STILL = 0.06
"""The share of a part's area by which it must differ to count as moved: less is how edges are drawn."""

CORNERS, OUTLINE = 28, 56
"""Points on the outline of a part, and on that of the face."""

SNAPPED, SMOOTH = 4, 1.2
"""How often an outline is drawn to the asked one, and how smoothly, in points, it is drawn."""

STIFFNESS = 3e-6
"""Smoothing of the plates: outlines are met but for what is less than a pixel."""

ACROSS = 64
"""Cells across the face of the grid on which the plates are worked out."""

INNER = 0.015
"""How far from the outline of a mouth, in face widths, the inner edge of a lip is."""

SLIT = 0.3
"""Area of what is seen between the lips, as a share of what is asked for, below which it is but a slit."""

SPARED = 0.04
"""How far around a mouth, in face widths, lips may be pressed flat, as when they close."""

FADE = 0.06
"""Share of the face's width over which movement falls to nothing inside a face that keeps its outline."""

FLAT, LEAST_SHARE = (0.12, 4.5), 0.2
"""Between which areas of the photo one pixel of the result may show; and the least share of a bending that is done."""

BEYOND = 0.35
"""The same outside of a face whose outline moves."""


@dataclass(frozen=True)
class Bending:
    """How a face has to be bent for its parts to lie as a label map asks."""

    field: Field
    moved: tuple[str, ...]
    """Names of the parts that move; "face" for its outline."""
    missing: tuple[str, ...]
    """Names of the parts that are asked for and that the face has not."""
    share: float = 1.0
    """How far it goes there: less than 1 where all of it would fold the face over itself."""


def bend_to(own: Labels, wanted: Labels, face_width: float) -> Bending:
    """The bending from one label map (h,w) to another.

    face_width: pixels of the maps. Parts that are in both maps move; the outline of the face is fixed unless the map
    asks for another beside background: where hair ends and skin begins, nothing has to move for hair to go. Lips that
    part or close move each by itself, and the field leaps between them."""
    found = _Found()
    for labels in BROWS_EYES_NOSE:
        found.add(own, wanted, labels)
    around, moving = _face_outline(own, wanted, face_width)
    found.pairs.append(around)
    if moving:
        found.moved.append("face")
    there, asked = ([bool(np.isin(one, lip).sum() >= FEWEST) for lip in LIPS] for one in (own, wanted))
    both = there[0] and there[2] and asked[0] and asked[2]
    # A slit cannot be drawn out to an open mouth: its lips part, as closed ones do.
    there[1] = there[1] and bool((own == MOUTH[1]).sum() > SLIT * (wanted == MOUTH[1]).sum())
    fields: list[Field] = []
    if both and there[1] != asked[1]:
        # Around the mouth both sheets agree, and within it each follows its lip.
        found.add(own, wanted, MOUTH, always=True)
        for lip in (LIPS[0], LIPS[2]):
            sheet = _Found(list(found.pairs), [], [])
            sheet.add(own, wanted, lip, apart=INNER * face_width, always=True)
            fields.append(_plates(sheet.pairs, own.shape, face_width))
        found.moved.append("lips")
        found.missing += [LABELS[MOUTH[1]]] if asked[1] else []
    else:
        lips = [lip for lip, seen in zip(LIPS, there, strict=True) if seen]
        for one in lips if both else [MOUTH]:
            found.add(own, wanted, one)
        found.missing += [LABELS[MOUTH[1]]] if asked[1] and not there[1] else []
        if not found.moved:
            return Bending(np.zeros((*own.shape, 2), np.float32), (), tuple(found.missing))
        fields.append(_plates(found.pairs, own.shape, face_width))
    whole = fields[0] if len(fields) == 1 else _joined(fields[0], fields[1], wanted)
    faded = _faded(whole, own, wanted, face_width, moving)
    share = _bearable(faded, np.isin(own, MOUTH) | np.isin(wanted, MOUTH), face_width)
    return Bending((share * faded).astype(np.float32), tuple(found.moved), tuple(found.missing), share)


@dataclass
class _Found:
    """What has been found of the parts of two maps so far."""

    pairs: list[tuple[Points, Points]] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(
        self, own: Labels, wanted: Labels, labels: tuple[int, ...], apart: float = 0.0, always: bool = False
    ) -> None:
        """Add a part, by its labels.

        apart: pixels from the part that was added last within which points are left out. always: whether it counts as
        moved however little it does."""
        mine, asked = (np.isin(one, labels) for one in (own, wanted))
        name = "mouth" if len(labels) > 1 else LABELS[labels[0]]
        if asked.sum() >= FEWEST and mine.sum() < FEWEST:
            self.missing.append(name)
        points = outline(mine, CORNERS)
        if points is None or asked.sum() < FEWEST:
            return
        # What hair comes to cover has not moved, and what it uncovers cannot be told to have.
        differs = (mine ^ asked) & (wanted != HAIR) & (own != HAIR)
        still = not always and differs.sum() <= STILL * mine.sum()
        there = points if still else matched(mine, asked, points)
        if not still:
            self.moved.append(name)
        if apart:
            far = KDTree(self.pairs[-1][0]).query(points)[0] > apart
            points, there = points[far], there[far]
        self.pairs.append((points, there))


def outline(mask: NDArray[np.bool_], count: int) -> Points | None:
    """Points (N,2) evenly along the largest outline of a mask (h,w), at most `count`; None of an all but empty one."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if mask.sum() < FEWEST or not found:
        return None
    longest = max(found, key=len)[:, 0].astype(np.float64)
    steps = np.linspace(0, len(longest), min(count, len(longest)), endpoint=False).astype(int)
    points: Points = longest[steps]
    return points


def matched(mine: NDArray[np.bool_], asked: NDArray[np.bool_], points: Points) -> Points:
    """Where points (N,2) on the outline of a mask (h,w) lie on that of another: brought to its centre and extent first,
    and then, smoothly along the outline, onto the nearest places of it."""
    centre, spread = _extent(mine)
    to_centre, to_spread = _extent(asked)
    moved = (points - centre) * (to_spread / spread) + to_centre
    there = outline(asked, 10**6)
    if there is None:
        return moved
    tree = KDTree(there)
    for _ in range(SNAPPED):
        nearest = there[tree.query(moved)[1]]
        moved = moved + gaussian_filter1d(nearest - moved, SMOOTH, axis=0, mode="wrap")
    return np.asarray(moved, dtype=np.float64)


def carried(labels: Labels, field: Field) -> Labels:
    """A label map (h,w) after its pixels have moved along a field (h,w,2)."""
    y, x = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]].astype(np.float32)
    return np.asarray(cv2.remap(labels, x + field[..., 0], y + field[..., 1], cv2.INTER_NEAREST), dtype=np.uint8)


def _joined(upper: Field, lower: Field, wanted: Labels) -> Field:
    """One field of two (h,w,2): above the line between the lips of a map the first, below it the second; beside the
    mouth each goes over into the other."""
    above, below = (wanted == lip for (lip,) in (LIPS[0], LIPS[2]))
    rows = np.arange(wanted.shape[0])[:, None]
    columns = np.nonzero(above.any(axis=0) & below.any(axis=0))[0]
    if not len(columns):
        return upper
    ends = np.where(above, rows, -1).max(axis=0), np.where(below, rows, wanted.shape[0]).min(axis=0)
    seam = gaussian_filter1d(((ends[0] + ends[1]) / 2)[columns], 1.0)
    across = np.arange(wanted.shape[1])
    line = np.interp(across, columns, seam)
    beside = np.maximum(0, np.maximum(columns[0] - across, across - columns[-1]))
    share = np.clip((rows - line) / (0.6 + 1.5 * beside) / 2 + 0.5, 0, 1)[..., None]
    joined: Field = (upper + share * (lower - upper)).astype(np.float32)
    return joined


def _bearable(whole: Field, mouth: NDArray[np.bool_], face_width: float) -> float:
    """The largest share of a field (h,w,2) that nowhere presses a face flat, but between its lips, where `mouth` is."""
    reach = 2 * max(1, round(SPARED * face_width)) + 1
    free = cv2.dilate(mouth.astype(np.uint8), np.ones((reach, reach), np.uint8)) == 0
    soft = cv2.GaussianBlur(whole, (0, 0), max(0.5, 0.006 * face_width))
    (x_down, x_across), (y_down, y_across) = (np.gradient(soft[..., i]) for i in (0, 1))
    share = 1.0
    while share > LEAST_SHARE:
        # How much of the photo a pixel of the result shows; below 0 the face is turned inside out.
        area = (1 + share * x_across) * (1 + share * y_down) - share * share * x_down * y_across
        if area[free].min(initial=1.0) > FLAT[0] and area[free].max(initial=1.0) < FLAT[1]:
            break
        share *= 0.85
    return share


def _extent(mask: NDArray[np.bool_]) -> tuple[Points, Points]:
    """Centre (2,) and standard deviations (2,) of a mask's pixels."""
    rows, columns = np.nonzero(mask)
    at = np.stack([columns, rows], axis=1).astype(np.float64)
    return at.mean(axis=0), np.maximum(at.std(axis=0), 0.5)


def _face_outline(own: Labels, wanted: Labels, face_width: float) -> tuple[tuple[Points, Points], bool]:
    """Points on the outline of the face and where they go; and whether any goes anywhere."""
    mine, asked = (np.isin(one, FACE) for one in (own, wanted))
    points = outline(mine, OUTLINE)
    if points is None:
        return (np.zeros((0, 2)), np.zeros((0, 2))), False
    hair = ((own == HAIR) | (wanted == HAIR)).astype(np.uint8)
    near = cv2.dilate(hair, np.ones((2 * max(2, round(0.03 * face_width)) + 1,) * 2, np.uint8)) > 0
    at = points.astype(int)
    free = ~near[at[:, 1], at[:, 0]]
    outside = (mine ^ asked) & ~near
    if not free.any() or outside.sum() < 0.02 * mine.sum():
        return (points, points), False
    there = outline(asked, 10**6)
    if there is None:
        return (points, points), False
    shift = there[KDTree(there).query(points)[1]] - points
    shift[~free] = 0
    shift = gaussian_filter1d(shift, SMOOTH, axis=0, mode="wrap")
    return (points, points + shift), True


def _plates(pairs: list[tuple[Points, Points]], shape: tuple[int, ...], face_width: float) -> Field:
    """The field (h,w,2) that takes points (N,2) to others, worked out on a coarse grid."""
    source, target = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    target, first = np.unique(target.round(3), axis=0, return_index=True)
    shift = (source[first] - target) / face_width
    plates = RBFInterpolator(target / face_width, shift, kernel="thin_plate_spline", smoothing=STIFFNESS)
    step = max(1.0, face_width / ACROSS)
    low = np.maximum(target.min(axis=0) - BEYOND * face_width, 0)
    high = np.minimum(target.max(axis=0) + BEYOND * face_width, np.array(shape[1::-1]) - 1)
    columns, rows = (np.ceil((high - low) / step).astype(int) + 1).tolist()
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * step + low
    coarse = (plates(grid.reshape(-1, 2) / face_width) * face_width).reshape(rows, columns, 2).astype(np.float32)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    at = ((x - low[0]) / step).astype(np.float32), ((y - low[1]) / step).astype(np.float32)
    field = cv2.remap(coarse, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(field, dtype=np.float32)


def _faded(field: Field, own: Labels, wanted: Labels, face_width: float, moving: bool) -> Field:
    """A field that falls to 0 at the outline of a face, or, where that moves, some way outside of it."""
    face = np.isin(own, FACE) | (np.isin(wanted, FACE) & moving)
    if moving:
        away = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, 5)
        share = np.clip(1 - away / (BEYOND * 0.9 * face_width), 0, 1)
    else:
        inside = cv2.distanceTransform(face.astype(np.uint8), cv2.DIST_L2, 5)
        share = np.clip(inside / (FADE * face_width), 0, 1)
    share = share * share * (3 - 2 * share)
    faded: Field = (field * share[..., None]).astype(np.float32)
    return faded
