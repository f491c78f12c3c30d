"""Editing the attributes of a person in a whole photo, whichever network paints them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias, get_args

from torch import Tensor

from masque.edits.ccagan import CCAGANSession
from masque.edits.grey import grey_note, keep_grey, requested_colour
from masque.edits.measures import inputs, measure
from masque.edits.person import Region, apply_change, edited_mask
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, Shares, Subject, exclude_rivals, named_attributes, set_attributes
from masque.faces.change import change_between
from masque.given import check_choice
from masque.image import Picture
from masque.jsonfile import JSON

Paint: TypeAlias = Callable[[Subject, Tensor, Tensor, Shares | None], tuple[Picture, Picture]]
"""What paints a face (S,S,3) as it is, and with other attributes. It takes the face, the attributes (1,A) that the face
has and is to have, and the parser's label shares (11,S,S), None without a parser."""


def edit_attributes(
    session: RSGANSession | CCAGANSession,
    photo: Photo,
    attributes: Mapping[str, float],
    rivals: Collection[str],
    paint: Paint,
    *,
    region: Region,
    detail: Detail,
    pick: int | None,
) -> Result:
    """A photo in which a face has other attributes, and its record.

    rivals: names of attributes of which a head has at most one, the hair colours. paint: the network. All else as the
    verb `edit` has it. Raises PictureError, NoFaceError, UnknownAttributeError, and ValueRangeError for a value outside
    [0,1] or a choice that does not exist."""
    check_choice("region", region, get_args(Region))
    check_choice("detail", detail, get_args(Detail))
    subject, names = session.subject(photo, pick), session.attributes
    own = session.estimate(subject)
    wanted, also = exclude_rivals(set_attributes(own, names, attributes), names, attributes, rivals)
    shares = session.shares(subject)
    before, after = paint(subject, own, wanted, shares)
    colour = requested_colour(attributes, shares)
    changed = apply_change(subject, before, after, edited_mask(subject, region, shares), detail)
    picture = keep_grey(subject, changed, colour)
    values: dict[str, JSON] = {
        "region": region,
        "detail": detail,
        "attributes": dict(attributes),
        "also": also,
        "inputs": inputs(photo=subject),
        "estimated": named_attributes(own, names),
        **grey_note(subject, colour),
        **measure(picture, subject, {"photo": subject}),
    }
    return Result(picture, session.record("edit", values), change_between(subject.photo, picture, session.family))
