"""Another portrait's hair put on a person: its strands, in the shape that they have there, and in the colour of the
person's own hair."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.hair_colour import colour_hair
from masque.edits.mattes import Mattes
from masque.edits.own import OwnSession
from masque.edits.subject import Subject
from masque.faces.carried import Carried, canvas_around, carry, face_width, forehead, resampled, sources
from masque.faces.change import Pixels
from masque.faces.dye import HairColour, tones_of
from masque.faces.labels import LABELS, Labels
from masque.faces.outlines import smoothstep
from masque.faces.skin_match import blurred
from masque.faces.strips import Box
from masque.faces.tones import fade
from masque.image import Picture

HAIR = LABELS.index("hair")

AROUND = 1.1
"""How far around the face hair is brought along, in face widths."""

BORNE = (0.15, 0.7)
"""From which distance to the face's outline on, in face widths, hair is no longer bent as the face is, and at which it
is only moved, turned and scaled."""

SURE = (150.0, 245.0)
"""Levels of the matte from which on a pixel's colour is begun to be believed, and is hair's alone."""

NEARBY = 0.03
"""Deviation, in face widths, of the Gaussian by which the colour of hair nearby is found."""

SHAVED = 0.06
"""Area of the hair, in squares of the face's width, below which a head has no colour of hair."""


def worn_hair(session: OwnSession, subject: Subject, other: Subject, landmarks: NDArray[np.generic]) -> Pixels | None:
    """The other's hair on the subject's photo; None where the other has hardly any.

    session: finds hair, and knows how faces are turned. landmarks: the subject's (68,2), where they are to be. Raises
    CheckpointError where weights are missing."""
    mattes, own = session.mattes(other), session.mattes(subject)
    if mattes.hair_seen < SHAVED:
        return None
    photo = other.photo
    if own.hair_seen >= SHAVED:
        photo = colour_hair(other, mattes, _colour_of(subject, own))[0].apply(photo)
    photo = _pure(photo, mattes)
    carried = carry(session.motion()[0].shapes, other.face.landmarks, landmarks)
    box, field = _field(carried, subject)
    ratio = face_width(carried.own) / face_width(carried.other)
    matte = _matte_of(mattes, photo.shape[:2])
    picture = resampled(photo, field, ratio)
    shown = resampled(np.repeat(matte[..., None], 3, axis=2), field, ratio)[..., 0]
    beyond = (
        (field[..., 0] < 0) | (field[..., 1] < 0) | (field[..., 0] > photo.shape[1]) | (field[..., 1] > photo.shape[0])
    )
    shown[beyond] = 0
    return Pixels("hair", box, fade(picture, 0.0) if subject.grey else picture, shown)


def without_other_hair(wanted: Labels, own: Labels, hair: Pixels) -> Labels:
    """The label map (H,W) that a photo needs to have before another's hair is laid over it: own hair stays where that
    covers it or where it was to stay, and grows nowhere.

    wanted, own: (H,W) as asked, and as it is. hair: what will be laid over it."""
    left, top, right, bottom = _within(hair.box, own.shape)
    covered = np.zeros(own.shape, bool)
    rows, columns = slice(top - hair.box[1], bottom - hair.box[1]), slice(left - hair.box[0], right - hair.box[0])
    covered[top:bottom, left:right] = hair.matte[rows, columns] > 127
    result = wanted.copy()
    grown = (wanted == HAIR) & (own != HAIR)
    result[grown] = own[grown]
    stays = (own == HAIR) & covered
    result[stays] = HAIR
    return result


def _within(box: Box, size: tuple[int, ...]) -> Box:
    return max(0, box[0]), max(0, box[1]), min(size[1], box[2]), min(size[0], box[3])


def _colour_of(subject: Subject, mattes: Mattes) -> HairColour:
    """The tones of a subject's hair."""
    left, top, right, bottom = mattes.box
    part = subject.photo[top:bottom, left:right]
    inside = cv2.resize(mattes.hair, part.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 240
    return tones_of(part, inside if inside.sum() > 50 else inside | True)


def _pure(photo: Picture, mattes: Mattes) -> Picture:
    """The photo, at whose hair's rim the colour is that of the hair nearby: there skin and wall are mixed into it, and
    would show as a fringe before others."""
    left, top, right, bottom = mattes.box
    part = photo[top:bottom, left:right].astype(np.float32)
    matte = cv2.resize(mattes.hair, part.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    sure = smoothstep((matte - SURE[0]) / (SURE[1] - SURE[0]))[..., None]
    sigma = NEARBY * mattes.face_width
    near = blurred(part * sure, sigma) / np.maximum(blurred(sure[..., 0], sigma), 1e-3)[..., None]
    result = photo.copy()
    result[top:bottom, left:right] = np.clip(np.rint(near + sure * (part - near)), 0, 255).astype(np.uint8)
    return result


def _matte_of(mattes: Mattes, size: tuple[int, ...]) -> NDArray[np.uint8]:
    """The matte of hair over the whole photo of `size` (height, width)."""
    left, top, right, bottom = mattes.box
    matte = np.zeros(size, np.uint8)
    matte[top:bottom, left:right] = cv2.resize(
        mattes.hair, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
    )
    return matte


def _field(carried: Carried, subject: Subject) -> tuple[Box, NDArray[np.float32]]:
    """A part of the subject's photo around the head, and where in the other's photo each of its pixels comes from,
    (H,W,2): bent as the face is near it, and farther away as the best similarity has it."""
    width = face_width(carried.other)
    outline = np.concatenate([carried.onto, forehead(carried.onto)])
    reach = AROUND * width
    around = np.concatenate([outline, outline.min(axis=0)[None] - reach, outline.max(axis=0)[None] + reach])
    canvas = canvas_around(around, width, subject.photo)
    bent = sources(carried, canvas)
    x, y = canvas.positions()
    straight = _straight(carried, x, y)
    inside = np.zeros(canvas.size[::-1], np.uint8)
    hull = cv2.convexHull(canvas.points(outline).astype(np.float32))[:, 0]
    cv2.fillConvexPoly(inside, np.rint(hull).astype(np.int32), (1,))
    away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3) / canvas.width
    share = smoothstep((away - BORNE[0]) / (BORNE[1] - BORNE[0]))[..., None]
    return canvas.box, canvas.enlarged((bent + share * (straight - bent)).astype(np.float32))


def _straight(carried: Carried, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where points of the subject's photo lie in the other's by the best affine map of the outlines."""
    there = np.concatenate([carried.onto, forehead(carried.onto)])
    here = np.concatenate([carried.own, forehead(carried.own)])
    terms = np.column_stack([there, np.ones(len(there))])
    found = np.linalg.lstsq(terms, here, rcond=None)[0].astype(np.float32)
    return np.stack([found[0, k] * x + found[1, k] * y + found[2, k] for k in (0, 1)], axis=-1).astype(np.float32)
