"""How well face features tell people apart on LFW, by its official protocol, beside dlib's recogniser on the same
faces.

lfw.accuracy, .error   mean and standard error over the folds of the share of pairs judged rightly; the threshold for each fold is the best
                       for the other nine (Huang et al. 2007). What the features were trained on is the protocol's
                       "labeled outside data"
lfw.auc                chance that a pair of one person is nearer than a pair of two
lfw.dlib.*             the same by dlib's embeddings
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.lfw import Pairs, aligned_faces
from masque.image import Picture
from masque.metrics.verification import auc, correct_verdicts, mean_and_error

AT_ONCE = 64

Extract = Callable[[list[Picture]], Tensor]


def evaluate_lfw(
    pairs: Pairs,
    extract: Extract,
    size: int,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The protocol over `pairs`; each picture is looked at once.

    extract: face frames -> features (N,F), compared by their cosine. size: side of the crops in pixels that it sees.
    workers: processes, one per core by default. `centred` counts the pictures in which no face was found at the centre,
    where it was then taken to be. Raises PictureError for a picture that cannot be read."""
    count = len(pairs.pictures)
    features: dict[int, Tensor] = {}
    embeddings: dict[int, NDArray[np.float32]] = {}
    waiting: dict[int, Picture] = {}
    centred = 0
    for number, seen, found in aligned_faces(pairs.pictures, size / 128, workers):
        embeddings[number], waiting[number] = seen.embedding, seen.frame
        centred += not found
        if len(waiting) == AT_ONCE or len(embeddings) == count:
            features.update(zip(waiting, extract(list(waiting.values())), strict=True))
            waiting = {}
        if progress:
            progress(len(embeddings), count)
    points = torch.nn.functional.normalize(torch.stack([features[i] for i in range(count)]), dim=1).numpy()
    theirs = np.stack([embeddings[i] for i in range(count)])
    first, second = pairs.sides.T
    return {
        "folds": len(np.unique(pairs.fold)), "pairs": len(pairs.same), "pictures": count, "centred": centred,
        **_scores((points[first] * points[second]).sum(axis=1), pairs),
        "dlib": _scores(-np.square(theirs[first] - theirs[second]).sum(axis=1), pairs),
    }  # fmt: skip


def _scores(nearness: NDArray[np.floating[Any]], pairs: Pairs) -> dict[str, float]:
    mean, error = mean_and_error(correct_verdicts(nearness, pairs.same, pairs.fold), pairs.fold)
    return {"accuracy": mean, "error": error, "auc": auc(nearness, pairs.same)}


def as_text(report: Mapping[str, Any]) -> str:
    """Three lines."""
    lines = [
        f"LFW: {report['pairs']} pairs in {report['folds']} folds, {report['pictures']} pictures, "
        f"{report['centred']} of them without a face that was found"
    ]
    for name, scores in (("features", report), ("dlib", report["dlib"])):
        lines.append(
            f"{name:9s}{100 * scores['accuracy']:6.2f} ± {100 * scores['error']:.2f} %, area under the curve {scores['auc']:.4f}"
        )
    return "\n".join(lines)
