"""CelebA and CelebAMask-HQ, as their authors and as Kaggle give them out.

CelebA          img_align_celeba/ with list_attr_celeba, identity_CelebA and list_eval_partition, .txt or .csv, also in Img/, Anno/, Eval/;
                the folder of pictures may be doubled (img_align_celeba/img_align_celeba/) and hold PNG files
CelebAMask-HQ   CelebA-HQ-img/<number>.jpg and CelebAMask-HQ-mask-anno/<0 to 14>/<number, five digits>_<part>.png; where they are
                there, too, CelebAMask-HQ-attribute-anno.txt, and CelebA-HQ-to-CelebA-mapping.txt with CelebA's own
                lists
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from masque.data.lists import check_file_name, rows, signs, two_columns
from masque.data.sources import NOT_NAMED, SPLITS, Found, Keep, Source, held_out_from
from masque.errors import DataError
from masque.folders import Tree, by_name, unreadable

Value = TypeVar("Value")

IMAGES = ("img_align_celeba", "img_align_celeba_png")
ATTRIBUTES, PEOPLE, PARTITION, POINTS = (
    "list_attr_celeba",
    "identity_CelebA",
    "list_eval_partition",
    "list_landmarks_align_celeba",
)
BESIDE = ("anno", "eval", "img")
"""Folders that CelebA's authors keep lists and pictures in, in lower case."""

MASKS_OF_PARTS, PICTURES_OF_PARTS = "CelebAMask-HQ-mask-anno", "CelebA-HQ-img"
HQ_ATTRIBUTES, HQ_MAPPING = "CelebAMask-HQ-attribute-anno", "CelebA-HQ-to-CelebA-mapping"
PART_NAME = re.compile(r"(\d{5})_(\w+)")


def is_celeba(base: Tree) -> bool:
    """Whether the folder holds CelebA's aligned pictures, and a list of CelebA's besides."""
    return _images(base) is not None and any(_list(base, name) for name in (ATTRIBUTES, PEOPLE, PARTITION))


def is_celebamask(base: Tree) -> bool:
    """Whether the folder holds masks of parts as CelebAMask-HQ has them."""
    return _folder(base, MASKS_OF_PARTS) is not None


def celeba(base: Tree, keep: Keep) -> Found:
    """CelebA's aligned pictures with the official attributes, people and split, as far as the lists are there."""
    images, listed = _images(base), _list(base, ATTRIBUTES)
    if images is None or not is_celeba(base):
        lacking = "img_align_celeba or list_attr_celeba.txt"
        raise DataError(f"{base.path} lacks {lacking}: unpack CelebA's aligned pictures and annotations there.")
    found = Found("celeba", base.path)
    values = None if listed is None else signs(listed)
    people, parts = _people(base, found), _partition(base, found)
    if listed is None:
        found.notes.append(f"There is no {ATTRIBUTES}.txt or .csv: attributes are measured.")
    if points := _list(base, POINTS):
        found.notes.append(f"{points.name} is not used: Masque finds 68 landmarks in each picture itself.")
    by_list = None if values is None else _by_picture(values)
    for path in sorted(images.pictures, key=by_name):
        attributes = {} if by_list is None else _of(by_list, path)
        if attributes is None:
            found.left_out[f"in {images.path.name} and not in {listed.name if listed else ''}"] += 1
        elif not keep(path):
            found.left_out[NOT_NAMED] += 1
        else:
            split = None if parts is None else _of(parts, path)
            identity = None if people is None else _of(people, path)
            found.sources.append(Source(path, identity or "", split or "train", attributes, aligned=True))
    if values is not None and listed is not None:
        there = {path.stem for path in images.pictures}
        found.left_out[f"named in {listed.name} and not in {images.path.name}"] = sum(
            Path(name).stem not in there for name in values
        )
    _count_unknown(found, people, parts)
    used = {_list(base, name) for name in (ATTRIBUTES, PEOPLE, PARTITION)}
    found.left_out += unreadable([other for other in base.all_others() if other not in used])
    found.left_out[f"outside {images.path.name}"] = base.count - len(images.pictures)
    return found


def celebamask(base: Tree, held_out: float, keep: Keep) -> Found:
    """In the order of the numbers. CelebA's partition is the split where it is there with the mapping to it; else the
    last are held out."""
    pictures, masks = _folder(base, PICTURES_OF_PARTS), _folder(base, MASKS_OF_PARTS)
    if pictures is None or masks is None:
        raise DataError(f"{base.path} lacks {PICTURES_OF_PARTS} or {MASKS_OF_PARTS}: unpack CelebAMask-HQ there.")
    pictures, found = _undoubled(pictures), Found("celebamask-hq", base.path)
    parts: dict[int, dict[str, Path]] = {}
    for path in masks.all_pictures():
        if (match := PART_NAME.fullmatch(path.stem)) and path.suffix.lower() == ".png":
            parts.setdefault(int(match[1]), {})[match[2]] = path
        else:
            found.left_out["not named as a mask of a part"] += 1
    numbered: dict[int, Path] = {}
    for path in pictures.pictures:
        number = int(path.stem) if path.stem.isdecimal() else -1
        reason = (
            "without masks of its parts"
            if number not in parts
            else "second picture of its number"
            if number in numbered
            else None
        )
        if reason is None:
            numbered[number] = path
        else:
            found.left_out[reason] += 1
    if not numbered:
        raise DataError(f"{base.path} has no picture with masks of its parts: unpack CelebAMask-HQ there.")
    taken = [(number, path) for number, path in sorted(numbered.items()) if keep(path)]
    found.left_out[NOT_NAMED] = len(numbered) - len(taken)
    found.left_out["masks without their picture"] = len(parts.keys() - numbered.keys())
    attributes, mapped, used = _hq_lists(base, found)
    people, official = (_people(base, found), _partition(base, found)) if mapped is not None else (None, None)
    first = held_out_from(len(taken), held_out) if official is None else 0
    for place, (number, path) in enumerate(taken):
        original = Path((mapped or {}).get(number, path.name))
        split = ("test" if place >= first else "train") if official is None else _of(official, original) or "train"
        identity = "" if people is None else _of(people, original) or ""
        found.sources.append(Source(path, identity, split, attributes.get(path.stem, {}), parts=parts[number]))
    _count_unknown(found, people, official)
    used |= {_list(base, name) for name in (PEOPLE, PARTITION) if mapped is not None}
    found.left_out += unreadable([other for other in base.all_others() if other not in used])
    found.left_out[f"outside {pictures.path.name}"] = base.count - masks.count - len(pictures.pictures)
    return found


def _hq_lists(
    base: Tree, found: Found
) -> tuple[Mapping[str, Mapping[str, float]], dict[int, str] | None, set[Path | None]]:
    """CelebAMask-HQ's own lists: attributes by the stem of a picture's name, the name in CelebA by number, and the
    files they are from."""
    listed, mapping = _list(base, HQ_ATTRIBUTES), _list(base, HQ_MAPPING)
    attributes = {} if listed is None else _by_picture(signs(listed))
    if listed is None:
        found.notes.append(f"There is no {HQ_ATTRIBUTES}.txt: attributes are measured.")
    if mapping is None:
        found.notes.append(
            f"There is no {HQ_MAPPING}.txt: who is on which picture, and the official split, are not known."
        )
    names = None if mapping is None else dict(_mapped(mapping))
    return attributes, names, {listed, mapping}


def _mapped(path: Path) -> Iterator[tuple[int, str]]:
    """`idx orig_idx orig_file`, under a heading that says so."""
    for number, row in rows(path):
        if row[0] == "idx":
            continue
        if len(row) != 3 or not row[0].isdecimal():
            raise DataError(
                f"Line {number} of {path} is not a number, a number and the name of a picture: fetch the file again."
            )
        yield int(row[0]), check_file_name(row[2], path, number)


def _people(base: Tree, found: Found) -> dict[str, str] | None:
    path = _list(base, PEOPLE)
    if path is None:
        found.notes.append(f"There is no {PEOPLE}.txt: who is on which picture is not known.")
        return None
    return _by_picture(two_columns(path))


def _partition(base: Tree, found: Found) -> dict[str, str] | None:
    path = _list(base, PARTITION)
    if path is None:
        instead = "all pictures are for training" if found.layout == "celeba" else "the last pictures are held out"
        found.notes.append(f"There is no {PARTITION}.txt or .csv: the official split is not known, and {instead}.")
        return None
    splits, parts = dict(zip("012", SPLITS, strict=True)), two_columns(path)
    for name, part in parts.items():
        if part not in splits:
            raise DataError(
                f"{path.name} in {path.parent} puts {name} into part {part}, not 0, 1 or 2: fetch the file again."
            )
    found.official_split = True
    return _by_picture({name: splits[part] for name, part in parts.items()})


def _count_unknown(found: Found, people: Mapping[str, str] | None, parts: Mapping[str, str] | None) -> None:
    """Say of how many pictures a list that is there says nothing."""
    unnamed = sum(not source.identity for source in found.sources)
    if people is not None and unnamed:
        found.notes.append(f"{PEOPLE} does not say who is on {unnamed} of the {len(found.sources)} pictures.")
    if (
        parts is not None
        and (missing := sum(_of(parts, source.path) is None for source in found.sources))
        and found.layout == "celeba"
    ):
        found.notes.append(
            f"{PARTITION} does not name {missing} of the {len(found.sources)} pictures: they are for training."
        )


def _by_picture(table: Mapping[str, Value]) -> dict[str, Value]:
    """The table with the stem of each name besides: pictures may be PNG files where the lists say .jpg."""
    return {Path(name).stem: value for name, value in table.items()} | dict(table)


def _of(table: Mapping[str, Value], path: Path) -> Value | None:
    return table.get(path.name, table.get(path.stem))


def _beside(base: Tree) -> tuple[Tree, ...]:
    return base, *(folder for folder in base.folders if folder.path.name.lower() in BESIDE)


def _folder(base: Tree, name: str) -> Tree | None:
    return next((folder for tree in _beside(base) for folder in tree.folders if folder.path.name == name), None)


def _images(base: Tree) -> Tree | None:
    found = next((folder for name in IMAGES if (folder := _folder(base, name)) is not None and folder.count), None)
    return None if found is None else _undoubled(found)


def _undoubled(folder: Tree) -> Tree:
    while not folder.pictures and len(folder.pictured) == 1:
        folder = folder.pictured[0]
    return folder


def _list(base: Tree, stem: str) -> Path | None:
    """A list by its name without ending: as text first, then as CSV."""
    there = {path.name: path for tree in _beside(base) for path in reversed(tree.others)}
    return there.get(f"{stem}.txt", there.get(f"{stem}.csv"))
