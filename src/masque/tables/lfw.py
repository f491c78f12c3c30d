"""How well face features tell people apart on LFW, by its official protocol, beside dlib's recogniser on the same
faces. What the features were trained on is the protocol's "labeled outside data"."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.lfw import Pairs, aligned_faces
from masque.image import Picture
from masque.metrics.verification import Nearness, auc, correct_verdicts, mean_and_error

AT_ONCE = 64
"""Pictures in a batch of the network."""

Extract = Callable[[list[Picture]], Tensor]
"""Face frames to features (N,F), which are compared by their cosine."""


class Scores(TypedDict):
    """The protocol's numbers (Huang et al. 2007)."""

    accuracy: float
    """Mean over the folds of the share of pairs judged correctly; the threshold for each fold is the best for the other
    nine"""
    error: float
    """Standard error of that mean"""
    auc: float
    """Probability that a pair of one person is nearer than a pair of two"""


class LFWReport(Scores):
    """What `evaluate_lfw` returns: the scores of the features, and more."""

    folds: int
    pairs: int
    pictures: int
    centred: int
    """Pictures in which no face was found at the centre, where it was then assumed"""
    dlib: Scores
    """Scores of dlib's embeddings"""


def evaluate_lfw(
    pairs: Pairs,
    extract: Extract,
    size: int,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LFWReport:
    """The protocol over `pairs`; each picture is read once.

    size: side in pixels of the crops that `extract` makes. workers: processes that find faces, one per core if None.
    progress: called with the pictures read and their number. Raises PictureError for a picture that cannot be read."""
    count = len(pairs.pictures)
    features: dict[int, Tensor] = {}
    embeddings: dict[int, NDArray[np.float32]] = {}
    waiting: dict[int, Picture] = {}
    centred = 0
    for number, face, found in aligned_faces(pairs.pictures, size / 128, workers):
        embeddings[number], waiting[number] = face.embedding, face.frame
        centred += not found
        if len(waiting) == AT_ONCE or len(embeddings) == count:
            features.update(zip(waiting, extract(list(waiting.values())), strict=True))
            waiting = {}
        if progress:
            progress(len(embeddings), count)
    points = torch.nn.functional.normalize(torch.stack([features[i] for i in range(count)]), dim=1).numpy()
    dlib = np.stack([embeddings[i] for i in range(count)])
    first, second = pairs.sides.T
    return {
        "folds": len(np.unique(pairs.fold)),
        "pairs": len(pairs.same),
        "pictures": count,
        "centred": centred,
        **_scores((points[first] * points[second]).sum(axis=1), pairs),
        "dlib": _scores(-np.square(dlib[first] - dlib[second]).sum(axis=1), pairs),
    }


def _scores(nearness: Nearness, pairs: Pairs) -> Scores:
    mean, error = mean_and_error(correct_verdicts(nearness, pairs.same, pairs.fold), pairs.fold)
    return {"accuracy": mean, "error": error, "auc": auc(nearness, pairs.same)}


def as_text(report: LFWReport) -> str:
    """The report in three lines of text."""
    lines = [
        f"LFW: {report['pairs']} pairs in {report['folds']} folds, {report['pictures']} pictures, "
        f"{report['centred']} of them without a face that was found"
    ]
    return "\n".join([*lines, _line("features", report), _line("dlib", report["dlib"])])


def _line(name: str, scores: Scores) -> str:
    return (
        f"{name:9s}{100 * scores['accuracy']:6.2f} ± {100 * scores['error']:.2f} %, "
        f"area under the curve {scores['auc']:.4f}"
    )
