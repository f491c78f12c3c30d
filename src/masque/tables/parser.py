"""How well a face parser agrees with label maps that people made: mean intersection over union and pixel accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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


def evaluate_parser(
    parser: Parser, frames: FrameSet, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Every held-out picture of a frame set with label maps, at the network's own size.

    Returns plain values: `mean_iou` over the labels of Table 3.1 that occur, `accuracy` over all known pixels,
    `iou.<label>`. Intersections and unions are summed over all pictures before they are divided. `person.parser` and
    `person.clustering`: the share of pixels that are rightly told from the background by the parser, and by what
    `prepare` does without one; clothes and hats, which have no label of their own, are person here. Raises DataError
    when nothing is held out."""
    count = len(frames.indices("test"))
    if not count:
        raise DataError("No pictures with label maps are held out: prepare them with a larger --held-out.")
    matrix = MulticlassConfusionMatrix(len(LABELS), ignore_index=UNKNOWN)
    batches = Batches(frames, "test", parser.size, count, seed=0)
    for start in range(0, count, AT_ONCE):
        made = [batches.sample(int(i), np.random.default_rng(0)) for i in batches.chosen[start : start + AT_ONCE]]
        batch = collate(made)
        with parser.inference():
            seen = parser.model.shares(batch["image"].to(parser.device)).argmax(dim=1).cpu()
        matrix.update(seen, batch["labels"])
        if progress:
            progress(min(start + AT_ONCE, count), count)
    counts = matrix.compute().double()
    right, union = counts.diag(), counts.sum(0) + counts.sum(1) - counts.diag()
    iou = {name: float(right[i] / union[i]) for i, name in enumerate(LABELS) if union[i] > 0}
    return {
        "model": parser.family, "weights": parser.weights, "size": parser.size, "data": frames.fingerprint(), "pictures": count,
        "mean_iou": sum(iou.values()) / len(iou), "accuracy": float(right.sum() / counts.sum()), "iou": iou,
        "person": _persons(parser, frames),
    }  # fmt: skip


def _persons(parser: Parser, frames: FrameSet) -> dict[str, float]:
    """How often parser and clustering are right about what is background."""
    parts, right, seen = part_estimator(parser), {"parser": 0, "clustering": 0}, 0
    for i in frames.indices("test"):
        frame, mask = frames.frames[i], frames.masks[i]
        (labels,) = parts([frame])
        known = (labels != UNKNOWN) & (mask != BEYOND)
        said = {"parser": labels == 0, "clustering": background_mask(frame, frames.landmarks[i], mask != BEYOND) > 127}
        seen += int(known.sum())
        for name, background in said.items():
            right[name] += int((background == (mask == BACKGROUND))[known].sum())
    return {name: count / seen for name, count in right.items()}


def as_text(report: Mapping[str, Any]) -> str:
    """The report in a few lines."""
    lines = [f"{report['pictures']} held-out pictures, {report['size']} px, weights {report['weights']}"]
    lines.append(f"mean IoU {report['mean_iou']:.3f}, pixel accuracy {report['accuracy']:.3f}")
    lines.append(
        f"person and background told apart: {report['person']['parser']:.3f}, by clustering {report['person']['clustering']:.3f}"
    )
    return "\n".join([*lines, *(f"{name:12s}{value:7.3f}" for name, value in report["iou"].items())])
