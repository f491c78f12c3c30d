"""What a face has already, on the scales of the edit: where a slider begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from masque.edits.ageing import ADULT, read_face
from masque.edits.ageing_values import AGE, MALE, YOUNG
from masque.edits.expression import read_expression
from masque.edits.hair_colour import colour_shares, own_colour, shown_as
from masque.edits.own import HAIR, SIZE, OwnSession, Value
from masque.edits.subject import Photo, Subject, find_subject
from masque.faces.beard import has_beard
from masque.faces.carried import canvas_around, face_width
from masque.faces.glasses import WORN, wears_glasses
from masque.faces.skin_match import to_lab
from masque.jsonfile import JSON
from masque.models.ageing import OLDEST, YOUNGEST

TOO_YOUNG = "The face reads under {years:.0f}: it is not aged or changed in sex unless you say how old the person is."
NO_HAIR = "Too little hair is seen to tell its colour."
NO_PARSER = "No weights of parser are installed, and hair cannot be found without."


@dataclass(frozen=True)
class Reading:
    """What a face has of each attribute of the edit."""

    expression: Mapping[str, float]
    """`Smiling` and `Mouth_Slightly_Open`, in [0,1]."""
    hair: str | None
    """The colour of its hair as #rrggbb; None where too little is seen, or no face parser is installed."""
    hair_shares: Mapping[str, float]
    """How much that is `Black_Hair`, `Blond_Hair`, `Brown_Hair` and `Gray_Hair`, together about 1; empty without."""
    age: float | None
    """Years, from 18 to 80; None of a face that reads too young to be aged."""
    male: float
    """How male it looks, in [0,1]."""
    glasses: bool
    """Whether it wears glasses; of 433 faces without, 3 % are said to."""
    beard: bool
    """Whether it has a full beard; of 261 faces without, 3 % are said to."""
    notes: list[str] = field(default_factory=list)
    """What could not be read, and why."""

    @property
    def values(self) -> dict[str, Value]:
        """What was read, by the attributes' names, as the edit takes it. Each by itself leaves the photo as it is;
        `Hair` and shares of colours, and `Age` and `Young`, exclude one another."""
        found: dict[str, Value] = {**self.expression, **self.hair_shares, YOUNG: 0.5, MALE: self.male}
        if self.hair is not None:
            found[HAIR] = self.hair
        if self.age is not None:
            found[AGE] = self.age
        return found

    def as_json(self) -> dict[str, JSON]:
        """All of it by name: values of attributes, `Hair` and `Age` None where they are not known, `glasses`, `beard`
        and `notes`."""
        known: dict[str, JSON] = {HAIR: None, AGE: None, **self.values}
        others: dict[str, JSON] = {"glasses": self.glasses, "beard": self.beard, "notes": [*self.notes]}
        return known | others


def read(session: OwnSession, photo: Photo, pick: int | None = None) -> Reading:
    """What a face in a photo has of each attribute that `edit` changes, on the same scales: an edit to what was read
    leaves the photo as it is.

    photo: a path, an open file or its bytes, a Pillow picture, RGB uint8 (H,W,3) of any size, an edit's result, or a
        face that was found already.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Smiles and open mouths are read off landmarks, hair off the photo's pixels, age and sex by prototypes. Raises
    PictureError for a photo that cannot be read, NoFaceError, and CheckpointError where weights that it takes are
    missing; without those of the face parser hair is not read."""
    subject = find_subject(photo, SIZE, pick, session.device)
    motion, (prototypes, _) = session.motion()[0], session.prototypes()
    expression = {name: round(value, 3) for name, value in read_expression(motion, subject).items()}
    age, male = read_face(prototypes, subject)
    hair, shares, notes = _hair(session, subject)
    if age < ADULT:
        notes.append(TOO_YOUNG.format(years=ADULT))
    return Reading(
        expression=expression,
        hair=hair,
        hair_shares=shares,
        age=None if age < ADULT else round(float(np.clip(age, YOUNGEST, OLDEST)), 1),
        male=round(male, 3),
        glasses=wears_glasses(subject.photo, subject.face.landmarks) > WORN,
        beard=_bearded(subject),
        notes=notes,
    )


def _hair(session: OwnSession, subject: Subject) -> tuple[str | None, dict[str, float], list[str]]:
    """The colour of the hair, how much that is each of CelebA's, and why it is not known."""
    if session.parser is None:
        return None, {}, [NO_PARSER]
    colour = own_colour(subject, session.mattes(subject))
    return (None, {}, [NO_HAIR]) if colour is None else (shown_as(colour), colour_shares(colour), [])


def _bearded(subject: Subject) -> bool:
    points = subject.face.landmarks.astype(np.float64)
    canvas = canvas_around(points, face_width(points), subject.photo)
    return has_beard(to_lab(canvas.cut(subject.photo)), canvas.points(points), canvas.width)
