"""How long a swap takes on large photos, and how much memory."""

from __future__ import annotations

import resource
import statistics
import time
from typing import Any

import cv2
import numpy as np

import masque
from masque.data.puppets import draw_puppet, render
from masque.image import Picture

WARM_UPS = 2


def large_photo(seed: int, side: int) -> Picture:
    """A puppet as a square photo of `side` pixels, with room around the head."""
    frame = render(draw_puppet(seed), side / 256).picture
    height, width = frame.shape[:2]
    left, top = (side - width) // 2, side - height
    photo = cv2.copyMakeBorder(frame, max(0, top), max(0, -top), left, side - width - left, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(photo[:side, :side]).astype(np.uint8)


def bench_swapping(model: str, side: int, turns: int) -> dict[str, Any]:
    """Seconds per swap, photo in and photo with record out, after loading; and the process's peak memory in MiB. Raises CheckpointError."""
    session = masque.load(model, "swap")
    face, hair = large_photo(1, side), large_photo(2, side)
    seconds: dict[str, list[float]] = {"gradient": [], "none": []}
    for turn in range(WARM_UPS + turns):
        for stitch, taken in seconds.items():
            started = time.perf_counter()
            session.swap(face, hair, stitch=stitch)
            if turn >= WARM_UPS:
                taken.append(time.perf_counter() - started)
    return {
        "model": session.family, "size": session.size, "side": side,
        **{name: {"median": statistics.median(taken), "min": min(taken), "max": max(taken)} for name, taken in seconds.items()},
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def as_text(report: dict[str, Any]) -> str:
    """The report in four lines."""
    lines = [f"swap with {report['model']} ({report['size']} px) on photos of {report['side']}×{report['side']}"]
    lines += [
        f"stitch {name}: {report[name]['median']:.2f} s ({report[name]['min']:.2f} to {report[name]['max']:.2f})"
        for name in ("gradient", "none")
    ]
    return "\n".join([*lines, f"peak memory: {report['peak_memory_mib']:.0f} MiB"])
