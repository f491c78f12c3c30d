"""What a network makes of a face for an edit, and how what it moves is done to a photo's own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.change import Change, Move
from masque.faces.frame import Matrix, scale_of, transform
from masque.faces.paste import add_change, region_of
from masque.faces.regions import Mask
from masque.image import Picture

RIM = 4
"""Values of a field over which it falls to 0 at the edge of what it covers, where the photo may end."""


@dataclass(frozen=True)
class Painting:
    """A face (S,S,3) as a network paints it with and without an edit."""

    before: Picture
    """As it is, moved already where the edit moves."""
    after: Picture
    """With the edit. What differs from `before` is painted."""
    bare: Picture
    """The network's own picture of the edit."""
    field: NDArray[np.float32] | None = None
    """(S,S,2): where each pixel of `before` comes from minus where it is, x and y in pixels of it; None of a network
    that moves nothing."""


def painting_of(before: Picture, after: Picture) -> Painting:
    """What a network that moves nothing makes of a face: two pictures (S,S,3), without and with the edit."""
    return Painting(before, after, after)


def moves_of(painting: Painting, photo: Picture, matrix: Matrix, mask: Mask, name: str) -> tuple[Move, ...]:
    """How an edit moves a photo's own pixels, at most one layer.

    photo: (H,W,3). matrix: its pixels -> those of the painting. mask: (S,S), 0..255, how far the edit may show.
    name: of the layer."""
    if painting.field is None or not painting.field.any():
        return ()
    field = painting.field * (mask.astype(np.float32) / 255)[..., None]
    box = region_of(photo, matrix, len(field))
    if box is None:
        return ()
    left, top, right, bottom = box
    # As fine as the network's own pixels, or as the photo where that is coarser.
    scale = min(1.0, scale_of(matrix))
    columns, rows = (max(2, round(side * scale)) for side in (right - left, bottom - top))
    x = left - 0.5 + (np.arange(columns) + 0.5) * (right - left) / columns
    y = top - 0.5 + (np.arange(rows) + 0.5) * (bottom - top) / rows
    centres = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    at = transform(centres, matrix).reshape(rows, columns, 2)
    found = cv2.remap(field, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    turned = found @ np.linalg.inv(matrix[:, :2]).T
    rim = np.minimum(_from_edge(rows)[:, None], _from_edge(columns))[..., None]
    return (Move(name, box, (turned * rim).astype(np.float32)),)


def add_painting(photo: Picture, painting: Painting, matrix: Matrix, mask: Mask, moves: Sequence[Move]) -> Picture:
    """The photo (H,W,3) with its own pixels moved, and then what is painted added.

    matrix: photo pixels -> those of the painting. mask: (S,S), where anything may show. moves: of `moves_of`."""
    moved = Change((photo.shape[1], photo.shape[0]), tuple(moves)).apply(photo) if moves else photo
    return add_change(moved, painting.before, painting.after, matrix, mask)


def _from_edge(count: int) -> NDArray[np.float32]:
    """(count,): 0 at both ends, rising to 1 over RIM."""
    steps = np.arange(count)
    return np.clip(np.minimum(steps, steps[::-1]) / RIM, 0, 1).astype(np.float32)
