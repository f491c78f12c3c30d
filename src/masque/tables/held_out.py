"""Held-out face frames: which lack an attribute, and what independent readers see in them before and after an edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masque.data.frames import FrameSet
from masque.data.measured import measure_attributes
from masque.edits.ccagan import UNKNOWN
from masque.faces.detect import Landmarks, landmarks_near
from masque.faces.labels import Labels
from masque.image import Picture

Classify = Callable[[list[Picture]], list[dict[str, float]]]
"""Face frames to attributes in [0,1], by a network that played no part in training the editor."""


@dataclass(frozen=True)
class HeldOut:
    """One held-out face frame."""

    frame: Picture
    """The frame's pixels, RGB uint8 (218s,178s,3)"""
    mask: NDArray[np.uint8]
    """(218s,178s) of the prepared set: person, background, beyond the photo"""
    landmarks: Landmarks
    """(68,2) in pixels of the frame"""
    attributes: Mapping[str, float]
    """Value in [0,1] of each attribute that the set knows of it"""
    person: str = ""
    """Who it shows; empty where unknown"""
    labels: Labels | None = None
    """(218s,178s) label map, where it was loaded"""


def held_out_frame(frames: FrameSet, index: int) -> HeldOut:
    """One frame, with the attributes that are not NaN."""
    attributes = {
        n: float(v) for n, v in zip(frames.attribute_names, frames.attributes[index], strict=True) if not np.isnan(v)
    }
    labels = None if frames.labels is None else frames.labels[index]
    return HeldOut(
        frames.frames[index], frames.masks[index], frames.landmarks[index], attributes, frames.identities[index], labels
    )


def asked_value(name: str) -> float:
    """What an edit that is measured sets an attribute to: 1, but Young to 0, since CCA-GAN's target is the aged
    face."""
    return 0.0 if name == "Young" else 1.0


def having_and_lacking(held_out: Sequence[HeldOut], name: str, value: float) -> tuple[list[int], list[int]]:
    """Positions of the pictures whose attribute is nearer to `value`, and of those whose is not. Pictures of which it
    is not known, or that are right between, are in neither."""
    present = [k for k, one in enumerate(held_out) if one.attributes.get(name, UNKNOWN) > 0.5]
    absent = [k for k, one in enumerate(held_out) if one.attributes.get(name, UNKNOWN) < 0.5]
    return (present, absent) if value else (absent, present)


def read_frame(frame: Picture, held_out: HeldOut, classify: Classify) -> dict[str, float]:
    """The attributes that independent readers see in a frame: by a classifier, and measured at the landmarks that are
    found in it; at those of the set where no face is found."""
    found = landmarks_near(frame, held_out.landmarks)
    landmarks = held_out.landmarks if found is None else found
    return {**classify([frame])[0], **measure_attributes(frame, landmarks, held_out.mask)}
