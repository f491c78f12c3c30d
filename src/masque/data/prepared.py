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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masque.arrays import read_npy
from masque.data.sources import SPLITS
from masque.errors import DataError, PictureError, printable
from masque.faces.frame import HEIGHT, frame_size
from masque.faces.labels import LABELS, UNKNOWN, Labels, encode_labels
from masque.folders import is_name
from masque.image import MAX_MEGAPIXELS, Picture, encoded, read_picture, write_atomically
from masque.jsonfile import JSON, read_object

VERSION = 1
"""The version of this form of folder; a newer one is refused."""
PERSON, BACKGROUND, BEYOND = 0, 1, 2
"""Values of a mask: a person or clothes, neither, and beyond the edge of the photo."""
MASK_PALETTE = (240, 240, 240, 60, 90, 160, 0, 0, 0)
"""Red, green and blue in which a mask shows each of these values."""
FIXED_COLUMNS = ("file", "source", "identity", "split")
"""Columns of index.csv before those of the attributes."""
SCALES = (1 / 16, 16)
"""The least and the most frame pixels per CelebA pixel that a set may have."""
FARTHEST = 8
"""Heights of the frame from its corner, beyond which there is no landmark of a face that it shows."""


@dataclass(frozen=True)
class Row:
    """One picture of a prepared set."""

    file: str
    """Name without ending: images/<file>.jpg."""
    source: str
    """Path of the picture in the data set that it was prepared from."""
    identity: str
    """Who it shows, as the data set names them; empty where unknown."""
    split: str
    """What the picture is for, one of SPLITS."""
    attributes: Mapping[str, float] = field(default_factory=dict)
    """Values in [0,1] by name; what is unknown is absent."""


@dataclass(frozen=True)
class PreparedSet:
    """A prepared folder, opened."""

    root: Path
    """The folder of the prepared set."""
    rows: tuple[Row, ...]
    """One for each picture, in the order of index.csv."""
    landmarks: NDArray[np.float32]
    """Each frame's 68 landmarks, (N,68,2) in frame pixels."""
    scale: float
    """s: pixels of a frame per pixel of CelebA's aligned pictures."""
    attribute_names: tuple[str, ...]
    """Names of the attributes, as the columns of index.csv have them."""
    parsed_labels: bool
    """Whether the label maps are a parser's, not a data set's own."""

    def frame(self, index: int) -> Picture:
        """The face frame of row `index`, RGB uint8 (218s,178s,3)."""
        path = self.root / "images" / f"{self.rows[index].file}.jpg"
        width, height = frame_size(self.scale)
        try:
            picture = read_picture(path)
        except PictureError as error:
            raise DataError(f"{self.root} is damaged ({str(error).rstrip('.')}): prepare it again.") from None
        if picture.shape[:2] != (height, width):
            raise DataError(f"{path} is not {width}×{height} pixels, as its set says: prepare the set again.")
        return picture

    def mask(self, index: int) -> NDArray[np.uint8]:
        """PERSON, BACKGROUND or BEYOND for each pixel of the frame, uint8 (218s,178s)."""
        return self._read(self.root / "masks" / f"{self.rows[index].file}.png", (PERSON, BACKGROUND, BEYOND))

    def has_labels(self, index: int) -> bool:
        """Whether the parts of this frame are known."""
        return self._label_file(index).is_file()

    def labels(self, index: int) -> Labels:
        """The label map of the frame, uint8 (218s,178s). Raises DataError where there is none."""
        return self._read(self._label_file(index), (*range(len(LABELS)), UNKNOWN))

    def _read(self, path: Path, allowed: Sequence[int]) -> NDArray[np.uint8]:
        """A map of the size of this set's frames that holds none but the allowed values. Raises DataError."""
        pixels = read_map(path, frame_size(self.scale)[::-1])
        strange = ~np.isin(pixels, allowed)
        if strange.any():
            raise DataError(f"{path} holds {pixels[strange][0]}, which stands for nothing: prepare the set again.")
        return pixels

    def _label_file(self, index: int) -> Path:
        return self.root / "labels" / f"{self.rows[index].file}.png"

    def indices(self, *splits: str) -> NDArray[np.int64]:
        """Positions of the rows of these splits."""
        return np.array([i for i, row in enumerate(self.rows) if row.split in splits], dtype=np.int64)

    def attributes(self, names: Sequence[str]) -> NDArray[np.float32]:
        """float32 (N,A) in [0,1], NaN where unknown (also for names this set does not have)."""
        return np.array(
            [[row.attributes.get(name, np.nan) for name in names] for row in self.rows], dtype=np.float32
        ).reshape(len(self.rows), -1)


def read_map(path: Path, shape: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """The indices (H,W) of a palette or grey PNG of at most 50 megapixels.

    shape: (H,W) that it must have; sizes are looked at before any pixel is decoded. Raises DataError when it is
    missing, damaged, of another size or of another kind."""
    try:
        with Image.open(path, formats=("PNG",)) as opened:
            if opened.width * opened.height > MAX_MEGAPIXELS * 1e6:
                raise ValueError(f"it says that it has {opened.width}×{opened.height} pixels")
            if shape is not None and opened.size != (shape[1], shape[0]):
                raise DataError(f"{path} is not {shape[1]}×{shape[0]} pixels, as its set says: prepare the set again.")
            if opened.mode not in ("P", "L", "1"):
                raise ValueError("it is not a palette picture")
            return np.array(opened, dtype=np.uint8)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoder raises almost anything on damaged files
        raise DataError(f"{path} is missing or damaged ({printable(error, 160)}): prepare the set again.") from None


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
    with _reading(root, "prepared.json"):
        about = read_object(root / "prepared.json")
        version = about.get("version")
        if type(version) is not int:
            raise ValueError("it says no version")
    if version > VERSION:
        raise DataError(
            f"{root} was prepared by a newer Masque (version {printable(version, 20)}, known is {VERSION}): update "
            "Masque."
        )
    with _reading(root, "prepared.json"):
        scale = about.get("scale")
        if type(scale) is bool or not isinstance(scale, (int, float)) or not SCALES[0] <= scale <= SCALES[1]:
            raise ValueError(f"its scale is {printable(scale, 20)} and no number from {SCALES[0]} to {SCALES[1]}")
        parsed = bool(about.get("label_maps") and about.get("parsed"))
    with _reading(root, "index.csv"):
        rows, names = _read_index(root / "index.csv")
    with _reading(root, "landmarks.npy"):
        landmarks = read_npy(root / "landmarks.npy", ("N", 68, 2))
        if len(landmarks) != len(rows):
            raise DataError(
                f"{root} is damaged ({len(rows)} rows, landmarks of shape {landmarks.shape}): prepare it again."
            )
        check_landmarks(landmarks, scale)
    return PreparedSet(root, tuple(rows), landmarks, float(scale), names, parsed)


def check_landmarks(landmarks: NDArray[np.generic], scale: float) -> None:
    """Raise ValueError unless landmarks (N,68,2), all finite, are those of faces that frames of this scale may show."""
    if landmarks.shape[1:] != (68, 2):
        raise ValueError("it has faces without 68 landmarks")
    if len(landmarks) and np.abs(landmarks).max() > FARTHEST * HEIGHT * scale:
        raise ValueError("it has landmarks far outside of the pictures")


@contextmanager
def _reading(root: Path, name: str) -> Iterator[None]:
    """What goes wrong while one file of a set is read, as one sentence."""
    try:
        yield
    except (OSError, ValueError, csv.Error) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else error
        raise DataError(f"{root} is damaged ({name}: {printable(reason, 200)}): prepare it again.") from None


def _read_index(path: Path) -> tuple[list[Row], tuple[str, ...]]:
    """The rows, and the names of the attributes. Raises OSError, ValueError and csv.Error."""
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as opened:
        reader = csv.reader(opened, strict=True)
        columns = next(reader, [])
        if any(columns.count(name) != 1 for name in (*FIXED_COLUMNS, *columns)):
            raise ValueError(f"the first line has to name {', '.join(FIXED_COLUMNS)} and attributes, each once")
        names = tuple(name for name in columns if name not in FIXED_COLUMNS)
        rows = [_row(dict(zip(columns, line, strict=True)), names) for line in reader if line]
    if len({row.file for row in rows}) < len(rows):
        raise ValueError("a picture stands in it twice")
    return rows, names


def _row(line: Mapping[str, str], names: Sequence[str]) -> Row:
    """One line of the index. Raises ValueError."""
    file, split = line["file"], line["split"]
    if not is_name(file):
        raise ValueError(f"{printable(file)} is no file's name")
    if split not in SPLITS:
        raise ValueError(f"the split of {printable(file)} is {printable(split, 20)} and none of {', '.join(SPLITS)}")
    attributes = {}
    for name in names:
        if line[name]:
            attributes[name] = value = float(line[name])
            if not 0 <= value <= 1:  # which is not true of NaN either
                raise ValueError(
                    f"{printable(name)} of {printable(file)} is {printable(line[name], 20)} and no number from 0 to 1"
                )
    return Row(file, line["source"], line["identity"], split, attributes)


def write_index(root: Path, rows: Sequence[Row], landmarks: NDArray[np.float32], about: Mapping[str, JSON]) -> None:
    """Write landmarks.npy, index.csv and, last, prepared.json: a folder that has the last one is complete."""
    names = list(dict.fromkeys(name for row in rows for name in row.attributes))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*FIXED_COLUMNS, *names])
    for row in rows:
        values = [f"{row.attributes[n]:.4g}" if n in row.attributes else "" for n in names]
        writer.writerow([row.file, row.source, row.identity, row.split, *values])
    write_atomically(root / "landmarks.npy", lambda part: _save_array(part, landmarks))
    write_atomically(
        root / "index.csv", lambda part: part.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")
    )
    write_atomically(
        root / "prepared.json", lambda part: part.write_text(json.dumps({"version": VERSION, **about}, indent=1) + "\n")
    )


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
