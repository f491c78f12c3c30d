"""Many faces for one label map (portrait thesis, Fig. 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from masque.edits.grey import keep_cells_grey
from masque.edits.measures import inputs
from masque.edits.portrait import PortraitSession
from masque.edits.result import Result
from masque.edits.subject import Photo
from masque.errors import ValueRangeError
from masque.faces.label_edits import align_labels, check_skin_left, resample_labels
from masque.faces.labels import LabelSource, colour_labels, read_labels
from masque.faces.tones import smooth_colours
from masque.image import Picture, grid, to_pictures


def faces_for(session: PortraitSession, labels: LabelSource, styles: Sequence[Photo]) -> Result:
    """A sheet of faces for one label map: above the map and the portraits, below the map in the style of each, before
    mid-grey (portrait thesis, Fig. 4.7).

    labels: a label map, uint8 (H,W) of Table 3.1's numbers and any size, or a file of it; with skin, both eyes and a
        mouth, by which it is aligned.
    styles: a list of portraits, one at least, each a path, an open file or its bytes, a Pillow picture, or RGB uint8
        (H,W,3).

    Returns the sheet and its record. Raises ValueRangeError where `styles` is no list or empty, PictureError for a map
    without a face and for portraits that cannot be read, NoFaceError, CheckpointError without a face parser."""
    one_photo = isinstance(styles, (str, bytes, bytearray, memoryview, np.ndarray)) or not isinstance(styles, Iterable)
    styles = [] if one_photo else list(styles)  # what has letters, bytes or rows can be gone through as a list can
    if not styles:
        raise ValueRangeError("Styles are a list of portraits, such as ['a.jpg', 'b.jpg']: name one at least.")
    read, notes = read_labels(labels)
    shape = resample_labels(read, align_labels(read, session.size), session.size)
    check_skin_left(shape)
    background = torch.zeros(1, 3, session.size, session.size, device=session.device)
    subjects = [session.subject(style) for style in styles]
    faces: list[Picture] = []
    for subject in subjects:
        latents = session.latents(subject, session.crop_labels(subject))
        faces += keep_cells_grey(subject, [smooth_colours(session.paint(latents, background, shape), shape)])
    above = [colour_labels(shape), *(to_pictures(subject.image)[0] for subject in subjects)]
    below = [colour_labels(shape), *faces]
    named = {f"style{number}": subject for number, subject in enumerate(subjects, 1)}
    record = session.record(
        "faces-for", {"styles": [subject.name for subject in subjects], "notes": notes, "inputs": inputs(**named)}
    )
    return Result(grid([*above, *below], len(above)), record)
