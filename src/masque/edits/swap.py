"""Face swapping (RSGAN Section 3.3), together with attribute editing in the same pass of the network (Fig. 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np

from masque.edits.grey import grey_note, keep_grey, requested_colour
from masque.edits.measures import inputs, measure
from masque.edits.result import Result
from masque.edits.rsgan import CANVAS, RSGANSession, Stitch
from masque.edits.subject import Detail, Photo, Subject, region_mask, set_attributes
from masque.faces.change import change_between
from masque.faces.frame import Matrix, chain, scale_of, warp, warp_photo, zoom
from masque.faces.paste import add_change, feathered_square, paste, soften
from masque.faces.paste import stitch as stitch_in
from masque.faces.regions import HAIR_CROP, Mask
from masque.given import check_choice, values_by_name
from masque.image import Picture
from masque.jsonfile import JSON
from masque.models.rsgan import RSGANLatents


def swap(
    session: RSGANSession,
    face: Photo,
    hair: Photo,
    *,
    attributes: Mapping[str, float] = {},
    stitch: Stitch = "gradient",
    detail: Detail = "keep",
    pick_face: int | None = None,
    pick_hair: int | None = None,
) -> Result:
    """Put the face of one photo into another (RSGAN, Section 3.3).

    face: the photo whose face is taken: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of
        any size.
    hair: the photo that it is put into, in any of these ways.
    attributes: values in [0,1] by name that the face and the hair shall have in place of the estimated ones.
    stitch: `gradient` stitches the face alone into the photo (RSGAN-GD), `none` lays the whole painted crop over it
        (RSGAN).
    detail: `keep` carries the photos' own sharpness over, `network` shows the network's picture.
    pick_face, pick_hair: which of several faces in each photo, from 1 on as `masque faces` lists them; the largest if
        None.

    Returns the whole `hair` photo with the new face, and its record. Raises PictureError for a photo that cannot be
    read, NoFaceError, UnknownAttributeError, ValueRangeError for a value outside [0,1] or a choice that does not
    exist."""
    attributes = values_by_name(attributes)
    check_choice("stitch", stitch, get_args(Stitch))
    check_choice("detail", detail, get_args(Detail))
    source, target = session.subject(face, pick_face), session.subject(hair, pick_hair)
    return swap_found(session, source, target, attributes, stitch, detail)


def swap_found(
    session: RSGANSession,
    source: Subject,
    target: Subject,
    attributes: Mapping[str, float] = {},
    stitch: Stitch = "gradient",
    detail: Detail = "keep",
) -> Result:
    """The swap of two faces that have been found already, cut for the network of `session`.

    source, target: the face that is taken and the one that it replaces. Otherwise as `swap`."""
    c_face = set_attributes(session.estimate(source), session.attributes, attributes)
    c_hair = set_attributes(session.estimate(target), session.attributes, attributes)
    of_face, of_hair = session.encode(source, c_face=c_face), session.encode(target, c_hair=c_hair)
    composed = session.compose(RSGANLatents(of_face.xf, of_face.cf, of_hair.xh, of_hair.ch))[0]
    source_again = session.compose(session.encode(source))[0]
    target_again = session.compose(session.encode(target))[0]
    picture = insert_face(session, source, target, composed, (source_again, target_again), stitch, detail)
    # Stitched in, the face alone is new, and takes the tones of the photo that it comes into.
    coloured = target.grey and stitch == "none"
    colour = requested_colour(attributes, session.shares(target)) if coloured else 0.0
    picture = keep_grey(target, picture, colour)
    values: dict[str, JSON] = {
        "stitch": stitch,
        "detail": detail,
        "attributes": attributes,
        "inputs": inputs(face=source, hair=target),
        **grey_note(target, colour),
        **measure(picture, target, {"face": source, "hair": target}),
    }
    change = target.whole(change_between(target.photo, picture, session.family))
    return Result(picture, session.record("swap", values), change, target.original)


def insert_face(
    session: RSGANSession,
    source: Subject,
    target: Subject,
    composed: Picture,
    reconstructions: tuple[Picture, Picture],
    stitch: Stitch,
    detail: Detail,
) -> Picture:
    """The target's whole photo (H,W,3) with the face of a composed picture in it.

    source, target: the face that is taken and the one that it replaces. composed: the network's picture (S,S,3).
    reconstructions: what the network makes of source and target as they are, which `detail="keep"` compares `composed`
    with. stitch, detail: as `swap` has them."""
    landmarks = session.painted_landmarks(composed, source.landmarks)
    side, matrix = _canvas(target)
    mask = region_mask(target, landmarks, side)
    if detail == "keep":
        overlay = _add_change_to_source(source, composed, reconstructions[0], side)
    else:
        overlay = warp(composed, zoom(side / session.size), (side, side))
    if stitch == "gradient":
        return stitch_in(target.photo, overlay, matrix, mask)
    if detail == "keep":
        crop = _feathered_crop(target, target.size)
        around = add_change(target.photo, reconstructions[1], composed, target.matrix, crop)
        return paste(around, overlay, matrix, soften(mask, side / 16), match=False)
    return paste(target.photo, overlay, matrix, _feathered_crop(target, side))


def _canvas(target: Subject) -> tuple[int, Matrix]:
    """Side of x in the target photo's own pixels (at most 1024), and the transform photo -> x at that size."""
    natural = round(target.size / scale_of(target.matrix))
    side = min(CANVAS, max(target.size, natural))
    return side, chain(target.frame.matrix, HAIR_CROP.to_crop(side, target.frame.scale))


def _add_change_to_source(subject: Subject, composed: Picture, again: Picture, side: int) -> Picture:
    """A subject's own pixels in its hair crop at `side` pixels (side,side,3), with the network's change from `again` to
    `composed`, both (S,S,3), added."""
    own, _ = warp_photo(
        subject.photo, chain(subject.matrix, zoom(side / subject.size)), (side, side), side / HAIR_CROP.side
    )
    full: Mask = np.full((subject.size, subject.size), 255, np.uint8)
    return add_change(own, again, composed, zoom(subject.size / side), full)


def _feathered_crop(target: Subject, side: int) -> Mask:
    """A mask (side,side) of the hair crop with feathered sides, except those that lie wholly beyond the photo."""
    scale = target.frame.scale
    top, bottom = round(HAIR_CROP.top * scale), round((HAIR_CROP.top + HAIR_CROP.side) * scale)
    beyond = ~target.frame.valid[top:bottom]
    left, above, right, below = (not edge.all() for edge in (beyond[:, 0], beyond[0], beyond[:, -1], beyond[-1]))
    return feathered_square(side, sides=(left, above, right, below))
