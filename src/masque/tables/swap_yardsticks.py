"""Swaps of whole photos by any method, measured by what no training saw: several methods on the same pairs.

`masque.tables.swap_measures` says what is measured of a pair. Beside it stand the area under the curve of a network
that learns to tell the results from the target photos, on people whom it has not seen, and swaps of puppets against
true ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from masque.data.frames import FrameSet
from masque.edits.parser import ParserSession
from masque.edits.result import Result
from masque.errors import DataError, MasqueError, NoFaceError, PictureError
from masque.faces.frame import align, chain, warp_photo
from masque.faces.regions import HAIR_CROP
from masque.faces.shape3d import ShapeModel
from masque.folders import find_pictures
from masque.image import Picture, read_picture, to_tensor
from masque.metrics.estimates import NOTHING, estimate_mean
from masque.metrics.two_sample import SIDE, two_sample_auc
from masque.tables.rsgan import draw_pairs
from masque.tables.swap_measures import measure_pair
from masque.tables.swap_puppets import TrueSwapMeasures, measure_true_swaps
from masque.tables.swap_report import ROWS, MethodMeasures, SwapYardsticks
from masque.tables.swap_seen import Seen, see, see_again, shown_share
from masque.tables.swapping import Swap

MOST_PUPPETS = 60
"""Pairs of puppets, at most."""


class Photos(NamedTuple):
    """Photos of people, one face in each."""

    people: Sequence[str]
    """Who is in each; an empty name is somebody of whom nothing is known."""
    read: Callable[[int], Picture]
    """The photo at a position, RGB uint8 (H,W,3); raises PictureError."""
    source: str
    """What they are, for the report."""


@dataclass
class _Found:
    """What was measured of one method until now."""

    pairs: list[dict[str, float]] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    made: list[Picture] = field(default_factory=list)
    real: list[Picture] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    fell_back: int = 0


def photos_of_frames(frames: FrameSet, split: str = "test") -> Photos:
    """The face frames of one split of prepared sets as photos."""
    chosen = frames.indices(split)
    people = [frames.identities[i] for i in chosen]
    return Photos(people, lambda place: frames.frames[chosen[place]], frames.fingerprint())


def photos_in(folder: Path) -> Photos:
    """The photos in a folder. Those whose names begin alike up to the first underscore (001_03.jpg, 001_08.jpg) are of
    one person. Raises DataError."""
    paths, _ = find_pictures(folder, "portraits")
    return Photos([path.stem.split("_")[0] for path in paths], lambda place: read_picture(paths[place]), folder.name)


def evaluate_swaps(
    swaps: Mapping[str, Swap],
    photos: Photos,
    parser: ParserSession,
    shapes: ShapeModel,
    *,
    pairs: int = 100,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> SwapYardsticks:
    """Measure methods by name on the same random pairs of photos of different people.

    swaps: the methods. parser: finds brows and skin. shapes: turns faces to the front. pairs: how many. seed: draws
    pairs and puppets, and begins networks and the bootstrap. progress: called with steps done, their number and what
    they are. Raises DataError where there are fewer pairs, or no face is found in any of them."""
    drawn = draw_pairs(photos.people, pairs, seed)
    found = {name: _Found() for name in swaps}
    unusable = 0
    for done, (face, target, other) in enumerate(_with_another(drawn, photos.people, seed), start=1):
        try:
            seen = [see(photos.read(place), parser) for place in (face, target)]
        except (NoFaceError, PictureError):
            unusable += 1
        else:
            again = None if other is None else _seen_or_none(photos, other, parser)
            people = photos.people[face], photos.people[target] or f"\0{target}"
            for name, swap in swaps.items():
                _measure(swap, name, seen[0], seen[1], again, shapes, found[name], people)
        if progress:
            progress(done, len(drawn), "pairs")
    if unusable == len(drawn):
        raise DataError("No face was found in the photos of any pair: name a folder of portraits.")
    puppets = min(pairs, MOST_PUPPETS)
    *true, nothing = measure_true_swaps([*swaps.values(), _unchanged], puppets, seed, _saying(progress, "puppets"))
    return {
        "data": photos.source,
        "pairs": pairs,
        "seed": seed,
        "unusable": unusable,
        "methods": {name: _summarised(found[name], one, seed) for name, one in zip(swaps, true, strict=True)},
        "nothing_done": nothing,
    }


def _unchanged(face: Picture, target: Picture) -> Result:  # noqa: ARG001
    return Result(target, {})


def _saying(progress: Callable[[int, int, str], None] | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, of: progress(done, of, what)


def _with_another(
    drawn: Sequence[Sequence[int]] | np.ndarray, people: Sequence[str], seed: int
) -> Iterator[tuple[int, int, int | None]]:
    """Each pair with the position of another photo of the face's person, where there is one."""
    generator = np.random.default_rng([seed, 7])
    of_person: dict[str, list[int]] = {}
    for place, person in enumerate(people):
        of_person.setdefault(person, []).append(place)
    for face, target in drawn:
        others = [place for place in of_person[people[face]] if place != face] if people[face] else []
        yield int(face), int(target), int(generator.choice(others)) if others else None


def _seen_or_none(photos: Photos, place: int, parser: ParserSession) -> Seen | None:
    try:
        return see(photos.read(place), parser)
    except (NoFaceError, PictureError):
        return None


def _measure(
    swap: Swap,
    name: str,
    face: Seen,
    target: Seen,
    other: Seen | None,
    shapes: ShapeModel,
    found: _Found,
    people: tuple[str, str],
) -> None:
    started = time.perf_counter()
    try:
        made = swap(face.photo, target.photo)
    except MasqueError:
        found.failed += 1
        return
    found.seconds.append(time.perf_counter() - started)
    # A name such as own-unpainted says which method, and then how.
    found.fell_back += made.record.get("method", name) not in (name, name.split("-")[0])
    result = see_again(made.picture, target)
    if result is None:
        found.failed += 1
        return
    shown = shown_share(made.picture, target.photo, made.change)
    found.pairs.append(measure_pair(face, target, result, shown, shapes, other))
    found.people.append(people[0])
    found.targets.append(people[1])
    found.made.append(_crop(made.picture, target))
    found.real.append(_crop(target.photo, target))


def _crop(photo: Picture, target: Seen) -> Picture:
    """The hair crop (96,96,3) around the target's face."""
    matrix = chain(align(target.landmarks), HAIR_CROP.to_crop(SIDE, 1.0))
    return warp_photo(photo, matrix, (SIDE, SIDE), SIDE / HAIR_CROP.side)[0]


def _summarised(found: _Found, true: TrueSwapMeasures, seed: int) -> MethodMeasures:
    area = NOTHING
    if found.made:
        made, real = to_tensor(np.stack(found.made)), to_tensor(np.stack(found.real))
        area = two_sample_auc(made, real, found.targets, found.targets, seed)
    return {
        "failed": found.failed,
        "fell_back": found.fell_back,
        "seconds": float(np.median(found.seconds)) if found.seconds else None,
        "measures": {name: estimate_mean([pair[name] for pair in found.pairs], found.people, seed) for name in ROWS},
        "classifier_auc": area,
        "true_swap": true,
    }
