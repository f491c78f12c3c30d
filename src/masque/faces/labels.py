"""Label maps of the eleven parts of Table 3.1 of the portrait thesis: names, colours, mirroring, growing, files a
person can paint in.

A label map is uint8 (H,W) of indices into LABELS. Left and right are those of the picture.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from masque.errors import OutputError, PictureError, printable
from masque.faces.mapfile import LOSSY, Numbers, read_numbers, undo_scaling
from masque.faces.painted import labels_by_colour, undo_smoothing
from masque.image import ORIENTATION, UPRIGHT, Picture, check_output, decoded, encoded, write_atomically
from masque.jsonfile import JSON
from masque.provenance import fingerprint, packet

Labels = NDArray[np.uint8]
"""(H,W) indices into LABELS."""

LABELS = (
    "background",
    "skin",
    "left brow",
    "right brow",
    "left eye",
    "right eye",
    "nose",
    "upper lip",
    "mouth",
    "lower lip",
    "hair",
)
"""The parts of the face, in the order of Table 3.1. Left is left in the picture."""

UNKNOWN = 255
"""The value of a pixel whose part is not known."""

COLOURS = np.array(
    [
        (0, 0, 0),
        (236, 188, 160),
        (120, 70, 30),
        (190, 130, 60),
        (40, 110, 220),
        (60, 200, 240),
        (250, 220, 60),
        (230, 60, 80),
        (120, 10, 40),
        (180, 40, 140),
        (90, 160, 60),
    ],
    dtype=np.uint8,
)
"""(11,3) RGB: the palette of every label map that is written, of colours that differ clearly to the eye."""

OPPOSITE = np.array([0, 1, 3, 2, 5, 4, 6, 7, 8, 9, 10], dtype=np.uint8)
"""(11,) the label that each label is in a mirrored picture."""

MOUTH = (7, 8, 9)
"""The labels of lips and inner mouth."""


def mirror(labels: Labels) -> Labels:
    """The label map of the mirrored picture: left parts become right ones."""
    return swap_sides(labels[:, ::-1])


def swap_sides(labels: Labels) -> Labels:
    """A label map in which left parts have become right ones and the other way round; nothing moves."""
    table = np.arange(256, dtype=np.uint8)
    table[: len(OPPOSITE)] = OPPOSITE
    named: Labels = table[labels]
    return named


def grow(labels: Labels, share: float = 0.1) -> Labels:
    """A label map with both eyes and the mouth enlarged by `share` of their size, over skin alone (Section 4.2.2),
    since annotators cut them tight.

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


def colour_labels(labels: Labels) -> Picture:
    """The label map as an RGB picture (H,W,3)."""
    picture: Picture = COLOURS[labels]
    return picture


def overlay(photo: Picture, labels: Labels, share: float = 0.5) -> Picture:
    """The photo (H,W,3) with its parts tinted in the colours of COLOURS; the background is left as it is.

    share: of the tint, in [0,1]."""
    tint = np.where((labels > 0)[..., None], np.float32(share), np.float32(0))
    mixed: Picture = np.rint(photo * (1 - tint) + colour_labels(labels) * tint).astype(np.uint8)
    return mixed


def encode_labels(labels: Labels, record: Mapping[str, JSON] | None = None) -> bytes:
    """A label map as a palette PNG, whose indices are the labels and whose colours COLOURS; UNKNOWN is white.

    record: how it came about (see `masque.provenance`)."""
    image = Image.fromarray(labels, mode="P")
    palette = np.full((256, 3), 255, np.uint8)
    palette[: len(COLOURS)] = COLOURS
    image.putpalette(palette.tobytes())
    info = PngInfo()
    if record is not None:
        info.add_itxt("XML:com.adobe.xmp", packet(record, fingerprint(palette[labels])).decode())
    return encoded(image, "PNG", compress_level=6, pnginfo=info)


def check_label_file(path: str | Path) -> Path:
    """A name that a label map can be written to. Raises OutputError, also for one that does not end in .png."""
    path = check_output(path)
    if path.suffix.lower() != ".png":
        raise OutputError(f"{path.name} would blur or recolour a label map: name a .png file.")
    return path


def write_labels(path: str | Path, labels: Labels, record: Mapping[str, JSON] | None = None) -> Path:
    """Write a label map as a palette PNG, whole or not at all, with its record if there is one. Raises OutputError."""
    path = check_label_file(path)
    content = encode_labels(labels, record)
    write_atomically(path, lambda part: part.write_bytes(content))
    return path


LabelSource = str | os.PathLike[str] | bytes | BytesIO | Image.Image | NDArray[np.generic]
"""What a label map can be read from: see `read_labels`."""


def read_labels(source: LabelSource) -> tuple[Labels, Sequence[str]]:
    """A label map (H,W) as a program saved it, and a sentence on each thing that had to be put right.

    source: a picture's path or the file's content, a Pillow image, whole numbers (H,W), or RGB or RGBA uint8 (H,W,3 or
    4). Palette and grey pictures of any depth hold the labels themselves, also as grey in three channels, unless a
    palette's colours are those of COLOURS in another order. Other pictures are read by their colours: what has one of
    COLOURS is that label, and a pixel of any other becomes one of the labels around it. What is transparent by half or
    more is background. A turned EXIF orientation is applied; of several pages or frames the first counts.

    Raises PictureError for what is not a picture, for labels or areas of colours that are none of the eleven, with
    their pixel counts, and for labels saved as grey by JPEG, which changes them."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        with decoded(path) as image:
            return _of_image(image, printable(path.name), path)
    if isinstance(source, (bytes, BytesIO)):
        content = BytesIO(source) if isinstance(source, bytes) else source
        with decoded(content) as image:
            return _of_image(image, "The label map", content)
    if isinstance(source, Image.Image):
        return _of_image(source, "The label map")
    if not isinstance(source, np.ndarray) or source.dtype.kind not in "iuf" or not source.size:
        kind = (
            f"an array of {source.dtype} {source.shape}"
            if isinstance(source, np.ndarray)
            else f"a {type(source).__name__}"
        )
        raise PictureError(
            f"The label map is {kind}: give whole numbers of shape (H, W) from 0 to {len(LABELS) - 1}, or a path."
        )
    if source.ndim == 3 and source.dtype == np.uint8 and source.shape[2] in (3, 4):
        return _of_image(Image.fromarray(np.ascontiguousarray(source)), "The label map")
    if source.ndim != 2:
        raise PictureError(
            f"The label map is an array of shape {source.shape}: give labels (H, W), or RGB pixels as uint8 (H, W, 3)."
        )
    return _as_labels(cast(Numbers, source), "The label map"), []


def _of_image(image: Image.Image, name: str, file: Path | BytesIO | None = None) -> tuple[Labels, Sequence[str]]:
    frames = getattr(image, "n_frames", 1)
    notes = [f"{name} has {frames} pages or frames: the first was read."] if frames > 1 else []
    numbers = read_numbers(image, COLOURS, file)
    if numbers is None:
        labels, more = _by_colour(image, name)
    else:
        if image.format in LOSSY and numbers.any():
            raise PictureError(
                f"{name} holds labels as grey levels, and JPEG changes those: save it as .png, or paint in colours."
            )
        numbers, scale = undo_scaling(numbers, len(LABELS))
        labels = _as_labels(numbers, name)
        labels, moved = (labels, 0) if image.mode in ("P", "PA") else undo_smoothing(labels, len(LABELS))
        more = [] if scale == 1 else [f"{name}: its grey levels were taken for {scale:g} times the labels."]
        more += [f"{name}: {moved} pixels of smoothed edges were taken for the nearest label."] if moved else []
    turn = UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    if turn is not None:
        labels = np.asarray(Image.fromarray(labels).transpose(turn))
    return labels, [*notes, *more]


def _by_colour(image: Image.Image, name: str) -> tuple[Labels, list[str]]:
    found = labels_by_colour(image, COLOURS)
    if found.unknown:
        listed = ", ".join(
            f"#{code.to_bytes(3, 'little').hex()}: {count} pixels" for code, count in list(found.unknown.items())[:3]
        )
        raise PictureError(
            f"{name} has colours that are no part of a face ({listed}): paint with the colours of `masque parse`."
        )
    if found.moved and not found.labels.any():
        raise PictureError(
            f"{name} is all but black, and no part of a face can be told: save it as .png in its colours."
        )
    notes = [f"{name}: {found.moved} pixels of other colours were taken for the nearest label."] if found.moved else []
    return found.labels, notes


def _as_labels(numbers: Numbers, name: str) -> Labels:
    """Numbers (H,W) as labels. Raises PictureError, with counts, for those that are none."""
    with np.errstate(invalid="ignore"):
        strange = ~((numbers >= 0) & (numbers < len(LABELS)) & (numbers == np.floor(numbers)))
    if strange.any():
        values, counts = np.unique(numbers[strange], return_counts=True)
        listed = ", ".join(
            f"{value:g}: {count} pixels"
            for value, count in list(zip(values.tolist(), counts.tolist(), strict=True))[:5]
        )
        raise PictureError(
            f"{name} has labels that are no part of a face ({listed}): labels go from 0 to {len(LABELS) - 1}."
        )
    return numbers.astype(np.uint8)
