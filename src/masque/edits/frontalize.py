"""A photo's person looking straight ahead (FaceFeat-GAN, Fig. 3)."""

from __future__ import annotations

from masque.edits.facefeat import FaceFeatSession
from masque.edits.result import Result
from masque.edits.subject import Photo
from masque.edits.synthesize import modify


def frontalize(session: FaceFeatSession, photo: Photo, pick: int | None = None) -> Result:
    """The photo's person looking straight ahead (Fig. 3). Raises PictureError, NoFaceError."""
    made = modify(session, photo, [0.0], pick=pick)
    return Result(made.picture, {**made.record, "edit": "frontalize"})
