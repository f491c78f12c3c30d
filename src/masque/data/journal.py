"""The journal of a set that is being prepared: for which pictures under which settings, and what became of each.

Its first line is the plan: the settings, and every picture with its split in the order of their numbers. Each line
after it is what became of one picture. So an interrupted preparation goes on with the same numbers, and pictures that
are added to the data set later get numbers behind the others', and no person changes sides."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Required, TypedDict, cast

import numpy as np

from masque.data.prepared import check_landmarks
from masque.data.sources import LAYOUTS, SPLITS, Listing, Source, held_out_from
from masque.errors import DataError, ValueRangeError, printable
from masque.folders import is_empty
from masque.image import write_atomically
from masque.jsonfile import JSON, parse_object
from masque.lock import remove_unfinished
from masque.output import refused


class Outcome(TypedDict, total=False):
    """What became of a picture: either `dropped`, or `landmarks` and `attributes`."""

    dropped: str
    """Why the picture is not in the set."""
    source: str
    """The path of a picture that was dropped."""
    landmarks: list[list[float]]
    """The 68 landmarks, x and y in pixels of the frame."""
    attributes: dict[str, float]
    """Values in [0,1] by name: the data set's and those that were measured."""


class Result(Outcome, total=False):
    """What became of which picture: a line of the journal."""

    number: Required[int]
    """Number of the picture, from 1 on."""
    state: str
    """A hash that changes when the picture's file is written again; absent in journals of earlier versions."""


@dataclass(frozen=True)
class PrepareSettings:
    """What decides the content of a prepared set; a set goes on only with the settings that it was begun with."""

    layout: str = "auto"
    """How the data set is laid out: one of `masque.data.sources.LAYOUTS`."""
    size: int = 128
    """Side in pixels of the crops at which the set will be trained; the frame's scale is size/128."""
    held_out: float = 0.1
    """How much of a set without an official split is for testing: below 1 a share, from 1 on a number of people."""
    most_turned: float = math.inf
    """Faces whose `asymmetry` is above this are dropped: 4 drops profiles."""
    label_maps: bool = False
    """Whether the label maps of a parser are written too, for pictures that come without masks of parts."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < math.inf:
            raise ValueRangeError(
                f"held_out is {self.held_out} and must be 0 or more: below 1 it is a share of the people, from 1 on "
                "their number."
            )
        if not self.most_turned > 0:
            raise ValueRangeError(f"most_turned is {self.most_turned} and must be above 0: 4 drops profiles.")

    @property
    def scale(self) -> float:
        """Frame pixels per CelebA pixel."""
        return self.size / 128

    def as_json(self, data_set: str) -> dict[str, JSON]:
        """The settings, and the data set's path, as they are written down: JSON has no infinity."""
        finite = self.most_turned if math.isfinite(self.most_turned) else None
        return {"source": data_set, **asdict(self), "most_turned": finite}


@dataclass(frozen=True)
class Journal:
    """An open journal."""

    path: Path
    """The file that the journal is written to."""
    sources: list[Source]
    """The pictures by number, the first of which is 1, with the splits that they keep."""
    results: dict[int, Result]
    """What became of the pictures so far, by their numbers."""
    added: int
    """How many of the pictures were not in the data set when the set was begun."""

    def add(self, result: Result) -> None:
        """Write down what became of a picture. Raises OutputError."""
        self.results[result["number"]] = result
        try:
            with self.path.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(result) + "\n")
        except OSError as error:
            raise refused(self.path, error) from None


def open_journal(out: Path, data_set: str, settings: PrepareSettings, listing: Listing) -> Journal:
    """The journal of a set that is begun or goes on in `out`; makes the folders of a new set.

    data_set: the data set's path, as it is written down. listing: the data set as it is now. Raises DataError where
    `out` holds something else, a damaged journal, or a set that was prepared from another data set or with other
    settings, and says what differs; OutputError where `out` cannot be written."""
    path = out / "journal.jsonl"
    sources, added = listing.sources, 0
    lines: list[str] = []
    if path.is_file():
        # What follows the last line break was being written when the process was killed.
        try:
            first, *lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] or [""]
        except OSError as error:
            raise DataError(
                f"{path} cannot be read ({error.strerror}): check its permissions, or choose another folder."
            ) from None
        sources, added = _planned(out, first, data_set, settings, listing)
    elif not is_empty(out):
        raise DataError(f"{out} exists and is not a prepared set: choose a new folder.")
    try:
        results = {r["number"]: r for r in (_result(line, len(sources), settings.scale) for line in lines)}
    except ValueError:
        raise _damaged(out, path) from None
    pictures = [[listing.name(source), source.split] for source in sources]
    plan = json.dumps(settings.as_json(data_set) | {"found": listing.layout, "pictures": pictures})
    try:
        out.mkdir(parents=True, exist_ok=True)
        # The journal first: a folder without one is not taken for a set.
        write_atomically(path, lambda part: part.write_text("\n".join([plan, *lines]) + "\n"))
        for folder in (out / "images", out / "masks"):
            folder.mkdir(exist_ok=True)
        for folder in (out, out / "images", out / "masks", out / "labels"):
            remove_unfinished(folder.glob(".*.part"))
    except OSError as error:
        raise refused(out, error) from None
    return Journal(path, sources, results, added)


def former_layout(out: Path) -> str | None:
    """The layout that `auto` detected when the set in `out` was begun; None where none was begun."""
    path = out / "journal.jsonl"
    if not path.is_file():
        return None
    try:
        plan = parse_object(path.read_text(encoding="utf-8", errors="replace").partition("\n")[0])
    except (OSError, ValueError):  # `open_journal` says what is wrong
        return None
    layout = plan.get("found")
    return layout if plan.get("layout") == "auto" and layout in LAYOUTS[1:] else None


def _damaged(out: Path, path: Path) -> DataError:
    return DataError(f"{path} is damaged: choose another folder, or delete {out} and prepare it again.")


def _differs(out: Path, what: str) -> DataError:
    other = f"{out} holds a set that was prepared from another source or with other settings"
    return DataError(f"{other}: choose another folder, or give the command as it was ({what}).")


def _planned(
    out: Path, first: str, data_set: str, settings: PrepareSettings, listing: Listing
) -> tuple[list[Source], int]:
    """The pictures by number, as the journal's first line plans them and with new ones behind; and how many those
    are."""
    if first == _former_first_line(data_set, settings, listing):
        return listing.sources, 0
    path = out / "journal.jsonl"
    try:
        plan = parse_object(first.replace(": Infinity", ": null"))  # as former ones say that all faces are taken
    except ValueError:
        raise _damaged(out, path) from None
    now = settings.as_json(data_set)
    differing = [name for name in now if plan.get(name) != now[name]]
    if differing:
        changes = [f"{name.replace('_', '-')} was {printable(plan.get(name))} and is {now[name]}" for name in differing]
        raise _differs(out, ", ".join(changes))
    if "sources" in plan:
        raise _differs(out, "an older Masque began it, and there are other pictures or splits now")
    pictures = plan.get("pictures")
    if not isinstance(pictures, list) or not all(map(_is_planned_picture, pictures)):
        raise _damaged(out, path)
    return _with_new(out, dict(pictures), listing, settings.held_out)


def _is_planned_picture(entry: object) -> bool:
    """Whether an entry of the plan is a picture's name and its split."""
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and entry[1] in SPLITS


def _with_new(out: Path, planned: Mapping[str, str], listing: Listing, held_out: float) -> tuple[list[Source], int]:
    now = {listing.name(source): source for source in listing.sources}
    gone = [name for name in planned if name not in now]
    if gone:
        raise _differs(
            out, f"{len(gone)} of its {len(planned)} pictures are not there any more, {printable(gone[0])} for one"
        )
    moved = [name for name, split in planned.items() if listing.official_split and now[name].split != split]
    if moved:
        raise _differs(out, f"{printable(moved[0])} was in {planned[moved[0]]} and is in {now[moved[0]].split} now")
    new = [source for name, source in now.items() if name not in planned]
    if new and not listing.official_split and listing.layout != "celeba":
        new = _divided(new, planned, listing, held_out)
    return [*(replace(now[name], split=split) for name, split in planned.items()), *new], len(new)


def _divided(new: Sequence[Source], planned: Mapping[str, str], listing: Listing, held_out: float) -> list[Source]:
    """New pictures with their splits: those of a person that is known are where the others are, and of new people the
    last are held out until as many are as `held_out` says of all."""

    def whose(source: Source) -> str:
        return source.identity or listing.name(source)

    sides = {whose(source): planned[name] for source in listing.sources if (name := listing.name(source)) in planned}
    people = [person for person in dict.fromkeys(map(whose, new)) if person not in sides]
    count = len(sides) + len(people)
    lacking = count - held_out_from(count, held_out) - sum(side == "test" for side in sides.values())
    first = len(people) - max(0, lacking)
    sides |= {person: "test" if place >= first else "train" for place, person in enumerate(people)}
    return [replace(source, split=sides[whose(source)]) for source in new]


def _former_first_line(data_set: str, settings: PrepareSettings, listing: Listing) -> str:
    """The first line of a journal as an earlier version wrote it, which knew the pictures by one hash of all."""
    names = "\n".join(listing.name(source) + source.split for source in listing.sources)
    digest = hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return json.dumps({"source": data_set, **asdict(settings), "sources": digest})


def _result(line: str, count: int, scale: float) -> Result:
    """What a line of the journal says of one picture of `count`, in a set of frames at `scale`. Raises ValueError for a
    line that `prepare` does not write."""
    result = parse_object(line)
    if not isinstance(result.get("state", ""), str):
        raise ValueError("the state of its file is no text")
    number = result.get("number")
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= count:
        raise ValueError("there is no such picture")
    if isinstance(result.get("dropped"), str):
        return cast(Result, result)
    landmarks, attributes = result.get("landmarks"), result.get("attributes")
    if not isinstance(landmarks, list) or not all(
        isinstance(point, list) and list(map(type, point)) == [float] * 2 for point in landmarks
    ):
        raise ValueError("its landmarks are no points")
    check_landmarks(np.array(landmarks, dtype=np.float64).reshape(1, -1, 2), scale)
    if not isinstance(attributes, dict) or not all(
        type(v) in (int, float) and 0 <= v <= 1 for v in attributes.values()
    ):
        raise ValueError("its attributes are no numbers from 0 to 1")
    return cast(Result, result)
