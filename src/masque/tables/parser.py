"""How well a face parser agrees with label maps that people made: mean intersection over union and pixel accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torchmetrics.classification import MulticlassConfusionMatrix

from masque.data.batches import Batches, collate
from masque.data.frames import FrameSet
from masque.edits.parse import Parser
from masque.errors import DataError
from masque.faces.labels import LABELS, UNKNOWN

AT_ONCE = 16


def evaluate_parser(parser: Parser, frames: FrameSet, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Every held-out picture of a frame set with label maps, at the network's own size.

    Returns plain values: `mean_iou` over the labels of Table 3.1 that occur, `accuracy` over all known pixels, `iou.<label>`. Intersections
    and unions are summed over all pictures before they are divided. Raises DataError when nothing is held out.
    """
    count = len(frames.indices("test"))
    if not count:
        raise DataError("No pictures with label maps are held out: prepare them with a larger --held-out.")
    matrix = MulticlassConfusionMatrix(len(LABELS), ignore_index=UNKNOWN)
    batches = Batches(frames, "test", parser.size, count, seed=0)
    for start in range(0, count, AT_ONCE):
        made = [batches.sample(int(i), np.random.default_rng(0)) for i in batches.chosen[start : start + AT_ONCE]]
        batch = collate(made)
        with torch.inference_mode():
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
    }  # fmt: skip


def as_text(report: Mapping[str, Any]) -> str:
    """The report in a few lines."""
    lines = [f"{report['pictures']} held-out pictures, {report['size']} px, weights {report['weights']}"]
    lines.append(f"mean IoU {report['mean_iou']:.3f}, pixel accuracy {report['accuracy']:.3f}")
    return "\n".join([*lines, *(f"{name:12s}{value:7.3f}" for name, value in report["iou"].items())])
