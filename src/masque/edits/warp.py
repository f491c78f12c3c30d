"""A swap without any network: the face's own pixels, bent onto the other face's landmarks, its colours matched and its
edge stitched.

It stands where RSGAN's Table 1 has Nirkin et al. 2018, and is not theirs: they fit a 3D morphable model and segment the
face by a network. Here 68 landmarks span triangles, each of which is moved by an affine map (Goshtasby 1986), so a face
seen from the side stays one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.transform import PiecewiseAffineTransform, warp

from masque.edits.grey import grey_note, keep_grey
from masque.edits.measures import inputs, measure
from masque.edits.result import Result
from masque.edits.subject import Photo, Subject, find_subject
from masque.faces.change import change_between
from masque.faces.detect import Landmarks
from masque.faces.frame import identity_matrix
from masque.faces.paste import stitch
from masque.faces.regions import hull_mask
from masque.image import Picture
from masque.jsonfile import JSON
from masque.version import __version__

SIZE = 128
"""Side of the crops that the record's measures are taken on; the swap itself works on the photos' own pixels."""

CANVAS = 512
"""Longer side in pixels at which the face is bent; a larger one is enlarged from there, which the eye does not see in
skin."""


def swap_by_warping(face: Photo, hair: Photo, *, pick_face: int | None = None, pick_hair: int | None = None) -> Result:
    """Put the face of one photo into another by its landmarks alone.

    face, hair: RGB uint8 (H,W,3) of any size, or paths; the main face of each is taken unless picked by number. Returns
    the whole `hair` photo with the new face, and its record. Raises PictureError, NoFaceError."""
    return warp_found(find_subject(face, SIZE, pick_face), find_subject(hair, SIZE, pick_hair))


def warp_found(source: Subject, target: Subject) -> Result:
    """The same of two faces that have been found already: the one that is taken, and the one that it replaces."""
    mask = hull_mask(target.face.landmarks, target.photo.shape[1::-1])
    bent = bend(source.photo, source.face.landmarks, target.face.landmarks, target.photo.shape[:2])
    bent = match_colours(bent, target.photo, mask > 127)
    side = max(target.photo.shape[:2])
    square, inside = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)
    square[: bent.shape[0], : bent.shape[1]], inside[: mask.shape[0], : mask.shape[1]] = bent, mask
    picture = keep_grey(target, stitch(target.photo, square, identity_matrix(), inside))
    record: dict[str, JSON] = {
        "edit": "swap",
        "model": "warp",
        "masque": __version__,
        "inputs": inputs(face=source, hair=target),
        **grey_note(target),
        **measure(picture, target, {"face": source, "hair": target}),
    }
    return Result(picture, record, target.whole(change_between(target.photo, picture, "warp")), target.original)


def control_points(landmarks: Landmarks) -> NDArray[np.float64]:
    """The 68 landmarks and, above each of the ten of the brows, one on the forehead: (78,2)."""
    brows, nose = landmarks[17:27], landmarks[27:31].mean(axis=0)
    forehead = brows + 0.9 * (brows - nose)
    return np.concatenate([landmarks, forehead]).astype(np.float64)


def bend(photo: Picture, landmarks: Landmarks, onto: Landmarks, size: tuple[int, ...]) -> Picture:
    """A picture of `size` (height, width) in which the face of `photo` has its landmarks at `onto`; black outside of
    it."""
    there = control_points(onto)
    left, top = np.maximum(np.floor(there.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(there.max(axis=0)).astype(int) + 1, (size[1], size[0]))
    zoom = min(1.0, CANVAS / max(right - left, bottom - top))
    shape = max(1, round((bottom - top) * zoom)), max(1, round((right - left) * zoom))
    wanted, own = (there - (left, top)) * zoom, control_points(landmarks)
    transform = PiecewiseAffineTransform.from_estimate(wanted, own)  # type: ignore[no-untyped-call]
    small = warp(photo, transform, output_shape=shape, order=1, preserve_range=True)  # type: ignore[no-untyped-call]
    result = np.zeros((size[0], size[1], 3), np.uint8)
    whole = cv2.resize(
        np.asarray(small, np.float32), (int(right - left), int(bottom - top)), interpolation=cv2.INTER_CUBIC
    )
    result[top:bottom, left:right] = np.clip(np.rint(whole), 0, 255).astype(np.uint8)
    return result


def match_colours(picture: Picture, like: Picture, where: NDArray[np.bool_]) -> Picture:
    """`picture` with mean and spread of its CIELAB colours within `where` (H,W) made those of `like` (Reinhard et al.
    2001).

    The spread is changed by a fifth at most: more would be shading or make-up, and not the light of a room.
    """
    if not where.any():
        return picture
    lab, other = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (picture, like))
    mean, deviation = lab[where].mean(axis=0), lab[where].std(axis=0)
    wanted_mean, wanted_deviation = other[where].mean(axis=0), other[where].std(axis=0)
    factor = np.clip(wanted_deviation / np.maximum(deviation, 1e-3), 0.8, 1.25)
    matched = cv2.cvtColor(((lab - mean) * factor + wanted_mean).astype(np.float32), cv2.COLOR_LAB2RGB)
    result: Picture = np.clip(np.rint(255 * matched), 0, 255).astype(np.uint8)
    return result
