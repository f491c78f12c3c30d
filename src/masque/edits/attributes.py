"""Editing the attributes of a person in a whole photo, whichever network paints them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias, get_args

import numpy as np
from torch import Tensor

from masque.edits.ccagan import CCAGANSession
from masque.edits.grey import grey_note, keep_grey, requested_colour
from masque.edits.hair_colour import colour_hair, colour_painted
from masque.edits.mattes import HAIR, find_mattes
from masque.edits.measures import inputs, measure
from masque.edits.parser import ParserSession
from masque.edits.person import Region, apply_change, edited_mask
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, Shares, Subject, exclude_rivals, named_attributes, set_attributes
from masque.faces.change import Change, change_between
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
    mask = edited_mask(subject, region, shares)
    dyed = _dyed(session, subject, before, after, shares) if _asks_for_dye(attributes, rivals, region, detail) else None
    if dyed is not None and shares is not None:
        mask = np.rint(mask * (1 - shares[HAIR])).astype(np.uint8)
    changed = apply_change(subject, before, after, mask, detail)
    picture = keep_grey(subject, changed if dyed is None else dyed[0].apply(changed), colour)
    values: dict[str, JSON] = {
        "region": region,
        "detail": detail,
        "attributes": dict(attributes),
        "also": also,
        "inputs": inputs(photo=subject),
        "estimated": named_attributes(own, names),
        **({} if dyed is None else {"hair": dyed[1]}),
        **grey_note(subject, colour),
        **measure(picture, subject, {"photo": subject}),
    }
    return Result(picture, session.record("edit", values), change_between(subject.photo, picture, session.family))


def _asks_for_dye(attributes: Mapping[str, float], rivals: Collection[str], region: Region, detail: Detail) -> bool:
    """Whether hair is to get a colour that the network decides and the photo's own strands take on."""
    return detail == "keep" and region != "face" and any(attributes.get(name, 0) > 0 for name in rivals)


def _dyed(
    session: RSGANSession | CCAGANSession, subject: Subject, before: Picture, after: Picture, shares: Shares | None
) -> tuple[Change, dict[str, JSON]] | None:
    """The change that dyes the photo's hair in the colour that a network painted, and what the record says of it; None
    where no parser finds the hair, or the network painted no other colour. What a network adds to dark hair is fog: it
    knows the colour, and not the strands."""
    if shares is None or subject.grey or not isinstance(session.parser, ParserSession):
        return None
    colour = colour_painted(before, after, shares)
    return None if colour is None else colour_hair(subject, find_mattes(session.parser, subject), colour)
