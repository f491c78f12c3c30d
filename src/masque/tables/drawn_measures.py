"""How alike new pictures of a person stay, and how much they vary, beside real photos of the same people.

Likeness is dlib's squared distance to the photo that they are drawn from. What varies is read from landmarks that dlib
finds anew: the yaw by another face's shape (`masque.tables.turn_measures`), the expression by the linear 3D model, as
how far it moves the landmarks when pose and person are taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from masque.edits.loaded import Synthesizer
from masque.edits.measures import squared_distance
from masque.edits.subject import Detail, cut_subject
from masque.errors import NoFaceError
from masque.faces.detect import choose_face, find_faces, identity
from masque.faces.shape3d import fit
from masque.image import Picture
from masque.tables.turn_measures import landmarks_anew, read_yaw

EACH = 8
"""Pictures that are drawn of each person."""


class Spread(TypedDict):
    """Means over people of what pairs of one person's pictures differ by."""

    identity: float
    """Mean squared distance of dlib's embeddings from the photo's; of real photos, from one another"""
    yaw: float
    """Mean difference of the yaw of two pictures, degrees"""
    expression: float
    """Mean distance of the expressions of two, by root mean square over landmarks, in distances between the eyes"""


class DrawnReport(TypedDict):
    """What `measure_drawn` returns."""

    people: int
    real: Spread
    """Of their photos"""
    own: Spread
    """Of pictures drawn on a photo's own pixels"""
    network: Spread
    """Of pictures that the network paints"""


def measure_drawn(
    session: Synthesizer,
    people: Sequence[Sequence[Picture]],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> DrawnReport:
    """Likeness and variety of new pictures of people, each drawn from the first of a person's photos.

    people: photos (H,W,3), several of each; those without a face, and people with fewer than three left, are left out.
    progress: called with the people done and their number."""
    rows: dict[str, list[Spread]] = {"real": [], "own": [], "network": []}
    for done, photos in enumerate(people):
        subjects = []
        for photo in photos:
            try:
                face = choose_face(find_faces(photo))
            except NoFaceError:
                continue
            subjects.append(cut_subject(photo, face, session.size, device=session.device))
        if len(subjects) >= 3:
            first = subjects[0]
            embeddings = [one.embedding for one in subjects]
            apart = [squared_distance(a, b) for place, a in enumerate(embeddings) for b in embeddings[:place]]
            rows["real"].append(_spread(session, [one.landmarks for one in subjects], apart))
            details: dict[str, Detail] = {"own": "keep", "network": "network"}
            for name, detail in details.items():
                drawn = session.synthesize_pictures(first.photo, EACH, seed + done, detail=detail)
                found = [landmarks_anew(picture) for picture in drawn]
                apart = [
                    squared_distance(identity(picture, points), first.embedding)
                    for picture, points in zip(drawn, found, strict=True)
                ]
                rows[name].append(_spread(session, found, apart))
        if progress:
            progress(done + 1, len(people))
    return {
        "people": len(rows["real"]),
        "real": _mean(rows["real"]),
        "own": _mean(rows["own"]),
        "network": _mean(rows["network"]),
    }


def _spread(session: Synthesizer, landmarks: Sequence[NDArray[np.floating]], apart: Sequence[float]) -> Spread:
    """Of pictures of one person with landmarks (68,2) each, whose embeddings are so far apart."""
    shapes = session.model.E_1.shapes
    fitted = fit(shapes, np.stack(landmarks).astype(np.float64))
    moved = np.einsum("nk,kja->nja", fitted.expression, shapes.expression)
    yaws = np.array([read_yaw(points) for points in landmarks])
    pairs = [(i, j) for i in range(len(yaws)) for j in range(i)]
    return {
        "identity": float(np.mean(apart)),
        "yaw": float(np.mean([abs(yaws[i] - yaws[j]) for i, j in pairs])),
        "expression": float(np.mean([np.sqrt(np.square(moved[i] - moved[j]).sum(axis=1).mean()) for i, j in pairs])),
    }


def _mean(rows: Sequence[Spread]) -> Spread:
    if not rows:
        return {"identity": float("nan"), "yaw": float("nan"), "expression": float("nan")}
    return {
        "identity": float(np.mean([row["identity"] for row in rows])),
        "yaw": float(np.mean([row["yaw"] for row in rows])),
        "expression": float(np.mean([row["expression"] for row in rows])),
    }


def as_lines(report: DrawnReport) -> list[str]:
    """The report as lines of text."""
    lines = [f"{report['people']} people            identity   pairs' yaw   pairs' expression"]
    named = (("real photos", report["real"]), ("own pixels", report["own"]), ("network", report["network"]))
    for name, row in named:
        lines.append(f"{name:20s} {row['identity']:12.3f} {row['yaw']:12.1f} {row['expression']:19.4f}")
    return lines
