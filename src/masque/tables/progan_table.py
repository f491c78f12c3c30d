"""DCGAN beside the progressive GAN (the paper's Section 3.2, which shows in pictures what is a table here): trained and
measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import masque
from masque.catalog import CATALOG
from masque.config import RunSettings, settings_of
from masque.data.frames import load_frames
from masque.tables.alike import Alike, train_rows
from masque.tables.features import load_features
from masque.tables.progan import Counts, InvertReport, evaluate_invert
from masque.tables.written import write_table

MODELS: Mapping[str, str] = {"DCGAN": "dcgan", "PG-GAN": "progan"}
"""Row -> family, and the folder of its run."""

PRESETS: Mapping[str, Mapping[str, str]] = {
    "paper": {"progan": "paper-1024"},
    **{preset: {"dcgan": "paper"} for preset in ("paper-1024", "256", "128", "best")},
}
"""Preset -> family -> its preset in that place, where it has another name or there is none so large."""


class Row(InvertReport):
    """One model's row of the table."""

    steps: int
    """Steps of training"""


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    count: int = 100,
    few: int | None = None,
) -> dict[str, Row]:
    """Train both under `out`, each by its preset of this name (see `PRESETS`) and those of the settings that it has,
    find `count` generated pictures again and a fifth as many photos; write table.json and table.md; return the rows by
    name. A model that is trained already is measured as it is.

    few: pictures of either kind, at most, for the methods that take minutes a picture; None for all. Raises
    MasqueError."""
    features = load_features()  # first, so that weights that are missing are reported before an hour of training
    rows = {row: (family, family, own_settings(family, how.assignments)) for row, family in MODELS.items()}
    steps = train_rows(rows, data, out, replace(how, presets=PRESETS.get(how.preset, {}), assignments=()))
    counts = Counts(generated=count, real=max(2, count // 5), few=few)
    reports: dict[str, Row] = {}
    for row, family in MODELS.items():
        session = masque.load(out / family, "invert")
        frames = load_frames(data, session.size, (), ("test",))
        reports[row] = {"steps": steps[row], **evaluate_invert(session, frames, features, counts)}
    return write_table(out, reports, as_text(reports))


def own_settings(family: str, assignments: Sequence[str]) -> list[str]:
    """The `key=value` assignments that set something in this family, and those that set nothing in any row's family,
    so that they are refused."""
    settings = {
        name: settings_of(entry.load("config")).keys() | settings_of(entry.load("training")).keys()
        for name, entry in CATALOG.items()
        if name in MODELS.values()
    }
    known = set().union(*settings.values())
    own = settings[family] | settings_of(RunSettings).keys()
    return [
        assignment for assignment in assignments if (key := assignment.partition("=")[0]) in own or key not in known
    ]


def as_text(reports: Mapping[str, Row]) -> str:
    """The table as Markdown."""
    first = next(iter(reports.values()))
    lines = [
        f"{first['generated_pictures']} generated pictures and {first['real_pictures']} photos "
        f"of data {first['data']}, face features {first['features']}; errors are mean squares on [-1, 1]",
        "",
        "| model | px | steps | method | generated: recovered | error | photos: error | MS-SSIM | identity distance "
        "| seconds a photo |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row, report in reports.items():
        for method, found in report["generated"].items():
            real = report["real"][method]
            lines.append(
                f"| {row} | {report['size']} | {report['steps']} | {method} "
                f"| {found['recovered']:.2f} | {found['mse']:.5f} | {real['mse']:.4f} | {real['ms_ssim']:.3f} "
                f"| {real['identity_distance']:.3f} | {real['seconds']:.2f} |"
            )
    lines += [
        "",
        "| model | FFD of samples | largest and mean step of a morph | the classical morph's |",
        "|---|---|---|---|",
    ]
    for row, report in reports.items():
        latent, warp = report["morph"]["spherical"], report["morph"]["warp"]
        lines.append(
            f"| {row} | {report['samples']['ffd']:.4f} | {latent['largest_step']:.4f}, {latent['mean_step']:.4f} "
            f"| {warp['largest_step']:.4f}, {warp['mean_step']:.4f} |"
        )
    return "\n".join([*lines, ""])
