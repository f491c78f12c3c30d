"""The z-buffer: which triangle is nearest at each sample of the picture, and what its vertices say there.

Values of vertices and of samples are arrays (8,·), whose rows are X, Y, DEPTH, three of NORMAL and two of UV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masque.data.puppets.curves import Floats

X = 0
"""Place in the picture in samples, to the right; a sample's middle is a whole number."""
Y = 1
"""Place in the picture in samples, downwards."""
DEPTH = 2
"""mm towards the viewer."""
NORMAL = slice(3, 6)
"""The vector that stands on the surface."""
UV = slice(6, 8)
"""Place in the surface's own paint: see `Surface.uv`."""
VALUES = 8
"""How many rows the values of a vertex or sample have."""

DEPTH_OFFSET = 4096
"""mm: added to depths so that all are positive."""

LOW_BITS = 0xFFFFFFFF
"""The bits of a 64-bit key that hold the triangle's number."""


@dataclass(frozen=True)
class Nearest:
    """What is seen at the N samples that anything covers."""

    samples: NDArray[np.int64]
    """(N,): their numbers, row by row from the top left."""
    triangles: NDArray[np.int64]
    """(N,): the number of the nearest triangle there."""
    values: Floats
    """(8,N): its vertices' values there, in proportion."""


@dataclass(frozen=True)
class _Triangles:
    """The T triangles that face the viewer and cross a row of samples."""

    numbers: NDArray[np.int64]
    """(T,): their numbers among all triangles."""
    corner: Floats
    """(8,T): values at the first corner; the next two add the differences below."""
    edge_b: Floats
    """(8,T): from the first to the second corner."""
    edge_c: Floats
    """(8,T): from the first to the third corner."""
    area: Floats
    """(T,): twice the signed area in the picture, negative where the front is seen."""
    top: Floats
    """(T,): the first row of samples that each crosses."""
    bottom: Floats
    """(T,): the last row of samples that each crosses."""


@dataclass(frozen=True)
class _Planes:
    """Every value is a plane over its triangle."""

    values: list[tuple[Floats, Floats, Floats]]
    """For each value (T,) at the triangles' first corners, and how it changes from one sample to the next across and
    down."""

    def at(self, triangle: NDArray[np.integer], x: Floats, y: Floats, which: Iterable[int]) -> list[Floats]:
        """The values of the numbers `which` at samples x, y (N,) in these triangles (N,)."""
        right, below = x - self.values[X][0].take(triangle), y - self.values[Y][0].take(triangle)
        planes = (self.values[number] for number in which)
        return [
            corner.take(triangle) + across.take(triangle) * right + down.take(triangle) * below
            for corner, across, down in planes
        ]


@dataclass(frozen=True)
class _Fragments:
    """Samples of triangles, not yet sorted by depth."""

    triangle: NDArray[np.int32]
    """(N,): which of `_Triangles` each belongs to."""
    x: Floats
    """(N,): place in the picture, in whole samples to the right."""
    y: Floats
    """(N,): place in the picture, in whole samples downwards."""


def rasterise(values: Floats, triangles: NDArray[np.int32], width: int, height: int) -> Nearest:
    """What is nearest at every sample of a picture of width × height samples.

    values: (8,V) of the vertices. triangles: (T,3) vertices, counter-clockwise where the front is seen; backs are not
    drawn. Triangles are cut into rows and these into samples, so only samples inside triangles are ever made."""
    facing = _facing(values, triangles, height)
    fragments = _fragments(facing, width)
    planes = _planes(facing)
    depth = planes.at(fragments.triangle, fragments.x, fragments.y, [DEPTH])[0]
    # Positive floats sort like their bits, so one integer maximum over (depth, triangle) finds the nearest triangle.
    keys = (depth + DEPTH_OFFSET).view(np.int32).astype(np.int64) << 32 | fragments.triangle
    best = np.zeros(width * height, np.int64)
    np.maximum.at(best, (fragments.y * width + fragments.x).astype(np.int64), keys)
    samples = np.nonzero(best)[0]
    won = best[samples] & LOW_BITS
    y, x = (n.astype(np.float32) for n in divmod(samples, width))
    return Nearest(samples, facing.numbers[won], np.stack(planes.at(won, x, y, range(VALUES))))


def _facing(values: Floats, triangles: NDArray[np.int32], height: int) -> _Triangles:
    """Those of the triangles whose fronts are seen, and the rows of samples that they cross."""
    a, b, c = (values.take(triangles[:, corner], axis=1) for corner in range(3))
    edge_b, edge_c = b - a, c - a
    ys = np.stack([a[Y], b[Y], c[Y]])
    area = edge_b[X] * edge_c[Y] - edge_b[Y] * edge_c[X]
    top, bottom = np.ceil(ys.min(axis=0)).clip(0, None), np.floor(ys.max(axis=0)).clip(None, height - 1)
    numbers = np.nonzero((area < -1e-3) & (bottom >= top))[0]  # edge-on triangles have no slopes to speak of
    kept = (np.asarray(v).take(numbers, axis=-1) for v in (a, edge_b, edge_c, area, top, bottom))
    return _Triangles(numbers, *kept)


def _fragments(facing: _Triangles, width: int) -> _Fragments:
    """Every sample inside every triangle: rows first, then the samples between the edges of each row."""
    owner, y = _count_up((facing.bottom - facing.top + 1).astype(np.int32))
    y += facing.top.take(owner)
    left, right = np.zeros(len(y), np.float32), np.full(len(y), width - 1, np.float32)
    a, ab, ac = facing.corner, facing.edge_b, facing.edge_c
    for start, edge in ((a, ab), (a + ab, ac - ab), (a + ac, -ac)):
        slope, rise = edge[X] / np.where(edge[Y] == 0, 1, edge[Y]), edge[Y].take(owner)
        x = (start[X] - slope * start[Y]).take(owner) + slope.take(owner) * y
        # Corners run counter-clockwise: the triangle is right of an edge that goes down and left of one that goes up.
        left, right = np.maximum(left, np.where(rise > 0, x, 0)), np.minimum(right, np.where(rise < 0, x, width - 1))
    left = np.ceil(left)
    row, x = _count_up((np.floor(right) - left + 1).clip(0, None).astype(np.int32))
    return _Fragments(owner.take(row), left.take(row) + x, y.take(row))


def _count_up(counts: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For counts 2, 3: the owners 0 0 1 1 1 and the positions 0 1 0 1 2."""
    owner = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    starts = np.cumsum(counts, dtype=np.int32) - counts
    return owner, (np.arange(len(owner), dtype=np.int32) - starts.take(owner)).astype(np.float32)


def _planes(facing: _Triangles) -> _Planes:
    """The slopes of each value, from its differences along two edges (Cramer's rule)."""
    a, ab, ac = facing.corner, facing.edge_b, facing.edge_c
    across = (ab * ac[Y] - ac * ab[Y]) / facing.area
    down = (ac * ab[X] - ab * ac[X]) / facing.area
    return _Planes(list(zip(a, across, down, strict=True)))
