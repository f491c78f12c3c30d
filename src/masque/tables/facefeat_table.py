"""FaceFeat-GAN's Tables 1 to 4 (Shen et al. 2018, Section 4): the whole model and its four ablations, trained and
measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import masque
from masque import runs
from masque.data.frames import load_frames
from masque.data.lfw import read_pairs
from masque.data.templates import read_ijba, split_people
from masque.errors import DataError
from masque.models.facefeat import FaceFeatConfig
from masque.output import make_folder
from masque.provenance import write_recorded
from masque.recipes.facefeat import FaceFeatTraining
from masque.tables.alike import Alike, train_equally
from masque.tables.facefeat import SHARES, Benchmarks, draw_sheet, evaluate_facefeat
from masque.tables.facefeat_report import FaceFeatReport, TemplateScores, with_deviations
from masque.tables.features import load_features
from masque.tables.written import write_table

WHOLE = "(e) FaceFeat-GAN (full model)"

MODELS: Mapping[str, tuple[str, Sequence[str]]] = {
    WHOLE: ("whole", ()),
    "(a) w/o φ_id": ("without-id", ("without=id",)),
    "(b) w/o φ^f": ("without-features", ("without=features",)),
    "(c) w/o φ^I": ("without-picture", ("without=picture",)),
    "(d) w/o φ_rec": ("without-rec", ("without=rec",)),
}
"""Row of Table 4 -> the folder of its run, and the settings in which it differs from the others."""

FILES = tuple(f"{folder}.png" for folder, _ in MODELS.values())
"""The files of the table beside table.json and table.md: a sheet of each model's pictures."""

EXTRACTORS: Mapping[str, Mapping[str, str]] = {
    "paper": {"identity": "paper", "shape": "paper"},
    "128": {"identity": "facefeat-128", "shape": "128"},
    "best": {"identity": "facefeat-128", "shape": "128"},
    "small": {"identity": "facefeat", "shape": "small"},
    "tiny": {"identity": "tiny", "shape": "tiny"},
}
"""Preset of facefeat -> the presets by which E_id and E_1 are trained, once for all rows."""

PAPER = {
    WHOLE:           (0.693, 33.2, 0.63),
    "(a) w/o φ_id":  (0.246, 25.3, 0.62),
    "(b) w/o φ^f":   (0.680, 28.5, 0.05),
    "(c) w/o φ^I":   (0.629,  3.4, 0.71),
    "(d) w/o φ_rec": (0.615,  9.6, 0.60),
}  # fmt: skip
"""Table 4: similarity, share of votes for quality in percent, and diversity."""

PAPER_LFW = "97.62 ± 0.78"
"""Table 1: accuracy on LFW in percent."""

PAPER_TEMPLATES = {
    0:   (97.8, 93.4, 97.4, 99.1),
    20:  (94.3, 86.9, 95.2, 98.5),
    50:  (90.1, 79.1, 92.4, 95.7),
    80:  (93.5, 85.6, 94.8, 97.7),
    100: (95.3, 90.4, 96.5, 98.4),
}  # fmt: skip
"""Table 2, on IJB-A: percent of generated pictures in a template -> the four columns in percent."""


class Row(FaceFeatReport):
    """One model's row of Table 4."""

    steps: int
    """Steps of training, the same in all rows"""


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    count: int | None = None,
    lfw: Path | None = None,
    ijba: Path | None = None,
    workers: int | None = None,
) -> dict[str, Row]:
    """Train E_id and E_1 once, unless `how.assignments` name trained ones, and the five models of Table 4 under `out`
    (see `masque.tables.alike.train_equally`), measure them alike, write table.json, table.md and a sheet of each
    model's pictures; return the rows by name.

    count: held-out pictures, at most; all if None. lfw, ijba: folders of LFW and IJB-A, on which the whole model alone
    is measured. workers: processes that compute embeddings, one per core if None. Raises MasqueError."""
    # First, so that what is missing is reported before an hour of training.
    features = load_features()
    benchmarks = Benchmarks(read_pairs(lfw) if lfw is not None else None, read_ijba(ijba) if ijba is not None else None)
    plan = how.plan("facefeat")
    frames = load_frames(data, plan.model.size, (), ("test",))
    split_people(frames.people()[frames.indices("test")[:count]])
    make_folder(out)
    steps = train_equally(
        {row: ("facefeat", *model) for row, model in MODELS.items()}, data, out, _with_extractors(plan, data, out, how)
    )
    reports: dict[str, Row] = {}
    for row, (folder, _) in MODELS.items():
        session = masque.load(out / folder, "synthesize")
        on = benchmarks if row == WHOLE else Benchmarks()
        measured = evaluate_facefeat(session, frames, features, on, count=count, workers=workers, progress=how.progress)
        reports[row] = {"steps": steps, **measured}
        write_recorded(out / f"{folder}.png", draw_sheet(session, frames), session.record("table", {"row": row}))
    return write_table(out, reports, as_text(reports))


def _with_extractors(plan: runs.Plan, data: Sequence[str], out: Path, how: Alike) -> Alike:
    """How the rows are trained: with one E_id and one E_1, trained here unless they are named, and so without the steps
    in which each row would train its own."""
    assert isinstance(plan.training, FaceFeatTraining)
    named = tuple(
        f"{family}={_extractor(family, plan, data, out, how) / 'model'}"
        for family in ("identity", "shape")
        if not getattr(plan.training.extractors, family)
    )
    steps = plan.run.steps - (0 if how.run_changes and "steps" in how.run_changes else plan.training.extractors.warm)
    changes = {"steps": max(1, steps), **(how.run_changes or {})}
    return replace(how, assignments=(*how.assignments, *named), run_changes=changes)


def _extractor(family: str, plan: runs.Plan, data: Sequence[str], out: Path, how: Alike) -> Path:
    """Train E_id or E_1 in the sizes that FaceFeat-GAN has; return the folder of its finished run."""
    assert isinstance(plan.model, FaceFeatConfig)
    own = plan.model.identity if family == "identity" else plan.model.shape
    sizes = [f"{name}={value}" for name, value in vars(own).items() if name not in ("attributes", "channels")]
    settings = runs.plan(family, EXTRACTORS[how.preset][family], sizes)

    def progress(step: int, *_: object) -> None:
        if how.progress:
            how.progress(step, settings.run.steps, family)

    made = runs.train(settings, data, out / family, time_limit=how.time_limit, on_step=progress)
    if made.reason == "stopped":
        raise KeyboardInterrupt  # it is meant for the whole table
    if made.step < settings.run.steps:
        raise DataError(f"The time ended before {family} was trained: give the same command again.")
    return out / family


def as_text(reports: Mapping[str, Row]) -> str:
    """All four tables as Markdown, the paper's numbers beside ours."""
    whole = reports[WHOLE]
    lines = [
        f"{whole['steps']} steps, {whole['size']} px, data {whole['data']}, features {whole['features']}; "
        f"judged by dlib's recogniser at {whole['size']} px, {whole['pictures']} held-out pictures "
        f"of {whole['people']} people",
        "",
        *_table_1(whole),
        *_table_2("held-out people", whole["templates"]),
        *_table_2("IJB-A", whole.get("ijba", {})),
    ]
    s = whole["similarity"]
    lines += [
        f"Table 3, similarity: {s['drawn']:.3f} between a picture and the one drawn from it, "
        f"{s['ceiling']:.3f} between two real ones of one person, {s['floor']:.3f} of two people; "
        f"with the mean embedding taken off {s['centred']['drawn']:.3f}, {s['centred']['ceiling']:.3f} "
        f"and {s['centred']['floor']:.3f}. The paper: 0.693, by another recogniser.",
        "",
        "| Table 4 | similarity | centred | FFD | diversity | f_1 | f_2 | the paper's similarity, votes, diversity |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row, report in reports.items():
        s, d, paper = report["similarity"], report["diversity"], PAPER[row]
        lines.append(
            f"| {row} | {s['drawn']:.3f} | {s['centred']['drawn']:.3f} | {report['ffd']:.4f} "
            f"| {d['all']:.2f} | {d['f_1']:.2f} | {d['f_2']:.2f} | {paper[0]:.3f}, {paper[1]} %, {paper[2]:.2f} |"
        )
    return "\n".join([*lines, ""])


def _table_1(report: FaceFeatReport) -> list[str]:
    """Lines of Table 1; none where LFW was not given."""
    if "lfw" not in report:
        return []
    lfw = report["lfw"]
    rows = (
        ("photos as they are", lfw["photos"]),
        (f"photos at {report['size']} px", lfw["real"]),
        ("drawn pictures", lfw["generated"]),
    )
    return [
        "| Table 1, LFW | accuracy, % | area under the curve |",
        "|---|---|---|",
        f"| the paper's | {PAPER_LFW} | |",
        *(f"| {title} | {100 * r['accuracy']:.2f} ± {100 * r['error']:.2f} | {r['auc']:.4f} |" for title, r in rows),
        "",
    ]


def _table_2(title: str, scores: Mapping[str, TemplateScores]) -> list[str]:
    """Lines of Table 2 on one set of people; none where it was not measured."""
    if not scores:
        return []
    lines = [
        f"| Table 2, {title}: drawn | @FAR 0.01 | @FAR 0.001 | rank 1 | rank 5 | the paper's on IJB-A |",
        "|---|---|---|---|---|---|",
    ]
    for share in SHARES:
        pairs = with_deviations(scores[str(share)])
        cells = " | ".join(f"{100 * mean:.1f} ± {100 * deviation:.1f}" for mean, deviation in pairs)
        lines.append(f"| {share} % | {cells} | {', '.join(map(str, PAPER_TEMPLATES[share]))} |")
    return [*lines, ""]
