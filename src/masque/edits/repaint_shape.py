"""The shape of another portrait as a label map of one's own photo: its parts in one's own pose."""

from __future__ import annotations

import cv2
import numpy as np

from masque.edits.portrait import PortraitSession
from masque.edits.subject import Subject
from masque.faces.bend import face_axes
from masque.faces.carried import Carried, canvas_around, carry, face_width, forehead, sources
from masque.faces.frame import chain, invert
from masque.faces.label_edits import replace_part, resample_labels
from masque.faces.label_shapes import FACE, HAIR
from masque.faces.labels import LABELS, Labels

ALONG_HAIR = 0.08
"""How far from hair, in face widths, the outline of a face is that of its hair."""

TURNED = 30.0
"""Degrees between two heads' yaws from which on a note says that little can be told of the other's shape."""

FAR = "The other portrait is turned by {:.0f} degrees more or less than this one: its shape can hardly be told."


def shape_of(
    session: PortraitSession, subject: Subject, own: Labels, other: Subject, part: str
) -> tuple[Labels, list[str]]:
    """The label map (H,W) of a subject's photo with (a part of) the shape of another face, and notes.

    own: the map (H,W) of the photo as it is. part: as `repaint` has it. Hair is laid over the photo by eyes and mouth;
    eyes, brows, nose, mouth and outline are turned into one's own pose by a 3D model of the landmarks, where it is
    installed. Of skin, hair stays where it is."""
    labels = session.labels(other)
    others = resample_labels(labels, chain(other.matrix, invert(subject.matrix)), own.shape[1::-1])
    notes: list[str] = []
    if session.own is not None and part != "hair":
        shapes = session.own.motion()[0].shapes
        carried = carry(shapes, other.face.landmarks, subject.face.landmarks, jaw=part in ("eyes", "mouth"))
        others = _posed(others, labels, carried, subject, own)
        notes += [FAR.format(carried.turned)] if carried.turned > TURNED else []
    wanted = replace_part(own, others, part)
    if part == "skin":
        hair = (own == HAIR) | (wanted == HAIR)
        wanted[hair] = own[hair]
        # Along hair the face's outline is the hair's, and stays.
        reach = 2 * max(1, round(ALONG_HAIR * face_width(subject.face.landmarks))) + 1
        near = cv2.dilate((own == HAIR).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
        kept = near & ((own == 0) | (wanted == 0))
        wanted[kept] = own[kept]
    return wanted, notes


def _posed(others: Labels, labels: Labels, carried: Carried, subject: Subject, own: Labels) -> Labels:
    """A map (H,W) of a photo whose face is another's as it lies there once it is posed as one's own.

    others: (H,W), the other's map laid over the photo. labels: the other's map of its own photo. own: (H,W)."""
    outline = np.concatenate([carried.onto, forehead(carried.onto)])
    canvas = canvas_around(outline, face_width(subject.face.landmarks), subject.photo)
    field = sources(carried, canvas)
    seen = cv2.remap(labels, field[..., 0], field[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    there = np.unique(seen)
    shares = [
        cv2.resize((seen == one).astype(np.float32), canvas.full, interpolation=cv2.INTER_LINEAR) for one in there
    ]
    face = there[np.argmax(shares, axis=0)].astype(np.uint8)
    inside = np.zeros(own.shape, np.uint8)
    around = np.concatenate([carried.onto[:17], forehead(carried.onto)]).astype(np.float32)
    cv2.fillConvexPoly(inside, np.rint(cv2.convexHull(around)[:, 0]).astype(np.int32), 1)
    # Outside of the posed face nothing is left of where the other one merely lies, but for a high forehead.
    skin = LABELS.index("skin")
    face_axis = face_axes(subject.face.landmarks)[1]
    y, x = np.mgrid[0 : own.shape[0], 0 : own.shape[1]]
    above = x * face_axis[0] + y * face_axis[1] < float((subject.face.landmarks[17:27] @ face_axis).mean())
    beside = np.where(own == HAIR, HAIR, np.where(np.isin(own, FACE), skin, 0))
    result = np.where(np.isin(others, FACE), np.where(above, skin, beside), others).astype(np.uint8)
    left, top, right, bottom = canvas.box
    part, mask = result[top:bottom, left:right], inside[top:bottom, left:right] > 0
    part[mask] = face[mask]
    return result
