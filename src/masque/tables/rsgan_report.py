"""What an evaluation of a swapping method reports (RSGAN's Table 1; `masque.tables.rsgan`), and the report as text."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

PAPER = {
    "reconstruction.absolute_error": (0.069, 0.016),
    "reconstruction.ms_ssim":        (0.760, 0.074),
    "swap.identity_distance":        (1.127, 0.415),
    "swap_twice.absolute_error":     (0.093, 0.020),
    "swap_twice.ms_ssim":            (0.673, 0.087),
}  # fmt: skip
"""Table 1's row of RSGAN: average and standard deviation. Its identity distance is OpenFace's and does not compare with
dlib's."""

GROUPS = ("reconstruction", "swap", "swap_twice", "swap_gradient", "swap_twice_gradient", "true_swap")
"""Groups of measures, in the order of the text."""


class Summary(TypedDict):
    """A measure over all pairs."""

    mean: float
    std: float
    """Standard deviation of the pairs' values: no estimate for a larger population"""
    interval: list[float]
    """The bootstrap's 95 % interval of the mean: low, high"""


class Likeness(TypedDict):
    """How alike two pictures are. Pixels that the photo did not have are left out."""

    absolute_error: Summary
    """On a [0,1] scale"""
    ms_ssim: Summary


class IdentityDistance(TypedDict):
    """Squared Euclidean distance of dlib's embeddings (of OpenFace's in the paper)."""

    identity_distance: Summary
    """Distance of the swap from the face's picture"""


class SwapIdentity(IdentityDistance):
    """Measures of whose face a swap shows."""

    identity_distance_to_hair: Summary
    """Distance of the swap from the hair's picture"""
    nearer_to_face: Summary
    """1 where the swap is nearer to the face's picture than to the hair's, 0 elsewhere"""


class TrueLikeness(Likeness):
    """How alike swaps of puppets are to the puppets that really have the one's face and the other's hair."""

    pairs: int


class SwapReport(TypedDict):
    """What `evaluate_swap` returns."""

    model: str
    weights: str
    size: int
    data: str
    """Fingerprint of the frames"""
    split: str
    seed: int
    pairs: int
    worked: float
    """Share of the swaps in which a face is found where it should be"""
    seconds: float
    """Seconds that one swap takes, made with others in a batch"""
    reconstruction: NotRequired[Likeness]
    """Missing for a method that reconstructs nothing"""
    swap: SwapIdentity
    swap_twice: Likeness
    swap_gradient: IdentityDistance
    """Distances of swaps that are stitched into the hair's picture (RSGAN-GD)"""
    swap_twice_gradient: Likeness
    true_swap: TrueLikeness


def summaries(report: SwapReport) -> dict[str, Summary]:
    """`group.measure` -> its summary, in the order of the report."""
    return {
        f"{group}.{measure}": cast("Summary", summary)
        for group, measures in report.items()
        if isinstance(measures, dict)
        for measure, summary in measures.items()
        if isinstance(summary, dict)
    }


def as_text(report: SwapReport) -> str:
    """The report as a table of text, the paper's RSGAN row beside it."""
    lines = [
        f"{report['pairs']} pairs at {report['size']} px, {100 * report['worked']:.1f} % worked",
        "",
        f"{'':38s}{'ours':>16s}   {'95 % of the mean':>18s}   {'paper':>16s}",
    ]
    for name, value in sorted(summaries(report).items(), key=lambda item: GROUPS.index(item[0].split(".")[0])):
        paper = PAPER.get(name)
        theirs = f"{paper[0]:.3f} ± {paper[1]:.3f}" if paper else "–"
        low, high = value["interval"]
        ours = f"{value['mean']:8.3f} ± {value['std']:.3f}"
        lines.append(f"{name.replace('.', ' '):38s}{ours}   {f'{low:.4f} to {high:.4f}':>18s}   {theirs:>16s}")
    lines += [
        "",
        "Identity distances: squared Euclidean, dlib's recogniser here, OpenFace in the paper; "
        "not comparable with each other.",
        f"True swaps: {report['true_swap']['pairs']} pairs of puppets. A swap takes {1000 * report['seconds']:.0f} ms.",
    ]
    return "\n".join(lines)
