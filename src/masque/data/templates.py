"""Templates: several pictures of one person that are recognised together (IJB-A, Klare et al. 2015).

Two sources: a set of people of whom several pictures are known, cut into templates at random, and IJB-A as it is given
out:

DIR/IJB-A_11_sets/split1/verify_metadata_1.csv     TEMPLATE_ID,SUBJECT_ID,FILE,…,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT,…
DIR/IJB-A_11_sets/split1/verify_comparisons_1.csv  two template ids a line, without a heading
DIR/IJB-A_1N_sets/split1/search_gallery_1.csv      as verify_metadata, and search_probe_1.csv
DIR/images/<FILE>                                  or DIR/<FILE>
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masque.errors import DataError, printable
from masque.folders import is_inside, list_folder

Numbers = NDArray[np.int64]

COLUMNS = ("TEMPLATE_ID", "SUBJECT_ID", "FILE", "FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT")
"""The columns of IJB-A's tables that are read."""


@dataclass(frozen=True)
class Split:
    """One split of a protocol."""

    templates: tuple[Numbers, ...]
    """(T,) the pictures of each template, by number."""
    people: Numbers
    """(T,): number of the person whom each template shows."""
    pairs: Numbers
    """(N,2): numbers of the two templates of each pair to be verified."""
    gallery: Numbers
    """(G,): numbers of the templates of known people, among whom others are searched."""
    probes: Numbers
    """(P,) templates of those who are looked for there."""


@dataclass(frozen=True)
class FaceInPicture:
    """A face in a picture."""

    path: Path
    """The picture's file."""
    box: tuple[int, int, int, int]
    """Left, top, width and height of its square, in pixels."""


def split_people(people: Numbers, splits: int = 10, seed: int = 0) -> list[Split]:
    """Random splits: half of each person's pictures are one template of the gallery, the others a probe; all are
    compared with all.

    people: (N,) who is on each picture, −1 for unknown. splits: how many. People with one picture are left out. Raises
    DataError with fewer than two others."""
    several = [np.flatnonzero(people == person) for person in np.unique(people[people >= 0])]
    several = [pictures for pictures in several if len(pictures) > 1]
    if len(several) < 2:
        raise DataError(
            "Two held-out people with two pictures each are needed at least: prepare a set that says who is who, with "
            "a larger --held-out."
        )
    count = len(several)
    rng = np.random.default_rng(seed)
    gallery, probes = np.arange(count), np.arange(count, 2 * count)
    pairs = np.stack(np.meshgrid(gallery, probes, indexing="ij"), axis=-1).reshape(-1, 2)
    found = []
    for _ in range(splits):
        mixed = [rng.permutation(pictures) for pictures in several]
        halves = [m[: len(m) // 2] for m in mixed] + [m[len(m) // 2 :] for m in mixed]
        who = np.array([people[m[0]] for m in mixed])
        found.append(Split(tuple(halves), np.concatenate([who, who]), pairs, gallery, probes))
    return found


def read_ijba(root: Path) -> tuple[list[FaceInPicture], list[Split]]:
    """IJB-A's splits, and all faces that they name, once each. Raises DataError for what is missing or not of the
    format."""
    verify, search = root / "IJB-A_11_sets", root / "IJB-A_1N_sets"
    if not verify.is_dir() or not search.is_dir():
        raise DataError(
            f"There are no folders IJB-A_11_sets and IJB-A_1N_sets in {root}: name the folder that holds IJB-A."
        )
    names = [folder.name for folder in list_folder(verify).folders]
    numbers = sorted(int(name[5:]) for name in names if name.startswith("split") and name[5:].isdecimal())
    if not numbers:
        raise DataError(f"There are no folders split1, split2 … in {verify}: unpack all of IJB-A there.")
    places: dict[tuple[str, tuple[int, int, int, int]], int] = {}
    splits = []
    for number in numbers:
        tables = [
            _templates(verify / f"split{number}" / f"verify_metadata_{number}.csv", places),
            _templates(search / f"split{number}" / f"search_gallery_{number}.csv", places),
            _templates(search / f"split{number}" / f"search_probe_{number}.csv", places),
        ]
        splits.append(_split(tables, verify / f"split{number}" / f"verify_comparisons_{number}.csv"))
    return _faces_in_pictures(root, list(places)), splits


Templates = Mapping[str, tuple[str, Sequence[int]]]
"""By the id of each template: who it shows, and the numbers of its pictures."""


def _templates(path: Path, places: dict[tuple[str, tuple[int, int, int, int]], int]) -> Templates:
    rows = _rows(path)
    heading = [name.strip() for name in rows[0]] if rows else []
    missing = [name for name in COLUMNS if name not in heading]
    if missing:
        raise DataError(
            f"{path} has no column {missing[0]}: it should be the table of that name which comes with IJB-A."
        )
    at = [heading.index(name) for name in COLUMNS]
    found: dict[str, tuple[str, list[int]]] = {}
    for line, row in enumerate(rows[1:], start=2):
        try:
            template, person, file, *box = (row[i].strip() for i in at)
            left, top, width, height = (round(float(n)) for n in box)
        except (IndexError, ValueError, OverflowError):
            raise DataError(f"Line {line} of {path} is not a row of its table: unpack IJB-A again.") from None
        if not is_inside(file):
            raise DataError(
                f"Line {line} of {path} names {printable(file)}, which is no file of IJB-A: unpack it again."
            )
        number = places.setdefault((file, (left, top, width, height)), len(places))
        found.setdefault(template, (person, []))[1].append(number)
    return found


def _split(tables: Sequence[Templates], comparisons: Path) -> Split:
    """Templates of verification and of search are numbered one after the other."""
    verify, gallery, probes = tables
    ids = {template: i for i, template in enumerate(verify)}
    pairs = []
    for line, row in enumerate(_rows(comparisons), start=1):
        try:
            first, second = (ids[cell.strip()] for cell in row)
        except (KeyError, ValueError):
            raise DataError(
                f"Line {line} of {comparisons} does not name two templates of verify_metadata: unpack IJB-A again."
            ) from None
        pairs.append((first, second))
    rows = [*verify.values(), *gallery.values(), *probes.values()]
    names = {name: i for i, name in enumerate(dict.fromkeys(person for person, _ in rows))}
    ends = np.cumsum([len(verify), len(gallery), len(probes)])
    return Split(
        templates=tuple(np.array(numbers) for _, numbers in rows),
        people=np.array([names[person] for person, _ in rows]),
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        gallery=np.arange(ends[0], ends[1]),
        probes=np.arange(ends[1], ends[2]),
    )


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error):
        raise DataError(f"There is no table {path}, or it cannot be read: unpack all of IJB-A there.") from None


def _faces_in_pictures(root: Path, places: Sequence[tuple[str, tuple[int, int, int, int]]]) -> list[FaceInPicture]:
    folder = root / "images" if (root / "images").is_dir() else root
    found = [FaceInPicture(folder / file, box) for file, box in places]
    missing = [face.path for face in found if not face.path.is_file()]
    if missing:
        raise DataError(
            f"There is no {missing[0]}, and IJB-A's tables name it: {len(missing)} of the faces they name are missing."
        )
    return found
