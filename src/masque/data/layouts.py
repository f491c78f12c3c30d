"""Readers of data sets as their authors publish them: CelebA's official layout, identity folders, plain folders of photos."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from masque.errors import DataError
from masque.image import READABLE_SUFFIXES

LAYOUTS = ("auto", "celeba", "celebamask-hq", "utkface", "identities", "photos")
UTKFACE_NAME = re.compile(r"(\d{1,3})_([01])_\d_\d+")
"""UTKFace: <age>_<0 man, 1 woman>_<ethnicity>_<date>.jpg"""
YOUNG_UNTIL, OLD_FROM = 30, 50
"""Ages up to which a face is Young = 1, and from which it is 0; linear between, since no year divides the two."""
MASKS_OF_PARTS, PICTURES_OF_PARTS = "CelebAMask-HQ-mask-anno", "CelebA-HQ-img"
"""CelebAMask-HQ's folders: <MASKS>/<0 to 14>/<number, five digits>_<part>.png, and <PICTURES>/<number>.jpg."""
PART_NAME = re.compile(r"(\d{5})_(\w+)")
SPLITS = ("train", "validation", "test")

Keep = Callable[[Path], bool]
"""Whether a picture is taken."""


@dataclass(frozen=True)
class Source:
    """One picture of a data set, before anything is done to it."""

    path: Path
    identity: str = ""
    """The person's name or number in the data set; empty when unknown."""
    split: str = "train"
    attributes: Mapping[str, float] = field(default_factory=dict)
    """Values in [0,1] by CelebA's names; what the data set does not say is absent."""
    aligned: bool = False
    """True for a picture that is CelebA's 178×218 frame already."""
    parts: Mapping[str, Path] = field(default_factory=dict)
    """Masks of CelebAMask-HQ's parts, by their names there; empty where there are none."""


def read_layout(source: Path, layout: str = "auto", held_out: float = 0.1, only: Collection[str] | None = None) -> list[Source]:
    """Every picture of a data set, in an order that depends on file names only.

    source: the data set's folder. layout: one of LAYOUTS. held_out: how much of a set without an official split becomes `test`: below 1 a
    share, from 1 on a number, of identities (of pictures where identities are unknown), taken from the end of their order by name.
    only: file names (or paths relative to the source) to take; all others are as if they were not there.
    Raises DataError when the folder is missing, holds no picture, or is not of the layout asked for.
    """
    if not source.is_dir():
        raise DataError(f"There is no folder {source}: name the folder that holds the pictures.")
    layout = detect_layout(source) if layout == "auto" else layout
    names = None if only is None else set(only)

    def keep(path: Path) -> bool:
        return names is None or path.name in names or str(path.relative_to(source)) in names

    readers = {
        "celeba": lambda: [s for s in _celeba(source) if keep(s.path)],
        "celebamask-hq": lambda: _celebamask(source, held_out, keep),
        "utkface": lambda: _utkface(source, held_out, keep),
        "identities": lambda: _identities(source, held_out, keep),
        "photos": lambda: _photos(source, held_out, keep),
    }
    if layout not in readers:
        raise DataError(f"There is no layout {layout}: choose one of {', '.join(LAYOUTS)}.")
    found = readers[layout]()
    if not found and names:
        raise DataError(f"None of the {len(names)} files named is in {source}: check the list.")
    if not found:
        raise DataError(f"There is no picture in {source}: name the folder that holds them.")
    return found


def detect_layout(source: Path) -> str:
    """Which layout a folder has, by the files and folders that CelebA, CelebAMask-HQ, UTKFace and sets of people have; else `photos`."""
    if _find(source, "list_attr_celeba.txt") and _find(source, "img_align_celeba"):
        return "celeba"
    if (source / MASKS_OF_PARTS).is_dir():
        return "celebamask-hq"
    if (pictures := _pictures(source)) and all(UTKFACE_NAME.match(p.name) for p in pictures):
        return "utkface"
    root = _unwrapped(source)
    folders = _folders(root)
    if len(folders) > 1 and not _pictures(root) and all(not any(q.is_dir() for q in p.iterdir()) for p in folders):
        return "identities"
    return "photos"


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in READABLE_SUFFIXES and not p.name.startswith("."))


def _unwrapped(source: Path) -> Path:
    """The folder itself, or the one folder in it when that alone is there and holds folders (LFW: lfw/lfw_deepfunneled/<person>/)."""
    folders = _folders(source)
    return folders[0] if len(folders) == 1 and not _pictures(source) and _folders(folders[0]) else source


def _folders(source: Path) -> list[Path]:
    return sorted(p for p in source.iterdir() if p.is_dir() and not p.name.startswith("."))


def _held_out_from(count: int, held_out: float) -> int:
    """Index of the first held-out one among `count`."""
    number = round(count * held_out) if held_out < 1 else round(held_out)
    if count and number >= count:
        raise DataError(f"Holding out {number} of {count} leaves nothing to train on: hold out fewer.")
    return count - number


def _identities(source: Path, held_out: float, keep: Keep) -> list[Source]:
    root = _unwrapped(source)
    people = _folders(root)
    if not people:
        raise DataError(f"{source} has no folders of people in it: the photos of each person belong in a folder of their own.")
    kept = [(person, pictures) for person in people if (pictures := [path for path in _pictures(person) if keep(path)])]
    first = _held_out_from(len(kept), held_out)
    return [
        Source(path, identity=person.name, split="test" if number >= first else "train")
        for number, (person, pictures) in enumerate(kept)
        for path in pictures
    ]


def _photos(source: Path, held_out: float, keep: Keep) -> list[Source]:
    found = (p for p in source.rglob("*") if p.suffix.lower() in READABLE_SUFFIXES and p.is_file() and not p.name.startswith("."))
    paths = sorted(path for path in found if keep(path))
    first = _held_out_from(len(paths), held_out) if len(paths) > 1 else len(paths)
    return [Source(path, split="test" if number >= first else "train") for number, path in enumerate(paths)]


def _utkface(source: Path, held_out: float, keep: Keep) -> list[Source]:
    """Age and gender stand in the names; the held-out ones are the last by a hash of the name, so that all ages are among both."""
    named = [(match, path) for path in _pictures(source) if (match := UTKFACE_NAME.match(path.name)) and keep(path)]
    named.sort(key=lambda pair: (zlib.crc32(pair[1].name.encode()), pair[1].name))
    first = _held_out_from(len(named), held_out)
    return [
        Source(
            path,
            split="test" if number >= first else "train",
            attributes={"Male": 1.0 - int(match[2]), "Young": min(1.0, max(0.0, (OLD_FROM - int(match[1])) / (OLD_FROM - YOUNG_UNTIL)))},
        )
        for number, (match, path) in enumerate(named)
    ]


def _celebamask(source: Path, held_out: float, keep: Keep) -> list[Source]:
    """In the order of the numbers; the last ones are held out. Names of people are in another file, which few have."""
    pictures = source / PICTURES_OF_PARTS
    if not pictures.is_dir() or not (source / MASKS_OF_PARTS).is_dir():
        raise DataError(f"{source} lacks {PICTURES_OF_PARTS} or {MASKS_OF_PARTS}: unpack CelebAMask-HQ there.")
    parts: dict[int, dict[str, Path]] = {}
    for path in sorted((source / MASKS_OF_PARTS).glob("*/*.png")):
        if match := PART_NAME.fullmatch(path.stem):
            parts.setdefault(int(match[1]), {})[match[2]] = path
    numbered = sorted((int(p.stem), p) for p in _pictures(pictures) if p.stem.isdigit() and int(p.stem) in parts)
    if not numbered:
        raise DataError(f"{source} has no picture with masks of its parts: unpack CelebAMask-HQ there.")
    numbered = [(number, path) for number, path in numbered if keep(path)]
    first = _held_out_from(len(numbered), held_out)
    return [Source(path, split="test" if place >= first else "train", parts=parts[number]) for place, (number, path) in enumerate(numbered)]


def _find(source: Path, name: str) -> Path | None:
    for folder in (source, source / "Anno", source / "Eval", source / "Img"):
        if (folder / name).exists():
            return folder / name
    return None


def _celeba(source: Path) -> list[Source]:
    images, attributes = _find(source, "img_align_celeba"), _find(source, "list_attr_celeba.txt")
    if images is None or attributes is None:
        raise DataError(f"{source} lacks img_align_celeba or list_attr_celeba.txt: unpack CelebA's aligned pictures and annotations there.")
    values = _celeba_attributes(attributes)
    identities = _two_columns(_find(source, "identity_CelebA.txt"))
    parts = _two_columns(_find(source, "list_eval_partition.txt"))
    splits = dict(zip("012", SPLITS, strict=True))
    for name, part in parts.items():
        if part not in splits:
            raise DataError(f"list_eval_partition.txt in {source} puts {name} into part {part}, not 0, 1 or 2: fetch the file again.")
    return [
        Source(
            images / name,
            identity=identities.get(name, ""),
            split=splits[parts.get(name, "0")],
            attributes=values[name],
            aligned=True,
        )
        for name in sorted(values)
        if (images / name).exists()
    ]


def _celeba_attributes(path: Path) -> dict[str, dict[str, float]]:
    """list_attr_celeba.txt: a count, the names, then one line per picture with -1 or 1 for each name; returned as 0 or 1."""
    rows = read_columns(path)
    if len(rows) < 3:
        raise DataError(f"{path} is cut short: fetch the file again.")
    names, table = rows[1], {}
    for number, row in enumerate(rows[2:], start=3):
        if not row:
            continue
        file, *signs = row
        if len(signs) != len(names):
            raise DataError(f"Line {number} of {path} has {len(signs)} values for {len(names)} attributes: fetch the file again.")
        if not set(signs) <= {"-1", "1"}:
            raise DataError(f"Line {number} of {path} has values other than -1 and 1: fetch the file again.")
        table[file] = {name: (int(sign) + 1) / 2 for name, sign in zip(names, signs, strict=True)}
    return table


def read_columns(path: Path) -> list[list[str]]:
    """The words of each line of a text file. Raises DataError when it cannot be read."""
    try:
        return [line.split() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        raise DataError(f"{path} cannot be read as text: fetch the file again.") from None


def _two_columns(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    pairs = {}
    for number, row in enumerate(read_columns(path), start=1):
        if len(row) not in (0, 2):
            raise DataError(f"Line {number} of {path} has {len(row)} columns, not 2: fetch the file again.")
        if row:
            pairs[row[0]] = row[1]
    return pairs
