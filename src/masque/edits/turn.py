"""A head turned on the photo's own pixels, as far as they bear it, and by FaceFeat-GAN beyond."""

from __future__ import annotations

import math

import numpy as np

from masque.edits.measures import described, inputs
from masque.edits.own import SIZE, Method, OwnSession
from masque.edits.result import Result
from masque.edits.subject import Photo, Subject, find_subject
from masque.errors import ValueRangeError
from masque.faces.change import Change
from masque.faces.turning import Head, find_head, turn_pixels
from masque.given import check_choice, number
from masque.jsonfile import JSON
from masque.models.expression import Motion
from masque.version import __version__

FARTHEST = 60.0
"""Degrees: a head turned farther shows another side than any picture that was trained on."""

BORNE = 20.0
"""By how many degrees the photo's own pixels are turned at most, so that a head which looks about straight ahead, to
within what reading its yaw errs, reaches 15: beyond, too much comes into view that the photo does not show."""

RAISED = 10.0
"""By how many degrees a head is raised or lowered at most."""

SEEN = 20.0
"""Degrees to the side up to which a head shows enough of its far side for it to be turned back."""

LESS = "All of the turn would fold the photo over: {share:.0%} of it is made."


def turn(
    session: OwnSession,
    photo: Photo,
    yaw: float | None = None,
    pitch: float = 0.0,
    *,
    method: Method | None = None,
    pick: int | None = None,
    measured: bool = True,
) -> Result:
    """Turn a person's head.

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size; or the result of an
        edit, whose change goes on.
    yaw: degrees to the picture's right that the head is to be turned to, within ±60; 0 looks into the camera. None
        leaves it as it is.
    pitch: degrees by which the head is to be raised from how it is, within ±10: landmarks do not tell how far a head
        is raised.
    method: "own" moves the photo's own pixels, which bear turns by up to 20 degrees; "network" is FaceFeat-GAN's
        picture of the face, of its own size. None takes own where the pixels bear it, and the network beyond.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    measured: whether the record says how near the result is to the photo and which layer made how much of it. A preview
        is quicker without; its pixels are the same.

    Returns the whole photo with its change, or the network's picture, and its record, which says under `method` which
    it is. Raises PictureError for a photo that cannot be read, NoFaceError, ValueRangeError for a turn that is too far
    or none, and CheckpointError where the weights that it takes are missing."""
    asked, pitch = checked_turn(yaw, pitch)
    if method is not None:
        check_choice("method", method, ("own", "network"))
    subject = find_subject(photo, SIZE, pick, session.device)
    motion, weights = session.motion()
    head = head_of(motion, subject)
    if method != "network" and borne(head, asked, pitch):
        return turned_pixels(subject, head, asked, pitch, weights, measured)
    if method == "own" or session.synthesizer is None:
        raise ValueRangeError(f"{_too_far(head)}: ask for less, or for the network's picture.")
    if pitch or asked is None:
        raise ValueRangeError("The network turns heads to the side alone: leave out the pitch, or ask for less.")
    made = session.synthesizer().modify(photo, [asked], pick=pick, detail="network")
    yaws: dict[str, JSON] = {"before": round(head.yaw, 2), "after": round(asked, 2)}
    return Result(made.picture, {**made.record, "edit": "turn", "yaw": yaws})


def checked_turn(yaw: object, pitch: object) -> tuple[float | None, float]:
    """A yaw and a pitch in degrees, as `turn` takes them. Raises ValueRangeError."""
    asked, raised = None if yaw is None else number("yaw", yaw), number("pitch", pitch)
    if abs(asked or 0) > FARTHEST:
        raise ValueRangeError(
            f"yaw is {asked:g}: heads are turned to {FARTHEST:.0f} degrees to either side at most, so name less."
        )
    if abs(raised) > RAISED:
        raise ValueRangeError(
            f"pitch is {raised:g}: heads are raised and lowered by up to {RAISED:.0f} degrees, so name less."
        )
    if asked is None and raised == 0:
        raise ValueRangeError("No turn was asked for: name a yaw, a pitch, or both.")
    return asked, raised


def head_of(motion: Motion, subject: Subject) -> Head:
    """The head of a subject. motion: holds the 3D model of landmarks."""
    landmarks = np.asarray(subject.face.landmarks, dtype=np.float64)
    return find_head(motion.shapes, motion.fitted(landmarks[None]), landmarks)


def borne(head: Head, yaw: float | None, pitch: float = 0.0) -> bool:
    """Whether a photo's own pixels bear that its head is turned to a yaw and raised by a pitch, in degrees.

    What a head shows little of, its far side, cannot be brought to the front."""
    change = 0.0 if yaw is None else yaw - head.yaw
    back = yaw is not None and abs(yaw) < abs(head.yaw)
    return math.hypot(change, pitch) <= BORNE and abs(head.yaw) <= (SEEN if back else SEEN + BORNE)


def nearest_borne(head: Head, yaw: float) -> float:
    """The yaw nearest to one asked for that a photo's own pixels bear, in degrees."""
    nearest = min(max(yaw, head.yaw - BORNE), head.yaw + BORNE)
    return nearest if borne(head, nearest) else head.yaw


def turned_pixels(
    subject: Subject, head: Head, yaw: float | None, pitch: float, weights: str, measured: bool = True
) -> Result:
    """The subject's photo with its head turned to a yaw and raised by a pitch, in degrees, on its own pixels.

    weights: the hash of the 3D model's. measured: as `turn` has it."""
    size = (subject.photo.shape[1], subject.photo.shape[0])
    by = 0.0 if yaw is None else yaw - head.yaw
    move, share = turn_pixels("turn", head, by, pitch, size)
    picture, change = subject.changed(Change(size, (move,)))
    notes: list[JSON] = [LESS.format(share=share)] if share < 1 else []
    record: dict[str, JSON] = {
        "edit": "turn",
        "model": "own",
        "masque": __version__,
        "method": "own",
        "yaw": {"before": round(head.yaw, 2), "after": round(head.yaw + share * by, 2)},
        **({"pitch": round(share * pitch, 2)} if pitch else {}),
        "weights": weights,
        **({"notes": notes} if notes else {}),
        "inputs": inputs(photo=subject),
        **described(picture, change, subject, {"photo": subject}, measured),
    }
    return Result(picture, record, change, subject.original)


def _too_far(head: Head) -> str:
    turned = f"The head is turned to {head.yaw:.0f} degrees to the picture's right, and own pixels"
    if abs(head.yaw) > SEEN:
        return f"{turned} do not show its far side"
    return f"{turned} bear {BORNE:.0f} degrees more or less"
