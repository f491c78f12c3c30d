"""What an evaluation of FaceFeat-GAN reports (Shen et al. 2018, Section 4; `masque.tables.facefeat`), and the report as
text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from masque.metrics.frechet import FrechetFloor, floor_in_words
from masque.metrics.streaming import MeanStd
from masque.tables import drawn_measures, turn_measures
from masque.tables.drawn_measures import DrawnReport
from masque.tables.turn_measures import TurnReport


class Similarity(TypedDict):
    """Mean cosines of dlib's embeddings (Table 3)."""

    drawn: float
    """Mean cosine of a picture and the one generated for it"""
    ceiling: float
    """Mean cosine of two real pictures of one person"""
    floor: float
    """Mean cosine of real pictures of two people"""


class CentredSimilarity(Similarity):
    """Cosines of embeddings, and the same with the mean of all real embeddings subtracted: dlib's embeddings lie so
    close to each other that strangers have cosines near 0.9."""

    centred: Similarity


class Diversity(TypedDict):
    """Section 4.3: mean variance of the entries of sampled features; those of real pictures have 1."""

    f_1: float
    f_2: float
    all: float


class YawFollowed(TypedDict):
    """What `--pose-from` does."""

    followed: float
    """Slope of the yaw in painted pictures, by their landmarks, against the yaw asked for between −30 and 30 degrees: 1
    where heads turn as asked, 0 where they never turn"""


class TemplateScores(TypedDict):
    """Table 2: means over the splits, and deviations."""

    far_01: float
    """Share of pairs of one person accepted where 1 % of pairs of two people are"""
    far_001: float
    """Share of pairs of one person accepted where 0.1 % of pairs of two people are"""
    rank_1: float
    """Share of searched templates whose nearest known one is of the right person"""
    rank_5: float
    """Share of searched templates with one of the right person among the nearest five"""
    far_01_std: float
    far_001_std: float
    rank_1_std: float
    rank_5_std: float


class Verification(TypedDict):
    """Table 1: pairs told by the distance of their embeddings."""

    accuracy: float
    """Mean over the folds of the share judged correctly"""
    error: float
    """Standard error of that mean"""
    auc: float
    """Area under the receiver operating curve"""


class LFWReport(TypedDict):
    """Table 1 on LFW."""

    pairs: int
    pictures: int
    centred: int
    """Pictures in which no face was found at the centre, where it was then assumed"""
    photos: Verification
    """Pairs of the pictures as they are"""
    real: Verification
    """Pairs of the pictures at the network's size"""
    generated: Verification
    """Pairs of the pictures that were generated for them"""


class FaceFeatReport(TypedDict):
    """What `evaluate_facefeat` returns."""

    model: str
    weights: str
    size: int
    data: str
    """Fingerprint of the frames"""
    features: str
    """Hash of what makes the features of FFD and KFD"""
    pictures: int
    people: int
    similarity: CentredSimilarity
    diversity: Diversity
    yaw: YawFollowed
    templates: dict[str, TemplateScores]
    """Percent of generated pictures in a template -> scores"""
    ffd: float
    """Fréchet distance of generated pictures from real ones"""
    ffd_floor: FrechetFloor | None
    kfd: MeanStd
    """Kernel distance of generated pictures from real ones"""
    swd: dict[str, float]
    """Side in pixels -> sliced Wasserstein distance × 1000 of generated pictures from real ones"""
    turns: NotRequired[TurnReport]
    """What turning heads does on own pixels and by the network, where own pixels can be turned"""
    drawn: NotRequired[DrawnReport]
    """Likeness and variety of what is drawn on own pixels and by the network"""
    ijba: NotRequired[dict[str, TemplateScores]]
    """Percent of generated pictures in a template -> scores on IJB-A"""
    lfw: NotRequired[LFWReport]


def as_text(report: FaceFeatReport) -> str:
    """The report in a few lines of text."""
    s, d = report["similarity"], report["diversity"]
    lines = [
        f"{report['model']}, {report['size']} px, weights {report['weights']}; "
        f"{report['pictures']} pictures of {report['people']} people; features {report['features']}",
        "cosine                     drawn and real   two real of one person   of two people",
        _similarity_line("dlib's embeddings", s),
        _similarity_line("centred", s["centred"]),
        f"diversity {d['all']:.3f} (f_1 {d['f_1']:.3f}, f_2 {d['f_2']:.3f}); "
        f"heads turn by {report['yaw']['followed']:.2f} of what is asked",
        f"FFD {report['ffd']:.4f} of {report['pictures']} pictures; {floor_in_words(report.get('ffd_floor'))}",
        "sliced Wasserstein distance × 1000: "
        + ", ".join(f"{side} px {far:.1f}" for side, far in report["swd"].items()),
        *_template_lines("held-out people", report["templates"]),
    ]
    if "turns" in report:
        lines += turn_measures.as_lines(report["turns"])
    if "drawn" in report:
        lines += drawn_measures.as_lines(report["drawn"])
    if "ijba" in report:
        lines += _template_lines("IJB-A", report["ijba"])
    if "lfw" in report:
        lfw = report["lfw"]
        shown = (("as they are", lfw["photos"]), (f"at {report['size']} px", lfw["real"]), ("drawn", lfw["generated"]))
        for title, r in shown:
            lines.append(
                f"LFW, {title:20s} {100 * r['accuracy']:6.2f} ± {100 * r['error']:.2f} %, "
                f"area under the curve {r['auc']:.4f}"
            )
    return "\n".join(lines)


def _similarity_line(name: str, c: Similarity) -> str:
    return f"{name:26s} {c['drawn']:14.3f} {c['ceiling']:24.3f} {c['floor']:15.3f}"


def _template_lines(title: str, scores: Mapping[str, TemplateScores]) -> list[str]:
    """A head, and a line for each share of generated pictures."""
    lines = [f"templates, {title:15s} FAR 1 %       FAR 0.1 %     rank 1        rank 5"]
    for share, row in scores.items():
        cells = "   ".join(f"{100 * mean:5.1f} ± {100 * deviation:3.1f}" for mean, deviation in with_deviations(row))
        lines.append(f"{share:>3s} % drawn                {cells}")
    return lines


def with_deviations(row: TemplateScores) -> list[tuple[float, float]]:
    """The four scores of Table 2 in the order of its columns, each with its deviation."""
    return [
        (row["far_01"], row["far_01_std"]),
        (row["far_001"], row["far_001_std"]),
        (row["rank_1"], row["rank_1_std"]),
        (row["rank_5"], row["rank_5_std"]),
    ]
