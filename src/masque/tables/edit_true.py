"""Edits against the truth: pictures of people without and with what is asked, such as neutral and smiling.

Of each pair the first picture is edited and compared with the second. That one is laid over the first by the similarity
of the corners of the eyes and the bridge of the nose, which a smile does not move, so that neither the size of the head
nor how it is held counts.

distance   of the mouth's landmarks (48-67), found again in the edited picture, to the true ones, over the distance that
           they had before: 1 is nothing done, 0 the truth
darkest    how much darker the ring around the lips has become where it did most, in L*, after a blur of 0.06 widths of
           the mouth. The ring reaches from 0.06 to 0.25 widths of the mouth beyond the lips as they were and as they
           are now, so that lips that move do not count as shadow
sector     the same of the darkest sixteenth of the ring, each a mean: what is seen as a shadow, and no single fold
skin       mean difference (ΔE) of the face's skin from the true picture's, blurred by 0.06 widths of the mouth
sharpness  fine detail of the ring over what it was"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np

from masque.errors import DataError, NoFaceError, printable
from masque.faces.detect import Landmarks, choose_face, find_faces, landmarks_in
from masque.faces.frame import Matrix, similarity, transform
from masque.folders import list_folder
from masque.image import Picture, read_picture
from masque.metrics.colours import Lab, Region, detail_ratio, lab_of, smoothed
from masque.metrics.estimates import Estimate, estimate_mean, estimate_ratio

STILL = (27, 28, 29, 30, 36, 39, 42, 45)
"""Landmarks that a smile does not move: the bridge of the nose and the corners of the eyes."""

MOUTH = slice(48, 68)
"""The mouth's landmarks."""

RING = (0.06, 0.25)
"""From where to where the ring around the lips reaches, in widths of the mouth beyond the lips."""

SECTORS = 16
"""Parts of the ring by their direction from the middle of the mouth."""

SMOOTH = 0.06
"""Standard deviation of the blur before lightness and colours of skin are compared, in widths of the mouth."""

Edit = Callable[[Picture, Mapping[str, float]], Picture]
"""A photo, RGB uint8 (H,W,3), and attributes by name to the edited photo."""


class TrueMeasures(TypedDict):
    """One edit against the true pictures, over all pairs in which faces were found."""

    pairs: int
    """Pairs in the two folders"""
    distance: Estimate
    """Ratio of the summed distances of the mouth after and before; 1 is nothing done, 0 the truth"""
    distance_each: Estimate
    """Mean over pairs of each pair's own ratio, which pairs that hardly differ decide"""
    darkest: Estimate
    """Mean over pairs of the darkest change of L* in the ring"""
    darkest_true: Estimate
    """The same of the true pictures: real smiles fold the skin too"""
    sector: Estimate
    """Mean over pairs of the darkest sector's change of L*"""
    sector_true: Estimate
    """The same of the true pictures"""
    skin: Estimate
    """ΔE of the skin to the true picture"""
    skin_before: Estimate
    """The same of the picture before"""
    sharpness: Estimate
    """Fine detail around the lips over that before"""


class PairValues(TypedDict):
    """What is measured of one pair."""

    before: float
    after: float
    distance_each: float
    darkest: float
    darkest_true: float
    sector: float
    sector_true: float
    skin: float
    skin_before: float
    sharpness: float


def true_pairs(before: Path, after: Path) -> list[tuple[Path, Path]]:
    """The pictures of two folders in pairs: those of one name, or where names differ, of one beginning up to the first
    underscore (001_03.jpg and 001_08.jpg). Raises DataError where they do not pair."""
    folders = [list_folder(folder).pictures for folder in (before, after)]
    for folder, pictures in zip((before, after), folders, strict=True):
        if not pictures:
            raise DataError(f"{folder} holds no pictures: name the folder of the true pictures.")
    whole: list[dict[str, Path]] = [{path.stem: path for path in pictures} for pictures in folders]
    number = [{path.stem.split("_")[0]: path for path in pictures} for pictures in folders]
    named = whole if whole[0].keys() == whole[1].keys() else number
    lonely = sorted(named[0].keys() ^ named[1].keys())
    if lonely or any(len(names) < len(pictures) for names, pictures in zip(named, folders, strict=True)):
        which = f" (of {printable(lonely[0])} there is one only)" if lonely else ""
        raise DataError(
            f"The pictures in {before} and {after} do not pair{which}: give both pictures of a person the same name, "
            "or the same beginning up to an underscore."
        )
    return [(named[0][name], named[1][name]) for name in sorted(named[0])]


def measure_true(
    edit: Edit,
    attribute: str,
    pairs: Sequence[tuple[Path, Path]],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> TrueMeasures:
    """Edit the first picture of each pair and compare it with the second.

    attribute: is set to 1. seed: of the intervals' bootstrap. progress: called with pairs done and their number. Pairs
    in which no face is found are left out, as `n` tells; DataError where none is left."""
    values: list[PairValues] = []
    for done, (before, after) in enumerate(pairs, start=1):
        photo, truth = read_picture(before), read_picture(after)
        try:
            face, true_face = choose_face(find_faces(photo)), choose_face(find_faces(truth))
            edited = edit(photo, {attribute: 1.0})
            found = landmarks_in(edited, face.box)
            values.append(compare_pair(photo, edited, truth, face.landmarks, found, true_face.landmarks))
        except NoFaceError:
            continue
        finally:
            if progress:
                progress(done, len(pairs))
    if not values:
        raise DataError("No face was found in any of the true pairs: name folders of portraits.")

    return {
        "pairs": len(pairs),
        "distance": estimate_ratio([v["after"] for v in values], [v["before"] for v in values], seed=seed),
        "distance_each": estimate_mean([v["distance_each"] for v in values], seed=seed),
        "darkest": estimate_mean([v["darkest"] for v in values], seed=seed),
        "darkest_true": estimate_mean([v["darkest_true"] for v in values], seed=seed),
        "sector": estimate_mean([v["sector"] for v in values], seed=seed),
        "sector_true": estimate_mean([v["sector_true"] for v in values], seed=seed),
        "skin": estimate_mean([v["skin"] for v in values], seed=seed),
        "skin_before": estimate_mean([v["skin_before"] for v in values], seed=seed),
        "sharpness": estimate_mean([v["sharpness"] for v in values], seed=seed),
    }


def compare_pair(
    photo: Picture, edited: Picture, truth: Picture, landmarks: Landmarks, found: Landmarks, true_landmarks: Landmarks
) -> PairValues:
    """What is measured of one pair.

    photo, edited: RGB uint8 (H,W,3) before and after. truth: the true other picture, of any size. landmarks: (68,2) of
    the photo. found: of the edited picture. true_landmarks: of the true one. Distances are in widths of the mouth."""
    laid = laid_over(true_landmarks, landmarks)
    true_points = transform(true_landmarks, laid)
    edited_points = transform(found, laid_over(found, landmarks))  # landmarks found anew are a little elsewhere
    width = float(np.linalg.norm(landmarks[54] - landmarks[48]))
    size = (photo.shape[1], photo.shape[0])
    warped = cv2.warpAffine(truth, laid, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    before, after, true = lab_of(photo), lab_of(edited), lab_of(warped)
    skin = skin_region(size, (landmarks, found, true_points))
    lips = lips_region(size, (landmarks, found))
    ring = ring_around(lips, width)
    true_ring = ring_around(lips_region(size, (landmarks, true_points)), width)
    centre = landmarks[48:60].mean(axis=0)
    distance, left = (mouth_distance(points, true_points) / width for points in (landmarks, edited_points))
    sigma = SMOOTH * width
    return {
        "before": distance,
        "after": left,
        "distance_each": left / distance if distance > 0 else float("nan"),
        "darkest": darkest_change(before, after, ring, sigma),
        "darkest_true": darkest_change(before, true, true_ring, sigma),
        "sector": darkest_sector(before, after, ring, centre),
        "sector_true": darkest_sector(before, true, true_ring, centre),
        "skin": _skin_difference(after, true, skin, sigma),
        "skin_before": _skin_difference(before, true, skin, sigma),
        "sharpness": detail_ratio(before, after, ring),
    }


def laid_over(landmarks: Landmarks, onto: Landmarks) -> Matrix:
    """The similarity that lays a face's landmarks (68,2) over others by the points that a smile does not move."""
    still = list(STILL)
    return similarity(landmarks[still].astype(np.float64), onto[still].astype(np.float64))


def mouth_distance(landmarks: Landmarks, others: Landmarks) -> float:
    """Mean distance of the mouth's points of two sets of landmarks (68,2), in their unit."""
    return float(np.linalg.norm(landmarks[MOUTH] - others[MOUTH], axis=1).mean())


def lips_region(size: tuple[int, int], shapes: Sequence[Landmarks]) -> Region:
    """Where the lips, and what is between them, of any of several landmarks (68,2) are: (H,W). size: width, height."""
    return filled(size, [one[48:60] for one in shapes])


def ring_around(lips: Region, width: float) -> Region:
    """The ring around the lips (H,W). width: of the mouth in pixels."""
    near, far = (widened(lips, share * width) for share in RING)
    return far & ~near


def darkest_change(before: Lab, after: Lab, ring: Region, sigma: float) -> float:
    """The most negative change of L* in a ring, of pictures blurred by `sigma` pixels; positive where all of it became
    lighter."""
    change = cv2.GaussianBlur(after[..., 0] - before[..., 0], (0, 0), sigma)
    return float(change[ring].min())


def darkest_sector(before: Lab, after: Lab, ring: Region, centre: Landmarks) -> float:
    """The most negative change of L* of the ring's sectors, each the mean over its pixels; positive where all of them
    became lighter. centre: (2,) of the mouth in pixels."""
    rows, columns = np.nonzero(ring)
    turn = np.arctan2(rows - centre[1], columns - centre[0]) / (2 * np.pi) + 0.5
    sector = np.minimum((turn * SECTORS).astype(int), SECTORS - 1)
    change = (after[..., 0] - before[..., 0])[ring]
    counts = np.bincount(sector, minlength=SECTORS)
    sums = np.bincount(sector, change, SECTORS)
    return float((sums[counts > 0] / counts[counts > 0]).min())


def skin_region(size: tuple[int, int], shapes: Sequence[Landmarks]) -> Region:
    """Skin of the face in all of several landmarks (68,2): within jaw and brows, without brows, eyes and lips."""
    inside = np.ones(size[::-1], bool)
    for one in shapes:
        inside &= filled(size, [one[:27]])
    width = float(np.linalg.norm(shapes[0][54] - shapes[0][48]))
    parts = [one[part] for one in shapes for part in (slice(17, 22), slice(22, 27), slice(36, 42), slice(42, 48))]
    holes = filled(size, [*parts, *(one[48:60] for one in shapes)])
    return inside & ~widened(holes, 0.1 * width)


def _skin_difference(one: Lab, other: Lab, skin: Region, sigma: float) -> float:
    if not skin.any():
        return float("nan")
    difference = smoothed(one, skin, sigma) - smoothed(other, skin, sigma)
    return float(np.linalg.norm(difference[skin], axis=1).mean())


def filled(size: tuple[int, int], shapes: Sequence[Landmarks]) -> Region:
    """The convex hulls of any of several sets of points (N,2), filled, in a picture of `size` (width, height)."""
    mask = np.zeros(size[::-1], np.uint8)
    for points in shapes:
        cv2.fillConvexPoly(mask, np.rint(cv2.convexHull(points.astype(np.float32))).astype(np.int32), 1)
    return mask > 0


def widened(region: Region, by: float) -> Region:
    """A region (H,W) and all that is at most `by` pixels from it."""
    distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distance <= by, bool) if region.any() else region
