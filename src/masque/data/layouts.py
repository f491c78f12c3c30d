"""Readers of data sets as people have them: CelebA's official layout, identity folders, plain folders of photos."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from unicodedata import normalize

from masque.data.celeba import celeba, celebamask, is_celeba, is_celebamask
from masque.data.sources import LAYOUTS, NOT_NAMED, Found, Keep, Source, held_out_from
from masque.errors import DataError, printable
from masque.folders import SET_FILES, Tree, in_words, is_inside, read_tree, unreadable

UTKFACE_NAME = re.compile(r"(\d{1,3})_([01])_\d_\d+")
"""UTKFace: <age>_<0 man, 1 woman>_<ethnicity>_<date>.jpg"""
UTKFACE_SHARE = 0.9
"""Of the pictures, how many must be named so at least: a few of UTKFace's own lack a number."""
YOUNG_UNTIL, OLD_FROM = 30, 50
"""Ages up to which a face is Young = 1, and from which it is 0; linear between, since no year divides the two."""
SPLIT_FOLDERS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test",
    "testing": "test", "dev": "validation",
}  # fmt: skip
"""Names, in lower case, of folders that divide a set for training and testing."""
SPLIT_TAIL = re.compile(r"[ _-]?(set|data|images|photos|pictures|faces)$")
"""What may follow such a name: Test Set, train_images."""


def read_layout(
    source: Path, layout: str = "auto", held_out: float = 0.1, only: Collection[str] | None = None
) -> list[Source]:
    """Every picture of a data set, in an order that depends on file names only: the `sources` of `look_through`, which
    see."""
    return look_through(source, layout, held_out, only).sources


def look_through(
    source: Path,
    layout: str = "auto",
    held_out: float = 0.1,
    only: Collection[str] | None = None,
    begun: str | None = None,
) -> Found:
    """Every picture of a data set, in an order that depends on file names only, and what was left out of it.

    source: the data set's folder. layout: one of LAYOUTS. held_out: how much of a set without an official split becomes
    `test`: below 1 a share, from 1 on a number, of identities (of pictures where identities are unknown), taken from
    the end of their order by name. only: file names (or paths relative to the source) to take; all others are as if
    they were not there. begun: instead of what `auto` would choose now, what it chose before pictures were added.
    Raises DataError when the folder is missing, holds no picture, or is not of the layout asked for, and for names that
    leave the folder."""
    if layout not in LAYOUTS:
        raise DataError(f"There is no layout {layout}: choose one of {', '.join(LAYOUTS)}.")
    tree = read_tree(source)
    if (tree.path / "images").is_dir() and any(other.name in SET_FILES for other in tree.others):
        raise DataError(f"{source} is a prepared set already: name the folder of pictures that it was made from.")
    layout, base = _detected(tree) if layout == "auto" else (layout, _base(tree, layout))
    looks = layout
    if begun is not None and begun != layout:
        layout, base = begun, _base(tree, begun)
    asked = None if only is None else {_inside(name) for name in only}
    used: set[str] = set()

    def keep(path: Path) -> bool:
        if asked is None:
            return True
        names = {normalize("NFC", path.name), normalize("NFC", str(path.relative_to(source)))} & asked
        used.update(names)
        return bool(names)

    found = _read(layout, base, held_out, keep)
    found.root = source
    if layout != looks:
        found.notes.append(f"The folder looks like {looks} now; it was begun as {layout}, and so it goes on.")
    found.left_out.update(tree.left_out)
    for beside in _beside(tree, base):
        found.left_out += unreadable(list(beside.others))
    if asked and not found.sources:
        raise DataError(
            f"The list of --only names no picture in {source}, {printable(min(asked))} for one: write names with their endings, such as "
            "1.jpg, or paths from that folder on."
        )
    if not found.sources:
        missed = f" that can be used (left out: {in_words(+found.left_out)})" if +found.left_out else ""
        raise DataError(f"There is no picture in {source}{missed}: name the folder that holds them.")
    if asked is not None and (missing := sorted(asked - used)):
        one = printable(missing[0])
        found.notes.append(
            f"{len(missing)} of the {len(asked)} names in the list of --only name no picture here, {one} for one."
        )
    return found


def detect_layout(source: Path) -> str:
    """Which layout a folder has, by the files and folders that CelebA, CelebAMask-HQ, UTKFace and sets of people have;
    else `photos`."""
    return _detected(read_tree(source))[0]


def _read(layout: str, base: Tree, held_out: float, keep: Keep) -> Found:
    if layout == "celeba":
        return celeba(base, keep)
    if layout == "celebamask-hq":
        return celebamask(base, held_out, keep)
    return {"utkface": _utkface, "identities": _identities, "photos": _photos}[layout](base, held_out, keep)


def _inside(name: str) -> str:
    """A name of the list of --only, as names of pictures are compared with it. Raises DataError for one that leads out
    of the folder."""
    path = os.path.normpath(name)
    if not is_inside(path):
        raise DataError(
            f"{printable(name)} in the list of --only is no file in the folder: write names, or paths from that folder on."
        )
    return normalize("NFC", path)


def _levels(tree: Tree) -> Iterator[Tree]:
    """The folder itself, and those that it is wrapped in: each the only one with pictures in the one before."""
    yield tree
    while not tree.pictures and len(tree.pictured) == 1:
        (tree,) = tree.pictured
        yield tree


def _beside(tree: Tree, base: Tree) -> Iterator[Tree]:
    """The folders above the one that is read."""
    for level in _levels(tree):
        if level is base:
            return
        yield level


def _detected(tree: Tree) -> tuple[str, Tree]:
    """Layout, and the folder that has it."""
    for level in _levels(tree):
        if is_celeba(level):
            return "celeba", level
        if is_celebamask(level):
            return "celebamask-hq", level
        if level.pictures and sum(bool(UTKFACE_NAME.match(p.name)) for p in level.pictures) >= UTKFACE_SHARE * len(
            level.pictures
        ):
            return "utkface", level
    root = _unwrapped(tree)
    people = _people(root)
    # A picture or two beside the folders of people is a cover or a contact sheet.
    if len(people) > 1 and 2 * len(root.pictures) < len(people):
        return "identities", root
    return "photos", tree


def _base(tree: Tree, layout: str) -> Tree:
    """The folder that has a layout which was asked for."""
    if layout == "identities":
        return _unwrapped(tree)
    fits: dict[str, Callable[[Tree], bool]] = {
        "celeba": is_celeba, "celebamask-hq": is_celebamask, "utkface": lambda level: bool(level.pictures),
    }  # fmt: skip
    return next((level for level in _levels(tree) if fits[layout](level)), tree) if layout in fits else tree


def _unwrapped(tree: Tree) -> Tree:
    """The folder itself, or the one folder in it when that alone is there and holds folders (LFW:
    lfw/lfw_deepfunneled/<person>/)."""
    while not tree.pictures and len(tree.pictured) == 1 and tree.pictured[0].pictured:
        (tree,) = tree.pictured
    return tree


def _split_of(folder: Tree) -> str | None:
    return SPLIT_FOLDERS.get(SPLIT_TAIL.sub("", folder.path.name.lower()))


def _divided(root: Tree) -> bool:
    """Whether the folders of a set are named after what they are for: train/, test/."""
    return len(root.pictured) > 1 and not root.pictures and all(_split_of(folder) for folder in root.pictured)


def _people(root: Tree) -> list[tuple[Tree, str | None]]:
    """The folders of people, each with the split that it is in where folders say so."""
    if not _divided(root):
        return [(person, None) for person in root.pictured]
    if any(split.pictures for split in root.pictured):  # train/1.jpg: folders of pictures, not of people
        return []
    return [(person, _split_of(split)) for split in root.pictured for person in split.pictured]


def _identities(root: Tree, held_out: float, keep: Keep) -> Found:
    """A folder for each person, with pictures at any depth."""
    people = _people(root)
    if not people:
        raise DataError(
            f"{root.path} has no folders of people in it: the photos of each person belong in a folder of their own."
        )
    found = Found("identities", root.path, official_split=_divided(root))
    kept = [
        (person, split, pictures)
        for person, split in people
        if (pictures := [p for p in person.all_pictures() if keep(p)])
    ]
    first = 0 if found.official_split else held_out_from(len(kept), held_out)
    for number, (person, split, pictures) in enumerate(kept):
        split = split or ("test" if number >= first else "train")
        found.sources += [Source(path, identity=person.path.name, split=split) for path in pictures]
    splits = {(source.identity, source.split) for source in found.sources}
    if len(splits) > found.people:
        found.notes.append(
            f"{len(splits) - found.people} people have folders of one name for training and for testing."
        )
    nested = sum(not person.pictures and len(person.pictured) > 1 for person, _, _ in kept)
    if nested:
        found.notes.append(
            f"The pictures of {nested} people lie in several folders within theirs, and are taken for the same person's."
        )
    found.left_out["beside the folders of people"] = len(root.pictures)
    found.left_out[NOT_NAMED] = root.count - len(root.pictures) - len(found.sources)
    found.left_out["folder without a picture"] = len(root.folders) - len(root.pictured)
    found.left_out += unreadable(list(root.all_others()))
    return found


def _photos(tree: Tree, held_out: float, keep: Keep) -> Found:
    """Any pictures; folders that are called train and test are taken at their word."""
    found = Found("photos", tree.path, official_split=_divided(tree))
    paths = [path for path in tree.all_pictures() if keep(path)]
    splits = (
        {path: _split_of(folder) for folder in tree.pictured for path in folder.all_pictures()}
        if found.official_split
        else {}
    )
    first = held_out_from(len(paths), held_out) if len(paths) > 1 and not found.official_split else len(paths)
    found.sources = [
        Source(path, split=splits.get(path) or ("test" if number >= first else "train"))
        for number, path in enumerate(paths)
    ]
    found.left_out[NOT_NAMED] = tree.count - len(paths)
    found.left_out += unreadable(list(tree.all_others()))
    return found


def _utkface(base: Tree, held_out: float, keep: Keep) -> Found:
    """Age and gender stand in the names; the held-out ones are the last by a hash of the name, so that all ages are
    among both."""
    found = Found("utkface", base.path)
    matches = [(match, path) for path in base.pictures if (match := UTKFACE_NAME.match(path.name))]
    named = [(match, path) for match, path in matches if keep(path)]
    named.sort(key=lambda pair: (zlib.crc32(os.fsencode(pair[1].name)), os.fsencode(pair[1].name)))
    first = held_out_from(len(named), held_out)
    found.sources = [
        Source(
            path,
            split="test" if number >= first else "train",
            attributes={
                "Male": 1.0 - int(match[2]),
                "Young": min(1.0, max(0.0, (OLD_FROM - int(match[1])) / (OLD_FROM - YOUNG_UNTIL))),
            },
        )
        for number, (match, path) in enumerate(named)
    ]
    found.left_out["not named as UTKFace names its pictures"] = len(base.pictures) - len(matches)
    found.left_out[NOT_NAMED] = len(matches) - len(named)
    found.left_out["in folders beside the pictures"] = base.count - len(base.pictures)
    found.left_out += unreadable(list(base.all_others()))
    return found
