"""From a data set to a prepared set: detect, align, crop, mask and measure every picture, on all cores, resumable at
any moment."""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from masque.data.journal import Journal, Outcome, PrepareSettings, Result, former_layout, open_journal
from masque.data.layouts import list_data_set
from masque.data.measured import MEASURED, frame_mask, measure_attributes
from masque.data.parts import read_parts, warp_to_frame, why_unusable
from masque.data.pool import parallel_map
from masque.data.prepared import BACKGROUND, BEYOND, PERSON, Row, read_map, write_frame, write_index, write_maps
from masque.data.sources import Listing, Source
from masque.errors import DataError, MasqueError, OutputError, PictureError
from masque.faces.detect import SMALLEST_FACE, Landmarks, find_faces, landmarks_in, main_face
from masque.faces.frame import HEIGHT, WIDTH, cut_frame, zoom
from masque.faces.labels import UNKNOWN, Labels
from masque.folders import as_text
from masque.image import Picture, read_picture
from masque.jsonfile import JSON
from masque.lock import only_writer

Classify = Callable[[list[Picture]], list[dict[str, float]]]
"""Face frames -> attribute values in [0,1] for each; brought by the caller, since this room knows no network."""

Parse = Callable[[list[Picture]], list[Labels]]
"""Face frames -> their label maps (218s,178s), UNKNOWN where nothing can be said; brought by the caller too."""

Progress = Callable[[int, int], None]
"""Called with how many pictures are done, and how many there are."""

NETWORK_BATCH = 64
"""Pictures that are given to `Classify` and `Parse` together."""


@dataclass(frozen=True)
class Report:
    """What `prepare` did."""

    kept: int
    """How many pictures the set has."""
    dropped: dict[str, int]
    """How many pictures could not be used, by the reason."""
    resumed: int
    """How many pictures an earlier run had done."""
    added: int
    """How many pictures were not in the data set when the set was begun."""
    listing: Listing
    """What the data set holds."""
    replaced: int = 0
    """How many pictures were prepared a second time, since other files have their names now."""


def prepare(
    source: Path,
    out: Path,
    settings: PrepareSettings = PrepareSettings(),  # noqa: B008, since it is frozen
    *,
    only: Sequence[str] | None = None,
    workers: int | None = None,
    classify: Classify | None = None,
    parse: Parse | None = None,
    progress: Progress | None = None,
) -> Report:
    """Turn a data set into a prepared set at `out`.

    source: the folder of the data set. only: file names (or paths relative to the source) to take, all others are left
    out. workers: processes, one per core by default. classify: says what neither data set nor measurement knows. parse:
    says what is background in pictures that come without masks of parts; by `settings.label_maps` it also writes their
    label maps, on which portraits can be trained.

    The same call after an interruption goes on where it stopped, and prepares again what was replaced. Raises DataError
    (the source is missing, or `out` holds something else) and OutputError (the disk is full, or another process
    prepares there). A single bad picture is counted and left out."""
    layout = settings.layout
    listing = list_data_set(source, layout, settings.held_out, only, former_layout(out) if layout == "auto" else None)
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} exists and is not a prepared set: choose a new folder.")
    data_set = as_text(source.resolve())
    with only_writer(out):
        journal = open_journal(out, data_set, settings, listing)
        listing.sources = journal.sources
        replaced = _forget_replaced(journal)
        resumed = len(journal.results)
        _prepare_frames(out, journal, settings, workers, progress)
        kept = _kept(journal)
        attributes = {number: _attributes(out, journal.sources[number - 1], journal.results[number]) for number in kept}
        if classify is not None:
            _classify(out, attributes, classify)
        parsed = _parse(
            out, [n for n in kept if not journal.sources[n - 1].parts], parse, settings.label_maps, progress
        )
        about = {"scale": settings.scale, "frame": [WIDTH, HEIGHT], **settings.as_json(data_set)}
        _write_index(out, listing, journal.results, attributes, about | {"kept": len(kept), "parsed": parsed})
    return Report(len(kept), dict(_dropped_counts(journal.results)), resumed, journal.added, listing, replaced)


def _forget_replaced(journal: Journal) -> int:
    """Take out of a journal what became of pictures whose files have changed since, and say how many those are."""
    replaced = [
        number
        for number, result in journal.results.items()
        if "state" in result and result["state"] != _state(journal.sources[number - 1])
    ]
    for number in replaced:
        del journal.results[number]
    return len(replaced)


def _prepare_frames(
    out: Path, journal: Journal, settings: PrepareSettings, workers: int | None, progress: Progress | None
) -> None:
    """Write the frames of all pictures that are not done, and what became of each into the journal."""
    todo = [(number, source) for number, source in enumerate(journal.sources, start=1) if number not in journal.results]
    work = partial(_prepare_one, out=out, scale=settings.scale, most_turned=settings.most_turned)
    for result in parallel_map(work, todo, workers):
        journal.add(result)
        if progress:
            progress(len(journal.results), len(journal.sources))


def _state(source: Source) -> str:
    """Changes when a picture, or a mask of its parts, is written again: a hash of their sizes and times."""
    states = [
        (status.st_size, status.st_mtime_ns)
        for path in (source.path, *source.parts.values())
        if (status := _status(path))
    ]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # reading it says what is wrong
        return None


def _prepare_one(job: tuple[int, Source], *, out: Path, scale: float, most_turned: float) -> Result:
    number, source = job
    state = _state(source)  # before it is read: a file that changes meanwhile is prepared again
    try:
        result = _frame_one(number, source, out, scale, most_turned)
    except OutputError:
        raise
    except PictureError:
        result = _dropped(source, "not readable as a picture")
    except (MasqueError, cv2.error, ValueError, ArithmeticError) as error:
        result = _dropped(source, f"failed: {type(error).__name__}")
    return {"number": number, "state": state, **result}


def _dropped(source: Source, reason: str) -> Outcome:
    return {"dropped": reason, "source": str(source.path)}


def _frame_one(number: int, source: Source, out: Path, scale: float, most_turned: float) -> Outcome:
    """Write the frame, the mask and, where there are masks of parts, the label map of a picture."""
    photo = read_picture(source.path)
    if source.aligned and photo.shape != (HEIGHT, WIDTH, 3):
        return _dropped(source, "not 178×218 as aligned CelebA pictures are")
    faces = find_faces(photo)
    if not faces and not source.aligned:
        return _dropped(source, "no face found")
    if faces and main_face(faces).size < SMALLEST_FACE:
        return _dropped(source, "face too small")
    # In an aligned picture the face is where it always is, also when the detector is blind to it.
    landmarks = main_face(faces).landmarks if faces else landmarks_in(photo, CELEBA_FACE)
    frame = cut_frame(photo, landmarks, scale, zoom(scale) if source.aligned else None)
    if asymmetry(frame.landmarks) > most_turned:
        return _dropped(source, "turned away")
    mask, labels = frame_mask(frame), None
    if source.parts:
        parts, person = read_parts(source.parts)
        labels = warp_to_frame(parts, frame, photo.shape[:2], UNKNOWN)
        reason = why_unusable(labels, frame.landmarks)
        if reason:
            return _dropped(source, reason)
        mask = np.where(person, PERSON, BACKGROUND).astype(np.uint8)
        mask = warp_to_frame(mask, frame, photo.shape[:2], BEYOND)
    attributes = dict(source.attributes)
    if not _says_all(source):
        attributes = measure_attributes(frame.picture, frame.landmarks, mask) | attributes
    write_frame(out, f"{number:06d}", frame.picture, mask, labels)
    points = [[round(float(x), 2), round(float(y), 2)] for x, y in frame.landmarks]
    return {"landmarks": points, "attributes": attributes}


CELEBA_FACE = (39, 71, 104, 104)
"""Where the face is in an aligned picture of CelebA: left, top, width and height of its square, in pixels."""


def _says_all(source: Source) -> bool:
    """Whether the data set itself says all that can be measured: CelebA's list does, UTKFace's names do not."""
    return source.aligned and bool(source.attributes)


def asymmetry(landmarks: Landmarks) -> float:
    """How one-sided a face is seen: how far the tip of its nose is from the farther side of the jaw, as a multiple of
    how far it is from the nearer side. 1 is seen from the front, 4 nearly in profile, infinity beyond that."""
    left, right = landmarks[30, 0] - landmarks[2, 0], landmarks[14, 0] - landmarks[30, 0]
    nearer, farther = min(left, right), max(left, right)
    return float(farther / nearer) if nearer > 0 else math.inf


def _dropped_counts(results: Mapping[int, Result]) -> Counter[str]:
    return Counter(result["dropped"] for result in results.values() if "dropped" in result)


def _kept(journal: Journal) -> list[int]:
    """Numbers of the pictures that are in the set. Raises DataError where there is none."""
    kept = sorted(number for number, result in journal.results.items() if "dropped" not in result)
    if not kept:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in _dropped_counts(journal.results).items())
        raise DataError(
            f"None of the {len(journal.sources)} pictures could be used ({reasons}): Masque needs photos of faces."
        )
    return kept


def _write_index(
    out: Path,
    listing: Listing,
    results: Mapping[int, Result],
    attributes: Mapping[int, Mapping[str, float]],
    about: Mapping[str, JSON],
) -> None:
    """Write what makes the set complete. attributes: those of each picture that is in it, by number. about: what is
    said of the set but for its counts."""
    sources = [listing.sources[number - 1] for number in attributes]
    rows = [
        Row(f"{number:06d}", listing.name(source), source.identity, source.split, attributes[number])
        for number, source in zip(attributes, sources, strict=True)
    ]
    landmarks = np.array([results[number]["landmarks"] for number in attributes], dtype=np.float32)
    counts: dict[str, JSON] = {
        "dropped": dict(sorted(_dropped_counts(results).items())),
        "splits": dict(Counter(row.split for row in rows)),
        "identities": len({row.identity for row in rows if row.identity}),
        "layout_asked": about["layout"],
        **listing.counts(),
    }
    write_index(out, rows, landmarks, {**about, **counts})


def _attributes(out: Path, source: Source, result: Result) -> dict[str, float]:
    """What data set and measurement say of a picture, which is measured in its frame now where an earlier run did
    not."""
    known = {**result["attributes"], **source.attributes}
    if _says_all(source) or any(name in known for name in MEASURED):
        return known
    file = f"{result['number']:06d}"
    frame, mask = read_picture(out / "images" / f"{file}.jpg"), read_map(out / "masks" / f"{file}.png")
    return {**measure_attributes(frame, np.array(result["landmarks"], dtype=np.float32), mask), **known}


def _classify(out: Path, attributes: dict[int, dict[str, float]], classify: Classify) -> None:
    """Add what the classifier says where neither data set nor measurement knows."""
    numbers = list(attributes)
    for start in range(0, len(numbers), NETWORK_BATCH):
        some = numbers[start : start + NETWORK_BATCH]
        answers = classify([read_picture(out / "images" / f"{n:06d}.jpg") for n in some])
        for number, values in zip(some, answers, strict=True):
            attributes[number] = {**values, **attributes[number]}


def _parse(out: Path, numbers: Sequence[int], parse: Parse | None, label_maps: bool, progress: Progress | None) -> int:
    """Write the parser's background of these pictures in place of the measured one, and, if `label_maps`, its label
    maps; returns of how many. Raises DataError where label maps need a parser and there is none."""
    if parse is None:
        if label_maps and numbers:
            raise DataError(
                "No face parser comes with this installation, and label maps need one: install Masque with its weights."
            )
        return 0
    for start in range(0, len(numbers), NETWORK_BATCH):
        some = [f"{n:06d}" for n in numbers[start : start + NETWORK_BATCH]]
        maps = parse([read_picture(out / "images" / f"{name}.jpg") for name in some])
        for name, labels in zip(some, maps, strict=True):
            mask = read_map(out / "masks" / f"{name}.png", labels.shape)
            known = (labels != UNKNOWN) & (mask != BEYOND)
            mask[known] = np.where(labels > 0, PERSON, BACKGROUND)[known]
            labels[mask == BEYOND] = UNKNOWN
            write_maps(out, name, mask, labels if label_maps else None)
        if progress:
            progress(start + len(some), len(numbers))
    return len(numbers)
