"""From a data set to a prepared set: detect, align, crop, mask and measure every picture, on all cores, resumable at
any moment."""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from masque.data.journal import Result, Settings, begun_as, open_journal
from masque.data.layouts import look_through
from masque.data.measured import MEASURED, frame_mask, measure_attributes
from masque.data.parts import in_frame, read_parts, unusable
from masque.data.pool import each
from masque.data.prepared import BACKGROUND, BEYOND, PERSON, Row, read_map, write_frame, write_index, write_maps
from masque.data.sources import Found, Source
from masque.errors import DataError, MasqueError, NoFaceError, OutputError, PictureError, ValueRangeError
from masque.faces.detect import choose_face, find_faces, landmarks_in
from masque.faces.frame import HEIGHT, WIDTH, cut_frame, identity_matrix
from masque.faces.labels import UNKNOWN, Labels
from masque.folders import as_text
from masque.image import Picture, read_picture
from masque.lock import only_writer

Classify = Callable[[list[Picture]], list[dict[str, float]]]
"""Face frames -> attribute values in [0,1] for each; brought by the caller, since this room knows no network."""

Parse = Callable[[list[Picture]], list[Labels]]
"""Face frames -> their label maps (218s,178s), UNKNOWN where nothing can be said; brought by the caller too."""

AT_ONCE = 64


@dataclass(frozen=True)
class Report:
    """What `prepare` did."""

    kept: int
    dropped: dict[str, int]
    """reason -> count"""
    resumed: int
    """How many pictures an earlier run had done."""
    added: int
    """How many pictures were not in the data set when the set was begun."""
    found: Found
    """What the data set was found to hold."""
    anew: int = 0
    """How many pictures were prepared anew, since other files have their names now."""


def prepare(
    source: Path,
    out: Path,
    *,
    layout: str = "auto",
    size: int = 128,
    held_out: float = 0.1,
    most_turned: float = float("inf"),
    only: Sequence[str] | None = None,
    workers: int | None = None,
    classify: Classify | None = None,
    parse: Parse | None = None,
    label_maps: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Turn a data set into a prepared set at `out`.

    size: side of the crops in pixels at which the set will be trained; the frame's scale is size/128. most_turned:
    faces for which `turned` is above this are dropped (4 drops profiles). only: file names (or paths relative to the
    source) to take, all others are left out. workers: processes, all cores by default. parse: says what is background
    in pictures that come without masks of parts; by label_maps it also writes their label maps, on which portraits can
    be trained. progress: called with (done, all). The same call after an interruption goes on where it stopped, and
    prepares anew what was replaced. Raises DataError (source missing, or `out` holds something else) and OutputError
    (disk full, or somebody else prepares there), and ValueRangeError; a single bad picture is counted and left out."""
    if not 0 <= held_out < math.inf:
        raise ValueRangeError(
            f"held_out is {held_out} and must be 0 or more: below 1 it is a share of the people, from 1 on their number."
        )
    if not most_turned > 0:
        raise ValueRangeError(f"most_turned is {most_turned} and must be above 0: 4 drops profiles.")
    found = look_through(source, layout, held_out, only, begun_as(out) if layout == "auto" else None)
    settings = Settings(as_text(source.resolve()), layout, size, held_out, most_turned, label_maps)
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} exists and is not a prepared set: choose a new folder.")
    with only_writer(out):
        journal = open_journal(out, settings, found)
        found.sources = journal.sources
        replaced = [n for n, r in journal.done.items() if "state" in r and r["state"] != _state(journal.sources[n - 1])]
        for number in replaced:
            del journal.done[number]
        resumed = len(journal.done)
        todo = [(number, s) for number, s in enumerate(journal.sources, start=1) if number not in journal.done]
        work = partial(_prepare_one, out=out, scale=size / 128, most_turned=most_turned)
        for result in each(work, todo, workers):
            journal.add(result)
            if progress:
                progress(len(journal.done), len(journal.sources))
        kept = _finish(out, found, journal.done, settings, classify, parse, progress)
    dropped = Counter(r["dropped"] for r in journal.done.values() if "dropped" in r)
    return Report(kept, dict(dropped), resumed, journal.added, found, len(replaced))


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
    except OSError:  # told when it is read
        return None


def _prepare_one(job: tuple[int, Source], *, out: Path, scale: float, most_turned: float) -> dict[str, Any]:
    number, source = job
    known = {"number": number, "state": _state(source)}
    try:
        return {**known, **_frame_one(number, source, out, scale, most_turned)}
    except OutputError:
        raise
    except NoFaceError as error:
        return {
            **known,
            "dropped": "face too small" if "wide" in str(error) else "no face found",
            "source": str(source.path),
        }
    except PictureError:
        return {**known, "dropped": "not readable as a picture", "source": str(source.path)}
    except (MasqueError, cv2.error, ValueError, ArithmeticError) as error:
        return {**known, "dropped": f"failed: {type(error).__name__}", "source": str(source.path)}


def _frame_one(number: int, source: Source, out: Path, scale: float, most_turned: float) -> dict[str, Any]:
    photo = read_picture(source.path)
    if source.aligned:
        if photo.shape != (HEIGHT, WIDTH, 3):
            return {"dropped": "not 178×218 as aligned CelebA pictures are", "source": str(source.path)}
        faces = find_faces(photo)
        # In an aligned picture the face is where it is, also when HOG is blind to it.
        landmarks = choose_face(faces).landmarks if faces else landmarks_in(photo, (39, 71, 104, 104))
        matrix = (
            identity_matrix() if scale == 1.0 else np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
        )
        frame = cut_frame(photo, landmarks, scale, matrix)
    else:
        landmarks = choose_face(find_faces(photo)).landmarks
        frame = cut_frame(photo, landmarks, scale)
    if turned(frame.landmarks) > most_turned:
        return {"dropped": "turned away", "source": str(source.path)}
    mask, labels = frame_mask(frame), None
    if source.parts:
        parts, person = read_parts(source.parts)
        labels = in_frame(parts, frame, photo.shape[:2], UNKNOWN)
        reason = unusable(labels, frame.landmarks)
        if reason:
            return {"dropped": reason, "source": str(source.path)}
        mask = in_frame(np.where(person, PERSON, BACKGROUND).astype(np.uint8), frame, photo.shape[:2], BEYOND)
    attributes = dict(source.attributes)
    if not _is_told(source):
        attributes = measure_attributes(frame.picture, frame.landmarks, mask) | attributes
    write_frame(out, f"{number:06d}", frame.picture, mask, labels)
    return {
        "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in frame.landmarks],
        "attributes": attributes,
    }


def _is_told(source: Source) -> bool:
    """Whether the data set itself says all that can be measured: CelebA's list does, UTKFace's names do not."""
    return source.aligned and bool(source.attributes)


def turned(landmarks: Any) -> float:
    """How one-sided a face is seen: distance of the nose's tip from the farther side of the jaw by that from the
    nearer; 1 is frontal."""
    left, right = landmarks[30, 0] - landmarks[2, 0], landmarks[14, 0] - landmarks[30, 0]
    near, far = min(left, right), max(left, right)
    return float(far / near) if near > 0 else float("inf")


def _finish(
    out: Path,
    found: Found,
    done: dict[int, dict[str, Any]],
    settings: Settings,
    classify: Classify | None,
    parse: Parse | None,
    progress: Callable[[int, int], None] | None,
) -> int:
    """Measure what is lacking, write the index, and say how many pictures are kept."""
    sources = found.sources
    dropped = Counter(r["dropped"] for r in done.values() if "dropped" in r)
    kept = sorted(number for number, r in done.items() if "dropped" not in r)
    if not kept:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise DataError(f"None of the {len(sources)} pictures could be used ({reasons}): Masque needs photos of faces.")
    attributes = {number: _attributes(out, sources[number - 1], done[number]) for number in kept}
    if classify is not None:
        _classify(out, attributes, classify)
    without = [n for n in kept if not sources[n - 1].parts]
    if parse is not None:
        _parse(out, without, parse, settings.label_maps, progress)
    elif settings.label_maps and without:
        raise DataError(
            "No face parser comes with this installation, and label maps need one: install Masque with its weights."
        )
    rows = [
        Row(f"{n:06d}", found.name(sources[n - 1]), sources[n - 1].identity, sources[n - 1].split, attributes[n])
        for n in kept
    ]
    landmarks = np.array([done[n]["landmarks"] for n in kept], dtype=np.float32)
    about = {
        "scale": settings.size / 128, "frame": [WIDTH, HEIGHT], **asdict(settings),
        "most_turned": settings.most_turned if math.isfinite(settings.most_turned) else None,  # JSON has no infinity
        "kept": len(kept), "parsed": len(without) if parse is not None else 0,
        "dropped": dict(sorted(dropped.items())), "splits": dict(Counter(row.split for row in rows)),
        "identities": len({row.identity for row in rows if row.identity}), "layout_asked": settings.layout, **found.counts(),
    }  # fmt: skip
    write_index(out, rows, landmarks, about)
    return len(kept)


def _attributes(out: Path, source: Source, result: Result) -> dict[str, float]:
    """What data set and measurement say of a picture, measured in its frame now where an older run did not."""
    known = {**result["attributes"], **source.attributes}
    if _is_told(source) or any(name in known for name in MEASURED):
        return known
    file = f"{result['number']:06d}"
    frame, mask = read_picture(out / "images" / f"{file}.jpg"), read_map(out / "masks" / f"{file}.png")
    return {**measure_attributes(frame, np.array(result["landmarks"], dtype=np.float32), mask), **known}


def _classify(out: Path, attributes: dict[int, dict[str, float]], classify: Classify) -> None:
    """Add what the classifier says where neither data set nor measurement knows."""
    numbers = list(attributes)
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        answers = classify([read_picture(out / "images" / f"{n:06d}.jpg") for n in some])
        for number, values in zip(some, answers, strict=True):
            attributes[number] = {**values, **attributes[number]}


def _parse(
    out: Path, numbers: Sequence[int], parse: Parse, label_maps: bool, progress: Callable[[int, int], None] | None
) -> None:
    """Write the parser's background in place of the measured one, and, if asked for, its label maps."""
    for start in range(0, len(numbers), AT_ONCE):
        some = [f"{n:06d}" for n in numbers[start : start + AT_ONCE]]
        maps = parse([read_picture(out / "images" / f"{name}.jpg") for name in some])
        for name, labels in zip(some, maps, strict=True):
            mask = read_map(out / "masks" / f"{name}.png", labels.shape)
            known = (labels != UNKNOWN) & (mask != BEYOND)
            mask[known] = np.where(labels > 0, PERSON, BACKGROUND)[known]
            labels[mask == BEYOND] = UNKNOWN
            write_maps(out, name, mask, labels if label_maps else None)
        if progress:
            progress(start + len(some), len(numbers))
