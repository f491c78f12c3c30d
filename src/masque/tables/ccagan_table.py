"""CCA-GAN's Table 1: the four models on the same data, budget and seed, each measured alike; trained where they are not
yet.

Only attention differs between the first three (and λ_r in the fourth), so that the table says what attention does. The
distances are FFD and KFD on Masque's own face features; the paper's are FID and KID, so the two compare in order, not
in size."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import masque
from masque.catalog import model_folder
from masque.data.frames import load_frames
from masque.edits.estimate import attribute_estimator
from masque.faces.detect import Landmarks, identity
from masque.image import Picture
from masque.tables.alike import Alike, train_equally
from masque.tables.ccagan import EditMeasures, EditReport, Embed, evaluate_edits, in_text
from masque.tables.features import load_features
from masque.tables.written import write_table

MODELS: Mapping[str, tuple[str, Sequence[str]]] = {
    "StarGAN": ("stargan", ("attention=none",)),
    "StarGAN+SAGAN": ("sagan", ("attention=self",)),
    "CCA-GAN": ("ccagan", ("attention=cross",)),
    "CCA-GAN, λ_r = 0": ("ccagan-unreconstructed", ("attention=cross", "rec=0")),
}
"""Row of Table 1 -> the folder of its run, and the settings in which it differs from the others."""

TARGETS = {
    "Black_Hair": "Black hair",
    "Blond_Hair": "Golden hair",
    "Brown_Hair": "Brown hair",
    "Male": "Gender",
    "Young": "Aged",
}
"""Attribute -> the paper's name of its column, in the paper's order."""

PAPER_FID = {
    "StarGAN":          (0.80, 1.01, 0.81, 0.93, 0.89),
    "StarGAN+SAGAN":    (0.82, 1.06, 0.78, 0.92, 0.87),
    "CCA-GAN":          (0.68, 0.81, 0.61, 0.67, 0.65),
    "CCA-GAN, λ_r = 0": (0.78, 0.93, 0.72, 0.86, 0.78),
}  # fmt: skip
"""The FIDs of the paper's Table 1: row -> one of each of `TARGETS`."""


class Row(EditReport):
    """One model's row of the table."""

    steps: int
    """Steps of training, the same in all rows"""


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    count: int = 200,
) -> dict[str, Row]:
    """Train the four models under `out` (see `masque.tables.alike.train_equally`), measure them alike, write table.json
    and table.md; return the rows by name.

    data: prepared sets, or puppets:N. count: held-out pictures of each edit, at most. Raises MasqueError."""
    # First, so that weights that are missing are reported before an hour of training.
    features = load_features()
    classify = attribute_estimator(model_folder("attributes"))
    rows = {row: ("ccagan", *model) for row, model in MODELS.items()}
    steps = train_equally(rows, data, out, how)
    reports: dict[str, Row] = {}
    embed = remembering(identity)  # all models edit the same pictures
    for row, (folder, _) in MODELS.items():
        translator = masque.load(out / folder, "sheet")
        frames = load_frames(data, translator.size, translator.attributes, ("test",))
        reports[row] = {"steps": steps, **evaluate_edits(translator, frames, classify, features, count, embed=embed)}
    return write_table(out, reports, as_text(reports))


def remembering(embed: Embed) -> Embed:
    """A function that returns what `embed` does, but computes the embedding of each picture only once."""
    cache: dict[bytes, NDArray[np.float32]] = {}

    def remembered(frame: Picture, landmarks: Landmarks) -> NDArray[np.float32]:
        key = hashlib.sha256(frame.tobytes() + landmarks.tobytes()).digest()
        if key not in cache:
            cache[key] = embed(frame, landmarks)
        return cache[key]

    return remembered


def as_text(reports: Mapping[str, Row]) -> str:
    """The table as Markdown: FFD with the paper's FID in brackets, KFD, and what the paper has no column for."""
    first = next(iter(reports.values()))
    names = list(first["edits"])
    lines = [
        f"{first['steps']} steps, {first['size']} px, data {first['data']}, seed {first['seed']}, "
        f"face features {first['features']}",
        "",
    ]
    for title, cell in CELLS.items():
        lines += [
            f"| {title} | {' | '.join(TARGETS.get(name, name) for name in names)} |",
            "|---" * (1 + len(names)) + "|",
        ]
        lines += [
            f"| {row} | {' | '.join(cell(row, name, report['edits'][name]) for name in names)} |"
            for row, report in reports.items()
        ]
        lines.append("")
    return "\n".join(lines)


def _ffd(row: str, name: str, edit: EditMeasures) -> str:
    papers = f" ({PAPER_FID[row][list(TARGETS).index(name)]:.2f})" if name in TARGETS else ""
    return in_text(edit["ffd"]) + papers


def _kfd(_row: str, _name: str, edit: EditMeasures) -> str:
    kfd = edit["kfd"]
    return "–" if kfd is None else f"{1000 * kfd['mean']:.2f} ± {1000 * kfd['std']:.2f}"


def _background(_row: str, _name: str, edit: EditMeasures) -> str:
    return f"{edit['background_change']['mean']:.4f}"


def _identity(_row: str, _name: str, edit: EditMeasures) -> str:
    return f"{edit['identity_distance']['mean']:.3f}"


CELLS: Mapping[str, Callable[[str, str, EditMeasures], str]] = {
    "FFD (the paper's FID)": _ffd,
    "1000 KFD": _kfd,
    "background change": _background,
    "identity distance": _identity,
}
"""Title of a part of the table -> what writes a cell of it from the row, the attribute and its measures."""
