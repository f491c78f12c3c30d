"""Which teeth are taken: drawn mouths, of which one shows them well."""

from __future__ import annotations

import cv2
import numpy as np

from masque.data.frames import FrameSet
from masque.faces.lips import TEXTURE
from masque.recipes.teeth import find_teeth, inner_mouth, showing

WIDE = 356


def face(teeth: tuple[int, int, int] | None, turned: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A frame at 256 px with a mouth of 80 pixels, and its landmarks."""
    picture = np.full((436, WIDE, 3), (200, 160, 140), np.uint8)
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[0], landmarks[16] = (78, 250), (278, 250)
    landmarks[36], landmarks[45] = (128, 240), (228, 240)
    landmarks[30] = (178 + turned, 270)
    landmarks[48], landmarks[54] = (138, 340), (218, 340)
    landmarks[60], landmarks[64] = (142, 340), (214, 340)
    for upper, lower, x in ((61, 67, 160), (62, 66, 178), (63, 65, 196)):
        landmarks[upper], landmarks[lower] = (x, 333), (x, 347)
    cv2.ellipse(picture, (178, 340), (38, 9), 0, 0, 360, (90, 20, 30), -1)
    if teeth is not None:
        for tooth in range(-3, 3):
            left = 178 + 10 * tooth
            cv2.rectangle(picture, (left + 1, 331), (left + 9, 348), teeth, -1)
    return picture, landmarks


def frames(faces: list[tuple[np.ndarray, np.ndarray]], split: str = "train") -> FrameSet:
    count = len(faces)
    return FrameSet(
        frames=np.stack([picture for picture, _ in faces]),
        masks=np.zeros((count, 436, WIDE), np.uint8),
        landmarks=np.stack([landmarks for _, landmarks in faces]),
        attributes=np.zeros((count, 0), np.float32),
        attribute_names=(),
        identities=("",) * count,
        splits=(split,) * count,
        sources=tuple(f"{number}.png" for number in range(count)),
        scale=2.0,
    )


def test_pale_bright_teeth_seen_from_the_front_are_taken():
    good = face((236, 232, 224))
    found, source = find_teeth(frames([face(None), face((120, 115, 110)), good, face((236, 150, 150))]))
    assert source == "2.png"
    assert found.shape == TEXTURE
    assert 0.9 < np.median(found[:, 60:130]) < 1.1
    assert found[:, :6].mean() < 0.6  # dark in the corner of the mouth


def test_where_nobody_shows_teeth_there_are_none():
    for faces, split in (
        ([face(None)], "train"),
        ([face((236, 232, 224), turned=60)], "train"),
        ([face((236, 232, 224))], "test"),
    ):
        found, source = find_teeth(frames(faces, split))
        assert (source, found.any()) == ("", False)


def test_teeth_that_differ_from_side_to_side_are_worth_less():
    picture, landmarks = face((236, 232, 224))
    whole = showing(inner_mouth(picture, landmarks.astype(float)))
    cv2.rectangle(picture, (178, 325), (214, 355), (40, 10, 15), -1)
    assert whole > 0
    assert showing(inner_mouth(picture, landmarks.astype(float))) < 0.5 * whole
