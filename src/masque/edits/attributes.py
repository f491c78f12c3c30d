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
from masque.edits.moving import Painting, add_painting, moves_of
from masque.edits.parser import ParserSession
from masque.edits.person import Region, edited_mask
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, Shares, Subject, exclude_rivals, named_attributes, set_attributes
from masque.faces.added import difference_between
from masque.faces.change import Change, Move, change_between
from masque.faces.paste import paste
from masque.faces.regions import Mask
from masque.given import check_choice
from masque.image import Picture
from masque.jsonfile import JSON

Paint: TypeAlias = Callable[[Subject, Tensor, Tensor, Shares | None], Painting]
"""What paints a face as it is, and with other attributes. It takes the face, the attributes (1,A) that the face has and
is to have, and the parser's label shares (11,S,S), None without a parser."""


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
    painting, mask = paint(subject, own, wanted, shares), edited_mask(subject, region, shares)
    colour = requested_colour(attributes, shares)
    dyed = _dyed(session, subject, painting, shares) if _asks_for_dye(attributes, rivals, region, detail) else None
    if dyed is not None and shares is not None:
        mask = np.rint(mask * (1 - shares[HAIR])).astype(np.uint8)
    moves, changed = _applied(subject, painting, mask, detail, session.family)
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
    change = subject.whole(_change(subject.photo, moves, picture, session.family))
    return Result(picture, session.record("edit", values), change, subject.original)


def _asks_for_dye(attributes: Mapping[str, float], rivals: Collection[str], region: Region, detail: Detail) -> bool:
    """Whether hair is to get a colour that the network decides and the photo's own strands take on."""
    return detail == "keep" and region != "face" and any(attributes.get(name, 0) > 0 for name in rivals)


def _dyed(
    session: RSGANSession | CCAGANSession, subject: Subject, painting: Painting, shares: Shares | None
) -> tuple[Change, dict[str, JSON]] | None:
    """The change that dyes the photo's hair in the colour that a network painted, and what the record says of it; None
    where no parser finds the hair, or the network painted no other colour. What a network adds to dark hair is fog: it
    knows the colour, and not the strands."""
    if shares is None or subject.grey or not isinstance(session.parser, ParserSession):
        return None
    colour = colour_painted(painting.before, painting.after, shares)
    return None if colour is None else colour_hair(subject, find_mattes(session.parser, subject), colour)


def _applied(
    subject: Subject, painting: Painting, mask: Mask, detail: Detail, name: str
) -> tuple[tuple[Move, ...], Picture]:
    """How an edit moves the subject's photo, which is no layer at all for most networks, and the whole photo (H,W,3)
    with the edit.

    mask: (S,S), where it may show. name: of the layer."""
    if detail == "network":
        return (), paste(subject.photo, painting.bare, subject.matrix, mask)
    moves = moves_of(painting, subject.photo, subject.matrix, mask, name)
    return moves, add_painting(subject.photo, painting, subject.matrix, mask, moves)


def _change(photo: Picture, moves: tuple[Move, ...], edited: Picture, name: str) -> Change:
    """The change from a photo (H,W,3) to an edited one: its pixels moved, and what was painted, called `name`."""
    if not moves:
        return change_between(photo, edited, name)
    moved = Change((photo.shape[1], photo.shape[0]), moves)
    return moved.then(difference_between(moved.apply(photo), edited, name))
