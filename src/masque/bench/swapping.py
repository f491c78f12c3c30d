"""How long a swap or another edit takes on large photos, and how much memory."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.rsgan import Stitch
from masque.image import Picture

WARM_UPS = 2


def large_photo(seed: int, side: int) -> Picture:
    """A puppet as a square photo of `side` pixels, with room around the head."""
    frame = render(draw_puppet(seed), side / 256).picture
    height, width = frame.shape[:2]
    left, top = (side - width) // 2, side - height
    photo = cv2.copyMakeBorder(frame, max(0, top), max(0, -top), left, side - width - left, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(photo[:side, :side]).astype(np.uint8)


def bench_editing(model: str, side: int, turns: int) -> dict[str, Any]:
    """The same for an edit of one attribute, with any model that edits. Raises CheckpointError."""
    session = masque.load(model, "edit")
    photo, asked = large_photo(1, side), {session.attributes[0]: 1.0}
    times = {"edit": _timed(lambda: session.edit(photo, asked), turns)}
    return {"job": "edit", "model": session.family, "size": session.size, "side": side, "times": times, **_memory()}


def bench_parsing(model: str, side: int, turns: int) -> dict[str, Any]:
    """The same for finding a face and its parts. Raises CheckpointError."""
    parser = masque.load(model, "parse")
    photo = large_photo(1, side)
    times = {"parse": _timed(lambda: parser.parse(photo), turns)}
    return {"job": "parse", "model": parser.family, "size": parser.size, "side": side, "times": times, **_memory()}


def bench_repainting(model: str, side: int, turns: int) -> dict[str, Any]:
    """The same for repainting by a label map in which the mouth is gone. Raises CheckpointError."""
    painter = masque.load(model, "repaint")
    photo = large_photo(1, side)
    labels = masque.load("parser", "parse").parse(photo).labels
    labels[np.isin(labels, (7, 8, 9))] = 1
    times = {"repaint": _timed(lambda: painter.repaint(photo, labels=labels), turns)}
    return {"job": "repaint", "model": painter.family, "size": painter.size, "side": side, "times": times, **_memory()}


def bench_synthesis(model: str, side: int, count: int, turns: int) -> dict[str, Any]:
    """The same for drawing `count` pictures of a photo's person. Raises CheckpointError."""
    session = masque.load(model, "synthesize")
    photo = large_photo(1, side)
    times = {f"synthesize {count}": _timed(lambda: session.synthesize(photo, count), turns)}
    return {
        "job": "synthesize",
        "model": session.family,
        "size": session.size,
        "side": side,
        "times": times,
        **_memory(),
    }


def _timed(job: Callable[[], object], turns: int) -> dict[str, float]:
    taken: list[float] = []
    for turn in range(WARM_UPS + turns):
        started = time.perf_counter()
        job()
        if turn >= WARM_UPS:
            taken.append(time.perf_counter() - started)
    return _spread(taken)


def _spread(taken: list[float]) -> dict[str, float]:
    return {"median": statistics.median(taken), "min": min(taken), "max": max(taken)}


def _memory() -> dict[str, float]:
    return {"peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def bench_swapping(model: str, side: int, turns: int) -> dict[str, Any]:
    """Seconds per swap, photo in and photo with record out, after loading; and the process's peak memory in MiB. Raises
    CheckpointError."""
    session = masque.load(model, "swap")
    face, hair = large_photo(1, side), large_photo(2, side)
    seconds: dict[Stitch, list[float]] = {"gradient": [], "none": []}
    for turn in range(WARM_UPS + turns):
        for stitch, taken in seconds.items():
            started = time.perf_counter()
            session.swap(face, hair, stitch=stitch)
            if turn >= WARM_UPS:
                taken.append(time.perf_counter() - started)
    return {
        "job": "swap", "model": session.family, "size": session.size, "side": side,
        "times": {f"stitch {name}": _spread(taken) for name, taken in seconds.items()}, **_memory(),
    }  # fmt: skip


def as_text(report: dict[str, Any]) -> str:
    """The report in a few lines."""
    lines = [
        f"{report['job']} with {report['model']} ({report['size']} px) on photos of {report['side']}×{report['side']}"
    ]
    lines += [f"{name}: {t['median']:.2f} s ({t['min']:.2f} to {t['max']:.2f})" for name, t in report["times"].items()]
    return "\n".join([*lines, f"peak memory: {report['peak_memory_mib']:.0f} MiB"])
