"""Attribute editing of the face, the hair or both (RSGAN Section 4, Fig. 6)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from masque.edits.attributes import edit_attributes
from masque.edits.moving import Painting, painting_of
from masque.edits.person import Region
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, Shares, Subject
from masque.given import values_by_name
from masque.models.rsgan import HAIR_ONLY


def edit(
    session: RSGANSession,
    photo: Photo,
    attributes: Mapping[str, float],
    *,
    region: Region = "both",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """Give a face, its hair or both other attributes (RSGAN, Section 4).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    attributes: values in [0,1] by name. A hair colour takes the other hair colours back, which the record says under
        `also`.
    region: what gets them: `face`, `hair` or `both`.
    detail: `keep` adds the network's change to the photo's own pixels, `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the whole photo, edited, and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    UnknownAttributeError, ValueRangeError for a value outside [0,1] or a choice that does not exist."""
    attributes = values_by_name(attributes)

    def paint(subject: Subject, _own: Tensor, wanted: Tensor, _shares: Shares | None) -> Painting:
        latents = session.encode(
            subject, c_face=wanted if region != "hair" else None, c_hair=wanted if region != "face" else None
        )
        return painting_of(session.compose(session.encode(subject))[0], session.compose(latents)[0])

    return edit_attributes(session, photo, attributes, HAIR_ONLY, paint, region=region, detail=detail, pick=pick)
