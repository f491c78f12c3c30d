"""How long a swap or another edit takes on large photos, and how much memory."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from typing import Protocol, TypedDict

import cv2
import numpy as np

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.rsgan import Stitch
from masque.image import Picture

WARM_UPS = 2
"""Turns before those that are timed: libraries prepare themselves in the first."""


class Spread(TypedDict):
    """What several turns took, or how many pictures a second they made."""

    median: float
    """The middle one"""
    min: float
    """The least"""
    max: float
    """The most"""


class EditBenchmark(TypedDict):
    """How long an edit takes, photo in and photo with record out, after loading."""

    job: str
    """Name of what was timed: edit, parse, repaint, synthesize or swap"""
    model: str
    """The model's family"""
    size: int
    """Side of the network's pictures in pixels"""
    side: int
    """Side of the photos in pixels"""
    times: dict[str, Spread]
    """What was timed -> seconds"""
    peak_memory_mib: float
    """Highest memory of the process, in MiB"""


def large_photo(seed: int, side: int) -> Picture:
    """A puppet as a square photo of `side` pixels, with room around the head."""
    frame = render(draw_puppet(seed), side / 256).picture
    height, width = frame.shape[:2]
    left, top = (side - width) // 2, side - height
    photo = cv2.copyMakeBorder(frame, max(0, top), max(0, -top), left, side - width - left, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(photo[:side, :side]).astype(np.uint8)


def bench_editing(model: str, side: int, turns: int) -> EditBenchmark:
    """Time an edit of one attribute, with any model that edits attributes. model: a name or a folder. Raises
    CheckpointError."""
    session = masque.load(model, "edit")
    photo, attributes = large_photo(1, side), {session.attributes[0]: 1.0}
    times = {"edit": _timed(lambda: session.edit(photo, attributes), turns)}
    return _benchmark("edit", session, side, times)


def bench_parsing(model: str, side: int, turns: int) -> EditBenchmark:
    """Time finding a face and its parts. model: a name or a folder. Raises CheckpointError."""
    parser = masque.load(model, "parse")
    photo = large_photo(1, side)
    times = {"parse": _timed(lambda: parser.parse(photo), turns)}
    return _benchmark("parse", parser, side, times)


def bench_repainting(model: str, side: int, turns: int) -> EditBenchmark:
    """Time repainting by a label map from which the mouth was removed. model: a name or a folder. Raises
    CheckpointError."""
    painter = masque.load(model, "repaint")
    photo = large_photo(1, side)
    labels = masque.load("parser", "parse").parse(photo).labels
    labels[np.isin(labels, (7, 8, 9))] = 1
    times = {"repaint": _timed(lambda: painter.repaint(photo, labels=labels), turns)}
    return _benchmark("repaint", painter, side, times)


def bench_synthesis(model: str, side: int, count: int, turns: int) -> EditBenchmark:
    """Time drawing `count` pictures of a photo's person. model: a name or a folder. Raises CheckpointError."""
    session = masque.load(model, "synthesize")
    photo = large_photo(1, side)
    times = {
        f"synthesize {count}": _timed(lambda: session.synthesize(photo, count), turns),
        f"synthesize {count} by the network": _timed(lambda: session.synthesize(photo, count, detail="network"), turns),
    }
    return _benchmark("synthesize", session, side, times)


class _Loaded(Protocol):
    """A loaded model."""

    @property
    def family(self) -> str: ...
    @property
    def size(self) -> int: ...


def _benchmark(job: str, model: _Loaded, side: int, times: dict[str, Spread]) -> EditBenchmark:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "job": job,
        "model": model.family,
        "size": model.size,
        "side": side,
        "times": times,
        "peak_memory_mib": memory,
    }


def _timed(job: Callable[[], object], turns: int) -> Spread:
    """Seconds of a job, over turns that follow `WARM_UPS` others."""
    taken: list[float] = []
    for turn in range(WARM_UPS + turns):
        started = time.perf_counter()
        job()
        if turn >= WARM_UPS:
            taken.append(time.perf_counter() - started)
    return spread(taken)


def spread(taken: list[float]) -> Spread:
    """The spread of numbers, of which there is one at least."""
    return {"median": statistics.median(taken), "min": min(taken), "max": max(taken)}


def bench_swapping(model: str, side: int, turns: int) -> EditBenchmark:
    """Time a swap, stitched and not, in turns. model: a name or a folder. Raises CheckpointError."""
    session = masque.load(model, "swap")
    face, hair = large_photo(1, side), large_photo(2, side)
    seconds: dict[Stitch, list[float]] = {"gradient": [], "none": []}
    for turn in range(WARM_UPS + turns):
        for stitch, taken in seconds.items():
            started = time.perf_counter()
            session.swap(face, hair, stitch=stitch)
            if turn >= WARM_UPS:
                taken.append(time.perf_counter() - started)
    return _benchmark("swap", session, side, {f"stitch {name}": spread(taken) for name, taken in seconds.items()})


def as_text(report: EditBenchmark) -> str:
    """The report in a few lines of text."""
    lines = [
        f"{report['job']} with {report['model']} ({report['size']} px) on photos of {report['side']}×{report['side']}"
    ]
    lines += [f"{name}: {t['median']:.2f} s ({t['min']:.2f} to {t['max']:.2f})" for name, t in report["times"].items()]
    return "\n".join([*lines, f"peak memory: {report['peak_memory_mib']:.0f} MiB"])
