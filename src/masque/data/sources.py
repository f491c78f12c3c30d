"""What a data set holds, whatever its layout: its pictures, who is on them, and what was left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from masque.errors import DataError
from masque.folders import as_text
from masque.jsonfile import JSON

LAYOUTS = ("auto", "celeba", "celebamask-hq", "utkface", "identities", "photos")
"""The layouts that are read; `auto` detects which of the others a folder has."""

SPLITS = ("train", "validation", "test")
"""Names of the splits, in the order of CelebA's numbers for them."""

Keep = Callable[[Path], bool]
"""Whether a picture is taken: that of --only."""

NOT_NAMED = "not named in the list of --only"
"""The reason that is given for pictures that `Keep` leaves out."""


@dataclass(frozen=True)
class Source:
    """One picture of a data set, before anything is done to it."""

    path: Path
    """The picture's file."""
    identity: str = ""
    """The person's name or number in the data set; empty when unknown."""
    split: str = "train"
    """What the picture is for, one of SPLITS."""
    attributes: Mapping[str, float] = field(default_factory=dict)
    """Values in [0,1] by CelebA's names; what the data set does not say is absent."""
    aligned: bool = False
    """True for a picture that is CelebA's 178×218 frame already."""
    parts: Mapping[str, Path] = field(default_factory=dict)
    """Masks of CelebAMask-HQ's parts, by their names there; empty where there are none."""


@dataclass
class Listing:
    """The pictures of a data set, and what was left out of it."""

    layout: str
    """One of LAYOUTS, but for `auto`."""
    base: Path
    """The folder that has the layout: the data set's own, or one that it is wrapped in."""
    root: Path = field(init=False)
    """The data set's folder, as it was named."""
    sources: list[Source] = field(default_factory=list)
    """The pictures that are taken, in an order that depends on file names only."""
    official_split: bool = False
    """Whether the data set itself says what is for testing."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How many files were left out, by the reason."""
    notes: list[str] = field(default_factory=list)
    """What a user should know of it: which official values are missing, say. One sentence each."""

    def __post_init__(self) -> None:
        self.root = self.base

    @property
    def people(self) -> int:
        """How many different people are known by name or number."""
        return len({source.identity for source in self.sources} - {""})

    def name(self, source: Source) -> str:
        """A picture's path from the data set's folder on; the same text in every locale."""
        return as_text(source.path.relative_to(self.root))

    def counts(self) -> dict[str, JSON]:
        """What it holds, in numbers, as values that JSON can hold."""
        return {
            "layout": self.layout,
            "pictures": len(self.sources),
            "people": self.people,
            "official_split": self.official_split,
            "left_out": dict(sorted((+self.left_out).items())),
            "notes": list(self.notes),
        }


def held_out_from(count: int, held_out: float) -> int:
    """Where the held-out ones begin among `count` people or pictures, of which the last are held out.

    held_out: below 1 a share, from 1 on a number; above 0 at least one is held out where there are two. Raises
    DataError when nobody is left to train on."""
    if not math.isfinite(held_out) or held_out < 0:
        raise DataError(f"{held_out} cannot be held out: give a share below 1, or a number of people.")
    number = round(count * held_out) if held_out < 1 else round(held_out)
    if held_out > 0 and count > 1:
        number = max(1, number)
    if count and number >= count:
        raise DataError(f"Holding out {number} of {count} leaves nothing to train on: hold out fewer.")
    return count - number
