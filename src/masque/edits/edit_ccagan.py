"""Attribute editing by image translation (CCA-GAN Section 4.4), of a whole photo."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from masque.edits.attributes import edit_attributes
from masque.edits.ccagan import CCAGANSession, make_edits
from masque.edits.moving import Painting
from masque.edits.person import Region
from masque.edits.result import Result
from masque.edits.subject import Detail, Photo, Shares, Subject
from masque.errors import ValueRangeError
from masque.given import values_by_name
from masque.models.ccagan import HAIR_COLOURS


def edit(
    session: CCAGANSession,
    photo: Photo,
    attributes: Mapping[str, float],
    *,
    region: Region = "both",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """Give a face other attributes and leave the rest alone (CCA-GAN, Section 4.4).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    attributes: values in [0,1] by name, several at once. A hair colour takes the other hair colours back, which the
        record says under `also`.
    region: where the change may show: in the `face`, in the `hair` or in `both`.
    detail: `keep` adds the network's change to the photo's own pixels, `network` shows the network's picture.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the whole photo, edited, and its record. Raises PictureError for a photo that cannot be read, NoFaceError,
    UnknownAttributeError, ValueRangeError for a value outside [0,1], hair colours that exclude one another, or a choice
    that does not exist."""
    attributes = values_by_name(attributes)
    check_hair_colours(attributes)

    def paint(subject: Subject, own: Tensor, wanted: Tensor, shares: Shares | None) -> Painting:
        return make_edits(session, subject, own, [wanted], shares)[0]

    return edit_attributes(session, photo, attributes, HAIR_COLOURS, paint, region=region, detail=detail, pick=pick)


def check_hair_colours(attributes: Mapping[str, float]) -> None:
    """Raise ValueRangeError when the hair colours among attributes are together more than one head's."""
    colours = {name: value for name, value in attributes.items() if name in HAIR_COLOURS}
    if sum(colours.values()) > 1 + 1e-6:
        named = " and ".join(f"{name}={value:g}" for name, value in colours.items() if value > 0)
        raise ValueRangeError(
            f"{named} exclude one another: ask for one hair colour, or for shares that add up to 1 at most."
        )
