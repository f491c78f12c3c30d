"""Label maps that people have edited: brought to a network's crop, checked against the photo's own, and put together
from parts of two."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.errors import PictureError
from masque.faces.frame import TEMPLATE, Matrix, at_scale, chain, similarity, warp
from masque.faces.labels import LABELS, Labels
from masque.faces.regions import HAIR_CROP

SKIN, HAIR = LABELS.index("skin"), LABELS.index("hair")
LEFT_EYE, RIGHT_EYE = (LABELS.index("left eye"),), (LABELS.index("right eye"),)
MOUTH = tuple(LABELS.index(name) for name in ("upper lip", "mouth", "lower lip"))

PART_LABELS: Mapping[str, tuple[int, ...]] = {
    "eyes": (*LEFT_EYE, *RIGHT_EYE),
    "mouth": MOUTH,
    "skin": tuple(LABELS.index(name) for name in ("skin", "left brow", "right brow", "nose")),
    "hair": (HAIR,),
}
"""The parts of a face that users name, and the labels of Table 3.1 that each is of."""

LEAST_COVERAGE = 0.05
"""The share of a pixel of the crop from which on an edit, or a label, is there at all."""


def edited_labels(labels: Labels, unedited: Labels) -> tuple[Labels, list[str]]:
    """The map (H,W) that an edited label map of a photo asks for, and a sentence for each thing that had to be put
    right.

    labels: the edited map, of the photo's size or another of the same ratio of sides. unedited: the map (H,W) of the
    photo before it was edited, which stands where nothing was painted. Raises PictureError for a map that has not the
    photo's ratio of sides."""
    painted, labels, notes = _painted(labels, unedited)
    return np.where(painted, labels, unedited).astype(np.uint8), notes


def _painted(labels: Labels, unedited: Labels) -> tuple[NDArray[np.bool_], Labels, list[str]]:
    """Where somebody has painted in a label map (H,W), the map at the photo's size, and what had to be put right."""
    notes, (height, width) = [], unedited.shape
    reach = max(1, math.ceil(height / labels.shape[0]))
    if labels.shape != (height, width):
        check_aspect(labels, width, height)
        notes.append(
            f"The label map of {labels.shape[1]}×{labels.shape[0]} pixels was brought to the photo's {width}×{height}."
        )
        labels = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8)
    return painted_pixels(labels, unedited, reach), labels, notes


def edited_labels_in_crop(
    labels: Labels, unedited: Labels, probabilities: NDArray[np.float32], matrix: Matrix
) -> tuple[Labels, list[str]]:
    """An edited label map of a whole photo, as the network's crop shows it (S,S), and a sentence for each thing that
    had to be put right.

    labels, unedited: as `edited_labels` takes them. probabilities: how sure the parser is of each label in the crop,
    (11,S,S). matrix: photo pixels -> pixels of the crop. Where nothing was painted, the parser's surest label at the
    network's size stands: otherwise every edge would count as a change. Raises PictureError for a map that has not the
    photo's ratio of sides."""
    painted, labels, notes = _painted(labels, unedited)
    size = probabilities.shape[1]
    share = warp(painted.astype(np.float32), matrix, (size, size), border=cv2.BORDER_CONSTANT)
    own, coverage = probabilities.argmax(axis=0), label_coverage(labels, matrix, size)
    # What the parser sees in single pixels along an edge, and the map has taken away all around, must not stay as
    # specks.
    near = np.stack([cv2.dilate(cover, np.ones((3, 3), np.uint8)) for cover in coverage])
    gone = (share > LEAST_COVERAGE) & (np.take_along_axis(near, own[None], axis=0)[0] < LEAST_COVERAGE)
    changed = (share > 0.5) | gone
    # The parser's map fades out at the crop's edge.
    changed[[0, -1]] = False
    changed[:, [0, -1]] = False
    return np.where(changed, coverage.argmax(axis=0), own).astype(np.uint8), notes


def painted_pixels(labels: Labels, unedited: Labels, reach: int = 1) -> NDArray[np.bool_]:
    """Where somebody has painted in a label map: labels (H,W) differ from those in `unedited` (H,W), and not because an
    edge has moved.

    reach: pixels by which an edge may move where nobody paints, as it does when a program smooths, scales or compresses
    the map."""
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    differing, far = labels != unedited, np.zeros(labels.shape, np.uint8)
    for here, there in ((labels, unedited), (unedited, labels)):  # what has come, and what is gone
        for label in np.unique(here[differing]):
            far |= (here == label) & (cv2.dilate((there == label).astype(np.uint8), kernel) == 0)
    # What has moved farther than the reach has moved from the edge on.
    return np.asarray(differing & (cv2.dilate(far, kernel) > 0))


def check_aspect(labels: Labels, width: int, height: int) -> None:
    """Raise PictureError when a label map was not made by enlarging or reducing one of a photo's size, sides rounded to
    whole pixels."""
    rows, columns = labels.shape
    if abs(columns * height - rows * width) > max(width, height, columns, rows):
        sizes = f"The label map has {columns}×{rows} pixels and the photo {width}×{height}"
        if abs(rows * height - columns * width) <= max(width, height, columns, rows):
            raise PictureError(f"{sizes}: turn the map as the photo is seen.")
        raise PictureError(f"{sizes}, which is another ratio of sides: save the map uncropped, at the photo's size.")


LEAST_FACE = 0.5
LEAST_SKIN = 0.05
"""Shares of what the parser sees as face (skin, brows, eyes, nose, mouth) that a label map must leave face, and leave
skin.

A bald head, a mouth that is gone, hair down to the nose or a head that is moved by a third of its width is an edit;
less is the map of another photo, or one that was lost on its way through a program."""


def check_face_left(own: Labels, wanted: Labels) -> None:
    """Raise PictureError when the label map `wanted` (S,S), which is to be painted, has no face where `own` (S,S), what
    the parser sees in the photo, has one."""
    inner = np.s_[1:-1, 1:-1]  # at the edge stands the parser's label, whatever is wanted
    before, after = is_face(own[inner]), is_face(wanted[inner])
    pixels = int(before.sum())
    kept = float((before & after).sum()) / pixels if pixels else float(after.any())
    skin = float((before & (wanted[inner] == SKIN)).sum()) / pixels if pixels else kept
    if kept < LEAST_FACE or skin < LEAST_SKIN:
        what = "no skin is left"
        if kept < LEAST_FACE:
            what = f"only {100 * kept:.0f} % of it is left" if kept else "none is left"
        raise PictureError(
            f"The label map has no face where the photo has one ({what}): start from what `masque parse` "
            "writes of this photo."
        )


MOST_TURNED = 60.0
"""Degrees by which the line from eye to eye, or from the eyes to the mouth, may be turned by an edit."""


def check_upright(own: Labels, wanted: Labels) -> None:
    """Raise PictureError when the eyes and mouth of the label map `wanted` (S,S), which is to be painted, lie turned or
    mirrored against those of `own` (S,S), what the parser sees in the photo."""
    for direction in (_eye_to_eye, _eyes_to_mouth):
        before, after = direction(own), direction(wanted)
        if before is None or after is None:
            continue
        lengths = np.linalg.norm(before) * np.linalg.norm(after)
        if before @ after < math.cos(math.radians(MOST_TURNED)) * lengths:
            raise PictureError(
                "The label map is turned or mirrored against the photo, by its eyes and mouth: "
                "save it as upright as the photo; left and right are those of the picture."
            )


def _eye_to_eye(labels: Labels) -> NDArray[np.float64] | None:
    left, right = _middle(labels, LEFT_EYE), _middle(labels, RIGHT_EYE)
    return None if left is None or right is None else right - left


def _eyes_to_mouth(labels: Labels) -> NDArray[np.float64] | None:
    eyes = [middle for eye in (LEFT_EYE, RIGHT_EYE) if (middle := _middle(labels, eye)) is not None]
    mouth = _middle(labels, MOUTH)
    return None if not eyes or mouth is None else mouth - np.mean(eyes, axis=0)


def _middle(labels: Labels, names: tuple[int, ...]) -> NDArray[np.float64] | None:
    """The middle (x, y) of some labels; None where they are nowhere."""
    rows, columns = np.nonzero(np.isin(labels, names))
    return np.array([columns.mean(), rows.mean()]) if len(rows) else None


def check_skin_left(shape: Labels) -> None:
    """Raise PictureError when a label map (S,S) that is placed by eyes and mouth has no skin around them."""
    if float((shape == SKIN).mean()) < LEAST_SKIN:
        raise PictureError(
            "The label map has no skin around its eyes and mouth: start from what `masque parse` writes of a photo."
        )


def is_face(labels: Labels) -> NDArray[np.bool_]:
    """Where a label map has any part of a face; hair is none."""
    return np.asarray((labels > 0) & (labels != HAIR))


def resample_labels(labels: Labels, matrix: Matrix, size: int | tuple[int, int]) -> Labels:
    """A label map (H,W) seen through `matrix`, (size,size), or `size` as (width, height): of each pixel the label that
    covers most of it."""
    return label_coverage(labels, matrix, size).argmax(axis=0).astype(np.uint8)


def label_coverage(labels: Labels, matrix: Matrix, size: int | tuple[int, int]) -> NDArray[np.float32]:
    """How much of each pixel each label of a label map (H,W) covers when it is seen through `matrix`: (11,size,size),
    or (11,height,width) for `size` (width, height), in [0,1]."""
    sides = (size, size) if isinstance(size, int) else size
    each = [
        warp((labels == label).astype(np.float32), matrix, sides, border=cv2.BORDER_CONSTANT)
        for label in range(len(LABELS))
    ]
    return np.stack(each).astype(np.float32)


def replace_part(own: Labels, other: Labels, part: str) -> Labels:
    """A label map (S,S) with a part of another one, both of aligned faces, so that the part lies where it belongs.

    part: a key of PART_LABELS, or "all" for the other map itself. What the part leaves becomes skin, or background
    where hair or skin was."""
    if part == "all":
        return other.copy()
    if part == "hair":
        return _replace_hair(own, other)
    if part == "skin":
        return _replace_skin(own, other)
    names, wanted = PART_LABELS[part], own.copy()
    wanted[np.isin(own, names)] = SKIN
    taken = np.isin(other, names)
    wanted[taken] = other[taken]
    return wanted


def _replace_hair(own: Labels, other: Labels) -> Labels:
    """Where the other's hair is not, there is what lies under one's own: the head as far as the other shows it, else
    the wall."""
    wanted = own.copy()
    wanted[own == HAIR] = np.where(np.isin(other, (0, HAIR)), 0, SKIN)[own == HAIR]
    wanted[other == HAIR] = HAIR
    return wanted


def _replace_skin(own: Labels, other: Labels) -> Labels:
    """The other's outline of the face, around one's own eyes and mouth."""
    features = (*PART_LABELS["eyes"], *MOUTH)
    is_skin, is_others_skin = np.isin(own, PART_LABELS["skin"]), np.isin(other, PART_LABELS["skin"])
    wanted, own_features = own.copy(), np.isin(own, features)
    wanted[is_skin] = np.where(other == HAIR, HAIR, 0)[is_skin]
    wanted[is_others_skin & ~own_features] = other[is_others_skin & ~own_features]
    wanted[(wanted == 0) & np.isin(other, features)] = SKIN
    return wanted


def align_labels(labels: Labels, size: int) -> Matrix:
    """The transform from a label map's pixels to a network's crop of `size`, by its eyes and mouth.

    Raises PictureError where an eye or the mouth is missing, or where they do not lie as in a face that is seen from
    the front, upright or turned in the picture's plane."""
    points: list[tuple[float, float]] = []
    for name, numbers in (("left eye", LEFT_EYE), ("right eye", RIGHT_EYE), ("mouth", MOUTH)):
        rows, columns = np.nonzero(np.isin(labels, numbers))
        if not len(rows):
            raise PictureError(f"The label map has no {name}: a face is placed by its eyes and mouth.")
        if name == "mouth":  # its two corners
            points += [(end, rows[columns == end].mean()) for end in (columns.min(), columns.max())]
        else:
            points.append((columns.mean(), rows.mean()))
    found = np.array(points, dtype=np.float64)
    left, right, mouth = found[0], found[1], found[2:].mean(axis=0)
    across, down = right - left, mouth - (left + right) / 2
    ratio_fits = 0.3 * math.hypot(*down) < math.hypot(*across) < 3 * math.hypot(*down)
    if not ratio_fits or across[0] * down[1] - across[1] * down[0] <= 0:
        raise PictureError(
            "The eyes and the mouth of the label map do not lie as in a face: left and right are those of the picture."
        )
    scale = size / 128
    return chain(similarity(found, at_scale(TEMPLATE, scale)), HAIR_CROP.to_crop(size, scale))
