"""How often the attributes that `masque prepare` measures are right, on labelled pictures.

No network was trained on them and no number fitted to them, except that SFHQ's captions guided the limits between hair
colours.

london      Face Research Lab London Set: neutral_front/ and smiling_front/            Smiling
celebamask  CelebAMask-HQ, pictures 750 and up: is there an inner mouth in the masks?  Mouth_Slightly_Open
sfhq        SFHQ with labels.csv: captions that name a hair colour                     Black_, Blond_, Gray_Hair
utkface     UTKFace's last 15 % by a hash of the name                                  Male, Young
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from masque.data.layouts import read_layout
from masque.data.lists import check_file_name, read_text
from masque.data.measured import read_attributes
from masque.data.prepare import Classify
from masque.errors import DataError, NoFaceError, printable
from masque.faces.detect import choose_face, find_faces
from masque.faces.frame import cut_frame
from masque.folders import list_folder
from masque.image import read_picture

LabelledPictures = Iterator[tuple[Path, dict[str, float]]]
"""Pictures, each with the attributes that its data set says it has, 0 or 1."""

CAPTIONS = {"Blond_Hair": "blond", "Black_Hair": "black hair", "Gray_Hair": "gray hair"}
"""Attribute -> the words of a caption of SFHQ that name it."""

FIRST_HELD_OUT = 750
"""First of the CelebAMask-HQ pictures by which no limit in `masque.data.measured` was chosen."""

OPEN_SHARE = 0.001
"""Share of the picture that the inner mouth must cover for the mouth to count as open."""


class Score(TypedDict):
    """How often a measured attribute is right."""

    right: float
    """Share of the pictures whose measured value is on their label's side of ½"""
    positive: float
    """Share of the pictures that are labelled 1"""
    count: int


def london(root: Path) -> LabelledPictures:
    """The London Set: Smiling, by folder."""
    for folder, value in (("neutral_front", 0.0), ("smiling_front", 1.0)):
        for path in list_folder(root / folder).pictures if (root / folder).is_dir() else ():
            yield path, {"Smiling": value}


def celebamask(root: Path) -> LabelledPictures:
    """CelebAMask-HQ: Mouth_Slightly_Open, by the mask of the inner mouth."""
    for source in read_layout(root, "celebamask-hq", 0):
        if int(source.path.stem) >= FIRST_HELD_OUT:
            mask = source.parts.get("mouth")
            share = float(read_picture(mask).any(axis=2).mean()) if mask else 0.0
            yield source.path, {"Mouth_Slightly_Open": float(share > OPEN_SHARE)}


def sfhq(root: Path) -> LabelledPictures:
    """SFHQ: hair colours, by caption: the one that is named is 1, the others of `CAPTIONS` are 0. Raises DataError for
    a damaged table."""
    path = root / "labels.csv"
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    try:
        rows = [(row["file"], row["captions"]) for row in reader]
    except (csv.Error, KeyError) as error:
        raise DataError(f"{path} is not a table of files and captions ({printable(error)}): fetch it again.") from None
    for number, (file, caption) in enumerate(rows, start=2):
        named = [name for name, words in CAPTIONS.items() if words in (caption or "")]
        if len(named) == 1:
            yield (
                root / "images" / check_file_name(file or "", path, number),
                {name: float(name == named[0]) for name in CAPTIONS},
            )


def utkface(root: Path) -> LabelledPictures:
    """UTKFace: Male and Young, by the file's name; Young only for ages at which it is clearly 0 or 1."""
    for source in read_layout(root, "utkface", 0.15):
        if source.split == "test":
            yield source.path, {name: value for name, value in source.attributes.items() if value in (0.0, 1.0)}


SETS: Mapping[str, Callable[[Path], LabelledPictures]] = {
    "london": london,
    "celebamask": celebamask,
    "sfhq": sfhq,
    "utkface": utkface,
}
"""Data set -> what reads its labelled pictures from its folder."""


def evaluate_attributes(
    roots: Mapping[str, Path], classify: Classify | None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Score]:
    """Attribute -> how often `masque prepare` measures it rightly.

    roots: data set of `SETS` -> its folder. classify: what estimates Male and Young; None to leave them out. progress:
    called with the pictures measured and their number. Raises DataError for a folder without labelled pictures."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    work = []
    for name, root in roots.items():
        found = [(path, labels) for path, labels in SETS[name](root) if path.is_file()] if root.is_dir() else []
        if not found:
            raise DataError(f"{root} holds no labelled pictures of {name}: name the folder of that data set.")
        work += found
    for done, (path, labels) in enumerate(work, start=1):
        values = measure(path, classify)
        for name, label in labels.items():
            if name in values:
                pairs.setdefault(name, []).append((values[name], label))
        if progress:
            progress(done, len(work))
    return {name: _score(np.array(values)) for name, values in pairs.items()}


def measure(path: Path, classify: Classify | None) -> dict[str, float]:
    """The attributes in [0,1] that `masque prepare` would write for a picture without labels; none when it shows no
    face."""
    photo = read_picture(path)
    try:
        face = choose_face(find_faces(photo))
    except NoFaceError:
        return {}
    return read_attributes(cut_frame(photo, face.landmarks), classify)


def _score(pairs: NDArray[np.float64]) -> Score:
    """How often measured values are right. pairs: (N,2), each a measured value and its label, in [0,1]."""
    value, label = pairs[:, 0], pairs[:, 1]
    return {
        "right": float(((value > 0.5) == (label > 0.5)).mean()),
        "positive": float(label.mean()),
        "count": len(pairs),
    }


def as_text(report: Mapping[str, Score]) -> str:
    """The report as a table of text."""
    lines = [f"{'attribute':22s}{'right':>8s}{'labelled 1':>12s}{'pictures':>10s}"]
    lines += [
        f"{name:22s}{100 * r['right']:7.1f}%{100 * r['positive']:11.1f}%{r['count']:10.0f}"
        for name, r in report.items()
    ]
    return "\n".join(lines)
