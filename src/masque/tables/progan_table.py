"""DCGAN beside the progressive GAN (the paper's Section 3.2, which shows in pictures what is a table here): trained and
measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import masque
from masque.catalog import CATALOG, model_folder
from masque.config import RunSettings
from masque.data.frames import load_frames
from masque.edits.estimate import face_features
from masque.tables.alike import Alike, train_rows
from masque.tables.progan import evaluate_invert
from masque.tables.written import write_table

MODELS: Mapping[str, str] = {"DCGAN": "dcgan", "PG-GAN": "progan"}
"""Row -> family, and the folder of its run."""

PRESETS: Mapping[str, Mapping[str, str]] = {
    "paper": {"progan": "paper-1024"},
    **{preset: {"dcgan": "paper"} for preset in ("paper-1024", "256", "128", "best")},
}
"""Preset -> that of a family which calls it otherwise, or has none so large."""


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    count: int = 100,
    few: int | None = None,
) -> dict[str, Any]:
    """Train both under `out`, each by its preset of this name (see `PRESETS`) and what it knows of the settings, find
    `count` generated pictures again and a fifth as many photos; write table.json and table.md. A model that is trained
    already is taken as it is. few: at most so many of them by the methods that take minutes a picture.

    Returns {row: report of `evaluate_invert`, with its steps}. Raises MasqueError.
    """
    extract, features = face_features(model_folder("identity"))  # what is missing is missed before an hour of training
    rows = {row: (family, family, own_settings(family, how.assignments)) for row, family in MODELS.items()}
    steps = train_rows(rows, data, out, replace(how, presets=PRESETS.get(how.preset, {}), assignments=()))
    reports: dict[str, Any] = {}
    for row, family in MODELS.items():
        session = masque.load(out / family, "invert")
        frames = load_frames(data, session.size, (), ("test",))
        measured = evaluate_invert(
            session, frames, extract, features, generated=count, real=max(2, count // 5), few=few
        )
        reports[row] = {"steps": steps[row], **measured}
    return write_table(out, reports, as_text(reports))


def own_settings(family: str, assignments: Sequence[str]) -> list[str]:
    """Those of the `key=value` assignments that set something in this family; and those that set nothing in either, to
    be refused."""
    known = {
        name: {field.name for part in ("config", "training") for field in fields(CATALOG[name].load(part))}
        for name in MODELS.values()
    }
    both, run = set().union(*known.values()), {field.name for field in fields(RunSettings)}
    return [a for a in assignments if (key := a.partition("=")[0]) in known[family] or key in run or key not in both]


def as_text(reports: Mapping[str, Any]) -> str:
    """The table as Markdown."""
    first = next(iter(reports.values()))
    lines = [
        f"{first['generated_pictures']} generated pictures and {first['real_pictures']} photos of data {first['data']}, "
        f"face features {first['features']}; errors are mean squares on [-1, 1]", "",
        "| model | px | steps | method | generated: recovered | error | photos: error | MS-SSIM | identity distance | seconds a photo |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row, report in reports.items():
        for method, found in report["generated"].items():
            real = report["real"][method]
            lines.append(
                f"| {row} | {report['size']} | {report['steps']} | {method} | {found['recovered']:.2f} | {found['mse']:.5f} "
                f"| {real['mse']:.4f} | {real['ms_ssim']:.3f} | {real['identity_distance']:.3f} | {real['seconds']:.2f} |"
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
