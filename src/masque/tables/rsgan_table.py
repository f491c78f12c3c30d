"""RSGAN's Table 1 (Natsume et al. 2018, Section 4.1), with the variants of Section 4.2 among its rows, and Fig. 8 as a
picture."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from masque.arrays import ArrayError, read_npz
from masque.data.frames import FrameSet, load_frames
from masque.data.puppets import draw_puppet, render
from masque.image import Picture, grid
from masque.jsonfile import JSON
from masque.output import make_folder, write_atomically
from masque.provenance import write_recorded
from masque.tables.alike import Alike, train_equally
from masque.tables.rsgan import Embedding, draw_pairs, evaluate_swap
from masque.tables.rsgan_report import SwapReport, summaries
from masque.tables.swapping import WARP, Method, load_method, sample_of
from masque.tables.written import keep_report, kept_report, versions, write_table
from masque.version import __version__

MODELS: Mapping[str, tuple[str, str, Sequence[str]]] = {
    "VAE-GAN": ("vaegan", "vaegan", ()),
    "ALI": ("ali", "ali", ()),
    "α-GAN": ("alphagan", "alphagan", ()),
    "RSGAN": ("rsgan", "rsgan", ()),
    # Without the divergence and its noise gradients get small, and Adam's average over 1,000 steps then turns a large
    # one into a leap: with β₂ = 0.999 the face's separator diverged between two steps (docs/papers/rsgan.md, "Runs
    # that diverged").
    "RSGAN, not variational": ("rsgan", "rsgan-not-variational", ("variational=false", "beta2=0.99")),
    "RSGAN with LSTM": ("rsgan", "rsgan-lstm", ("lstm=true",)),
}
"""Row -> family, the folder of its run, and the settings in which it differs from the others."""

FILES = ("swaps.png", *(f"{folder}.json" for folder in (WARP, *(folder for _, folder, _ in MODELS.values()))))
"""The files of the table beside table.json and table.md: Fig. 8, and what was measured of each row."""

CLASSICAL = "landmark warp"
"""The row of the landmark warp, which stands in the place of Nirkin et al.'s method. Theirs fits a 3D morphable
model."""

COLUMNS: Mapping[str, tuple[str, bool]] = {
    "swap.identity_distance": ("identity distance of the swap", True),
    "reconstruction.absolute_error": ("reconstruction: absolute error", True),
    "swap_twice.absolute_error": ("swapped twice: absolute error", True),
    "reconstruction.ms_ssim": ("reconstruction: MS-SSIM", False),
    "swap_twice.ms_ssim": ("swapped twice: MS-SSIM", False),
    "swap.nearer_to_face": ("nearer to the face's person", False),
    "true_swap.absolute_error": ("error against true swaps of puppets", True),
}
"""Measure -> its title, and whether less is better. The first five are the paper's columns."""

PAPER: Mapping[str, tuple[float | None, ...]] = {
    "VAE-GAN": (1.598, 0.082, 0.112, 0.694, 0.563),
    "ALI": (1.687, 0.230, 0.270, 0.338, 0.254),
    "α-GAN": (1.321, 0.058, 0.099, 0.823, 0.638),
    CLASSICAL: (0.829, None, 0.027, None, 0.961),
    "RSGAN": (1.127, 0.069, 0.093, 0.760, 0.673),
}
"""Table 1's averages of its five columns; those of the classical row are Nirkin et al.'s. Identity distances are
OpenFace's."""

EMBEDDINGS = "embeddings.npz"
"""File of dlib's embeddings that were computed while the table was made, so that it goes on from there after a stop."""

SHOWN = 8
"""Pairs in swaps.png."""


class Row(SwapReport):
    """One method's row of the table."""

    memory: float
    """Megabytes in use, at most, by a process that loads the method and makes one swap"""
    steps: int | None
    """Steps of training; None for the warp"""
    versions: dict[str, str]
    """Package -> version of what measured it"""


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    pairs: int = 1000,
    seed: int = 0,
    workers: int | None = None,
) -> dict[str, Row]:
    """Train the six models under `out`, or take those that are trained, measure them and the warp alike; write
    table.json, table.md and swaps.png; return the rows by name.

    What was measured on the same weights, data, pairs, seed and versions is not measured again, so that the same table
    comes out to the last digit. Raises MasqueError."""
    settings = how.plan("rsgan")
    size, attributes = settings.model.size, settings.model.attributes
    # First, so that data that is missing is reported before an hour of training.
    frames = load_frames(data, size, attributes, ("test",))
    draw_pairs([frames.identities[i] for i in frames.indices("test")], pairs, seed)
    make_folder(out)
    steps = train_equally(MODELS, data, out, how)
    cache = read_embeddings(out)
    reports: dict[str, Row] = {}
    methods: dict[str, Method] = {}
    for row in (*list(MODELS)[:3], CLASSICAL, *list(MODELS)[3:]):
        folder = MODELS[row][1] if row in MODELS else WARP
        name = str(out / folder) if row in MODELS else WARP
        methods[row] = method = load_method(name, size)
        fixed = {"weights": method.weights, "data": frames.fingerprint(), "pairs": pairs, "seed": seed}
        kept = kept_report(out / f"{folder}.json", {**fixed, "versions": versions()})
        if kept is not None:
            reports[row] = cast("Row", kept)
            continue
        measured = evaluate_swap(method, frames, pairs, seed, _progress_of(row, how), cache=cache, workers=workers)
        reports[row] = {
            **measured,
            "memory": _memory(name, size),
            "steps": steps if row in MODELS else None,
            "versions": versions(),
        }
        keep_report(out / f"{folder}.json", reports[row])
        write_embeddings(out, cache)
    _write_swaps(out / "swaps.png", methods, frames, seed)
    return write_table(out, reports, as_text(reports))


def _write_swaps(path: Path, methods: Mapping[str, Method], frames: FrameSet, seed: int) -> None:
    """Write Fig. 8 with its record."""
    record: dict[str, JSON] = {
        "edit": "table",
        "model": "rsgan",
        "masque": __version__,
        "rows": list(methods),
        "seed": seed,
    }
    write_recorded(path, draw(methods, frames, seed), record)


def _progress_of(row: str, how: Alike) -> Callable[[int, int], None]:
    """The table's progress, said of the measuring of one row."""

    def progress(done: int, total: int) -> None:
        if how.progress:
            how.progress(done, total, f"measuring {row}")

    return progress


def read_embeddings(out: Path) -> dict[str, Embedding]:
    """The embeddings that `write_embeddings` wrote; none, so that all are computed anew, where the file is missing or
    damaged."""
    try:
        kept = read_npz(out / EMBEDDINGS, {"keys": ("N", 32), "values": ("N", 128)})
    except (OSError, ArrayError):
        return {}
    if set(kept) != {"keys", "values"} or len(kept["keys"]) != len(kept["values"]):
        return {}
    keys = kept["keys"].clip(0, 255).astype(np.uint8)
    return {key.tobytes().hex(): value for key, value in zip(keys, kept["values"], strict=True)}


def write_embeddings(out: Path, cache: Mapping[str, Embedding]) -> None:
    """Write embeddings to `out`, where the next call finds them. cache: by the hexadecimal SHA-256 of what they are of.
    Raises OutputError."""
    keys = np.array([list(bytes.fromhex(key)) for key in cache], np.uint8)

    def write(part: Path) -> None:
        with part.open("wb") as opened:
            np.savez(opened, keys=keys, values=np.stack(list(cache.values())))

    write_atomically(out / EMBEDDINGS, write)


def _memory(name: str, size: int) -> float:
    """Megabytes in use, at most, by a new process that loads a method and makes one swap."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (name, size))


def _peak(name: str, size: int) -> float:
    method = load_method(name, size)
    made = [render(draw_puppet(seed), size / 128) for seed in (0, 1)]
    face, hair = (sample_of(m.picture, np.zeros(m.picture.shape[:2], np.uint8), m.landmarks, size) for m in made)
    method.swap([face], [hair])
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def draw(methods: Mapping[str, Method], frames: FrameSet, seed: int = 0) -> Picture:
    """Fig. 8: in a row for each pair the face's picture, the hair's, and each method's swap, in the table's order."""
    test = frames.indices("test")
    pairs = draw_pairs([frames.identities[i] for i in test], SHOWN, seed)
    pictures: list[Picture] = []
    for pair in pairs:
        face, hair = (
            sample_of(frames.frames[i], frames.masks[i], frames.landmarks[i], next(iter(methods.values())).size)
            for i in test[pair]
        )
        pictures += [face.image, hair.image, *(method.swap([face], [hair])[0] for method in methods.values())]
    return grid(pictures, 2 + len(methods))


def ranks(reports: Mapping[str, SwapReport], column: str, less: bool) -> dict[str, int]:
    """Row -> its rank in a column: one more than the number of rows whose 95 % intervals lie wholly on the better side
    of its own."""
    found = {row: summaries(report) for row, report in reports.items()}
    intervals = {row: measures[column]["interval"] for row, measures in found.items() if column in measures}
    if less:
        return {row: 1 + sum(other[1] < own[0] for other in intervals.values()) for row, own in intervals.items()}
    return {row: 1 + sum(other[0] > own[1] for other in intervals.values()) for row, own in intervals.items()}


def as_text(reports: Mapping[str, Row]) -> str:
    """Table 1 as Markdown, the paper's averages in brackets, ranks behind each mean; equal ranks are no different by
    this many pairs."""
    first = next(iter(reports.values()))
    lines = [
        f"{first['steps']} steps, {first['size']} px, {first['pairs']} pairs of data {first['data']}, "
        f"seed {first['seed']}; mean ± deviation (rank: how many are better by more than the 95 % intervals, and one) "
        "[the paper's mean]",
        "",
        f"| | {' | '.join(title for title, _ in COLUMNS.values())} | worked | ms a swap | MB |",
        f"|---|{'---|' * (len(COLUMNS) + 3)}",
    ]
    ranked = {column: ranks(reports, column, less) for column, (_, less) in COLUMNS.items()}
    for row, report in reports.items():
        cells = [_cell(row, report, number, column, ranked[column]) for number, column in enumerate(COLUMNS)]
        more = f"{100 * report['worked']:.1f} % | {1000 * report['seconds']:.0f} | {report['memory']:.0f}"
        lines.append(f"| {row} | {' | '.join(cells)} | {more} |")
    lines += [
        "",
        f"The {CLASSICAL} stands in the place of Nirkin et al., whose 3D morphable model it does not have; "
        "what they score is in its brackets. Identity distances are dlib's here and OpenFace's in the paper.",
        "",
    ]
    return "\n".join(lines)


def _cell(row: str, report: Row, number: int, column: str, ranked: Mapping[str, int]) -> str:
    """One cell of Table 1. number: of the column."""
    value = summaries(report).get(column)
    if value is None:
        return "–"
    paper = PAPER.get(row, ())
    theirs = f" [{paper[number]:.3f}]" if number < len(paper) and paper[number] is not None else ""
    return f"{value['mean']:.3f} ± {value['std']:.3f} ({ranked[row]}){theirs}"
