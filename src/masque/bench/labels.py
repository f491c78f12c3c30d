"""How much processor time a large label map takes to read, as painting programs save it, and how much memory."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np
from PIL import Image

from masque.bench.swapping import Spread, spread
from masque.data.puppets import draw_puppet, render
from masque.faces.labels import colour_labels, encode_labels, read_labels

WARM_UPS = 1
"""Turns before those that are timed."""


class ReadingBenchmark(TypedDict):
    """What reading a large label map takes."""

    job: str
    width: int
    height: int
    times: dict[str, Spread]
    """File -> seconds of processor time"""
    peak_memory_mib: float
    """Highest memory of the process, in MiB"""


def bench_reading(megapixels: float, turns: int) -> ReadingBenchmark:
    """Seconds of processor time to read a puppet's label map of so many megapixels (4:3).

    As a palette picture; in RGB with sharp edges, with edges that are smoothed as by a hard brush, and with edges as
    wide as a pixel of the puppet's own map is; and as JPEG."""
    width = int((megapixels * 1e6 * 4 / 3) ** 0.5)
    parts = render(draw_puppet(1)).labels
    size = (width, width * 3 // 4)
    sharp = cv2.resize(parts, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    soft = cv2.resize(colour_labels(parts), size, interpolation=cv2.INTER_LINEAR)
    times: dict[str, Spread] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: Path(folder) / name for name in ("palette.png", "rgb.png", "smoothed.png", "soft.png", "jpeg.jpg")
        }
        files["palette.png"].write_bytes(encode_labels(sharp))
        Image.fromarray(colour_labels(sharp)).save(files["rgb.png"])
        Image.fromarray(cv2.GaussianBlur(colour_labels(sharp), (5, 5), 0)).save(files["smoothed.png"])
        Image.fromarray(soft).save(files["soft.png"])
        Image.fromarray(colour_labels(sharp)).save(files["jpeg.jpg"], quality=90)
        for name, path in files.items():
            taken = []
            for _ in range(WARM_UPS + turns):
                started = time.process_time()
                read_labels(path)
                taken.append(time.process_time() - started)
            times[name] = spread(taken[WARM_UPS:])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"job": "labels", "width": size[0], "height": size[1], "times": times, "peak_memory_mib": memory}


def as_text(report: ReadingBenchmark) -> str:
    """The report in a few lines of text."""
    lines = [f"{name}: {t['median']:.2f} s ({t['min']:.2f} to {t['max']:.2f})" for name, t in report["times"].items()]
    return "\n".join(
        [
            f"label maps of {report['width']}×{report['height']}",
            *lines,
            f"peak memory: {report['peak_memory_mib']:.0f} MiB",
        ]
    )
