"""Face swapping (RSGAN Section 3.3), together with attribute editing in the same pass of the network (Fig. 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np

from masque.edits.grey import asked_colour, in_tones, said
from masque.edits.measures import inputs, measure
from masque.edits.result import Result
from masque.edits.rsgan import CANVAS, RSGANSession, Stitch
from masque.edits.subject import Detail, Photo, Subject, region_mask
from masque.faces.frame import Matrix, chain, scale_of, see, warp, zoom
from masque.faces.paste import add_change, feathered_square, paste, soften
from masque.faces.paste import stitch as stitch_in
from masque.faces.regions import HAIR_CROP, Mask
from masque.given import check_choice, values_by_name
from masque.image import Picture
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
    """Put the face of one photo into another.

    face, hair: RGB uint8 (H,W,3) of any size, or paths; the main face of each is taken unless picked by number.
    attributes: values in [0,1] that both parts shall have in place of the estimated ones. stitch: `gradient` stitches
    the face alone into the photo (RSGAN-GD), `none` lays the whole painted crop over it (RSGAN). detail: `keep` carries
    the pixels' own sharpness over. Returns the whole `hair` photo with the new face, and its record. Raises
    PictureError, NoFaceError, UnknownAttributeError, ValueRangeError."""
    attributes = values_by_name(attributes)
    check_choice("stitch", stitch, get_args(Stitch))
    check_choice("detail", detail, get_args(Detail))
    source, target = session.subject(face, pick_face), session.subject(hair, pick_hair)
    wanted = [session.asked(session.estimate(s), attributes) for s in (source, target)]
    f, h = session.encode(source, c_face=wanted[0]), session.encode(target, c_hair=wanted[1])
    own_f, own_h = session.encode(source), session.encode(target)
    composed, source_again, target_again = (
        session.compose(z)[0] for z in (RSGANLatents(f.xf, f.cf, h.xh, h.ch), own_f, own_h)
    )
    picture = put_in(session, source, target, composed, (source_again, target_again), stitch, detail)
    # Stitched in, the face alone is new, and takes the tones of the photo that it comes into.
    colour = asked_colour(attributes, session.shares(target)) if target.grey and stitch == "none" else 0.0
    picture = in_tones(target, picture, colour)
    record = session.record("swap", stitch=stitch, detail=detail, attributes=attributes, inputs=inputs(face=source, hair=target),
                            **said(target, colour),
                            **measure(picture, target, {"face": source, "hair": target}))  # fmt: skip
    return Result(picture, record)


def put_in(
    session: RSGANSession,
    source: Subject,
    target: Subject,
    composed: Picture,
    again: tuple[Picture, Picture],
    stitch: Stitch,
    detail: Detail,
) -> Picture:
    """The target's whole photo with the face of `composed` (S,S,3) in it.

    again: the reconstructions of source and target, which `detail="keep"` compares `composed` with.
    """
    new = session.painted_landmarks(composed, source.landmarks)
    side, matrix = _canvas(target)
    mask = region_mask(target, new, side)
    keep = detail == "keep"
    painted = (
        _on_canvas(source, composed, again[0], side)
        if keep
        else warp(composed, zoom(side / session.size), (side, side))
    )
    if stitch == "gradient":
        return stitch_in(target.photo, painted, matrix, mask)
    if keep:
        around = add_change(target.photo, again[1], composed, target.matrix, _whole(target, target.size))
        return paste(around, painted, matrix, soften(mask, side / 16), match=False)
    return paste(target.photo, painted, matrix, _whole(target, side))


def _canvas(target: Subject) -> tuple[int, Matrix]:
    """Side of x in the target photo's own pixels (at most 1024), and the transform photo -> x at that size."""
    natural = round(target.size / scale_of(target.matrix))
    side = min(CANVAS, max(target.size, natural))
    return side, chain(target.frame.matrix, HAIR_CROP.to_crop(side, target.frame.scale))


def _on_canvas(subject: Subject, composed: Picture, again: Picture, side: int) -> Picture:
    """The subject's own pixels in x at `side`, with the network's change from `again` to `composed` added."""
    own, _ = see(subject.photo, chain(subject.matrix, zoom(side / subject.size)), (side, side), side / HAIR_CROP.side)
    full: Mask = np.full((subject.size, subject.size), 255, np.uint8)
    return add_change(own, again, composed, zoom(subject.size / side), full)


def _whole(target: Subject, side: int) -> Mask:
    """x with feathered sides, except those that lie wholly beyond the photo."""
    left, top, right, bottom = (not cut_off.all() for cut_off in _beyond(target))
    return feathered_square(side, sides=(left, top, right, bottom))


def _beyond(target: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    scale = target.frame.scale
    top, bottom = round(HAIR_CROP.top * scale), round((HAIR_CROP.top + HAIR_CROP.side) * scale)
    invalid = ~target.frame.valid[top:bottom]
    return invalid[:, 0], invalid[0], invalid[:, -1], invalid[-1]
