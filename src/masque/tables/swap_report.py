"""What an evaluation of swaps of whole photos reports (`masque.tables.swap_yardsticks`), and the report as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from masque.metrics.estimates import Estimate, in_words
from masque.tables.swap_puppets import TrueSwapMeasures

ROWS: Mapping[str, tuple[str, int]] = {
    "identity_distance":           ("identity distance to the face photo", 3),
    "identity_distance_other":     ("… to another photo of that person", 3),
    "identity_distance_photos":    ("  (of that photo and the face photo)", 3),
    "identity_distance_to_target": ("… to the target photo", 3),
    "nearer_to_face":              ("nearer to the face photo", 3),
    "brow_cut":                    ("share of brows cut by the mask", 3),
    "two_brows":                   ("two people's brows on one side", 3),
    "brow_area":                   ("area of the brows over the face's", 3),
    "beard_cut":                   ("share of beards cut by the mask", 3),
    "seam":                        ("slope across the rim over the photo's", 3),
    "sharpness":                   ("sharpness of skin over the photo's", 3),
    "skin_step":                   ("ΔE of face and neck", 1),
    "skin_step_before":            ("  (of the target photo)", 1),
    "expression":                  ("landmarks to the face's expression", 3),
    "expression_before":           ("  (of the target photo)", 3),
}  # fmt: skip
"""Measure of a pair -> its title and digits, in the order of the text."""


class MethodMeasures(TypedDict):
    """One method, over the pairs in whose photos faces are found."""

    failed: int
    """Pairs that the method could not swap, or in whose result no face is found where it should be"""
    fell_back: int
    """Results that the record says another method made"""
    seconds: float | None
    """Median time of a swap"""
    measures: dict[str, Estimate]
    """Mean of each measure of `masque.tables.swap_measures`"""
    classifier_auc: Estimate
    """Area under the curve of a network trained to tell results from the target photos: 0.5 where it cannot"""
    true_swap: TrueSwapMeasures


class SwapYardsticks(TypedDict):
    """What `evaluate_swaps` returns."""

    data: str
    pairs: int
    seed: int
    unusable: int
    """Pairs in one of whose photos no face is found"""
    methods: dict[str, MethodMeasures]
    nothing_done: TrueSwapMeasures
    """What the target puppets, unchanged, would count as"""


def as_text(report: SwapYardsticks) -> str:
    """The report as a table, a column for each method."""
    methods = report["methods"]
    usable = report["pairs"] - report["unusable"]
    head = f"whole photos, {usable} pairs (value [95 % interval])"

    def row(title: str, cells: Sequence[str]) -> str:
        return f"{title:40s}" + "".join(f"{cell:>24s}" for cell in cells)

    lines = [row(head, list(methods))]
    for name, (title, digits) in ROWS.items():
        if any(one["measures"][name]["n"] for one in methods.values()):
            lines.append(row(title, [in_words(one["measures"][name], digits) for one in methods.values()]))
    lines.append(row("AUC, told from photos", [in_words(one["classifier_auc"]) for one in methods.values()]))
    lines.append(row("failed; fell back", [f"{one['failed']}; {one['fell_back']}" for one in methods.values()]))
    lines.append(row("seconds a swap", [_number(one["seconds"]) for one in methods.values()]))
    nothing = report["nothing_done"]
    lines += ["", row("puppets against true swaps", [*methods, "nothing done"])]
    true = [*(one["true_swap"] for one in methods.values()), nothing]
    lines.append(row("error, with the face's skin", [in_words(one["error"], 4) for one in true]))
    lines.append(row("error, with the target's skin", [in_words(one["error_target_skin"], 4) for one in true]))
    if report["unusable"]:
        lines += ["", f"{report['unusable']} pairs more have a photo in which no face is found."]
    return "\n".join(lines)


def _number(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f}"
