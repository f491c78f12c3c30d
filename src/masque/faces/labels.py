"""Label maps of the eleven parts of Table 3.1 of the portrait thesis: names, colours, mirroring, growing, files a person can paint in.

A label map is uint8 (H,W) of indices into LABELS. Left and right are those of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masque.errors import OutputError, PictureError
from masque.image import Picture, check_output, decoded, encoded, write_atomically

Labels = NDArray[np.uint8]
"""(H,W) indices into LABELS."""

LABELS = ("background", "skin", "left brow", "right brow", "left eye", "right eye", "nose", "upper lip", "mouth", "lower lip", "hair")
"""In the order of Table 3.1. Left is left in the picture."""

UNKNOWN = 255
"""In a label map that is not known everywhere: here it is not."""

COLOURS = np.array(
    [
        (0, 0, 0), (236, 188, 160), (120, 70, 30), (190, 130, 60), (40, 110, 220), (60, 200, 240), (250, 220, 60),
        (230, 60, 80), (120, 10, 40), (180, 40, 140), (90, 160, 60),
    ],
    dtype=np.uint8,
)  # fmt: skip
"""(11,3) RGB, the palette of every label map that is written: far enough apart to be told by eye."""

OPPOSITE = np.array([0, 1, 3, 2, 5, 4, 6, 7, 8, 9, 10], dtype=np.uint8)
"""What each label is in the mirror."""

NEAR = 60.0
"""Colours farther than this from all of COLOURS (in RGB) were not meant to be one of them."""

GROWN = (4, 5, 7, 8, 9)
"""Eyes and mouth, which Section 4.2.2 enlarges, since annotators cut them tight."""
MOUTH = (7, 8, 9)


def mirrored(labels: Labels) -> Labels:
    """The label map of the mirrored picture: left parts become right ones."""
    return swap_sides(labels[:, ::-1])


def swap_sides(labels: Labels) -> Labels:
    """Left parts named right and the other way round, nothing moved; UNKNOWN stays."""
    table = np.arange(256, dtype=np.uint8)
    table[: len(OPPOSITE)] = OPPOSITE
    named: Labels = table[labels]
    return named


def grow(labels: Labels, share: float = 0.1) -> Labels:
    """Both eyes and the mouth enlarged by `share` of their size, over skin alone (Section 4.2.2).

    The mouth is enlarged as a whole: its outer lips grow outwards, and nothing inside it moves.
    """
    grown = labels.copy()
    for part in ((4,), (5,), MOUTH):
        inside = np.isin(labels, part)
        if not inside.any():
            continue
        rows, columns = np.nonzero(inside)
        # A tenth in size is a twentieth on each side; one pixel is the least that can be seen.
        reach = [max(1, round(share / 2 * (int(along.max()) - int(along.min()) + 1))) for along in (columns, rows)]
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach[0] + 1, 2 * reach[1] + 1))
        rim = (cv2.dilate(inside.astype(np.uint8), kernel) > 0) & (labels == 1)
        if rim.any():
            _, nearest = cv2.distanceTransformWithLabels(
                (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
            )
            of_pixel = np.zeros(int(nearest.max()) + 1, np.uint8)
            of_pixel[nearest[inside]] = labels[inside]
            grown[rim] = of_pixel[nearest[rim]]
    return grown


def coloured(labels: Labels) -> Picture:
    """The label map as an RGB picture (H,W,3)."""
    picture: Picture = COLOURS[labels]
    return picture


def overlay(photo: Picture, labels: Labels, share: float = 0.5) -> Picture:
    """The photo with its parts tinted in their colours, background left as it is."""
    tint = np.where((labels > 0)[..., None], np.float32(share), np.float32(0))
    mixed: Picture = np.rint(photo * (1 - tint) + coloured(labels) * tint).astype(np.uint8)
    return mixed


def encode_labels(labels: Labels) -> bytes:
    """A palette PNG: index = label, colours = COLOURS; UNKNOWN becomes white."""
    image = Image.fromarray(labels, mode="P")
    palette = np.full((256, 3), 255, np.uint8)
    palette[: len(COLOURS)] = COLOURS
    image.putpalette(palette.tobytes())
    return encoded(image, "PNG", compress_level=6)


def check_label_file(path: str | Path) -> Path:
    """A name that a label map can be written to. Raises OutputError, also for one that does not end in .png."""
    path = check_output(path)
    if path.suffix.lower() != ".png":
        raise OutputError(f"{path.name} would blur or recolour a label map: name a .png file.")
    return path


def write_labels(path: str | Path, labels: Labels) -> Path:
    """Write a label map as a palette PNG, whole or not at all. Raises OutputError."""
    path = check_label_file(path)
    content = encode_labels(labels)
    write_atomically(path, lambda part: part.write_bytes(content))
    return path


def read_labels(path: str | Path) -> tuple[Labels, Sequence[str]]:
    """A label map (H,W) from a palette, grey or RGB picture, and what had to be put right, a sentence each.

    Palette and grey pictures hold the labels themselves, unless all of their colours are those of COLOURS in another order. RGB
    pictures, such as painting programs write, are snapped to the nearest of COLOURS. Raises PictureError for a file that is not a
    picture, and for labels or colours that are none of the eleven, with their pixel counts.
    """
    path = Path(path)
    with decoded(path) as image:
        if image.mode in ("P", "L", "1") and "transparency" not in image.info:
            indices = np.array(image, dtype=np.uint8)
            if image.mode != "P" or not _other_order(image, indices):
                return _known(indices, path), []
        pixels = np.array(image.convert("RGBA").convert("RGB"), dtype=np.uint8)
    colours, at, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    distance = np.linalg.norm(colours[:, None].astype(np.float32) - COLOURS[None].astype(np.float32), axis=2)
    far = distance.min(axis=1) > NEAR
    if far.any():
        most = np.argsort(-counts[far])[:3]
        listed = ", ".join(f"#{bytes(colours[far][i]).hex()}: {counts[far][i]} pixels" for i in most)
        raise PictureError(f"{path.name} has colours that are no part of a face ({listed}): paint with the colours of `masque parse`.")
    snapped = distance.argmin(axis=1).astype(np.uint8)[at.reshape(-1)].reshape(pixels.shape[:2])
    moved = int(counts[distance.min(axis=1) > 0].sum())
    return snapped, [f"{path.name}: {moved} pixels of other colours were taken for the nearest label."] if moved else []


def _other_order(image: Image.Image, indices: NDArray[Any]) -> bool:
    """Whether a palette picture has the label colours, but at other indices: painting programs sort palettes."""
    palette = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    used = np.unique(indices)
    used = used[used < len(palette)]
    of_label = [int(i) for i in used if i < len(COLOURS)]
    in_order = len(of_label) == len(used) and all((palette[i] == COLOURS[i]).all() for i in of_label)
    return not in_order and all((palette[i] == COLOURS).all(axis=1).any() for i in used)


def _known(indices: Labels, path: Path) -> Labels:
    unknown = {int(v): int(n) for v, n in zip(*np.unique(indices, return_counts=True), strict=True) if v >= len(LABELS)}
    if unknown:
        listed = ", ".join(f"{value}: {count} pixels" for value, count in list(unknown.items())[:5])
        raise PictureError(f"{path.name} has labels that are no part of a face ({listed}): labels go from 0 to {len(LABELS) - 1}.")
    return indices
