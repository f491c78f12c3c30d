"""Many faces for one label map (portrait thesis, Fig. 4.7)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from masque.edits.grey import cells_in_tones
from masque.edits.measures import inputs
from masque.edits.portrait import PortraitSession
from masque.edits.result import Result
from masque.edits.shapes import aligned, check_skin_left, shrunk
from masque.edits.subject import Photo
from masque.faces.labels import Source, coloured, read_labels
from masque.faces.tones import smooth_colours
from masque.image import Picture, grid, to_pictures


def faces_for(session: PortraitSession, labels: Source, styles: Sequence[Photo]) -> Result:
    """Many faces for one label map (Fig. 4.7): the map, and it in the style of each portrait, before mid-grey.

    labels: (H,W) of any size, or a file that `masque.faces.labels.read_labels` reads, with skin, both eyes and a mouth,
    by which it is aligned. styles: portraits. Returns a sheet and its record. Raises PictureError, NoFaceError,
    CheckpointError."""
    given, notes = read_labels(labels)
    shape = shrunk(given, aligned(given, session.size), session.size)
    check_skin_left(shape)
    wall = torch.zeros(1, 3, session.size, session.size, device=session.device)
    subjects = [session.subject(style) for style in styles]
    painted: list[Picture] = []
    for subject in subjects:
        face = smooth_colours(session.paint(session.latents(subject, session.parts(subject)), wall, shape), shape)
        painted += cells_in_tones(subject, [face])
    above = [coloured(shape), *(to_pictures(subject.image)[0] for subject in subjects)]
    below = [coloured(shape), *painted]
    sheet = grid([*above, *below], len(above))
    names = [subject.name for subject in subjects]
    given_by = inputs(**{f"style{i}": subject for i, subject in enumerate(subjects, 1)})
    return Result(sheet, session.record("faces-for", styles=names, notes=notes, inputs=given_by))
