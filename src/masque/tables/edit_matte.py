"""Hair colours against people's label maps: what changed visibly (ΔE above 6) where nothing was asked, and how much of
the hair changed.

Whole frames of a prepared set are edited at the set's own size. Those that have the attribute already are left out:
nothing of theirs had to change. Lengths are pixels of CelebAMask-HQ's masks, in which a face is as large as in a frame
of 3.25 times CelebA's size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np

from masque.data.frames import FrameSet, load_frames
from masque.data.prepared import BEYOND, open_prepared
from masque.errors import NoFaceError
from masque.faces.labels import LABELS
from masque.image import Picture
from masque.metrics.colours import Region, coloured_share, detail_ratio, hue_spread, lab_of, visible_share
from masque.metrics.estimates import Estimate, estimate_mean
from masque.models.ccagan import HAIR_COLOURS
from masque.tables.edit_true import Edit
from masque.tables.held_out import HeldOut, held_out_frame

SCALE = 3.25
"""Scale of frames in which faces are as large as in CelebAMask-HQ at 512 pixels: the mean over its pictures."""

RIM = 6
"""Pixels beyond the part, at 512, that do not count: people's masks are no more exact."""

INNER = 4
"""Pixels within the part, at 512, that do not count for sharpness: there the outline is what is sharp."""

LEAST = 0.02
"""Share of the picture that is to be the part: of a part that hardly shows nothing can be said."""

PART = LABELS.index("hair")
"""The label of the part in which an edit is to stay; hair colours are the edits of which that is plain."""


class MatteMeasures(TypedDict):
    """One edit, over the people who lack the attribute. Shares are in [0,1]."""

    spill: Estimate
    """Share of the pixels outside the part and a rim of 6 pixels that changed visibly"""
    coverage: Estimate
    """Share of the part that changed visibly"""
    hue_spread: Estimate
    """Spread of the hues of the edited part, in degrees, where chroma is above 6"""
    coloured: Estimate
    """Share of the edited part where chroma is above 6"""
    sharpness: Estimate
    """Fine detail of the part over that of the photo"""


def labelled_frames(data: Sequence[str], names: Sequence[str]) -> FrameSet | None:
    """The held-out frames with label maps that people have drawn (or puppets have), at the smallest size of their sets;
    None where no set has any.

    data: prepared sets, or puppets:N. names: of the attributes wanted. Raises DataError as `load_frames` does."""
    kept = [item for item in data if item.startswith("puppets:") or _labelled(Path(item))]
    return load_frames(kept, own_size(kept), names, ("test",), "known") if kept else None


def own_size(data: Sequence[str]) -> int:
    """Side in pixels of the crops that the smallest of several sets was prepared for; 128 for puppets alone, which have
    any size. Raises DataError for a folder that is no prepared set."""
    scales = [open_prepared(Path(item)).scale for item in data if not item.startswith("puppets:")]
    return round(128 * min(scales, default=1.0))


def all_labelled(data: Sequence[str]) -> bool:
    """Whether `labelled_frames` leaves out none of the held-out frames of several sets."""
    return all(item.startswith("puppets:") or _labelled(Path(item), all) for item in data)


def _labelled(folder: Path, how_many: Callable[[Iterable[object]], bool] = any) -> bool:
    opened = open_prepared(folder)
    return not opened.parsed_labels and how_many(opened.has_labels(int(i)) for i in opened.indices("test"))


def measure_matte(
    edit: Edit,
    attributes: Sequence[str],
    frames: FrameSet,
    count: int = 200,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, MatteMeasures]:
    """Attribute -> what its edit did where, for those that are hair colours, set to 1.

    frames: with label maps. Those in which the editor finds no face are left out. count: pictures of each attribute, at
    most. seed: of the intervals' bootstrap. progress: called with pictures done and their number."""
    rows: dict[str, list[tuple[str, dict[str, float]]]] = {name: [] for name in attributes if name in HAIR_COLOURS}
    for done in range(len(frames)):
        one = held_out_frame(frames, done)
        for name, found in rows.items():
            measured = _edited(edit, name, one, frames.scale) if len(found) < count else None
            if measured is not None:
                found.append((one.person, measured))
        if progress:
            progress(done + 1, len(frames))
    return {name: _summarised(found, seed) for name, found in rows.items()}


def _summarised(found: Sequence[tuple[str, dict[str, float]]], seed: int) -> MatteMeasures:
    people = [person for person, _ in found]

    def mean(name: str) -> Estimate:
        return estimate_mean([values[name] for _, values in found], people, seed)

    return {
        "spill": mean("spill"),
        "coverage": mean("coverage"),
        "hue_spread": mean("hue_spread"),
        "coloured": mean("coloured"),
        "sharpness": mean("sharpness"),
    }


def _edited(edit: Edit, name: str, one: HeldOut, scale: float) -> dict[str, float] | None:
    """What an edit did to a frame; None where it has the attribute already, the part hardly shows, or no face is
    found."""
    assert one.labels is not None
    part = one.labels == PART
    if one.attributes.get(name, 0) > 0.5 or part.mean() < LEAST:
        return None
    try:
        edited = edit(one.frame, {name: 1.0})
    except NoFaceError:
        return None
    return compare(one.frame, edited, part, (one.labels < len(LABELS)) & (one.mask != BEYOND), scale / SCALE)


def compare(photo: Picture, edited: Picture, part: Region, known: Region, unit: float) -> dict[str, float]:
    """What is measured of one edit.

    photo, edited: RGB uint8 (H,W,3). part: (H,W), where it was asked for. known: (H,W), which pixels the label map says
    anything of. unit: the pictures' size over that of CelebAMask-HQ at 512 pixels, in which lengths are given."""
    before, after = lab_of(photo), lab_of(edited)
    outside = cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 5) > RIM * unit
    inner = cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 5) > INNER * unit
    return {
        "spill": visible_share(before, after, outside & known),
        "coverage": visible_share(before, after, part),
        "hue_spread": hue_spread(after, part),
        "coloured": coloured_share(after, part),
        "sharpness": detail_ratio(before, after, inner),
    }
