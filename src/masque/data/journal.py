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
from typing import Any

import numpy as np

from masque.data.prepared import check_landmarks
from masque.data.sources import LAYOUTS, SPLITS, Found, Source, held_out_from
from masque.errors import DataError, printable
from masque.folders import is_empty
from masque.image import write_atomically
from masque.jsonfile import parse_object
from masque.lock import remove_unfinished
from masque.output import refused

Result = dict[str, Any]
"""What became of a picture: its `number`, the `state` of its file then, and either `dropped`, the reason, or its
`landmarks` and `attributes`."""


@dataclass(frozen=True)
class Settings:
    """What decides the content of a prepared set; it is resumed only under the same ones."""

    source: str
    layout: str
    size: int
    held_out: float
    most_turned: float
    label_maps: bool


@dataclass(frozen=True)
class Journal:
    """An open journal."""

    path: Path
    sources: list[Source]
    """The pictures by number, the first of which is 1, with the splits that they keep."""
    done: dict[int, Result]
    added: int
    """How many of the pictures were not in the data set when the set was begun."""

    def add(self, result: Result) -> None:
        """Write down what became of a picture. Raises OutputError."""
        self.done[result["number"]] = result
        try:
            with self.path.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(result) + "\n")
        except OSError as error:
            raise refused(self.path, error) from None


def open_journal(out: Path, settings: Settings, found: Found) -> Journal:
    """The journal of a set that is begun or goes on in `out`; makes the folders of a new set.

    found: the data set as it is now. Raises DataError where `out` holds something else, a damaged journal, or a set
    that was prepared from another data set or with other settings, and says what differs; OutputError where `out`
    cannot be written."""
    path = out / "journal.jsonl"
    sources, added, lines = found.sources, 0, []
    if path.is_file():
        # What follows the last line break was being written when the process was killed.
        try:
            first, *lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] or [""]
        except OSError as error:
            raise DataError(
                f"{path} cannot be read ({error.strerror}): check its permissions, or choose another folder."
            ) from None
        sources, added = _planned(out, path, first, settings, found)
    elif not is_empty(out):
        raise DataError(f"{out} exists and is not a prepared set: choose a new folder.")
    try:
        done = {r["number"]: r for r in (_result(line, len(sources), settings.size / 128) for line in lines)}
    except ValueError:
        raise _damaged(out, path) from None
    plan = _as_json(settings) | {
        "found": found.layout,
        "pictures": [[found.name(source), source.split] for source in sources],
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        # The journal first: a folder without one is not taken for a set.
        write_atomically(path, lambda part: part.write_text("\n".join([json.dumps(plan), *lines]) + "\n"))
        for folder in (out / "images", out / "masks"):
            folder.mkdir(exist_ok=True)
        for folder in (out, out / "images", out / "masks", out / "labels"):
            remove_unfinished(folder.glob(".*.part"))
    except OSError as error:
        raise refused(out, error) from None
    return Journal(path, sources, done, added)


def begun_as(out: Path) -> str | None:
    """The layout that `auto` chose when the set in `out` was begun; None where none was."""
    path = out / "journal.jsonl"
    try:
        plan = (
            parse_object(path.read_text(encoding="utf-8", errors="replace").partition("\n")[0])
            if path.is_file()
            else {}
        )
    except (OSError, ValueError):  # told when it is opened
        return None
    layout = plan.get("found")
    return layout if plan.get("layout") == "auto" and layout in LAYOUTS[1:] else None


def _as_json(settings: Settings) -> dict[str, Any]:
    return asdict(settings) | {"most_turned": settings.most_turned if math.isfinite(settings.most_turned) else None}


def _damaged(out: Path, path: Path) -> DataError:
    return DataError(f"{path} is damaged: choose another folder, or delete {out} and prepare it again.")


def _other(out: Path, what: str) -> DataError:
    begun = f"{out} holds a set that was prepared from another source or with other settings"
    return DataError(f"{begun}: choose another folder, or give the command as it was ({what}).")


def _planned(out: Path, path: Path, first: str, settings: Settings, found: Found) -> tuple[list[Source], int]:
    """The pictures by number, as the journal's first line plans them and with new ones behind; and how many those
    are."""
    if first == _older(settings, found):
        return found.sources, 0
    try:
        plan = parse_object(first.replace(": Infinity", ": null"))  # as older ones say that all faces are taken
    except ValueError:
        raise _damaged(out, path) from None
    now = _as_json(settings)
    differing = [name for name in now if plan.get(name) != now[name]]
    if differing:
        raise _other(
            out,
            ", ".join(
                f"{name.replace('_', '-')} was {printable(plan.get(name))} and is {now[name]}" for name in differing
            ),
        )
    if "sources" in plan:
        raise _other(out, "an older Masque began it, and there are other pictures or splits now")
    pictures = plan.get("pictures")
    if not isinstance(pictures, list) or not all(
        isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) and p[1] in SPLITS for p in pictures
    ):
        raise _damaged(out, path)
    return _with_new(out, dict(pictures), found, settings.held_out)


def _with_new(out: Path, planned: Mapping[str, str], found: Found, held_out: float) -> tuple[list[Source], int]:
    now = {found.name(source): source for source in found.sources}
    gone = [name for name in planned if name not in now]
    if gone:
        raise _other(
            out, f"{len(gone)} of its {len(planned)} pictures are not there any more, {printable(gone[0])} for one"
        )
    moved = [name for name, split in planned.items() if found.official_split and now[name].split != split]
    if moved:
        raise _other(out, f"{printable(moved[0])} was in {planned[moved[0]]} and is in {now[moved[0]].split} now")
    new = [source for name, source in now.items() if name not in planned]
    if new and not found.official_split and found.layout != "celeba":
        new = _divided(new, planned, found, held_out)
    return [*(replace(now[name], split=split) for name, split in planned.items()), *new], len(new)


def _divided(new: Sequence[Source], planned: Mapping[str, str], found: Found, held_out: float) -> list[Source]:
    """New pictures with their splits: those of a person that is known are where the others are, and of new people the
    last are held out until as many are as `held_out` says of all."""

    def whose(source: Source) -> str:
        return source.identity or found.name(source)

    sides = {whose(source): planned[name] for source in found.sources if (name := found.name(source)) in planned}
    people = [person for person in dict.fromkeys(map(whose, new)) if person not in sides]
    count = len(sides) + len(people)
    lacking = count - held_out_from(count, held_out) - sum(side == "test" for side in sides.values())
    first = len(people) - max(0, lacking)
    sides |= {person: "test" if place >= first else "train" for place, person in enumerate(people)}
    return [replace(source, split=sides[whose(source)]) for source in new]


def _older(settings: Settings, found: Found) -> str:
    """The first line as older ones have it, which knew the pictures by a hash of all alone."""
    listing = "\n".join(found.name(source) + source.split for source in found.sources)
    return json.dumps(
        asdict(settings) | {"sources": hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()[:16]}
    )


def _result(line: str, count: int, scale: float) -> Result:
    """What a line of the journal says of one picture of `count`. Raises ValueError where preparing would not have said
    it."""
    result = parse_object(line)
    if not isinstance(result.get("state", ""), str):
        raise ValueError("the state of its file is no text")
    if type(result.get("number")) is not int or not 1 <= result["number"] <= count:
        raise ValueError("there is no such picture")
    if isinstance(result.get("dropped"), str):
        return result
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
    return result
