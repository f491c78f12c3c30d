"""A photo's person as the photo shows it but for pose, expression or light (FaceFeat-GAN, Section 3.3 and Fig. 3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from masque.edits.drawn import mouth_of
from masque.edits.facefeat import FaceFeatSession
from masque.edits.grey import grey_note, keep_cells_grey
from masque.edits.own import OwnSession
from masque.edits.own_cells import OwnCells, Variation, largest_cell
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, Subject
from masque.edits.turn import FARTHEST, borne, head_of
from masque.errors import ValueRangeError
from masque.faces.shading import Slopes, light_slopes
from masque.given import check_choice, number
from masque.image import Picture, grid, to_pictures
from masque.jsonfile import JSON


def modify(
    session: FaceFeatSession,
    photo: Photo,
    yaws: Sequence[float] | None = None,
    expression_from: Photo | None = None,
    light_from: Photo | None = None,
    pick: int | None = None,
    *,
    pose_from: Photo | None = None,
    detail: Detail = "keep",
) -> Result:
    """A photo's person as the photo shows it but for what an argument changes (FaceFeat-GAN, Fig. 3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    yaws: degrees to the picture's right that the head is turned to, within ±60; one picture for each, side by side.
        None keeps the photo's own.
    expression_from: a photo whose expression is taken; on own pixels that of its mouth.
    light_from: a photo whose light is taken; by the network also all else that is neither person, expression nor pose.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    pose_from: a photo whose yaw is taken, in place of `yaws`.
    detail: "keep" moves and tints the photo's own pixels, at the size that its face has there, up to 512, and takes the
        network's picture, enlarged, of a head that is turned farther than they bear; "network" is the network alone.

    Returns the picture or strip, and its record, which says under `method` how each picture was made. Raises
    PictureError for a photo that cannot be read, NoFaceError, ValueRangeError."""
    check_choice("detail", detail, ("keep", "network"))
    if yaws is not None and pose_from is not None:
        raise ValueRangeError("Yaws and a photo to take the pose from exclude one another: leave out one.")
    degrees = None if yaws is None else [number("a yaw", yaw) for yaw in yaws]
    if degrees is not None and (not degrees or not all(abs(yaw) <= FARTHEST for yaw in degrees)):
        raise ValueRangeError(
            f"Heads are turned by up to {FARTHEST:.0f} degrees to either side: name yaws within that."
        )
    subject = session.subject(photo, pick)
    given = {"pose": pose_from, "expression": expression_from, "light": light_from}
    others = {name: session.subject(other) for name, other in given.items() if other is not None}
    own = session.own if detail == "keep" else None
    if "pose" in others:
        degrees = [_yaw_of(session, own, others["pose"])]
    if own is None:
        pictures, colour = _painted(session, subject, others, degrees)
        methods = ["network"] * len(pictures)
    else:
        pictures, methods, colour = _moved(session, own, subject, others, degrees)
    values: dict[str, JSON] = {"photo": subject.name, **{name: other.name for name, other in others.items()}}
    values |= grey_note(subject, colour)
    values["method"] = methods[0] if len(set(methods)) == 1 else [*methods]
    if degrees is not None:
        values["yaws"] = [round(yaw, 2) for yaw in degrees]
    count = len(pictures)
    return Result(grid(pictures, count) if count > 1 else pictures[0], session.record("synthesize", values))


def _yaw_of(session: FaceFeatSession, own: OwnSession | None, other: Subject) -> float:
    """Degrees by which a head is turned, as what turns another to it has them."""
    if own is not None:
        return max(-FARTHEST, min(FARTHEST, head_of(own.motion()[0], other).yaw))
    return math.degrees(float(session.model.E_1.yaw(session.features(other)[1])))


def _painted(
    session: FaceFeatSession, subject: Subject, others: Mapping[str, Subject], degrees: Sequence[float] | None
) -> tuple[list[Picture], float]:
    """The network's pictures, and how much colour they give a black-and-white photo.

    others: subjects whose expression and light are taken, by these names."""
    f_id, f_1, f_2 = session.features(subject)
    E_1 = session.model.E_1
    colour = 0.0
    if "expression" in others:
        f_1 = E_1.with_yaw(session.features(others["expression"])[1], E_1.yaw(f_1))
    if "light" in others:
        f_2 = session.features(others["light"])[2]
        colour = float(not others["light"].grey)  # the colours are in f_2
    if degrees is not None:
        f_1 = torch.cat([E_1.with_yaw(f_1, math.radians(yaw)) for yaw in degrees])
    count = len(f_1)
    pictures = session.pictures(f_id.expand(count, -1), f_1, f_2.expand(count, -1))
    return keep_cells_grey(subject, pictures, colour), colour


def _moved(
    session: FaceFeatSession,
    own: OwnSession,
    subject: Subject,
    others: Mapping[str, Subject],
    degrees: Sequence[float] | None,
) -> tuple[list[Picture], list[str], float]:
    """Pictures of the photo's own pixels where they bear it, the network's, enlarged, elsewhere; how each was made; and
    how much colour the network gives a black-and-white photo."""
    asked = [None] if degrees is None else list(degrees)
    cells = OwnCells(own, subject, largest_cell(len(asked)))
    motion = own.motion()[0]
    mouth = light = None
    if "expression" in others:
        landmarks = np.asarray(others["expression"].face.landmarks, dtype=np.float64)
        mouth = mouth_of(*motion.shown(motion.fitted(landmarks[None]))[0].tolist())
    if "light" in others:
        light = _light_of(others["light"]) - _light_of(subject)
    far = [yaw for yaw in asked if yaw is not None and not borne(cells.head, yaw)]
    painted, colour = _painted(session, subject, others, far) if far else ([], 0.0)
    enlarged = iter(cells.enlarged(one) for one in painted)
    pictures: list[Picture] = []
    methods = []
    for yaw in asked:
        by_network = yaw is not None and not borne(cells.head, yaw)
        pictures.append(next(enlarged) if by_network else cells.picture(Variation(yaw, mouth, light)))
        methods.append("network" if by_network else "own")
    return pictures, methods, colour


def _light_of(subject: Subject) -> Slopes:
    return light_slopes(to_pictures(subject.image)[0], subject.landmarks)
