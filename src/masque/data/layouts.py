"""Readers of data sets as people have them: CelebA's official layout, identity folders, plain folders of photos."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from unicodedata import normalize

from masque.data.celeba import celeba, celebamask, is_celeba, is_celebamask
from masque.data.sources import LAYOUTS, NOT_NAMED, Keep, Listing, Source, held_out_from
from masque.errors import DataError, printable
from masque.folders import SET_FILES, Tree, in_words, is_inside, read_tree, unreadable

UTKFACE_NAME = re.compile(r"(\d{1,3})_([01])_\d_\d+")
"""UTKFace: <age>_<0 man, 1 woman>_<ethnicity>_<date>.jpg"""
UTKFACE_SHARE = 0.9
"""Of the pictures, how many must be named so at least: a few of UTKFace's own lack a number."""
YOUNG_UNTIL, OLD_FROM = 30, 50
"""Ages up to which a face is Young = 1, and from which it is 0; linear between, since no year divides the two."""
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""Names, in lower case, of folders that divide a set for training and testing."""
SPLIT_TAIL = re.compile(r"[ _-]?(set|data|images|photos|pictures|faces)$")
"""What may follow such a name: Test Set, train_images."""


def read_layout(
    source: Path, layout: str = "auto", held_out: float = 0.1, only: Collection[str] | None = None
) -> list[Source]:
    """The pictures of a data set, without what is left out of it: `sources` of `list_data_set`, which takes the same
    arguments."""
    return list_data_set(source, layout, held_out, only).sources


def list_data_set(
    source: Path,
    layout: str = "auto",
    held_out: float = 0.1,
    only: Collection[str] | None = None,
    former_layout: str | None = None,
) -> Listing:
    """Every picture of a data set, in an order that depends on file names only, and what was left out of it.

    source: the data set's folder. layout: one of LAYOUTS. held_out: how much of a set without an official split becomes
    `test`: below 1 a share, from 1 on a number, of identities (of pictures where identities are unknown), taken from
    the end of their order by name. only: file names (or paths relative to the source) to take; all others are as if
    they were not there. former_layout: instead of what `auto` would detect now, what it detected before pictures were
    added. Raises DataError when the folder is missing, holds no picture, or is not of the layout asked for, and for
    names that leave the folder."""
    if layout not in LAYOUTS:
        raise DataError(f"There is no layout {layout}: choose one of {', '.join(LAYOUTS)}.")
    tree = read_tree(source)
    if (tree.path / "images").is_dir() and any(other.name in SET_FILES for other in tree.others):
        raise DataError(f"{source} is a prepared set already: name the folder of pictures that it was made from.")
    detected, base = _detected(tree) if layout == "auto" else (layout, _base(tree, layout))
    chosen = former_layout or detected
    if chosen != detected:
        base = _base(tree, chosen)
    named = None if only is None else _NamedPictures(only, source)
    listing = READERS[chosen](base, held_out, (lambda _: True) if named is None else named.keep)
    listing.root = source
    if chosen != detected:
        listing.notes.append(f"The folder looks like {detected} now; it was begun as {chosen}, and so it goes on.")
    listing.left_out.update(tree.left_out)
    for above in _levels_above(tree, base):
        listing.left_out += unreadable(list(above.others))
    _check_not_empty(listing, source, named)
    if named is not None and (missing := named.missing()):
        listing.notes.append(
            f"{len(missing)} of the {len(named.names)} names in the list of --only name no picture here, "
            f"{printable(missing[0])} for one."
        )
    return listing


class _NamedPictures:
    """The list of --only: which pictures it names."""

    def __init__(self, names: Collection[str], source: Path) -> None:
        self.names = {_inside(name) for name in names}
        self.source = source
        self.used: set[str] = set()
        """Those of the names that are pictures' names."""

    def keep(self, path: Path) -> bool:
        """Whether a picture is named, by its file's name or by its path from the data set's folder on."""
        candidates = {normalize("NFC", path.name), normalize("NFC", str(path.relative_to(self.source)))}
        matching = candidates & self.names
        self.used |= matching
        return bool(matching)

    def missing(self) -> list[str]:
        """The names that are no picture's, in order."""
        return sorted(self.names - self.used)


def _check_not_empty(listing: Listing, source: Path, named: _NamedPictures | None) -> None:
    if listing.sources:
        return
    if named is not None and named.names:
        raise DataError(
            f"The list of --only names no picture in {source}, {printable(min(named.names))} for one: write names with "
            "their endings, such as 1.jpg, or paths from that folder on."
        )
    left_out = +listing.left_out
    unusable = f" that can be used (left out: {in_words(left_out)})" if left_out else ""
    raise DataError(f"There is no picture in {source}{unusable}: name the folder that holds them.")


def detect_layout(source: Path) -> str:
    """Which layout a folder has, by the files and folders that CelebA, CelebAMask-HQ, UTKFace and sets of people have;
    else `photos`."""
    return _detected(read_tree(source))[0]


def _inside(name: str) -> str:
    """A name of the list of --only, as names of pictures are compared with it. Raises DataError for one that leads out
    of the folder."""
    path = os.path.normpath(name)
    if not is_inside(path):
        raise DataError(
            f"{printable(name)} in the list of --only is no file in the folder: write names, or paths from that folder "
            "on."
        )
    return normalize("NFC", path)


def _levels(tree: Tree) -> Iterator[Tree]:
    """The folder itself, and those that it is wrapped in: each the only one with pictures in the one before."""
    yield tree
    while not tree.pictures and len(tree.pictured) == 1:
        (tree,) = tree.pictured
        yield tree


def _levels_above(tree: Tree, base: Tree) -> Iterator[Tree]:
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
        "celeba": is_celeba,
        "celebamask-hq": is_celebamask,
        "utkface": lambda level: bool(level.pictures),
    }
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


def _identities(root: Tree, held_out: float, keep: Keep) -> Listing:
    """A folder for each person, with pictures at any depth."""
    people = _people(root)
    if not people:
        raise DataError(
            f"{root.path} has no folders of people in it: the photos of each person belong in a folder of their own."
        )
    listing = Listing("identities", root.path, official_split=_divided(root))
    kept = [
        (person, split, pictures)
        for person, split in people
        if (pictures := [p for p in person.all_pictures() if keep(p)])
    ]
    first = 0 if listing.official_split else held_out_from(len(kept), held_out)
    for number, (person, split, pictures) in enumerate(kept):
        split = split or ("test" if number >= first else "train")
        listing.sources += [Source(path, identity=person.path.name, split=split) for path in pictures]
    splits = {(source.identity, source.split) for source in listing.sources}
    if len(splits) > listing.people:
        listing.notes.append(
            f"{len(splits) - listing.people} people have folders of one name for training and for testing."
        )
    nested = sum(not person.pictures and len(person.pictured) > 1 for person, _, _ in kept)
    if nested:
        listing.notes.append(
            f"The pictures of {nested} people lie in several folders within theirs, and are taken for the same "
            "person's."
        )
    listing.left_out["beside the folders of people"] = len(root.pictures)
    listing.left_out[NOT_NAMED] = root.count - len(root.pictures) - len(listing.sources)
    listing.left_out["folder without a picture"] = len(root.folders) - len(root.pictured)
    listing.left_out += unreadable(list(root.all_others()))
    return listing


def _photos(tree: Tree, held_out: float, keep: Keep) -> Listing:
    """Any pictures; folders that are called train and test are taken at their word."""
    listing = Listing("photos", tree.path, official_split=_divided(tree))
    paths = [path for path in tree.all_pictures() if keep(path)]
    splits = (
        {path: _split_of(folder) for folder in tree.pictured for path in folder.all_pictures()}
        if listing.official_split
        else {}
    )
    first = held_out_from(len(paths), held_out) if len(paths) > 1 and not listing.official_split else len(paths)
    listing.sources = [
        Source(path, split=splits.get(path) or ("test" if number >= first else "train"))
        for number, path in enumerate(paths)
    ]
    listing.left_out[NOT_NAMED] = tree.count - len(paths)
    listing.left_out += unreadable(list(tree.all_others()))
    return listing


def _utkface(base: Tree, held_out: float, keep: Keep) -> Listing:
    """Age and gender stand in the names; the held-out ones are the last by a hash of the name, so that all ages are
    among both."""
    listing = Listing("utkface", base.path)
    matches = [(match, path) for path in base.pictures if (match := UTKFACE_NAME.match(path.name))]
    named = [(match, path) for match, path in matches if keep(path)]
    named.sort(key=lambda pair: (zlib.crc32(os.fsencode(pair[1].name)), os.fsencode(pair[1].name)))
    first = held_out_from(len(named), held_out)
    listing.sources = [
        Source(
            path,
            split="test" if number >= first else "train",
            attributes={
                "Male": 1.0 - int(match[2]),
                "Young": min(1.0, max(0.0, (OLD_FROM - int(match[1])) / (OLD_FROM - YOUNG_UNTIL))),
                "Age": min(1.0, int(match[1]) / 100),
            },
        )
        for number, (match, path) in enumerate(named)
    ]
    listing.left_out["not named as UTKFace names its pictures"] = len(base.pictures) - len(matches)
    listing.left_out[NOT_NAMED] = len(matches) - len(named)
    listing.left_out["in folders beside the pictures"] = base.count - len(base.pictures)
    listing.left_out += unreadable(list(base.all_others()))
    return listing


READERS: Mapping[str, Callable[[Tree, float, Keep], Listing]] = {
    "celeba": lambda base, _held_out, keep: celeba(base, keep),
    "celebamask-hq": celebamask,
    "utkface": _utkface,
    "identities": _identities,
    "photos": _photos,
}
"""What reads each layout, from the folder that has it, the share to hold out, and what decides which pictures are
taken."""
