"""What `masque repaint` makes of edited label maps, on the photos' own pixels and by the network, beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypedDict

import numpy as np

from masque.data.frames import FrameSet
from masque.edits.loaded import Parser, PortraitEditor
from masque.edits.repaint import repaint_subject
from masque.edits.subject import Detail, Subject, cut_subject
from masque.errors import PictureError
from masque.faces.detect import Face
from masque.faces.labels import Labels
from masque.image import Picture
from masque.metrics.estimates import Estimate, estimate_mean
from masque.tables.repaint_measures import EDITS, agreement, changed_part, sharpness

DETAILS: Mapping[str, Detail] = {"own": "keep", "network": "network"}
"""Column of the report -> what `masque repaint --detail` is asked for."""

REPAINTED = 20
"""Pictures that are repainted, at most: each in every way of `EDITS`, twice."""


class RepaintMeasures(TypedDict):
    """One edit of label maps, over the pictures; by what it was done: "own" pixels, or the "network"."""

    agreement: dict[str, Estimate]
    """Intersection over union of the changed part as it was asked for and as the parser sees it in the result"""
    sharpness: dict[str, Estimate]
    """Fine detail of the changed part over that of the same part of the photo"""


def evaluate_repaints(
    painter: PortraitEditor,
    parser: Parser,
    frames: FrameSet,
    chosen: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, RepaintMeasures]:
    """Held-out frames repainted by label maps that are edited as `EDITS` says, at the frames' own size.

    parser: finds the parts of the result. chosen: which frames, `REPAINTED` at most. Empty for a painter that has no
    parser itself, which cannot repaint."""
    if painter.parser is None:
        return {}
    chosen = [int(i) for i in chosen][:REPAINTED]
    found: dict[tuple[str, str, str], list[float]] = {}
    for done, place in enumerate(chosen):
        picture = frames.frames[place]
        face = Face((0, 0, picture.shape[1], picture.shape[0]), 1.0, frames.landmarks[place])
        subject = cut_subject(picture, face, painter.size, device=painter.device)
        for key, value in _measured(painter, parser, subject).items():
            found.setdefault(key, []).append(value)
        if progress:
            progress(done + 1, len(chosen))

    def of(name: str, measure: str) -> dict[str, Estimate]:
        return {how: estimate_mean(found.get((name, measure, how), [])) for how in DETAILS}

    return {name: {"agreement": of(name, "agreement"), "sharpness": of(name, "sharpness")} for name in EDITS}


def _measured(painter: PortraitEditor, parser: Parser, subject: Subject) -> dict[tuple[str, str, str], float]:
    """By edit, measure and way: what was measured of one face; NaN where nothing could be."""
    own = painter.labels(subject)
    width = float(np.linalg.norm(subject.face.landmarks[16] - subject.face.landmarks[0]))
    values: dict[tuple[str, str, str], float] = {}
    for name, (edit, part) in EDITS.items():
        asked = edit(own, width)
        where = changed_part(own, asked, part, width)
        for how, detail in DETAILS.items():
            found: tuple[float | None, float | None] = (None, None)
            with suppress(PictureError):  # no face is seen, or none would be left
                made = repaint_subject(painter, subject, asked, detail).picture
                seen = agreement(asked, _seen(parser, subject, made), part, where)
                found = (seen, sharpness(subject.photo, made, own, asked, part, width))
            for measure, value in zip(("agreement", "sharpness"), found, strict=True):
                values[name, measure, how] = np.nan if value is None else value
    return values


def _seen(parser: Parser, subject: Subject, made: Picture) -> Labels:
    """The label map (H,W) that the parser sees in a repainted photo, whose face lies where it lay."""
    return parser.labels(cut_subject(made, subject.face, subject.size, device=parser.device))


def in_words(found: Mapping[str, RepaintMeasures]) -> list[str]:
    """The measures as lines to be read."""

    def said(one: Estimate) -> str:
        return "–" if one["value"] is None else f"{one['value']:.2f}"

    return [
        f"repainted, {name}: label agreement {said(one['agreement']['own'])} (network "
        f"{said(one['agreement']['network'])}), sharpness {said(one['sharpness']['own'])} (network "
        f"{said(one['sharpness']['network'])}) of the photo's; {one['agreement']['own']['n']} pictures"
        for name, one in found.items()
    ]
