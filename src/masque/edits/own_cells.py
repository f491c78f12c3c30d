"""New pictures of a person from its photo's own pixels: the head turned, the mouth moved, the light and the age changed
a little."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.ageing import ADULT, change_age, read_face
from masque.edits.ageing_tint import Asked
from masque.edits.expression import OPEN, SMILE, change_expression
from masque.edits.mattes import Mattes
from masque.edits.own import SIZE, OwnSession
from masque.edits.subject import Subject, cut_subject
from masque.edits.turn import head_of
from masque.errors import CheckpointError
from masque.faces.change import Change
from masque.faces.frame import Matrix, chain, inside_photo, scale_of, transform, warp, warp_photo, zoom
from masque.faces.regions import HAIR_CROP
from masque.faces.shading import Slopes, relit
from masque.faces.turning import Head, turn_pixels
from masque.image import Picture
from masque.jsonfile import JSON

LARGEST = 512
"""Longest side of a cell in pixels: a cell is as large as the hair crop is in the photo, up to this."""

LARGEST_SHEET, SMALLEST = 4096, 128
"""Pixels that a row of cells has at most, and a cell at least: a sheet of a thousand is no photo."""

MARGIN = 0.15
"""How much of the photo around a cell takes part, as a share of its side: a head that turns is not cut at the rim."""

SHOWN, LEAST_SHARE = 0.98, 0.76
"""How much of a cell the photo has to show, or else the cell is smaller; and how small a share of the hair crop's side
it is at least."""

FACE = (0.5, 0.6)
"""The middle of the face in the hair crop, in shares of its side."""

BRIGHT = 200.0
"""The level in all channels from which a pixel is about to be overexposed."""

OLDER, YOUNGER = 10.0, -7.0
"""Years by which faces are aged at most: a person, and not another time of life, is drawn."""


@dataclass(frozen=True)
class Variation:
    """What a new picture of a person differs in from its photo; None and 0 leave it as it is."""

    yaw: float | None = None
    """Degrees to the picture's right that the head is turned to."""
    mouth: Mapping[str, float] | None = None
    """Smiling and Mouth_Slightly_Open in [0,1]."""
    light: Slopes | None = None
    """(2,): slopes of light that are added, of `masque.faces.shading`."""
    years: float = 0.0
    """Years by which the face is aged."""

    def record(self) -> dict[str, JSON]:
        """What it differs in, as plain values."""
        values: dict[str, JSON] = {}
        if self.yaw is not None:
            values["yaw"] = round(self.yaw, 2)
        if self.mouth is not None:
            values |= {name: round(value, 3) for name, value in self.mouth.items()}
        if self.light is not None:
            values["light"] = [round(slope, 3) for slope in self.light.tolist()]
        if self.years:
            values["years"] = round(self.years, 1)
        return values


def largest_cell(columns: int) -> int:
    """The longest side in pixels of a cell of which a sheet has so many in a row."""
    return min(LARGEST, max(SMALLEST, LARGEST_SHEET // columns))


def shown_share(subject: Subject) -> float:
    """What share of the hair crop's side, around the face, makes a square of which the photo shows all but a little; at
    least LEAST_SHARE."""
    share, size = 1.0, (subject.size, subject.size)
    while share > LEAST_SHARE:
        square = chain(subject.matrix, _around_face(subject.size, share))
        if inside_photo(subject.photo.shape[:2], square, size).mean() >= SHOWN:
            break
        share -= 0.04
    return share


def _around_face(size: int, share: float) -> Matrix:
    """Pixels of the hair crop -> pixels of a square around its face that is `share` as large, enlarged to the same
    size."""
    left, top = (size * (1 - share) * middle for middle in FACE)
    return chain(np.array([[1.0, 0, -left], [0, 1.0, -top]]), zoom(1 / share))


class OwnCells:
    """A subject's hair crop, or what of it the photo shows, as pictures (side,side,3) that differ from its photo."""

    def __init__(self, session: OwnSession, subject: Subject, largest: int = LARGEST) -> None:
        """largest: the longest side of a cell in pixels."""
        share = shown_share(subject)
        own = round(share * subject.size / scale_of(subject.matrix))
        self.side = min(largest, max(subject.size, own))
        self.margin = round(MARGIN * self.side)
        self.session = session
        self.first = subject
        self._from_crop = chain(_around_face(subject.size, share), zoom(self.side / subject.size))
        whole = self.side + 2 * self.margin
        shifted = np.array([[1.0, 0, self.margin], [0, 1.0, self.margin]])
        to_cell: Matrix = chain(subject.matrix, self._from_crop, shifted)
        picture = warp_photo(subject.photo, to_cell, (whole, whole), self.side / HAIR_CROP.side)[0]
        landmarks = transform(subject.face.landmarks, to_cell)
        left, top = landmarks.min(axis=0).astype(int).tolist()
        width, height = np.ptp(landmarks, axis=0).astype(int).tolist()
        face = replace(subject.face, box=(left, top, width, height), landmarks=landmarks)
        self.subject = cut_subject(picture, face, SIZE, subject.name, session.device)

    @cached_property
    def head(self) -> Head:
        """The head, as it is turned. Raises CheckpointError where the weights of expressions are missing."""
        return head_of(self.session.motion()[0], self.subject)

    @cached_property
    def mattes(self) -> Mattes | None:
        """Where hair and skin are; None where no face parser is installed."""
        return self.session.mattes(self.subject) if self.session.parser is not None else None

    @cached_property
    def _ageing(self) -> Mapping[float, Change]:
        """Years -> the change by which the face is so much older or younger; none of a face that may be a child's, and
        where the weights are missing."""
        if self.mattes is None:
            return {}
        with suppress(CheckpointError):
            prototypes, _ = self.session.prototypes()
            read, male = read_face(prototypes, self.first)
            if read >= ADULT:
                return {
                    years: change_age(prototypes, self.subject, self.mattes, Asked(read, read + years, male, 0), False)[
                        0
                    ]
                    for years in (OLDER, YOUNGER)
                }
        return {}

    @cached_property
    def _lit(self) -> NDArray[np.uint8]:
        """Where light may change, over the mattes' box: on hair and skin, but where the photo is overexposed, which
        shows no skin that could be darkened."""
        assert self.mattes is not None
        left, top, right, bottom = self.mattes.box
        part = self.subject.photo[top:bottom, left:right]
        brightest = np.asarray(part.min(axis=2), dtype=np.float32)
        shown = 1 - np.clip((brightest - BRIGHT) / (255 - BRIGHT), 0, 1)
        soft = cv2.GaussianBlur(shown, (0, 0), 0.02 * self.mattes.face_width)
        matte = np.maximum(self.mattes.hair, self.mattes.skin)
        return np.rint(matte * cv2.resize(soft, matte.shape[::-1])).astype(np.uint8)

    def enlarged(self, crop: Picture) -> Picture:
        """A picture of the hair crop (S,S,3), such as a network's, as a cell (side,side,3)."""
        made: Picture = warp(crop, self._from_crop, (self.side, self.side))
        return made

    def picture(self, varied: Variation) -> Picture:
        """The cell (side,side,3) with what a variation asks for; the photo's crop, resampled once, where it is none."""
        photo = self.subject.photo
        change = Change((photo.shape[1], photo.shape[0]))
        for years, ageing in self._ageing.items() if varied.years else ():
            if years * varied.years > 0:
                change = change.then(ageing.scaled(min(1.0, varied.years / years)))
        if varied.light is not None and self.mattes is not None:
            layer = relit("light", varied.light, self.subject.face.landmarks, self.mattes.box, self._lit)
            change = change.then(Change(change.size, (layer,)))
        if varied.mouth:
            asked = {name: float(np.clip(varied.mouth[name], 0, 1)) for name in (SMILE, OPEN) if name in varied.mouth}
            change = change.then(change_expression(self.session.motion()[0], self.subject, change, asked)[0])
        if varied.yaw is not None:
            move, _ = turn_pixels("turn", self.head, varied.yaw - self.head.yaw, 0.0, change.size)
            change = change.then(Change(change.size, (move,)))
        inner = slice(self.margin, self.margin + self.side)
        return np.ascontiguousarray(change.apply(photo)[inner, inner])
