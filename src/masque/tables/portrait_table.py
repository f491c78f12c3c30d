"""Table 4.1 of the portrait thesis: its three models, trained and measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import masque
from masque.data.frames import load_frames
from masque.tables.alike import Alike, train_equally
from masque.tables.features import load_features
from masque.tables.portrait import PortraitReport, evaluate_portrait
from masque.tables.written import write_table

MODELS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Original Paper": ("window", ("eyes=window",)),
    "Changing the Eye mask": ("tight", ("eyes=tight",)),
    "Multi Target Mask Encoder": ("multi", ("eyes=window", "mask_encoder=multi")),
}
"""Row of Table 4.1 -> the folder of its run, and the settings in which it differs from the others."""

THESIS_FID = {"Original Paper": 26.54, "Changing the Eye mask": 26.04, "Multi Target Mask Encoder": 28.48}


class Row(PortraitReport):
    """One model's row of the table."""

    steps: int
    """Steps of training, the same in all rows"""


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    count: int = 100,
) -> dict[str, Row]:
    """Train the three models under `out` (see `masque.tables.alike.train_equally`), measure them alike, write
    table.json and table.md; return the rows by name.

    data: prepared sets with label maps, or puppets:N. count: held-out pictures, at most. Raises MasqueError."""
    # First, so that weights that are missing are reported before an hour of training.
    features = load_features()
    parser = masque.load("parser")
    rows = {row: ("portrait", *model) for row, model in MODELS.items()}
    steps = train_equally(rows, data, out, how)
    reports: dict[str, Row] = {}
    for row, (folder, _) in MODELS.items():
        painter = masque.load(out / folder, "repaint")
        frames = load_frames(data, painter.size, (), ("test",), labels="any")
        reports[row] = {"steps": steps, **evaluate_portrait(painter, parser, frames, features, count)}
    return write_table(out, reports, as_text(reports))


def as_text(reports: Mapping[str, Row]) -> str:
    """Table 4.1 as Markdown, the thesis's FID beside our FFD."""
    first = next(iter(reports.values()))
    lines = [
        f"{first['steps']} steps, {first['size']} px, data {first['data']}, features {first['features']}, "
        f"parser {first['parser']}",
        "",
        "| Experiment Method | FID of the thesis | FFD, other styles | FFD, own style | label agreement "
        "| background error | error |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, report in reports.items():
        same, other = report["same"], report["other"]
        lines.append(
            f"| {row} | {THESIS_FID[row]:.2f} | {other['ffd']:.4f} | {same['ffd']:.4f} "
            f"| {other['label_agreement']:.3f} | {other['background_error']['mean']:.4f} "
            f"| {same['error']['mean']:.4f} |"
        )
    return "\n".join([*lines, ""])
