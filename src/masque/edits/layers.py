"""Which layer of a change makes what of it: in numbers, and as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np

from masque.edits.heatmap import colour_change, heatmap
from masque.errors import PictureError
from masque.faces.change import Change
from masque.image import Picture, grid

MEASURED = 192
"""Longer side in pixels of the copy of a photo on which the shares of layers are measured: they hardly differ on a
larger one, and an edit must not wait for them."""

CELL = 512
"""Longest side in pixels of a picture on a sheet of layers."""


def layer_shares(change: Change, photo: Picture) -> dict[str, float]:
    """What share of a change each of its layers makes, by the layers' names, from 0 to 1: the mean ΔE by which a layer
    alters what the ones before it have left, over the sum of these of all layers. Layers of one name count as one.

    photo: (H,W,3), the one that the change is for. All are 0 where nothing changes."""
    found = {layer.name: 0.0 for layer in change.layers}
    before = None
    for name, picture in _steps(*_small(change, photo, MEASURED)):
        if before is not None:
            found[name] += float(colour_change(before, picture).mean())
        before = picture
    total = sum(found.values())
    return {name: round(value / total, 3) if total else 0.0 for name, value in found.items()}


def show_layers(change: Change, photo: Picture) -> Picture:
    """A sheet: above the photo and what each layer, one after the other, makes of it; below what that layer alters, as
    `masque.edits.heatmap` shows it.

    photo: (H,W,3), the one that the change is for. Raises PictureError for a change without layers."""
    if not change.layers:
        raise PictureError("The change has no layers: it leaves the photo as it is.")
    pictures = [picture for _, picture in _steps(*_small(change, photo, CELL))]
    heat = [heatmap(before, after)[0] for before, after in pairwise(pictures)]
    plain = np.repeat(cv2.cvtColor(pictures[0], cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    return grid([*pictures, plain, *heat], len(pictures))


def _steps(change: Change, photo: Picture) -> Iterator[tuple[str, Picture]]:
    """The photo, and what is made of it by one layer more each time, with the layer's name."""
    yield "", photo
    for count, layer in enumerate(change.layers, start=1):
        yield layer.name, Change(change.size, change.layers[:count]).apply(photo)


def _small(change: Change, photo: Picture, side: int) -> tuple[Change, Picture]:
    """A copy of the photo whose longer side has at most `side` pixels, and the change of it."""
    height, width = photo.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return change, photo
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return change.enlarged(*size), small
