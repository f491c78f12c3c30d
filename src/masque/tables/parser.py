"""How well a face parser agrees with label maps that people made: mean intersection over union and pixel accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import numpy as np
from torchmetrics.classification import MulticlassConfusionMatrix

from masque.data.batches import Batches, collate
from masque.data.frames import FrameSet
from masque.data.prepared import BACKGROUND, BEYOND
from masque.edits.estimate import part_estimator
from masque.edits.loaded import Parser
from masque.errors import DataError
from masque.faces.labels import LABELS, UNKNOWN
from masque.faces.regions import background_mask

AT_ONCE = 16
"""Pictures in a batch of the network."""


class PersonAgreement(TypedDict):
    """Share of pixels for which it is right whether they are background. Clothes and hats, which have no label of their
    own, are person here."""

    parser: float
    """Share by the parser's label maps"""
    clustering: float
    """Share by what `masque prepare` does without a parser"""


class ParserReport(TypedDict):
    """What `evaluate_parser` returns. Intersections and unions are summed over all pictures before they are divided."""

    model: str
    weights: str
    size: int
    data: str
    """Fingerprint of the frames"""
    pictures: int
    mean_iou: float
    """Mean intersection over union of the labels of Table 3.1 that occur"""
    accuracy: float
    """Share of all pixels with a known label that get it"""
    iou: dict[str, float]
    """Label -> intersection over union"""
    person: PersonAgreement


def evaluate_parser(
    parser: Parser, frames: FrameSet, progress: Callable[[int, int], None] | None = None
) -> ParserReport:
    """Every held-out picture of a frame set with label maps, at the network's own size.

    progress: called with the pictures parsed and their number. Raises DataError when nothing is held out."""
    count = len(frames.indices("test"))
    if not count:
        raise DataError("No pictures with label maps are held out: prepare them with a larger --held-out.")
    matrix = MulticlassConfusionMatrix(len(LABELS), ignore_index=UNKNOWN)
    batches = Batches(frames, "test", parser.size, count, seed=0)
    for start in range(0, count, AT_ONCE):
        made = [batches.sample(int(i), np.random.default_rng(0)) for i in batches.chosen[start : start + AT_ONCE]]
        batch = collate(made)
        with parser.inference():
            predicted = parser.model.shares(batch["image"].to(parser.device)).argmax(dim=1).cpu()
        matrix.update(predicted, batch["labels"])
        if progress:
            progress(min(start + AT_ONCE, count), count)
    counts = matrix.compute().double()
    right, union = counts.diag(), counts.sum(0) + counts.sum(1) - counts.diag()
    iou = {name: float(right[i] / union[i]) for i, name in enumerate(LABELS) if union[i] > 0}
    return {
        "model": parser.family,
        "weights": parser.weights,
        "size": parser.size,
        "data": frames.fingerprint(),
        "pictures": count,
        "mean_iou": sum(iou.values()) / len(iou),
        "accuracy": float(right.sum() / counts.sum()),
        "iou": iou,
        "person": _person_agreement(parser, frames),
    }


def _person_agreement(parser: Parser, frames: FrameSet) -> PersonAgreement:
    parts = part_estimator(parser)
    pixels = by_parser = by_clustering = 0
    for i in frames.indices("test"):
        frame, mask = frames.frames[i], frames.masks[i]
        (labels,) = parts([frame])
        compared = (labels != UNKNOWN) & (mask != BEYOND)
        background = mask == BACKGROUND
        clustered = background_mask(frame, frames.landmarks[i], mask != BEYOND) > 127
        pixels += int(compared.sum())
        by_parser += int(((labels == 0) == background)[compared].sum())
        by_clustering += int((clustered == background)[compared].sum())
    return {"parser": by_parser / pixels, "clustering": by_clustering / pixels}


def as_text(report: ParserReport) -> str:
    """The report in a few lines of text."""
    person = report["person"]
    return "\n".join(
        [
            f"{report['pictures']} held-out pictures, {report['size']} px, weights {report['weights']}",
            f"mean IoU {report['mean_iou']:.3f}, pixel accuracy {report['accuracy']:.3f}",
            f"person and background told apart: {person['parser']:.3f}, by clustering {person['clustering']:.3f}",
            *(f"{name:12s}{value:7.3f}" for name, value in report["iou"].items()),
        ]
    )
