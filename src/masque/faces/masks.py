"""Masks with soft edges, as weights in [0,1]: how far a change may show at each pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.labels import Labels
from masque.faces.paste import feathered_square


def square_weight(size: int) -> NDArray[np.float32]:
    """1 within a square picture (size,size), falling softly to 0 at its edge."""
    return np.asarray(feathered_square(size).astype(np.float32) / 255, dtype=np.float32)


def soft_mask(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A mask (S,S) with an edge that is S/128 pixels soft, half at its border."""
    return np.asarray(
        cv2.GaussianBlur(inside.astype(np.float32), (0, 0), max(1, len(inside) // 64) / 2), dtype=np.float32
    )


def widened_mask(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """1 within a mask (S,S) and up to S/64 pixels around it, falling softly to 0."""
    reach = max(1, len(inside) // 64)
    grown = cv2.dilate(inside.astype(np.float32), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), reach / 2), dtype=np.float32)


def newly_background(before: Labels, after: Labels) -> NDArray[np.bool_]:
    """Where a label map (S,S) has become background, and the rim around it, where strands of hair blend into the
    wall."""
    gone = ((before > 0) & (after == 0)).astype(np.uint8)
    reach = 2 * max(1, len(before) // 64) + 1
    return np.asarray((cv2.dilate(gone, np.ones((reach, reach), np.uint8)) > 0) & (after == 0))
