"""The shapes that a portrait is repainted in: a person's label map brought to the network's crop and checked, and parts
of another's."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.subject import Shares, Subject
from masque.errors import PictureError
from masque.faces.frame import TEMPLATE, Matrix, at_scale, chain, similarity, warp
from masque.faces.labels import LABELS, Labels
from masque.faces.regions import HAIR_CROP
from masque.models.portrait import COMPONENTS, LABELS_OF, Component

PARTS: Mapping[str, tuple[Component, ...]] = {
    "eyes": ("left eye", "right eye"), "mouth": ("mouth",), "skin": ("skin",), "hair": ("hair",), "all": COMPONENTS,
}  # fmt: skip
"""What users name, and the components of the thesis that it is."""

SKIN, HAIR = LABELS.index("skin"), LABELS.index("hair")


LEAST_TOUCH = 0.05
"""The share of a pixel of the crop from which on an edit, or a label, is there at all."""


def in_crop(labels: Labels, subject: Subject, shares: Shares, written: Labels) -> tuple[Labels, list[str]]:
    """An edited label map of a whole photo, as the network's crop shows it (S,S), and what had to be put right.

    shares: what the parser sees of the subject (11,S,S). written: the label map (H,W) of the photo before it was
    edited. Where nothing was painted, the parser's word at the network's size stands: otherwise every edge would count
    as a change. Raises PictureError for a map that has not the photo's ratio of sides."""
    reach = max(1, math.ceil(subject.photo.shape[0] / labels.shape[0]))
    notes, (height, width) = [], subject.photo.shape[:2]
    if labels.shape != (height, width):
        check_same_shape(labels, width, height)
        notes.append(
            f"The label map of {labels.shape[1]}×{labels.shape[0]} pixels was brought to the photo's {width}×{height}."
        )
        labels = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8)
    edited = painted(labels, written, reach)
    size = (subject.size, subject.size)
    share = warp(edited.astype(np.float32), subject.matrix, size, border=cv2.BORDER_CONSTANT)
    own, covers = shares.argmax(axis=0), covering(labels, subject.matrix, subject.size)
    # What the parser sees in single pixels along an edge, and the map has taken away all around, must not stay as
    # specks.
    near = np.stack([cv2.dilate(cover, np.ones((3, 3), np.uint8)) for cover in covers])
    gone = (share > LEAST_TOUCH) & (np.take_along_axis(near, own[None], axis=0)[0] < LEAST_TOUCH)
    changed = (share > 0.5) | gone
    changed[[0, -1]], changed[:, [0, -1]] = False, False  # the parser's map fades out there
    return np.where(changed, covers.argmax(axis=0), own).astype(np.uint8), notes


def painted(labels: Labels, written: Labels, reach: int = 1) -> NDArray[np.bool_]:
    """Where somebody has painted in a label map: labels (H,W) are others than in `written` (H,W), and not for an edge
    that has moved.

    reach: pixels by which an edge may move where nobody paints, as it does when a program smooths, scales or compresses
    the map."""
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    other, far = labels != written, np.zeros(labels.shape, np.uint8)
    for here, there in ((labels, written), (written, labels)):  # what has come, and what is gone
        for label in np.unique(here[other]):
            far |= (here == label) & (cv2.dilate((there == label).astype(np.uint8), kernel) == 0)
    # What has moved farther than the reach has moved from the edge on.
    return np.asarray(other & (cv2.dilate(far, kernel) > 0))


def check_same_shape(labels: Labels, width: int, height: int) -> None:
    """Raise PictureError when a label map was not made by enlarging or reducing one of a photo's size, sides rounded to
    whole pixels."""
    rows, columns = labels.shape
    if abs(columns * height - rows * width) > max(width, height, columns, rows):
        sizes = f"The label map has {columns}×{rows} pixels and the photo {width}×{height}"
        if abs(rows * height - columns * width) <= max(width, height, columns, rows):
            raise PictureError(f"{sizes}: turn the map as the photo is seen.")
        raise PictureError(f"{sizes}, which is another ratio of sides: save the map uncropped, at the photo's size.")


LEAST_FACE, LEAST_SKIN = 0.5, 0.05
"""Shares of what the parser sees as face (skin, brows, eyes, nose, mouth) that a label map must leave face, and leave
skin.

A bald head, a mouth that is gone, hair down to the nose or a head that is moved by a third of its width is an edit;
less is the map of another photo, or one that was lost on its way through a program."""


def check_face_left(own: Labels, wanted: Labels) -> None:
    """Raise PictureError when a wanted label map (S,S) has no face where the parser sees one in the photo, own
    (S,S)."""
    inner = np.s_[1:-1, 1:-1]  # at the edge stands the parser's word, whatever is wanted
    seen, left = is_face(own[inner]), is_face(wanted[inner])
    among = int(seen.sum())
    kept = float((seen & left).sum()) / among if among else float(left.any())
    skin = float((seen & (wanted[inner] == SKIN)).sum()) / among if among else kept
    if kept < LEAST_FACE or skin < LEAST_SKIN:
        what = (
            f"only {100 * kept:.0f} % of it is left"
            if 0 < kept < LEAST_FACE
            else "none is left"
            if kept == 0
            else "no skin is left"
        )
        raise PictureError(
            f"The label map has no face where the photo has one ({what}): start from what `masque parse` writes of this photo."
        )


EYES, MOUTH = ((4,), (5,)), (7, 8, 9)
MOST_TURNED = 60.0
"""Degrees by which the line from eye to eye, or from the eyes to the mouth, may be turned by an edit."""


def check_upright(own: Labels, wanted: Labels) -> None:
    """Raise PictureError when the eyes and mouth of a wanted label map (S,S) lie turned or mirrored against the
    photo's, own (S,S)."""
    for way in (_eye_to_eye, _eyes_to_mouth):
        seen, asked = way(own), way(wanted)
        if seen is None or asked is None:
            continue
        if seen @ asked < math.cos(math.radians(MOST_TURNED)) * np.linalg.norm(seen) * np.linalg.norm(asked):
            raise PictureError(
                "The label map is turned or mirrored against the photo, by its eyes and mouth: save it as upright as the photo; "
                "left and right are those of the picture."
            )


def _eye_to_eye(labels: Labels) -> NDArray[np.float64] | None:
    left, right = (_middle(labels, eye) for eye in EYES)
    return None if left is None or right is None else right - left


def _eyes_to_mouth(labels: Labels) -> NDArray[np.float64] | None:
    eyes = [middle for eye in EYES if (middle := _middle(labels, eye)) is not None]
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


def shrunk(labels: Labels, matrix: Matrix, size: int) -> Labels:
    """A label map seen through `matrix`, (size,size): of each pixel the label that covers most of it."""
    return covering(labels, matrix, size).argmax(axis=0).astype(np.uint8)


def covering(labels: Labels, matrix: Matrix, size: int) -> NDArray[np.float32]:
    """Of a label map seen through `matrix`, how much of each pixel each label covers, (11,size,size)."""
    each = [
        warp((labels == label).astype(np.float32), matrix, (size, size), border=cv2.BORDER_CONSTANT)
        for label in range(len(LABELS))
    ]
    return np.stack(each).astype(np.float32)


def with_part(own: Labels, other: Labels, part: str) -> Labels:
    """One's label map (S,S) with another's part: what it leaves becomes skin, or background where hair was.

    Both are of aligned faces, so that the part lies where it belongs.
    """
    if part == "all":
        return other.copy()
    names = [label for component in PARTS[part] for label in LABELS_OF[component]]
    wanted = own.copy()
    if part == "hair":
        # Where the other's hair is not, there is what lies under one's own: the head as far as the other shows it, else
        # the wall.
        wanted[own == HAIR] = np.where(np.isin(other, (0, HAIR)), 0, SKIN)[own == HAIR]
        wanted[other == HAIR] = HAIR
        return wanted
    if part == "skin":
        inner = np.isin(own, (4, 5, 7, 8, 9))
        wanted[np.isin(own, names)] = np.where(other == HAIR, HAIR, 0)[np.isin(own, names)]
        wanted[np.isin(other, names) & ~inner] = other[np.isin(other, names) & ~inner]
        wanted[(wanted == 0) & (np.isin(other, (4, 5, 7, 8, 9)))] = SKIN
        return wanted
    wanted[np.isin(own, names)] = SKIN
    taken = np.isin(other, names)
    wanted[taken] = other[taken]
    return wanted


def aligned(labels: Labels, size: int) -> Matrix:
    """The transform from a label map's pixels to a network's crop of `size`, by its eyes and mouth. Raises
    PictureError."""
    points = []
    for name, wanted in (("left eye", (4,)), ("right eye", (5,)), ("mouth", (7, 8, 9))):
        rows, columns = np.nonzero(np.isin(labels, wanted))
        if not len(rows):
            raise PictureError(f"The label map has no {name}: a face is placed by its eyes and mouth.")
        points.append(
            [
                (columns.min(), rows[columns == columns.min()].mean()),
                (columns.max(), rows[columns == columns.max()].mean()),
            ]
        )
        if name != "mouth":
            points[-1] = [(columns.mean(), rows.mean())]
    found = np.array([point for group in points for point in group], dtype=np.float64)
    left, right, mouth = found[0], found[1], found[2:].mean(axis=0)
    across, down = right - left, mouth - (left + right) / 2
    # As in any face that is seen from the front, upright or turned in the picture's plane.
    if (
        not 0.3 * math.hypot(*down) < math.hypot(*across) < 3 * math.hypot(*down)
        or across[0] * down[1] - across[1] * down[0] <= 0
    ):
        raise PictureError(
            "The eyes and the mouth of the label map do not lie as in a face: left and right are those of the picture."
        )
    scale = size / 128
    return chain(similarity(found, at_scale(TEMPLATE, scale)), HAIR_CROP.to_crop(size, scale))
