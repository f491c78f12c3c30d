"""A photo's person looking straight ahead (FaceFeat-GAN, Fig. 3)."""

from __future__ import annotations

from masque.edits.facefeat import FaceFeatSession
from masque.edits.modify import modify
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, find_subject
from masque.edits.turn import borne, head_of, turned_pixels
from masque.given import check_choice


def frontalize(session: FaceFeatSession, photo: Photo, pick: int | None = None, *, detail: Detail = "keep") -> Result:
    """A photo's person looking straight ahead (FaceFeat-GAN, Fig. 3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    detail: "keep" turns the photo's own pixels where the head is turned by no more than they bear, 20 degrees;
        "network" always gives the network's picture.

    Returns the whole photo, or the network's picture (S,S,3), and its record, which says under `method` which it is:
    own or network. Raises PictureError for a photo that cannot be read, NoFaceError, ValueRangeError."""
    check_choice("detail", detail, ("keep", "network"))
    if detail == "keep" and session.own is not None:
        subject = find_subject(photo, session.size, pick, session.device)
        motion, weights = session.own.motion()
        head = head_of(motion, subject)
        if borne(head, 0.0):
            made = turned_pixels(subject, head, 0.0, 0.0, weights)
            return Result(made.picture, {**made.record, "edit": "frontalize"}, made.change, made.original)
    result = modify(session, photo, [0.0], pick=pick, detail="network")
    return Result(result.picture, {**result.record, "edit": "frontalize"})
