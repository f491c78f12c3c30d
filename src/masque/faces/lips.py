"""Lips parted and closed on the photo's own pixels: where they meet is found, above and below it the photo is moved,
and in the gap teeth are shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.change import Move
from masque.faces.strips import Box, Strip, enlarged_box
from masque.image import Picture

Points = NDArray[np.float64]

TEXTURE = (48, 192)
"""Rows and columns of a picture of teeth."""

COLUMNS = 160
"""Places along the mouth at which the line between the lips is looked for."""

SEARCHED = 0.06
"""How far from the landmarks it is looked for, in widths of the mouth."""

CLOSEST = 0.08
"""Shares of a mouth's width that its landmarks lie apart at least; on a face in profile they fall together."""

MARGIN = 8
"""Pixels of the photo that are looked at around what is searched."""

ABOVE, BELOW = 0.42, 0.55
"""Over which distance, in widths of the mouth, the movement of the lips fades: it ends at the nose and in the chin."""

ROUND = 0.8
"""How round a gap is: the power of the parabola that its height follows from corner to corner."""

GRID = 240
"""Cells of a movement along each side of its box."""

SOFT = 0.012
"""Width of the edge between lips and teeth, in widths of the mouth."""

LINE, LINE_LIGHT, LINE_RED = 0.012, 0.42, 8.0
"""The line between closed lips: half its width in widths of the mouth, its lightness in that of the cheeks, and by how
much it is redder."""

CELLS = 384
"""Cells of what is shown between the lips along the longer side of its box, at most."""

FRONT, FRONT_BY_SKIN = 49.0, 0.42
"""Lightness of the front teeth: a constant, and that of the cheeks times a factor; by eye, on a dozen faces from dark
to light."""

TRIMMED = 0.04
"""Share of a picture of teeth that is left out along each lip, whose edge it may show."""

SHADOW, SHADOW_REACH = 0.35, 0.03
"""How much the upper lip darkens the teeth below it, and how far, in widths of the mouth."""


@dataclass(frozen=True)
class Seam:
    """The line between the lips, from the inner corner on the picture's left to that on its right."""

    origin: Points
    """(2,): the left corner, in photo pixels."""
    across: Points
    """(2,): direction to the right corner, of length 1."""
    width: float
    """Distance of the corners in pixels."""
    curve: Points
    """Coefficients of a polynomial, highest power first: how far the line lies below the straight one between the
    corners at each share of the way, in widths."""
    middle: float
    """The share of the way at which the middle of the face is seen: ½ from the front."""
    gap: Points | None = None
    """Coefficients of the height of the gap between parted lips, 1 where it is highest; None where lips are closed."""

    @property
    def down(self) -> Points:
        """(2,): direction from the upper lip to the lower one."""
        return np.array([-self.across[1], self.across[0]])

    def place(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> tuple[Points, Points]:
        """Share of the way from corner to corner, and pixels below the line, of points of the photo."""
        at = np.stack([x, y], axis=-1) - self.origin
        along = at @ self.across / self.width
        return along, at @ self.down - self.width * np.polyval(self.curve, np.clip(along, 0, 1))

    def moved(self, move: Callable[[Points], NDArray[np.floating]]) -> Seam:
        """The line after its points have moved.

        move: where points (N,2) of the photo go."""
        along = np.linspace(0, 1, 33)
        points = (
            self.origin
            + along[:, None] * self.width * self.across
            + (np.polyval(self.curve, along) * self.width)[:, None] * self.down
        )
        moved = np.asarray(move(points), dtype=np.float64)
        width = max(1.0, float(np.linalg.norm(moved[-1] - moved[0])))
        across = (moved[-1] - moved[0]) / width
        below = (moved - moved[0]) @ np.array([-across[1], across[0]]) / width
        curve = np.polyfit((moved - moved[0]) @ across / width, below, 6)
        return Seam(moved[0], across, width, curve, self.middle, self.gap)

    def height(self, along: Points) -> Points:
        """How high a gap is at each share of the way, 1 where it is highest."""
        if self.gap is not None:
            seen: Points = np.clip(np.polyval(self.gap, np.clip(along, 0, 1)), 0, 1)
            return seen
        centred = np.where(
            along < self.middle, (along - self.middle) / self.middle, (along - self.middle) / (1 - self.middle)
        )
        shaped: Points = np.clip(1 - centred**2, 0, 1) ** ROUND
        return shaped


def shown_gap(landmarks: Points) -> float:
    """How far lips are parted, in widths of the mouth.

    landmarks: (68,2)."""
    return float(np.linalg.norm(landmarks[62] - landmarks[66]) / np.linalg.norm(landmarks[54] - landmarks[48]))


def find_seam(photo: Picture, landmarks: Points, parted: bool = False) -> Seam:
    """The line between the lips of a face: the darkest one near the landmarks, which miss it by a pixel or two.

    photo: (H,W,3). landmarks: (68,2) in its pixels. parted: whether the mouth is open, so that its middle is taken."""
    points = np.asarray(landmarks, dtype=np.float64)
    origin = points[60]
    width = max(1.0, float(np.linalg.norm(points[64] - origin)))
    across = (points[64] - origin) / width
    down = np.array([-across[1], across[0]])
    between = np.stack([points[60], *((points[[61, 62, 63]] + points[[67, 66, 65]]) / 2), points[64]])
    along, below = (between - origin) @ across / width, (between - origin) @ down / width
    rough = np.polyfit(along, below, 3, w=[3, 1, 1, 1, 3])
    middle = float(np.clip(along[2], 0.3, 0.7))
    if parted:
        heights = np.r_[0, np.linalg.norm(points[[61, 62, 63]] - points[[67, 66, 65]], axis=1), 0]
        gap = np.polyfit(*_spaced(along, heights / max(1e-6, heights.max())), 4)
        return Seam(origin, across, width, rough, middle, gap)
    columns = (np.arange(COLUMNS) + 0.5) / COLUMNS
    rows = np.linspace(-SEARCHED, SEARCHED, 49)
    at = (
        origin
        + columns[None, :, None] * width * across
        + ((np.polyval(rough, columns)[None] + rows[:, None]) * width)[..., None] * down
    )
    grey = cv2.cvtColor(_around(photo, at), cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) * np.float32(100 / 255)
    light = cv2.GaussianBlur(grey, (0, 0), max(0.5, 0.008 * width))
    corner = np.floor(at.reshape(-1, 2).min(axis=0) - MARGIN)
    local = (at - corner).astype(np.float32)
    seen = cv2.remap(light, local[..., 0], local[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    path = _cheapest(seen + 6 * (rows[:, None] / SEARCHED) ** 2)
    return Seam(origin, across, width, np.polyfit(columns, np.polyval(rough, columns) + rows[path], 6), middle)


def _spaced(along: Points, heights: Points) -> tuple[Points, Points]:
    """Places between 0 and 1 and the heights there, far enough apart for a polynomial to meet them without swinging:
    those given where they are, else evenly spaced ones on the lines between them."""
    if np.diff(along).min() >= CLOSEST:
        return along, heights
    even = np.linspace(0, 1, len(along))
    return even, np.interp(even, np.maximum.accumulate(along.clip(0, 1)), heights)


def _around(photo: Picture, at: Points) -> Picture:
    """The part of the photo that holds the points `at`, and a margin; beyond its rim the photo's last pixels."""
    low = np.floor(at.reshape(-1, 2).min(axis=0) - MARGIN).astype(int)
    high = np.ceil(at.reshape(-1, 2).max(axis=0) + MARGIN).astype(int)
    rows = np.clip(np.arange(low[1], high[1]), 0, photo.shape[0] - 1)
    columns = np.clip(np.arange(low[0], high[0]), 0, photo.shape[1] - 1)
    return np.ascontiguousarray(photo[np.ix_(rows, columns)])


def _cheapest(cost: NDArray[np.floating]) -> NDArray[np.int64]:
    """The row in each column of the path from left to right of least cost (R,C), which changes by at most a row a
    column."""
    total = np.array(cost, dtype=np.float64)
    step = np.zeros(cost.shape, dtype=np.int64)
    for column in range(1, cost.shape[1]):
        before = total[:, column - 1]
        ways = np.stack([np.r_[np.inf, before[:-1]] + 0.5, before, np.r_[before[1:], np.inf] + 0.5])
        step[:, column] = ways.argmin(axis=0) - 1
        total[:, column] += ways.min(axis=0)
    path = [int(total[:, -1].argmin())]
    for column in range(cost.shape[1] - 1, 0, -1):
        path.append(path[-1] + int(step[path[-1], column]))
    return np.array(path[::-1])


def part_lips(name: str, seam: Seam, above: float, below: float) -> Move:
    """The movement that takes the lips apart along a seam; cheeks, nose and the tip of the chin stay.

    name: the layer's. above, below: by how many pixels the upper lip goes up and the lower one down, in the middle of
    the mouth; below 0 they are brought together, and what is between them goes."""
    box = _box(seam, 0.25, 0.8)
    x, y = _grid(box, GRID, GRID)
    along, depth = seam.place(x, y)
    height = seam.height(along)
    shift = np.where(
        depth < 0,
        _parted(-depth, above * height, ABOVE * seam.width),
        -_parted(depth, below * height, BELOW * seam.width),
    )
    field = cv2.GaussianBlur((shift[..., None] * seam.down).astype(np.float32), (0, 0), 0.6)
    field[[0, -1]] = 0
    field[:, [0, -1]] = 0
    return Move(name, box, np.asarray(field, dtype=np.float32))


def _parted(distance: Points, gap: Points, span: float) -> Points:
    """How much nearer to the seam the pixels come from that lie at a distance from it."""
    beyond = (distance - np.maximum(gap, 0)) / span
    faded = np.clip(1 - beyond, 0, 1) ** 2 * (1 + 2 * np.clip(beyond, 0, 1))
    shift: Points = np.minimum(distance, gap * faded)
    return shift


@dataclass(frozen=True)
class Inside:
    """Shows the inside of a mouth between lips that were parted, or the line between lips that were closed."""

    reach: ClassVar[int] = 0
    name: str
    box: Box
    gap: NDArray[np.float32]
    """(h,w,2) over the box: distance from the seam, and the height of the gap on that side of it, in photo pixels."""
    colours: NDArray[np.float32]
    """(h',w',3) over the box: CIELAB of what is shown."""
    soft: float
    """Pixels over which the lips' edge fades."""
    strength: float = 1.0

    def scaled(self, strength: float) -> Inside:
        """The same with lips that are parted `strength` times as far: the teeth stay where they are."""
        return replace(self, strength=self.strength * strength)

    def enlarged(self, factor: float) -> Inside:
        """The same for a photo that is `factor` times as large."""
        gap = (self.gap * np.float32(factor)).astype(np.float32)
        return replace(self, box=enlarged_box(self.box, factor), gap=gap, soft=self.soft * factor)

    def apply(self, strip: Strip) -> None:
        """Show it in the strip."""
        gap = strip.sample(self.gap, self.box)
        shown = np.clip((self.strength * gap[..., 1] - gap[..., 0]) / np.float32(self.soft) + 0.2, 0, 1)
        shown[gap[..., 1] * self.strength < 0.25] = 0  # at the corners lips meet, and beyond the box there is no gap
        if shown.any():
            lab = strip.lab
            lab += shown[..., None] * (strip.sample(self.colours, self.box) - lab)


def show_teeth(
    name: str,
    seam: Seam,
    above: float,
    below: float,
    texture: NDArray[np.floating],
    skin: tuple[NDArray[np.floating], NDArray[np.floating]],
) -> Inside:
    """The layer that shows teeth in the gap that `part_lips` makes.

    above, below: as there. texture: (48,192) lightness of teeth from corner to corner and from lip to lip, 1 for that
    of the front ones. skin: CIELAB (3,) of the cheeks at the picture's left and right, by which the light on the teeth
    is told."""
    box = _box(seam, 0.04, 0.5)
    along, depth = seam.place(*_cells(box))
    height = seam.height(along)
    upper, lower = above * height, below * height
    gap = np.stack([np.abs(depth), np.where(depth < 0, upper, lower)], axis=-1)
    down = np.clip((depth + upper) / np.maximum(upper + lower, 1e-3), 0, 1)
    cell = max(box[2] - box[0], box[3] - box[1]) / max(depth.shape)
    rows = int(np.clip((above + below) / cell, 4, texture.shape[0]))
    columns = int(np.clip(seam.width / cell, 8, texture.shape[1]))
    small = cv2.resize(np.asarray(texture, dtype=np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    column = np.interp(along, [0, seam.middle, 1], [0, 0.5, 1]) * columns - 0.5
    relative = cv2.remap(
        small,
        column.astype(np.float32),
        ((TRIMMED + (1 - 2 * TRIMMED) * down) * rows - 0.5).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    relative = relative * (1 - SHADOW * np.exp(-np.clip(depth + upper, 0, None) / (SHADOW_REACH * seam.width)))
    cheeks = np.mean(skin, axis=0)
    front = FRONT_BY_SKIN * float(cheeks[0]) + FRONT
    # Light from a side falls on the teeth as on the cheeks, though lips and cheeks soften it.
    sided = np.interp(along, [0, 1], [(1 + float(side[0]) / max(1.0, float(cheeks[0]))) / 2 for side in skin])
    light = np.clip(front * relative * sided, 0, 100)
    darkness = np.clip(1 - relative, 0, 1)  # between teeth and gums the mouth is red
    colours = np.stack([light, 2 + 8 * darkness + 0.12 * cheeks[1], 6 + 3 * darkness + 0.2 * cheeks[2]], axis=-1)
    return Inside(name, box, gap.astype(np.float32), colours.astype(np.float32), max(1.0, SOFT * seam.width))


def draw_line(name: str, seam: Seam, skin: tuple[NDArray[np.floating], NDArray[np.floating]]) -> Inside:
    """The layer that draws the line where lips meet that `part_lips` has closed.

    skin: CIELAB (3,) of the cheeks at the picture's left and right."""
    box = _box(seam, 0.04, 0.3)
    along, depth = seam.place(*_cells(box))
    height = LINE * seam.width * np.sqrt(seam.height(along))
    light, red, yellow = np.mean(skin, axis=0)
    colours = np.empty((2, 2, 3), dtype=np.float32)
    colours[:] = LINE_LIGHT * light, red + LINE_RED, yellow
    gap = np.stack([np.abs(depth), height], axis=-1).astype(np.float32)
    return Inside(name, box, gap, colours, max(1.0, SOFT * seam.width))


def _box(seam: Seam, beside: float, beyond: float) -> Box:
    """The box around the seam with a margin, in widths, beside its corners and above and below."""
    ends = np.stack([seam.origin, seam.origin + seam.width * seam.across])
    margin = seam.width * (beside * np.abs(seam.across) + beyond * np.abs(seam.down))
    low, high = ends.min(axis=0) - margin, ends.max(axis=0) + margin
    return math.floor(low[0]), math.floor(low[1]), math.ceil(high[0]), math.ceil(high[1])


def _cells(box: Box) -> tuple[Points, Points]:
    """x and y of the middles of a box's pixels, or of larger cells where it is large."""
    sides = np.array([box[2] - box[0], box[3] - box[1]])
    columns, rows = np.maximum(2, np.ceil(sides * min(1.0, CELLS / sides.max())).astype(int)).tolist()
    return _grid(box, columns, rows)


def _grid(box: Box, columns: int, rows: int) -> tuple[Points, Points]:
    """x and y of the middles of a box's cells, (rows,columns)."""
    x = box[0] + (np.arange(columns) + 0.5) * (box[2] - box[0]) / columns - 0.5
    y = box[1] + (np.arange(rows) + 0.5) * (box[3] - box[1]) / rows - 0.5
    made: tuple[Points, Points] = tuple(np.meshgrid(x, y))  # type: ignore[assignment]
    return made
