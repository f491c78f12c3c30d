"""What a swap of two photos is measured by that no training saw: whose face it is, whether brows and beards are whole,
what its seam, grain and skin show, and whether the expression is kept. Functions of pictures; none knows the method.

identity    squared distance of dlib's embeddings, of the face found anew in the result, to the face photo's, to the
            target photo's, and to another photo's of the same person, whose pixels nobody copied
brow cut    share of the brows' pixels that are on the other side of the mask than most of their brow: 0 where all are
            taken or left whole, at most 0.5. Of four brows: the target's, and the face's where they come to lie
two brows   1 where, on one side, parts of both people's brows are seen
brow area   the brows that a parser sees in the result over the face's own, in squares of the width of the eyes
beard cut   as brow cut, of the beards
seam        change of lightness across the mask's rim over that of the target's photo there, on skin
sharpness   fine detail of the changed skin over that of the target photo's skin there, each a median
skin step   difference (ΔE) of the face's skin from that of neck and ears, each a median
expression  mean distance of brows, eyes and mouth from the face photo's once both are turned to the front by a 3D
            model, in distances between the eyes"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.ageing_parts import blurred
from masque.edits.measures import squared_distance
from masque.faces.detect import Landmarks
from masque.faces.frame import similarity, transform
from masque.faces.shape3d import ShapeModel, fit, rotations
from masque.metrics.colours import FINE, Region
from masque.tables.edit_true import filled, widened
from masque.tables.swap_parts import beard_shares, both_seen, brow_area, brow_shares, cut_share
from masque.tables.swap_seen import Seen, Share

FEWEST = 30
"""Pixels of skin of which a measure is taken at least."""

BAND = 0.008
"""How far on either side of the mask's rim a seam is looked for, in widths of the face."""

MOVING = [*range(17, 27), *range(36, 68)]
"""Landmarks of brows, eyes and mouth, which an expression moves."""


def measure_pair(
    face: Seen, target: Seen, result: Seen, shown: Share, shapes: ShapeModel, other: Seen | None = None
) -> dict[str, float]:
    """All measures of one swap by name; NaN where one cannot be taken.

    face, target: both photos. result: the target's photo with the face. shown: (H,W), how much of each pixel is the
    swap's. shapes: the 3D model by which faces are turned to the front. other: another photo of the face's person.
    `…_before` is the same of the target's photo as it is."""
    to_face, to_target = (squared_distance(result.embedding, one.embedding) for one in (face, target))
    brows = brow_shares(face, target, result, shown)
    unknown = float("nan")
    return {
        "identity_distance": to_face,
        "identity_distance_to_target": to_target,
        "nearer_to_face": float(to_face < to_target),
        "identity_distance_other": unknown if other is None else squared_distance(result.embedding, other.embedding),
        "identity_distance_photos": unknown if other is None else squared_distance(face.embedding, other.embedding),
        "brow_cut": cut_share(*(part for pair in brows.values() for part in pair)),
        "two_brows": float(any(both_seen(own, old) for own, old in brows.values())),
        "brow_area": brow_area(face, result),
        "beard_cut": cut_share(*beard_shares(face, target, result, shown)),
        "seam": seam(result, target, shown),
        "sharpness": sharpness(result, target, shown),
        "skin_step": skin_step(result),
        "skin_step_before": skin_step(target),
        "expression": expression_distance(shapes, result.landmarks, face.landmarks),
        "expression_before": expression_distance(shapes, target.landmarks, face.landmarks),
    }


def seam(result: Seen, target: Seen, shown: Share) -> float:
    """Change of lightness across the mask's rim over that of the photo there, on what is skin in both; 1 is no seam."""
    inside = (shown > 0.5).astype(np.uint8)
    if not inside.any() or inside.all():
        return float("nan")
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    band = (np.abs(distance) <= max(1.5, BAND * target.width)) & result.skin & target.skin
    if band.sum() < FEWEST:
        return float("nan")
    sigma = max(0.7, BAND / 2 * target.width)
    across = _slopes(blurred(distance, 2 * sigma))
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-6)
    ours, photos = (
        float(np.abs((_slopes(blurred(seen.light, sigma)) * across).sum(axis=2))[band].mean())
        for seen in (result, target)
    )
    return ours / photos if photos > 1e-3 else float("nan")


def _slopes(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """How (H,W) rises along x and y per pixel, (H,W,2)."""
    down, right = np.gradient(values)
    return np.stack([right, down], axis=-1).astype(np.float32)


def sharpness(result: Seen, target: Seen, shown: Share) -> float:
    """Fine detail of the swapped skin over that of the photo's skin in the same place, each a median, which moles,
    creases and outlines do not decide."""
    depth = cv2.distanceTransform((shown > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inner = (depth > max(2.0, 0.03 * target.width)) & filled(target.size, [target.landmarks[:27]])
    ours, photos = (_detail(seen, inner) for seen in (result, target))
    return ours / photos if photos > 0.05 else float("nan")  # less is rounding


def _detail(seen: Seen, inner: Region) -> float:
    region = inner & ~widened(~seen.skin, 0.02 * seen.width)
    fine = np.abs(seen.light - blurred(seen.light, FINE))[region]
    return float(np.median(fine)) if fine.size >= FEWEST else float("nan")


def skin_step(seen: Seen) -> float:
    """Difference (ΔE) of the median colours of a face's skin and of the skin of neck and ears; NaN where they hardly
    show."""
    inside = filled(seen.size, [seen.landmarks[:27]])
    below_eyes = np.arange(seen.size[1])[:, None] > seen.landmarks[36:48, 1].mean()
    near = widened(inside, 0.35 * seen.width) & ~widened(inside, 0.04 * seen.width)
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    inner, outer = seen.skin & (depth > 0.05 * seen.width), seen.skin & near & below_eyes
    if min(inner.sum(), outer.sum()) < FEWEST:
        return float("nan")
    return float(np.linalg.norm(np.median(seen.lab[inner], axis=0) - np.median(seen.lab[outer], axis=0)))


def expression_distance(shapes: ShapeModel, landmarks: Landmarks, others: Landmarks) -> float:
    """Mean distance of brows, eyes and mouth of two faces (68,2), both turned to the front and laid over each other by
    eyes and nose, in distances between the eyes of the model."""
    one, other = (frontal(shapes, points) for points in (landmarks, others))
    laid = transform(one, similarity(one[27:48], other[27:48]))
    return float(np.linalg.norm(laid[MOVING] - other[MOVING], axis=1).mean())


def frontal(shapes: ShapeModel, landmarks: Landmarks) -> NDArray[np.float64]:
    """Landmarks (68,2) as they would be seen from the front, y down, in the model's unit: the fitted face, and what the
    fit leaves over."""
    fitted = fit(shapes, landmarks[None])
    rest = (landmarks - fitted.projected(shapes)[0]) / fitted.scale[0] * [1, -1]
    unrolled = rest @ rotations(np.array([0, 0, fitted.angles[0, 2]]))[:2, :2]
    front: NDArray[np.float64] = (fitted.shapes(shapes)[0, :, :2] + unrolled) * [1, -1]
    return front
