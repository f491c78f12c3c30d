"""Simulated painting programs: random label maps and the files in which such programs save them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from masque.faces.labels import COLOURS, Labels

BLOBS = (
    (10, 0.36, 0.42),
    (1, 0.26, 0.34),
    (2, 0.09, 0.03),
    (3, 0.09, 0.03),
    (4, 0.06, 0.03),
    (5, 0.06, 0.03),
    (6, 0.06, 0.12),
    (7, 0.12, 0.04),
    (8, 0.1, 0.02),
    (9, 0.12, 0.04),
)
PLACES = {
    2: (0.38, 0.36),
    3: (0.62, 0.36),
    4: (0.38, 0.43),
    5: (0.62, 0.43),
    6: (0.5, 0.55),
    7: (0.5, 0.69),
    8: (0.5, 0.71),
    9: (0.5, 0.74),
}


def random_map(seed: int, side: int = 256) -> Labels:
    """A face of ellipses that are shifted, turned and sized at random; in one of three, parts have each other's
    labels."""
    draw = np.random.default_rng(seed)
    labels = np.zeros((side + int(draw.integers(0, 20)), side), np.uint8)
    names = draw.permutation(11) if seed % 3 == 0 else np.arange(11)
    labels[:] = names[0]
    for label, across, down in BLOBS:
        x, y = PLACES.get(label, (0.5, 0.52))
        centre = (side * np.array([x, y]) + draw.normal(0, 0.02 * side, 2)).round().astype(int)
        axes = np.maximum(1, side * np.array([across, down]) * draw.uniform(0.7, 1.3, 2)).round().astype(int)
        cv2.ellipse(labels, centre.tolist(), axes.tolist(), float(draw.uniform(-20, 20)), 0, 360, int(names[label]), -1)
    return labels


def shuffled(labels: Labels, path: Path, seed: int) -> None:
    """Its palette in another order, with colours that no pixel has."""
    order = np.random.default_rng(seed).permutation(200)
    colours = np.random.default_rng(seed + 1).integers(0, 256, (200, 3)).astype(np.uint8)
    colours[order[:11]] = COLOURS
    image = Image.fromarray(order.astype(np.uint8)[labels], mode="P")
    image.putpalette(colours.tobytes())
    image.save(path)


def erased(labels: Labels, path: Path, seed: int, mode: str) -> None:
    """Background is transparent, and beneath lies what the program left there."""
    beneath = np.where(labels == 0, np.random.default_rng(seed).integers(1, 11, labels.shape), labels).astype(np.uint8)
    alpha = np.where(labels == 0, np.random.default_rng(seed).integers(0, 128), 255).astype(np.uint8)
    if mode == "LA":
        Image.fromarray(np.dstack([beneath, alpha]), mode="LA").save(path)
    elif mode == "RGBA":
        Image.fromarray(np.dstack([COLOURS[beneath], alpha]), mode="RGBA").save(path)
    elif mode == "grey RGBA":
        Image.fromarray(np.dstack([beneath] * 3 + [alpha]), mode="RGBA").save(path)
    else:  # one index is transparent
        moved = np.where(labels == 0, 11, labels).astype(np.uint8)
        image = Image.fromarray(moved, mode="P")
        image.putpalette(np.vstack([COLOURS, COLOURS[10:]]).tobytes())
        image.save(path, transparency=11)


def saved(array: np.ndarray, path: Path, **options: object) -> None:
    Image.fromarray(array).save(path, **options)


EXACT: dict[str, tuple[str, Callable[[Labels, Path, int], object]]] = {
    "palette, another order": ("png", shuffled),
    "palette, another order, GIF": ("gif", shuffled),
    "palette, another order, TIFF": ("tif", shuffled),
    "palette, transparent": ("png", lambda labels, path, seed: erased(labels, path, seed, "P")),
    "grey": ("png", lambda labels, path, _: saved(labels, path)),
    "grey, BMP": ("bmp", lambda labels, path, _: saved(labels, path)),
    "grey, GIF": ("gif", lambda labels, path, _: saved(labels, path)),
    "grey, stretched": ("png", lambda labels, path, _: saved(np.rint(25.5 * labels).astype(np.uint8), path)),
    "grey and alpha": ("png", lambda labels, path, seed: erased(labels, path, seed, "LA")),
    "grey in three channels": ("png", lambda labels, path, _: saved(np.dstack([labels] * 3), path)),
    "grey in three channels and alpha": ("png", lambda labels, path, seed: erased(labels, path, seed, "grey RGBA")),
    "grey in three channels, PPM": ("ppm", lambda labels, path, _: saved(np.dstack([labels] * 3), path)),
    "grey in three channels, WebP": (
        "webp",
        lambda labels, path, _: saved(np.dstack([labels] * 3), path, lossless=True),
    ),
    "grey of 16 bits": ("png", lambda labels, path, _: saved(labels.astype(np.uint16), path)),
    "grey of 16 bits, by 257": ("png", lambda labels, path, _: saved(labels.astype(np.uint16) * 257, path)),
    "grey of 16 bits, TIFF": ("tif", lambda labels, path, _: saved(labels.astype(np.uint16), path)),
    "grey of 16 bits in three channels": (
        "png",
        lambda labels, path, _: cv2.imwrite(str(path), np.dstack([labels.astype(np.uint16)] * 3)),
    ),
    "grey of 16 bits in three channels, TIFF": (
        "tif",
        lambda labels, path, _: cv2.imwrite(str(path), np.dstack([labels.astype(np.uint16)] * 3)),
    ),
    "grey of 32 bits": ("tif", lambda labels, path, _: saved(labels.astype(np.int32), path)),
    "grey in floating point": ("tif", lambda labels, path, _: saved(labels.astype(np.float32), path)),
    "colours": ("png", lambda labels, path, _: saved(COLOURS[labels], path)),
    "colours, BMP": ("bmp", lambda labels, path, _: saved(COLOURS[labels], path)),
    "colours, TIFF": ("tif", lambda labels, path, _: saved(COLOURS[labels], path, compression="tiff_lzw")),
    "colours, WebP": ("webp", lambda labels, path, _: saved(COLOURS[labels], path, lossless=True)),
    "colours of 16 bits": (
        "png",
        lambda labels, path, _: cv2.imwrite(str(path), COLOURS[labels][..., ::-1].astype(np.uint16) * 257),
    ),
    "colours and alpha": ("png", lambda labels, path, seed: erased(labels, path, seed, "RGBA")),
}
"""Ways to save a label map that lose nothing: the file's ending, and what writes it."""


def stroked(labels: Labels, seed: int, reach: float = 10) -> tuple[np.ndarray, Labels]:
    """Colours of a map over which one blob is laid with a brush as soft as 2 × reach pixels, and the map that is
    meant."""
    draw = np.random.default_rng(seed)
    centre, axes = draw.uniform(0.3, 0.7, 2) * labels.shape[1], draw.uniform(0.1, 0.25, 2) * labels.shape[1] + reach
    blob = np.zeros(labels.shape, np.uint8)
    cv2.ellipse(blob, centre.round().astype(int).tolist(), axes.round().astype(int).tolist(), 0, 0, 360, 1, -1)
    label = int(draw.integers(0, 11))
    within, beyond = cv2.distanceTransform(blob, cv2.DIST_L2, 5), cv2.distanceTransform(1 - blob, cv2.DIST_L2, 5)
    cover = np.clip(0.5 + (within - beyond) / (2 * reach), 0, 1)[..., None]
    below = COLOURS[labels].astype(np.float32)
    return np.rint(below + cover * (COLOURS[label] - below)).astype(np.uint8), np.where(blob > 0, label, labels).astype(
        np.uint8
    )


def brushed(labels: Labels, reach: float) -> np.ndarray:
    """Colours with edges as a soft brush leaves them: each part laid over those beneath with a slope as wide as 2 ×
    reach."""
    total, covered = np.zeros((*labels.shape, 3)), np.zeros((*labels.shape, 1))
    for label in np.unique(labels):
        inside = (labels == label).astype(np.uint8)
        within, beyond = (
            cv2.distanceTransform(inside, cv2.DIST_L2, 5),
            cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5),
        )
        cover = np.clip(0.5 + (within - beyond) / (2 * reach), 0, 1)[..., None]
        total, covered = total + cover * COLOURS[label], covered + cover
    return np.rint(total / covered).astype(np.uint8)


def scaled(labels: Labels, factor: float, how: int) -> np.ndarray:
    """Colours scaled with smoothed edges, and back to the map's size without."""
    height, width = labels.shape
    other = cv2.resize(COLOURS[labels], (round(width * factor), round(height * factor)), interpolation=how)
    return cv2.resize(other, (width, height), interpolation=cv2.INTER_NEAREST)


def recoloured(labels: Labels, seed: int) -> np.ndarray:
    """Colours converted to another colour space, in which the same numbers would look otherwise."""
    linear = (COLOURS / 255.0) ** 2.2
    mixing = np.eye(3) + np.random.default_rng(seed).uniform(-0.06, 0.06, (3, 3))
    moved = np.clip(linear @ (mixing / mixing.sum(axis=0)), 0, 1) ** (1 / np.random.default_rng(seed).uniform(1.9, 2.4))
    return np.rint(255 * moved).astype(np.uint8)[labels]


SOFT: dict[str, tuple[str, float, Callable[[Labels, Path, int], object]]] = {
    "antialiased": ("png", 2, lambda labels, path, _: saved(cv2.GaussianBlur(COLOURS[labels], (3, 3), 0), path)),
    "blurred": ("png", 3, lambda labels, path, _: saved(cv2.GaussianBlur(COLOURS[labels], (5, 5), 0), path)),
    "enlarged": ("png", 2, lambda labels, path, _: saved(scaled(labels, 2.7, cv2.INTER_LINEAR), path)),
    "cubic": ("png", 3, lambda labels, path, _: saved(scaled(labels, 2.7, cv2.INTER_CUBIC), path)),
    "reduced": ("png", 3, lambda labels, path, _: saved(scaled(labels, 0.7, cv2.INTER_AREA), path)),
    "brushed softly": ("png", 3, lambda labels, path, _: saved(brushed(labels, 2), path)),
    "brushed softly, GIF": ("gif", 3, lambda labels, path, _: saved(brushed(labels, 2), path)),
    "JPEG 95": ("jpg", 3, lambda labels, path, _: saved(COLOURS[labels], path, quality=95, subsampling=0)),
    "JPEG 90": ("jpg", 3, lambda labels, path, _: saved(COLOURS[labels], path, quality=90)),
    "JPEG 75": ("jpg", 3, lambda labels, path, _: saved(COLOURS[labels], path, quality=75)),
    "JPEG 75, antialiased": (
        "jpg",
        4,
        lambda labels, path, _: saved(cv2.GaussianBlur(COLOURS[labels], (3, 3), 0), path, quality=75),
    ),
    "WebP 80": ("webp", 4, lambda labels, path, _: saved(COLOURS[labels], path, quality=80)),
    "recoloured": ("png", 1, lambda labels, path, seed: saved(recoloured(labels, seed), path)),
}
"""Ways that blur edges: the file's ending, how far from an edge it may show, in pixels, and what writes it."""


def edges(labels: Labels, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Where a map has one label all around (H,W), and which labels lie around each pixel (11,H,W)."""
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    around = np.stack([cv2.dilate((labels == label).astype(np.uint8), kernel) > 0 for label in range(11)])
    return around.sum(axis=0) == 1, around
