"""The prepared set: an ordinary folder that every family trains on and that anyone can open in a file browser.

images/000001.jpg     the face frame, CelebA's aligned geometry at the set's scale
masks/000001.png      palette picture: 0 person, 1 background, 2 beyond the edge of the photo
labels/000001.png     palette label map of 11 classes (where known)
landmarks.npy         float32 (N,68,2), frame pixels, in the order of index.csv
index.csv             file, source, identity, split, then one column per attribute in [0,1] (empty = unknown)
prepared.json         version, geometry, where it came from, counts of what was kept and dropped
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masque.errors import DataError
from masque.faces.labels import Labels, encode_labels
from masque.image import Picture, encoded, read_picture, write_atomically

VERSION = 1
PERSON, BACKGROUND, BEYOND = 0, 1, 2
MASK_PALETTE = (240, 240, 240, 60, 90, 160, 0, 0, 0)
FIXED_COLUMNS = ("file", "source", "identity", "split")


@dataclass(frozen=True)
class Row:
    """One picture of a prepared set."""

    file: str
    """Name without ending: images/<file>.jpg."""
    source: str
    identity: str
    split: str
    attributes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PreparedSet:
    """A prepared folder, opened."""

    root: Path
    rows: tuple[Row, ...]
    landmarks: NDArray[np.float32]
    """(N,68,2) frame pixels."""
    scale: float
    """Frame pixels per CelebA pixel."""
    attribute_names: tuple[str, ...]
    parsed_labels: bool
    """Whether the label maps are what a parser saw."""

    def frame(self, index: int) -> Picture:
        """The face frame of row `index`, RGB uint8 (218s,178s,3)."""
        return read_picture(self.root / "images" / f"{self.rows[index].file}.jpg")

    def mask(self, index: int) -> NDArray[np.uint8]:
        """PERSON, BACKGROUND or BEYOND for each pixel of the frame, uint8 (218s,178s)."""
        return read_map(self.root / "masks" / f"{self.rows[index].file}.png")

    def has_labels(self, index: int) -> bool:
        """Whether the parts of this frame are known."""
        return self._label_file(index).is_file()

    def labels(self, index: int) -> Labels:
        """The label map of the frame, uint8 (218s,178s). Raises DataError where there is none."""
        return read_map(self._label_file(index))

    def _label_file(self, index: int) -> Path:
        return self.root / "labels" / f"{self.rows[index].file}.png"

    def indices(self, *splits: str) -> NDArray[np.int64]:
        """Positions of the rows of these splits."""
        return np.array([i for i, row in enumerate(self.rows) if row.split in splits], dtype=np.int64)

    def attributes(self, names: Sequence[str]) -> NDArray[np.float32]:
        """float32 (N,A) in [0,1], NaN where unknown (also for names this set does not have)."""
        return np.array([[row.attributes.get(name, np.nan) for name in names] for row in self.rows], dtype=np.float32).reshape(
            len(self.rows), -1
        )


def read_map(path: Path) -> NDArray[np.uint8]:
    """The indices (H,W) of a palette picture. Raises DataError when it is missing or damaged."""
    try:
        with Image.open(path) as opened:
            return np.array(opened, dtype=np.uint8)
    except (OSError, ValueError, SyntaxError) as error:  # Pillow's decoders raise any of these on damaged files
        raise DataError(f"{path} is missing or damaged ({error}): prepare the set again.") from None


def open_prepared(root: Path) -> PreparedSet:
    """Open a prepared folder.

    Raises DataError when it is missing, unfinished, damaged or written by a newer Masque.
    """
    if not (root / "prepared.json").is_file():
        hint = (
            "its preparation was not finished: give the same `masque prepare` command again"
            if (root / "journal.jsonl").exists()
            else "make one with `masque prepare`"
        )
        raise DataError(f"{root} is not a prepared set; {hint}.")
    try:
        about = json.loads((root / "prepared.json").read_text())
        if about["version"] > VERSION:
            raise DataError(f"{root} was prepared by a newer Masque (version {about['version']}, known is {VERSION}): update Masque.")
        rows, names = _read_index(root / "index.csv")
        landmarks = np.load(root / "landmarks.npy", allow_pickle=False)
        scale = float(about["scale"])
        parsed = bool(about.get("label_maps") and about.get("parsed"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{root} is damaged ({error}): prepare it again.") from None
    if landmarks.shape != (len(rows), 68, 2):
        raise DataError(f"{root} is damaged ({len(rows)} rows, landmarks of shape {landmarks.shape}): prepare it again.")
    return PreparedSet(root, tuple(rows), landmarks, scale, names, parsed)


def _read_index(path: Path) -> tuple[list[Row], tuple[str, ...]]:
    with path.open(newline="") as opened:
        reader = csv.DictReader(opened)
        names = tuple(n for n in reader.fieldnames or () if n not in FIXED_COLUMNS)
        rows = [
            Row(line["file"], line["source"], line["identity"], line["split"], {n: float(line[n]) for n in names if line[n]})
            for line in reader
        ]
    return rows, names


def write_index(root: Path, rows: Sequence[Row], landmarks: NDArray[np.float32], about: Mapping[str, Any]) -> None:
    """Write landmarks.npy, index.csv and, last, prepared.json: a folder that has the last one is complete."""
    names = list(dict.fromkeys(name for row in rows for name in row.attributes))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*FIXED_COLUMNS, *names])
    for row in rows:
        values = [f"{row.attributes[n]:.4g}" if n in row.attributes else "" for n in names]
        writer.writerow([row.file, row.source, row.identity, row.split, *values])
    write_atomically(root / "landmarks.npy", lambda part: _save_array(part, landmarks))
    write_atomically(root / "index.csv", lambda part: part.write_text(text.getvalue()))
    write_atomically(root / "prepared.json", lambda part: part.write_text(json.dumps({"version": VERSION, **about}, indent=1) + "\n"))


def _save_array(path: Path, array: NDArray[np.float32]) -> None:
    with path.open("wb") as opened:  # np.save would append .npy to the temporary name
        np.save(opened, array, allow_pickle=False)


def write_frame(root: Path, file: str, frame: Picture, mask: NDArray[np.uint8], labels: Labels | None = None) -> None:
    """Write one picture, its mask and, where it is known, its label map into a set that is being prepared."""
    # 4:4:4 at 95: the set is trained on many times, so its own compression must not be what is learnt.
    picture = encoded(Image.fromarray(frame), "JPEG", quality=95, subsampling=0)
    write_maps(root, file, mask, labels)
    write_atomically(root / "images" / f"{file}.jpg", lambda part: part.write_bytes(picture))


def write_maps(root: Path, file: str, mask: NDArray[np.uint8], labels: Labels | None = None) -> None:
    """Write, or write anew, one picture's mask and, where it is known, its label map."""
    palette = Image.fromarray(mask, mode="P")
    palette.putpalette(MASK_PALETTE)
    outline = encoded(palette, "PNG", bits=2)
    write_atomically(root / "masks" / f"{file}.png", lambda part: part.write_bytes(outline))
    if labels is not None:
        parts = encode_labels(labels)
        (root / "labels").mkdir(exist_ok=True)
        write_atomically(root / "labels" / f"{file}.png", lambda part: part.write_bytes(parts))
