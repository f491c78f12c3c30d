"""Where in a photo an edit of a person's attributes may show."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.subject import Shares, Subject, region_mask
from masque.faces.labels import LABELS
from masque.faces.paste import feathered_square, soften
from masque.faces.regions import HAIR_CROP, Mask, background_mask, cut_crop

Region = Literal["face", "hair", "both"]
"""What gets the new attributes."""

HAIR = LABELS.index("hair")


def edited_mask(subject: Subject, region: Region, shares: Shares | None = None) -> Mask:
    """Where an edit may show in the network's crop, (S,S): the face mask with a soft edge, all of the person but it, or
    both.

    region: which of them. shares: how sure each label is at each pixel, (11,S,S) from a face parser: then an edit of
    the hair stops where the hair does, and clothes and hats are not the person's. Without, background is what GrabCut
    takes for it. The background is in x_h, so blond hair would brighten the wall behind it: the change stops where the
    person does."""
    square = feathered_square(subject.size).astype(np.float32) / 255
    face = soften(region_mask(subject), subject.size / 16).astype(np.float32) / np.float32(255)
    if region == "face":
        share = face
    elif shares is not None and region == "hair":
        share = _with_soft_edge(shares[HAIR], subject.size)
    else:
        person = np.maximum(
            person_mask(subject) if shares is None else _with_soft_edge(1 - shares[0], subject.size), face
        )
        share = person if region == "both" else person * (1 - face)
    return np.rint(255 * square * share).astype(np.uint8)


def _with_soft_edge(share: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A mask (S,S) in [0,1] with an edge as soft as the network's pixels are coarse."""
    return np.asarray(cv2.GaussianBlur(share, (0, 0), size / 96), dtype=np.float32)


def person_mask(subject: Subject) -> NDArray[np.float32]:
    """How surely each pixel of the network's crop belongs to the person, (S,S) in [0,1], with an edge as soft as the
    mask is coarse."""
    frame = subject.frame
    background = background_mask(frame.picture, frame.landmarks, frame.valid)
    person = cut_crop((255 - background).astype(np.uint8), HAIR_CROP, subject.size, frame.scale)
    return np.asarray(cv2.GaussianBlur(person, (0, 0), subject.size / 48), dtype=np.float32) / np.float32(255)
