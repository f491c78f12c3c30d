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
from typing import Any

import numpy as np

from masque.data.layouts import read_layout
from masque.data.lists import check_file_name, read_text
from masque.data.measured import read_attributes
from masque.data.prepare import Classify
from masque.errors import DataError, NoFaceError, printable
from masque.faces.detect import choose_face, find_faces
from masque.faces.frame import cut_frame
from masque.folders import list_folder
from masque.image import read_picture

Labelled = Iterator[tuple[Path, dict[str, float]]]

CAPTIONS = {"Blond_Hair": "blond", "Black_Hair": "black hair", "Gray_Hair": "gray hair"}
FIRST_HELD_OUT = 750
"""CelebAMask-HQ pictures from here on chose no number in `masque.data.measured`."""

OPEN_SHARE = 0.001
"""Share of the picture that the inner mouth must cover to count as open."""


def london(root: Path) -> Labelled:
    """Smiling, by folder."""
    for folder, value in (("neutral_front", 0.0), ("smiling_front", 1.0)):
        for path in list_folder(root / folder).pictures if (root / folder).is_dir() else ():
            yield path, {"Smiling": value}


def celebamask(root: Path) -> Labelled:
    """Mouth_Slightly_Open, by the mask of the inner mouth."""
    for source in read_layout(root, "celebamask-hq", 0):
        if int(source.path.stem) >= FIRST_HELD_OUT:
            mask = source.parts.get("mouth")
            share = float(read_picture(mask).any(axis=2).mean()) if mask else 0.0
            yield source.path, {"Mouth_Slightly_Open": float(share > OPEN_SHARE)}


def sfhq(root: Path) -> Labelled:
    """Hair colours, by caption: the one that is named is 1, the other nameable ones 0."""
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


def utkface(root: Path) -> Labelled:
    """Male and Young, by the file's name; ages for which Young is neither 0 nor 1 are left out of it."""
    for source in read_layout(root, "utkface", 0.15):
        if source.split == "test":
            yield source.path, {name: value for name, value in source.attributes.items() if value in (0.0, 1.0)}


SETS: Mapping[str, Callable[[Path], Labelled]] = {
    "london": london,
    "celebamask": celebamask,
    "sfhq": sfhq,
    "utkface": utkface,
}


def evaluate_attributes(
    roots: Mapping[str, Path], classify: Classify | None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """For each attribute: share of pictures on their label's side of ½ (`right`), share labelled 1 (`positive`),
    `count`.

    roots: data set name -> folder, of those in SETS. classify: what estimates Male and Young. Raises DataError where a
    folder has none."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    work = []
    for name, root in roots.items():
        found = [(path, labels) for path, labels in SETS[name](root) if path.is_file()] if root.is_dir() else []
        if not found:
            raise DataError(f"{root} holds no labelled pictures of {name}: name the folder of that data set.")
        work += found
    for done, (path, labels) in enumerate(work, start=1):
        values = measured(path, classify)
        for name, label in labels.items():
            if name in values:
                pairs.setdefault(name, []).append((values[name], label))
        if progress:
            progress(done, len(work))
    return {name: _score(np.array(values)) for name, values in pairs.items()}


def measured(path: Path, classify: Classify | None) -> dict[str, float]:
    """What `masque prepare` would write for a picture whose attributes nobody knows; nothing when it has no face."""
    photo = read_picture(path)
    try:
        face = choose_face(find_faces(photo))
    except NoFaceError:
        return {}
    return read_attributes(cut_frame(photo, face.landmarks), classify)


def _score(pairs: Any) -> dict[str, float]:
    value, label = pairs[:, 0], pairs[:, 1]
    return {
        "right": float(((value > 0.5) == (label > 0.5)).mean()),
        "positive": float(label.mean()),
        "count": len(pairs),
    }


def as_text(report: Mapping[str, Mapping[str, float]]) -> str:
    """The report as a table."""
    lines = [f"{'attribute':22s}{'right':>8s}{'labelled 1':>12s}{'pictures':>10s}"]
    lines += [
        f"{name:22s}{100 * r['right']:7.1f}%{100 * r['positive']:11.1f}%{r['count']:10.0f}"
        for name, r in report.items()
    ]
    return "\n".join(lines)
