"""RSGAN's Table 1, whole (Natsume et al. 2018, Section 4.1), its variants of Section 4.2 among the rows, and Fig. 8 as
a picture."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from masque import __version__
from masque.arrays import ArrayError, read_npz
from masque.data.frames import FrameSet, load_frames
from masque.data.puppets import draw_puppet, render
from masque.image import Picture, grid
from masque.output import make_folder, write_atomically
from masque.provenance import write_recorded
from masque.tables.alike import Alike, train_equally
from masque.tables.rsgan import Known, draw_pairs, evaluate_swap
from masque.tables.swapping import WARP, Method, Warped, load_method, sample_of
from masque.tables.written import keep_report, kept_report, versions, write_table

MODELS: Mapping[str, tuple[str, str, Sequence[str]]] = {
    "VAE-GAN": ("vaegan", "vaegan", ()),
    "ALI": ("ali", "ali", ()),
    "α-GAN": ("alphagan", "alphagan", ()),
    "RSGAN": ("rsgan", "rsgan", ()),
    # Without the divergence and its noise gradients get small, and Adam's memory of 1,000 steps then answers a large
    # one with a leap: with β₂ = 0.999 the face's separator was lost between two steps (docs/papers/rsgan.md, choice
    # 19).
    "RSGAN, not variational": ("rsgan", "rsgan-not-variational", ("variational=false", "beta2=0.99")),
    "RSGAN with LSTM": ("rsgan", "rsgan-lstm", ("lstm=true",)),
}
"""Row -> family, the folder of its run, and what it sets."""

CLASSICAL = "landmark warp"
"""The row in Nirkin et al.'s place. It is not theirs, which fits a 3D morphable model."""

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
"""Table 1's averages; the classical row is Nirkin et al.'s. Identity distances are OpenFace's."""

EMBEDDINGS = "embeddings.npz"
"""The file of what was found while the table was made: it goes on from there after a stop."""
SHOWN = 8
"""Pairs in the picture."""


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    pairs: int = 1000,
    seed: int = 0,
    workers: int | None = None,
) -> dict[str, Any]:
    """Train the six models under `out`, or take those that are trained, measure them and the warp alike; write
    table.json, table.md and swaps.png.

    What was measured on the same weights, data, pairs, seed and versions is not measured again, so that the same table
    comes out to the last digit. Returns {row: report of `evaluate_swap`, with its steps, memory and versions}. Raises
    MasqueError."""
    settings = how.plan("rsgan")
    size, attributes = settings.model.size, settings.model.attributes
    frames = load_frames(data, size, attributes, ("test",))  # what is missing is missed before an hour of training
    draw_pairs([frames.identities[i] for i in frames.indices("test")], pairs, seed)
    make_folder(out)
    steps = train_equally(MODELS, data, out, how)
    known = read_embeddings(out)
    reports: dict[str, Any] = {}
    methods: dict[str, Method] = {}
    for row in (*list(MODELS)[:3], CLASSICAL, *list(MODELS)[3:]):
        folder = MODELS[row][1] if row in MODELS else WARP
        methods[row] = method = load_method(str(out / folder)) if row in MODELS else Warped(size)
        wanted = {
            "weights": method.weights,
            "data": frames.fingerprint(),
            "pairs": pairs,
            "seed": seed,
            "versions": versions(),
        }
        path = out / f"{folder}.json"
        report = kept_report(path, wanted)
        if report is None:

            def measured(done: int, total: int, row: str = row) -> None:
                if how.progress:
                    how.progress(done, total, f"measuring {row}")

            report = evaluate_swap(method, frames, pairs, seed, measured, known=known, workers=workers)
            report |= {
                "memory": _memory(str(out / folder) if row in MODELS else WARP, size),
                "steps": steps if row in MODELS else None,
                "versions": versions(),
            }
            keep_report(path, report)
            write_embeddings(out, known)
        reports[row] = report
    record = {"edit": "table", "model": "rsgan", "masque": __version__, "rows": list(methods), "seed": seed}
    write_recorded(out / "swaps.png", draw(methods, frames, seed), record)
    return write_table(out, reports, as_text(reports))


def read_embeddings(out: Path) -> Known:
    """What `write_embeddings` kept; nothing, so that all are found anew, where the file is missing or damaged."""
    try:
        kept = read_npz(out / EMBEDDINGS, {"keys": ("N", 32), "values": ("N", 128)})
    except (OSError, ArrayError):
        return {}
    if set(kept) != {"keys", "values"} or len(kept["keys"]) != len(kept["values"]):
        return {}
    keys = kept["keys"].clip(0, 255).astype(np.uint8)
    return {key.tobytes().hex(): value for key, value in zip(keys, kept["values"], strict=True)}


def write_embeddings(out: Path, known: Known) -> None:
    """Keep embeddings for the next call. Raises OutputError."""
    keys = np.array([list(bytes.fromhex(key)) for key in known], np.uint8)

    def write(part: Path) -> None:
        with part.open("wb") as opened:
            np.savez(opened, keys=keys, values=np.stack(list(known.values())))

    write_atomically(out / EMBEDDINGS, write)


def _memory(name: str, size: int) -> float:
    """Megabytes at most in use by a process that loads a way to swap and makes one swap."""
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
    """Fig. 8: a row for each pair: the face's picture, the hair's, and what each way makes of them, in the table's
    order."""
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


def ranks(reports: Mapping[str, Any], column: str, less: bool) -> dict[str, int]:
    """Row -> its rank in a column: one more than the number of rows whose 95 % intervals lie wholly on the better side
    of its own."""
    group, measure = column.split(".")
    intervals = {row: report[group][measure]["interval"] for row, report in reports.items() if group in report}
    if less:
        return {row: 1 + sum(other[1] < own[0] for other in intervals.values()) for row, own in intervals.items()}
    return {row: 1 + sum(other[0] > own[1] for other in intervals.values()) for row, own in intervals.items()}


def as_text(reports: Mapping[str, Any]) -> str:
    """Table 1 as Markdown, the paper's averages in brackets, ranks behind each mean; equal ranks are no different by
    this many pairs."""
    first = next(iter(reports.values()))
    lines = [
        f"{first['steps']} steps, {first['size']} px, {first['pairs']} pairs of data {first['data']}, seed {first['seed']}; "
        "mean ± deviation (rank: how many are better by more than the 95 % intervals, and one) [the paper's mean]", "",
        f"| | {' | '.join(title for title, _ in COLUMNS.values())} | worked | ms a swap | MB |",
        f"|---|{'---|' * (len(COLUMNS) + 3)}",
    ]  # fmt: skip
    ranked = {column: ranks(reports, column, less) for column, (_, less) in COLUMNS.items()}
    for row, report in reports.items():
        cells = []
        for number, column in enumerate(COLUMNS):
            group, measure = column.split(".")
            if group not in report:
                cells.append("–")
                continue
            value, paper = report[group][measure], PAPER.get(row, ())
            theirs = f" [{paper[number]:.3f}]" if number < len(paper) and paper[number] is not None else ""
            cells.append(f"{value['mean']:.3f} ± {value['std']:.3f} ({ranked[column][row]}){theirs}")
        more = f"{100 * report['worked']:.1f} % | {1000 * report['seconds']:.0f} | {report['memory']:.0f}"
        lines.append(f"| {row} | {' | '.join(cells)} | {more} |")
    lines += [
        "", f"The {CLASSICAL} stands in the place of Nirkin et al., whose 3D morphable model it does not have; what they score is in its "
        "brackets. Identity distances are dlib's here and OpenFace's in the paper.", "",
    ]  # fmt: skip
    return "\n".join(lines)
