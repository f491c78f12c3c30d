"""Faces made older or younger, more male or more female, on the photo's own pixels, by prototypes of age and sex
(Rowland and Perrett 1995; Tiddeman, Burt and Perrett 2001)."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from masque.edits.ageing_parts import FaceParts, face_parts
from masque.edits.ageing_sex import make_female, make_male
from masque.edits.ageing_tint import (
    Asked,
    Tint,
    add_difference,
    add_lines,
    begin,
    buffer,
    grey_beard_and_brows,
    make_younger,
    pale_shades,
)
from masque.edits.hair_colour import TOO_LITTLE
from masque.edits.mattes import Mattes
from masque.edits.subject import Subject
from masque.errors import TooYoungError
from masque.faces.bend import bend, turned
from masque.faces.change import Change, Grey, Layer, Move, Shift
from masque.faces.frame import similarity
from masque.faces.greying import greying
from masque.faces.mean_face import INNER, Maps
from masque.jsonfile import JSON
from masque.models.ageing import Prototypes

OLDER, YOUNGER = 1.5, 1.3
"""How much more than the groups' difference in shape is taken for older and younger faces: averages are flattened."""
OTHER_SEX = 1.1
"""The same for sex."""
ADULT = 25.0
"""Years under which a face that reads so is left alone, unless the user says how old the person is."""
GREYS_FROM, GREYS_OVER = 32.0, 38.0
"""Years at which hair begins to turn grey, and over which it does."""
SMALL = 80.0
"""Pixels across the face under which fine lines fade out: a face of so few shows none."""
MOST_TURNED = 0.4
"""How far the nose may lie from the middle between the sides of the jaw, in half face widths, for all of it; it fades
to a half at twice that."""
LIKE_SKIN = 1e-3
"""Changes of ln(L + 8), and a hundredth of those of a and b, below which a pixel stays as it is."""

FARTHEST = 0.38
"""Squared distance of dlib's embeddings from which it is done at less strength; from 0.36 on two pictures are rather
of two people."""
LESS = (1.0, 0.8, 0.6)
"""The strengths that are tried, one after the other."""

LOST = "At full strength the person would hardly be known any more: it is done at less."
BEARD = "A beard stays when a face is made more female: it is done at less strength."
TURNED = "The face is turned: it is done at less strength."
TOO_SMALL = "The face is small: it gets no fine lines."


def read_face(prototypes: Prototypes, subject: Subject) -> tuple[float, float]:
    """The age in years that a face reads, and how male it looks, in [0,1]."""
    seen = np.concatenate([[1.0], subject.embedding.astype(np.float64)]) @ buffer(prototypes, "reader")
    return float(np.clip(seen[0], 1, 100)), float(np.clip(2 * (seen[1] - 0.5) + 0.5, 0, 1))


def check_adult(read: float, stated: float | None) -> None:
    """Raise TooYoungError for a face that reads younger than ADULT where no age is stated."""
    if stated is None and read < ADULT:
        raise TooYoungError(
            f"This face reads {int(read)} years old, and faces that read under {ADULT:.0f} are not aged, made younger "
            "or changed in sex: if this is an adult, say how old with --age."
        )


def identity_lost(measures: Mapping[str, JSON]) -> bool:
    """Whether by the measures of an edit (`masque.edits.measures.measure`) its face is no longer known."""
    distances = measures["identity_distance"]
    assert isinstance(distances, Mapping)
    return float(str(distances["photo"])) > FARTHEST


def change_age(
    prototypes: Prototypes, subject: Subject, mattes: Mattes, asked: Asked, hair: bool = True
) -> tuple[Change, list[str]]:
    """The change by which a face looks another age or sex, and where it is done at less strength.

    asked: what it is and what it is to become; ages beyond those that prototypes know are held there. hair: whether
    hair may turn grey, which where it is dyed it may not."""
    size = (subject.photo.shape[1], subject.photo.shape[0])
    mean = buffer(prototypes, "points")
    parts = mattes.found.once(("face parts", mean.tobytes()), lambda: face_parts(subject, mattes, mean))
    notes = []
    held = _held(subject)
    if held < 1:
        notes.append(TURNED)
    lines = float(np.clip(mattes.face_width / SMALL - 0.2, 0, 1))
    if lines < 0.6 and asked.target > asked.years:
        notes.append(TOO_SMALL)
    if asked.more_male < 0 and parts.bearded > 0.3:
        notes.append(BEARD)
    grey = _greyness(asked)
    tint = _tinted(parts, prototypes, asked, lines, grey)
    layers: list[Layer] = [_shift(tint, parts, subject.grey)]
    if hair and grey > 0:
        ears = subject.face.landmarks[[0, 16]]
        light = _lightness(subject, mattes)
        strands = greying("grey hair", light, mattes.box, mattes.hair, mattes.face_width, ears, grey)
        layers += [strands] if strands is not None and mattes.hair_seen >= TOO_LITTLE else []
    if subject.grey:
        layers.append(Grey("black and white", mattes.box))
    layers.append(_moved(subject, prototypes, asked))
    return Change(size, tuple(layers)).scaled(held), notes


def _tinted(parts: FaceParts, prototypes: Prototypes, asked: Asked, lines: float, grey: float) -> Tint:
    """The face's colours as they become."""
    tint = begin(parts)
    add_difference(tint, parts, prototypes, asked)
    if asked.target > asked.years:
        add_lines(tint, parts, prototypes, asked, lines)
    elif asked.target < asked.years:
        make_younger(tint, parts, asked)
    if asked.more_male > 0:
        make_male(tint, parts, prototypes, asked.more_male)
    elif asked.more_male < 0:
        make_female(tint, parts, -asked.more_male)
    pale_shades(tint, parts)
    if grey > 0:
        grey_beard_and_brows(tint, parts, grey)
    return tint


def _lightness(subject: Subject, mattes: Mattes) -> Maps:
    """L of the part of the photo with head and hair, at the size of the label shares."""
    left, top, right, bottom = mattes.box
    size = mattes.shares.shape[:0:-1]
    small = cv2.resize(subject.photo[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    return np.ascontiguousarray(lab[..., 0], dtype=np.float32)


def _shift(tint: Tint, parts: FaceParts, black_and_white: bool) -> Shift:
    """The layer of a tint."""
    field = np.concatenate([(tint.light - parts.light)[..., None], tint.colour - parts.lab[..., 1:]], axis=2)
    if black_and_white:
        field[..., 1:] = 0
    still = (np.abs(field) < (LIKE_SKIN, 100 * LIKE_SKIN, 100 * LIKE_SKIN)).all(axis=2) | (parts.on_face == 0)
    field[still] = 0
    return Shift("skin", parts.box, np.full((2, 2), 255, np.uint8), np.ascontiguousarray(field, dtype=np.float32))


def _greyness(asked: Asked) -> float:
    """How much of the hair turns grey, in [0,1]."""
    if asked.target <= asked.years:
        return 0.0
    target = float(np.clip((asked.target - GREYS_FROM) / GREYS_OVER, 0, 0.95))
    return max(0.0, target - float(np.clip((asked.years - GREYS_FROM) / GREYS_OVER, 0, 0.9)))


def _moved(subject: Subject, prototypes: Prototypes, asked: Asked) -> Move:
    """How the landmarks move: as groups differ in shape, in the face's own frame."""
    landmarks = subject.face.landmarks.astype(np.float64)
    mean = buffer(prototypes, "points")
    by_age = Asked(asked.years, asked.target, asked.male, 0.0).contrast
    by_sex = asked.contrast - by_age
    more = OLDER if asked.target > asked.years else YOUNGER
    shape = np.tensordot(more * by_age + OTHER_SEX * by_sex, buffer(prototypes, "shape"), 1)
    turn = similarity(mean[INNER], landmarks[INNER])[:, :2]
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    return bend("age", landmarks, shape @ turn.T, landmarks[27:36].mean(axis=0), width)


def _held(subject: Subject) -> float:
    """How much of a change a head bears as it is turned, from 1 to ½."""
    return float(np.clip(1.5 - 0.5 * turned(subject.face.landmarks.astype(np.float64)) / MOST_TURNED, 0.5, 1))
