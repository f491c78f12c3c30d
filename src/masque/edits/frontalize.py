"""A photo's person looking straight ahead (FaceFeat-GAN, Fig. 3)."""

from __future__ import annotations

from masque.edits.facefeat import FaceFeatSession
from masque.edits.result import Result
from masque.edits.subject import Photo
from masque.edits.synthesize import modify


def frontalize(session: FaceFeatSession, photo: Photo, pick: int | None = None) -> Result:
    """A photo's person looking straight ahead (FaceFeat-GAN, Fig. 3).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the picture (S,S,3) and its record. Raises PictureError for a photo that cannot be read, NoFaceError."""
    result = modify(session, photo, [0.0], pick=pick)
    return Result(result.picture, {**result.record, "edit": "frontalize"})
