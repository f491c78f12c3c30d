"""Where an edit changed colours (CCA-GAN Fig. 7)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.subject import Photo, as_photo
from masque.errors import PictureError
from masque.image import Picture

FULL = 30.0
"""Colour difference (CIE 1976, ΔE) that is shown as the hottest: black hair made blond is about that or more, 2 is
barely seen."""


def colour_change(before: Picture, after: Picture) -> NDArray[np.float32]:
    """ΔE of each pixel, the distance in CIELAB (CIE 1976), float32 (H,W). before, after: RGB uint8 (H,W,3) of one
    size."""
    lab = [cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for picture in (before, after)]
    difference: NDArray[np.float32] = np.linalg.norm(lab[0] - lab[1], axis=2).astype(np.float32)
    return difference


def heatmap(photo: Photo, edited: Photo) -> tuple[Picture, dict[str, float]]:
    """The photo in grey with its changed pixels glowing, from blue (barely) to red (ΔE of 30 and more); and the change
    in numbers.

    photo, edited: RGB uint8 (H,W,3), or paths. Returns the picture (H,W,3), mean and largest ΔE, and the share of
    pixels, in percent, that changed visibly (ΔE above 2). Raises PictureError, also when the two differ in size."""
    (before, name), (after, other) = as_photo(photo), as_photo(edited)
    if before.shape != after.shape:
        sizes = [f"{p.shape[1]}×{p.shape[0]}" for p in (before, after)]
        raise PictureError(
            f"{name} has {sizes[0]} pixels and {other} {sizes[1]}: give a photo and an edit of that same photo."
        )
    change = colour_change(before, after)
    heat = np.clip(change / FULL, 0, 1)
    hot = cv2.cvtColor(
        cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB
    ).astype(np.float32)
    grey = np.repeat(cv2.cvtColor(before, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.float32)
    share = np.clip(change / 4, 0, 1)[..., None]
    shown: Picture = np.rint(grey + 0.75 * share * (hot - grey)).astype(np.uint8)
    return shown, {
        "mean": float(change.mean()),
        "largest": float(change.max()),
        "visibly_changed_percent": 100 * float((change > 2).mean()),
    }
