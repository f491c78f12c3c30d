"""CelebA and CelebAMask-HQ, as their authors and as Kaggle give them out.

CelebA          img_align_celeba/ with list_attr_celeba, identity_CelebA and list_eval_partition, .txt or .csv, also in
                Img/, Anno/, Eval/; the folder of pictures may be doubled (img_align_celeba/img_align_celeba/) and hold
                PNG files
CelebAMask-HQ   CelebA-HQ-img/<number>.jpg and CelebAMask-HQ-mask-anno/<0 to 14>/<number, five digits>_<part>.png; where
                they are there, too, CelebAMask-HQ-attribute-anno.txt, and CelebA-HQ-to-CelebA-mapping.txt with CelebA's
                own lists
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from masque.data.lists import check_file_name, read_attribute_list, read_two_columns, rows
from masque.data.sources import NOT_NAMED, SPLITS, Keep, Listing, Source, held_out_from
from masque.errors import DataError
from masque.folders import Tree, by_name, unreadable

Value = TypeVar("Value")

IMAGES = ("img_align_celeba", "img_align_celeba_png")
"""Names of the folder of pictures."""
ATTRIBUTES = "list_attr_celeba"
PEOPLE = "identity_CelebA"
PARTITION = "list_eval_partition"
POINTS = "list_landmarks_align_celeba"
BESIDE = ("anno", "eval", "img")
"""Folders that CelebA's authors keep lists and pictures in, in lower case."""

MASKS_OF_PARTS = "CelebAMask-HQ-mask-anno"
PICTURES_OF_PARTS = "CelebA-HQ-img"
HQ_ATTRIBUTES = "CelebAMask-HQ-attribute-anno"
HQ_MAPPING = "CelebA-HQ-to-CelebA-mapping"
PART_NAME = re.compile(r"(\d{5})_(\w+)")
"""The stem of a mask's name: the number of its picture, and the part."""


def is_celeba(base: Tree) -> bool:
    """Whether the folder holds CelebA's aligned pictures, and a list of CelebA's besides."""
    return _images(base) is not None and any(_list(base, name) for name in (ATTRIBUTES, PEOPLE, PARTITION))


def is_celebamask(base: Tree) -> bool:
    """Whether the folder holds masks of parts as CelebAMask-HQ has them."""
    return _folder(base, MASKS_OF_PARTS) is not None


@dataclass(frozen=True)
class _Lists:
    """What CelebA's lists say of its pictures; None for a list that is not there."""

    attributes: Mapping[str, Mapping[str, float]] | None
    """Name of a picture -> its attributes, each in [0,1]."""
    people: Mapping[str, str] | None
    """Name of a picture -> the person's number."""
    splits: Mapping[str, str] | None
    """Name of a picture -> the split that it is in."""


def celeba(base: Tree, keep: Keep) -> Listing:
    """CelebA's aligned pictures with the official attributes, people and split, as far as the lists are there.

    base: the folder that holds img_align_celeba. Raises DataError for a folder without pictures or lists, and for a
    damaged list."""
    images = _images(base)
    if images is None or not is_celeba(base):
        lacking = "img_align_celeba or list_attr_celeba.txt"
        raise DataError(f"{base.path} lacks {lacking}: unpack CelebA's aligned pictures and annotations there.")
    listing = Listing("celeba", base.path)
    file = _list(base, ATTRIBUTES)
    values = None if file is None else read_attribute_list(file)
    lists = _Lists(None if values is None else _by_picture(values), _people(base, listing), _partition(base, listing))
    if file is None:
        listing.notes.append(f"There is no {ATTRIBUTES}.txt or .csv: attributes are measured.")
    if points := _list(base, POINTS):
        listing.notes.append(f"{points.name} is not used: Masque finds 68 landmarks in each picture itself.")
    unlisted = f"in {images.path.name} and not in {file.name if file else ''}"
    for path in sorted(images.pictures, key=by_name):
        reason = _reason_to_skip(path, lists, keep, unlisted)
        if reason is None:
            listing.sources.append(_celeba_source(path, lists))
        else:
            listing.left_out[reason] += 1
    if values is not None and file is not None:
        stems = {path.stem for path in images.pictures}
        missing = sum(Path(name).stem not in stems for name in values)
        listing.left_out[f"named in {file.name} and not in {images.path.name}"] = missing
    _count_unknown(listing, lists.people, lists.splits)
    used = {_list(base, name) for name in (ATTRIBUTES, PEOPLE, PARTITION)}
    listing.left_out += unreadable([other for other in base.all_others() if other not in used])
    listing.left_out[f"outside {images.path.name}"] = base.count - len(images.pictures)
    return listing


def _reason_to_skip(path: Path, lists: _Lists, keep: Keep, unlisted: str) -> str | None:
    """Why a picture of CelebA is left out; None where it is taken."""
    if lists.attributes is not None and _of(lists.attributes, path) is None:
        return unlisted
    return None if keep(path) else NOT_NAMED


def _celeba_source(path: Path, lists: _Lists) -> Source:
    attributes = {} if lists.attributes is None else _of(lists.attributes, path) or {}
    identity = None if lists.people is None else _of(lists.people, path)
    split = None if lists.splits is None else _of(lists.splits, path)
    return Source(path, identity or "", split or "train", attributes, aligned=True)


def celebamask(base: Tree, held_out: float, keep: Keep) -> Listing:
    """CelebAMask-HQ's pictures with the masks of their parts, in the order of their numbers.

    base: the folder that holds CelebA-HQ-img. held_out: see `held_out_from`; it counts where CelebA's partition, or the
    mapping to it, is not there. Raises DataError for a folder without pictures or masks, and for a damaged list."""
    pictures, masks = _folder(base, PICTURES_OF_PARTS), _folder(base, MASKS_OF_PARTS)
    if pictures is None or masks is None:
        raise DataError(f"{base.path} lacks {PICTURES_OF_PARTS} or {MASKS_OF_PARTS}: unpack CelebAMask-HQ there.")
    pictures, listing = _undoubled(pictures), Listing("celebamask-hq", base.path)
    parts = _masks_by_number(masks, listing)
    numbered = _pictures_by_number(pictures, parts, listing)
    if not numbered:
        raise DataError(f"{base.path} has no picture with masks of its parts: unpack CelebAMask-HQ there.")
    taken = [(number, path) for number, path in sorted(numbered.items()) if keep(path)]
    listing.left_out[NOT_NAMED] = len(numbered) - len(taken)
    listing.left_out["masks without their picture"] = len(parts.keys() - numbered.keys())
    attributes, names, used = _hq_lists(base, listing)
    people, splits = (None, None) if names is None else (_people(base, listing), _partition(base, listing))
    first = held_out_from(len(taken), held_out) if splits is None else 0
    for place, (number, path) in enumerate(taken):
        original = Path((names or {}).get(number, path.name))
        split = _of(splits, original) or "train" if splits is not None else "test" if place >= first else "train"
        identity = "" if people is None else _of(people, original) or ""
        listing.sources.append(Source(path, identity, split, attributes.get(path.stem, {}), parts=parts[number]))
    _count_unknown(listing, people, splits)
    if names is not None:
        used |= {_list(base, PEOPLE), _list(base, PARTITION)}
    listing.left_out += unreadable([other for other in base.all_others() if other not in used])
    listing.left_out[f"outside {pictures.path.name}"] = base.count - masks.count - len(pictures.pictures)
    return listing


def _masks_by_number(masks: Tree, listing: Listing) -> dict[int, dict[str, Path]]:
    """The masks of each picture by the names of their parts, for each picture's number."""
    parts: dict[int, dict[str, Path]] = {}
    for path in masks.all_pictures():
        if (match := PART_NAME.fullmatch(path.stem)) and path.suffix.lower() == ".png":
            parts.setdefault(int(match[1]), {})[match[2]] = path
        else:
            listing.left_out["not named as a mask of a part"] += 1
    return parts


def _pictures_by_number(pictures: Tree, parts: Mapping[int, object], listing: Listing) -> dict[int, Path]:
    """The pictures that have masks, by their numbers."""
    numbered: dict[int, Path] = {}
    for path in pictures.pictures:
        number = int(path.stem) if path.stem.isdecimal() else -1
        if number not in parts:
            listing.left_out["without masks of its parts"] += 1
        elif number in numbered:
            listing.left_out["second picture of its number"] += 1
        else:
            numbered[number] = path
    return numbered


def _hq_lists(
    base: Tree, listing: Listing
) -> tuple[Mapping[str, Mapping[str, float]], dict[int, str] | None, set[Path | None]]:
    """CelebAMask-HQ's own lists: attributes by the stem of a picture's name, the name in CelebA by number, and the
    files they are from."""
    file, mapping = _list(base, HQ_ATTRIBUTES), _list(base, HQ_MAPPING)
    attributes = {} if file is None else _by_picture(read_attribute_list(file))
    if file is None:
        listing.notes.append(f"There is no {HQ_ATTRIBUTES}.txt: attributes are measured.")
    if mapping is None:
        listing.notes.append(
            f"There is no {HQ_MAPPING}.txt: who is on which picture, and the official split, are not known."
        )
    names = None if mapping is None else dict(_mapped(mapping))
    return attributes, names, {file, mapping}


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


def _people(base: Tree, listing: Listing) -> dict[str, str] | None:
    path = _list(base, PEOPLE)
    if path is None:
        listing.notes.append(f"There is no {PEOPLE}.txt: who is on which picture is not known.")
        return None
    return _by_picture(read_two_columns(path))


def _partition(base: Tree, listing: Listing) -> dict[str, str] | None:
    path = _list(base, PARTITION)
    if path is None:
        instead = "all pictures are for training" if listing.layout == "celeba" else "the last pictures are held out"
        listing.notes.append(f"There is no {PARTITION}.txt or .csv: the official split is not known, and {instead}.")
        return None
    splits, parts = dict(zip("012", SPLITS, strict=True)), read_two_columns(path)
    for name, part in parts.items():
        if part not in splits:
            raise DataError(
                f"{path.name} in {path.parent} puts {name} into part {part}, not 0, 1 or 2: fetch the file again."
            )
    listing.official_split = True
    return _by_picture({name: splits[part] for name, part in parts.items()})


def _count_unknown(listing: Listing, people: Mapping[str, str] | None, parts: Mapping[str, str] | None) -> None:
    """Say of how many pictures a list that is there says nothing."""
    unnamed = sum(not source.identity for source in listing.sources)
    if people is not None and unnamed:
        listing.notes.append(f"{PEOPLE} does not say who is on {unnamed} of the {len(listing.sources)} pictures.")
    if parts is None or listing.layout != "celeba":
        return
    missing = sum(_of(parts, source.path) is None for source in listing.sources)
    if missing:
        listing.notes.append(
            f"{PARTITION} does not name {missing} of the {len(listing.sources)} pictures: they are for training."
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
