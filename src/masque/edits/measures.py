"""What a record says about an edit: how near its face is to the inputs', how far landmarks moved, what changed outside
the face."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.layers import layer_shares
from masque.edits.subject import Subject
from masque.faces.change import Change
from masque.faces.detect import Landmarks, eye_distance, identity, landmarks_in
from masque.faces.regions import hull_mask
from masque.image import Picture
from masque.jsonfile import JSON

CHANGED = 2
"""Levels of 255 by which a pixel must differ to count as changed: less is rounding."""


def squared_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Squared Euclidean distance of two identity embeddings (RSGAN Section 4.1, with dlib's recogniser in OpenFace's
    place)."""
    return float(np.square(a - b).sum())


def measure(result: Picture, target: Subject, references: Mapping[str, Subject]) -> dict[str, JSON]:
    """The measures of a whole photo `result` that was made from `target`'s photo.

    references: the faces whose likeness is asked, by name. landmark_drift is in percent of the distance between the
    eyes."""
    landmarks = landmarks_in(result, target.face.box)
    embedding = identity(result, landmarks)
    return {
        "identity_distance": {
            name: round(squared_distance(embedding, subject.embedding), 4) for name, subject in references.items()
        },
        "landmark_drift_percent": round(drift(landmarks, target.face.landmarks), 2),
        "changed_outside_face_percent": round(100 * changed_outside(result, target), 3),
    }


def described(
    result: Picture,
    change: Change,
    target: Subject,
    references: Mapping[str, Subject],
    measured: bool = True,
    known: Mapping[str, JSON] | None = None,
) -> dict[str, JSON]:
    """What a record says of a whole photo `result` that a change made of `target`'s: which layer made how much of it,
    and the measures of `measure`.

    measured: whether it is to say so; a preview must not wait for it. known: the measures, where they are known."""
    if not measured:
        return {}
    with ThreadPoolExecutor(1) as pool:
        shares = pool.submit(layer_shares, change, target.original.photo)
        return {**(known or measure(result, target, references)), "layers": dict(shares.result())}


def drift(landmarks: Landmarks, before: Landmarks) -> float:
    """Mean distance of the 68 landmarks from where they were, in percent of the distance between the eyes."""
    return 100 * float(np.linalg.norm(landmarks - before, axis=1).mean()) / eye_distance(before)


def changed_outside(result: Picture, target: Subject) -> float:
    """Share of the photo's pixels outside the face mask that differ by more than two levels."""
    # By OpenCV, since a photo of 12 million pixels takes numpy longer than many edits take.
    outside = (hull_mask(target.face.landmarks, (result.shape[1], result.shape[0])) == 0).view(np.uint8)
    same = cv2.inRange(cv2.absdiff(result, target.photo), (0, 0, 0), (CHANGED, CHANGED, CHANGED))
    number = cv2.countNonZero(outside)
    return 1 - cv2.countNonZero(cv2.bitwise_and(same, outside)) / number if number else 0.0


def inputs(**subjects: Subject) -> dict[str, JSON]:
    """Which face of which photo each input was, for a record."""
    return {name: {"photo": s.name, "face": list(s.face.box)} for name, s in subjects.items()}
