"""A face in a photo as the yardsticks of swaps look at it, and how much of a swap's result is the swap's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.parser import ParserSession
from masque.edits.subject import cut_subject
from masque.faces.change import Change, Pixels
from masque.faces.detect import Face, Landmarks, choose_face, face_at, find_faces, identity
from masque.faces.labels import LABELS, Labels
from masque.image import Picture
from masque.metrics.colours import Lab, Region, lab_of

SKIN = (LABELS.index("skin"), LABELS.index("nose"))
"""Labels of bare skin; neck and ears are skin, too."""

DIFFERENT = 2
"""Levels of 255 by which a pixel differs where it is the swap's: less is rounding."""

HOLE = 0.02
"""Share of a mask's area below which a hole in it is none: pixels there are the same by chance."""

Share = NDArray[np.float32]
"""(H,W) in [0,1]."""


@dataclass(frozen=True)
class Seen:
    """A face in a photo, with what is measured of it worked out once."""

    photo: Picture
    """RGB uint8 (H,W,3)"""
    face: Face
    parser: ParserSession

    @property
    def landmarks(self) -> Landmarks:
        """(68,2) in pixels of the photo."""
        return self.face.landmarks

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photo."""
        return self.photo.shape[1], self.photo.shape[0]

    @property
    def width(self) -> float:
        """Pixels from one side of the jaw to the other."""
        return float(np.linalg.norm(self.landmarks[16] - self.landmarks[0]))

    @cached_property
    def labels(self) -> Labels:
        """The label map (H,W) that the parser sees."""
        return self.parser.labels(cut_subject(self.photo, self.face, self.parser.size))

    @cached_property
    def skin(self) -> Region:
        """(H,W): bare skin of face, neck and ears."""
        return np.isin(self.labels, SKIN)

    @cached_property
    def lab(self) -> Lab:
        """CIELAB (H,W,3)."""
        return lab_of(self.photo)

    @property
    def light(self) -> NDArray[np.float32]:
        """L* (H,W)."""
        return self.lab[..., 0]

    @cached_property
    def embedding(self) -> NDArray[np.float32]:
        """dlib's embedding (128,)."""
        return identity(self.photo, self.landmarks)


def see(photo: Picture, parser: ParserSession) -> Seen:
    """The main face of a photo, RGB uint8 (H,W,3). Raises NoFaceError."""
    return Seen(photo, choose_face(find_faces(photo)), parser)


def see_again(result: Picture, target: Seen) -> Seen | None:
    """The face that is found anew in a swap's result (H,W,3), where the target's was; None where there is none."""
    middle = target.landmarks[27:36].mean(axis=0)
    face = face_at(find_faces(result), float(middle[0]), float(middle[1]))
    return None if face is None else Seen(result, face, target.parser)


def shown_share(result: Picture, photo: Picture, change: Change | None) -> Share:
    """How much of each pixel is the swap's and not the photo's, (H,W): what the change's painted layers cover; where it
    has none, all that differs.

    result, photo: RGB uint8 (H,W,3)."""
    kept = np.ones(photo.shape[:2], np.float32)
    painted = [layer for layer in change.layers if isinstance(layer, Pixels)] if change is not None else []
    for layer in painted:
        left, top, right, bottom = layer.box
        matte = cv2.resize(layer.matte, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        kept[top:bottom, left:right] *= 1 - matte.astype(np.float32) / 255
    if not painted:
        kept[(cv2.absdiff(result, photo) > DIFFERENT).any(axis=2)] = 0
    return _without_holes(1 - kept)


def _without_holes(mask: Share) -> Share:
    inside = (mask > 0.5).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(1 - inside, connectivity=4)
    small = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] < HOLE * inside.sum()]
    return np.where(np.isin(parts, small), np.float32(1), mask).astype(np.float32)
