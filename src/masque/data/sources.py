"""What a data set is found to hold, whatever its layout: its pictures, who is on them, and what was left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from masque.errors import DataError
from masque.folders import as_text

LAYOUTS = ("auto", "celeba", "celebamask-hq", "utkface", "identities", "photos")
SPLITS = ("train", "validation", "test")

Keep = Callable[[Path], bool]
"""Whether a picture is taken."""

NOT_NAMED = "not named in the list of --only"


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


@dataclass
class Found:
    """A data set, looked through."""

    layout: str
    base: Path
    """The folder that has the layout: the data set's own, or one that it is wrapped in."""
    root: Path = field(init=False)
    """The data set's folder, as it was named."""
    sources: list[Source] = field(default_factory=list)
    official_split: bool = False
    """Whether the data set itself says what is for testing."""
    left_out: Counter[str] = field(default_factory=Counter)
    """reason -> count"""
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

    def counts(self) -> dict[str, object]:
        """Its counts as plain JSON values."""
        return {
            "layout": self.layout, "pictures": len(self.sources), "people": self.people, "official_split": self.official_split,
            "left_out": dict(sorted((+self.left_out).items())), "notes": list(self.notes),
        }  # fmt: skip


def held_out_from(count: int, held_out: float) -> int:
    """Index of the first held-out one among `count`.

    held_out: below 1 a share, of which at least one is kept where there are two; from 1 on a number. Raises DataError
    when nobody is left."""
    if not math.isfinite(held_out) or held_out < 0:
        raise DataError(f"{held_out} cannot be held out: give a share below 1, or a number of people.")
    number = round(count * held_out) if held_out < 1 else round(held_out)
    if held_out > 0 and count > 1:
        number = max(1, number)
    if count and number >= count:
        raise DataError(f"Holding out {number} of {count} leaves nothing to train on: hold out fewer.")
    return count - number
