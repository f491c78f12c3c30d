"""How a photo changes when it gets another's face: its layers, where the face is seen, and why it cannot be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from masque.edits.own import OwnSession
from masque.edits.subject import Subject
from masque.edits.swap_colours import match_side, paint_face
from masque.edits.swap_mask import opacity, swap_mask
from masque.edits.swap_sides import (
    Side,
    carried_both_ways,
    hair_on,
    look_once,
    make_side,
    mirrored_share,
    needs_mirroring,
    shares_at,
    shares_of,
)
from masque.edits.swap_unseen import painted_side
from masque.faces.beard import beard_outline, has_beard
from masque.faces.carried import Canvas, Carried, canvas_around, face_width, forehead
from masque.faces.change import Change, Pixels
from masque.faces.glasses import WORN, glasses_zone, hides_eyes, wears_glasses
from masque.faces.outlines import filled, hull_of
from masque.faces.shape3d import Floats
from masque.faces.skin_match import Maps, to_lab
from masque.faces.tones import fade
from masque.jsonfile import JSON
from masque.models.expression import Motion

Expression = Literal["source", "target"]
"""Whose expression the face has: its own, or that of the one which it replaces."""

MOST_TURNED = 30.0
"""By how many degrees two heads may be turned apart: farther, the face shows too little of what is to be seen."""

LEAST_SHOWN = 0.7
"""What share of the face between brows and chin has to be seen in both photos, without what stays."""

GLASSES = "The photo's glasses stay, and with them the eyes and brows behind."
DARK_GLASSES = "Dark glasses hide the face's eyes: the photo's eyes and brows stay."
BEARD = "The photo's beard stays, and with it the mouth."


LITTLE = 0.004
"""What share of the face that shows a side has to give to be taken at all."""

MOST_MOVED = 0.8
"""How much of an attribute an expression is moved at most."""


@dataclass(frozen=True)
class Swapped:
    """What of a swap has been found."""

    change: Change | None
    """None where it cannot be done."""
    values: dict[str, JSON]
    """What the record says of it."""
    reason: str = ""
    """Why it cannot be done."""


def find_swap(session: OwnSession, source: Subject, target: Subject, expression: Expression) -> Swapped:
    """How the target's photo changes when it gets the source's face."""
    motion, weights = session.motion()
    there = target.face.landmarks
    moved = expressed(motion, source, target) if expression == "target" else source.face.landmarks.astype(np.float64)
    carried, opposite = carried_both_ways(motion.shapes, source, moved, there)
    values: dict[str, JSON] = {
        "expression_of": expression,
        "weights": weights,
        "turned_apart": round(carried.turned, 1),
        "mirrored": carried.mirror is not None,
    }
    if carried.turned > MOST_TURNED:
        return Swapped(None, values, f"The heads are turned {carried.turned:.0f}° apart")
    canvas = _canvas(carried, target)
    ratio = face_width(carried.own) / face_width(carried.other)  # pixels of the source per pixel of the target
    mattes = session.mattes(target)
    looked = look_once(session.require_parser(), source, session.require_parser().size)
    others, photo = shares_at(shares_of(mattes), *canvas.positions()), to_lab(canvas.cut(target.photo))
    side = make_side(carried, canvas, source, looked, ratio)
    sides, own = [side], side.seen
    if needs_mirroring(side, canvas):
        back = make_side(opposite, canvas, source, looked, ratio)
        sides.append(replace(back, share=mirrored_share(side, back, canvas)))
        own = np.maximum(own, sides[1].share * back.seen)
    sides += _painted(session, source, target, side, own, others, canvas)
    seen = np.max([own, *(one.seen for one in sides if one.painted)], axis=0)
    kept, notes = _kept((source, target), canvas, side, photo)
    shown = swap_mask(carried, canvas, others, seen, hair_on(mattes, canvas), kept)
    needed = (hull_of(canvas.points(carried.other[17:]), canvas.size) > 0) & (kept == 0)
    share = float(((shown > 0) & (own > 0.5))[needed].mean()) if needed.any() else 0.0
    if share < LEAST_SHOWN:
        return Swapped(None, values, "Too little of a face is seen")
    values["painted"] = round(float((_painted_share(sides) * (shown > 0)).sum() / max(1, shown.sum())), 3)
    taken = [float((one.share * (shown > 0)).sum()) / max(1, int(shown.sum())) for one in sides]
    sides = [one for one, much in zip(sides, taken, strict=True) if much > LITTLE]
    matches = [match_side(one, photo, others, canvas, shown) for one in sides]
    matte = np.rint(255 * np.clip(canvas.enlarged(opacity(shown, carried, canvas)), 0, 1)).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(matte)
    part = (x, y, x + width, y + height)
    picture = paint_face(source, target, canvas, sides, matches, ratio, part)
    left, top = canvas.box[0] + x, canvas.box[1] + y
    layer = Pixels(
        "face",
        (left, top, left + width, top + height),
        fade(picture, 0.0) if target.grey else picture,
        np.ascontiguousarray(matte[y : y + height, x : x + width]),
    )
    values |= {"shown": round(share, 3), **({"notes": list[JSON](notes)} if notes else {})}
    return Swapped(Change((target.photo.shape[1], target.photo.shape[0]), (layer,)), values)


def _painted_share(sides: Sequence[Side]) -> Maps | float:
    """How far each pixel is a network's, (h,w)."""
    return next((side.share for side in sides if side.painted), 0.0)


def _painted(
    session: OwnSession, source: Subject, target: Subject, side: Side, seen: Maps, others: Maps, canvas: Canvas
) -> list[Side]:
    """What RSGAN paints of the face that it does not show; nothing where that is little or there are no weights."""
    network = session.swapper() if session.paint_unseen else None
    made = None if network is None else painted_side(network, source, target, side, seen, others, canvas)
    return [] if made is None else [made]


def _canvas(carried: Carried, target: Subject) -> Canvas:
    points = np.concatenate([carried.onto, carried.other, forehead((carried.onto + carried.other) / 2)])
    return canvas_around(points, face_width(carried.other), target.photo)


def expressed(motion: Motion, source: Subject, target: Subject) -> Floats:
    """The source's landmarks (68,2) with the target's expression, in its own photo."""
    landmarks = np.stack([source.face.landmarks, target.face.landmarks]).astype(np.float64)
    fits = [motion.fitted(one[None]) for one in landmarks]
    own, other = (motion.shown(one)[0] for one in fits)
    amounts = np.clip(np.clip(other, 0, 1) - np.clip(own, 0, 1), -MOST_MOVED, MOST_MOVED)
    moved: Floats = landmarks[0] + motion.displacements(fits[0], amounts)[0]
    return moved


def _kept(subjects: tuple[Subject, Subject], canvas: Canvas, side: Side, photo: Maps) -> tuple[Maps, list[str]]:
    """What the photo keeps whole, 1 there, (h,w), and why: glasses, eyes in place of which the face has dark glasses,
    and a beard that the face has not.

    subjects: the face that is taken, as `side` has it, and the photo's. photo: CIELAB (h,w,3) of the photo."""
    kept, notes = np.zeros(canvas.size[::-1], np.float32), []
    carried, own = side.carried, to_lab(side.picture)
    points, onto = canvas.points(carried.other), canvas.points(carried.onto)
    glasses = [wears_glasses(one.photo, one.face.landmarks) > WORN for one in subjects]
    dark = glasses[0] and hides_eyes(own[..., 0], onto)
    if glasses[1] or dark:
        zones = [points, onto] if dark else [points]  # of the face's own dark glasses nothing is to show
        kept = np.max([kept, *(filled(glasses_zone(at), canvas.size) for at in zones)], axis=0)
        notes.append(GLASSES if glasses[1] else DARK_GLASSES)
    bearded = [has_beard(lab, at, canvas.width) for lab, at in ((own, onto), (photo, points))]
    if bearded == [False, True]:
        kept = np.maximum(kept, filled(beard_outline(points), canvas.size))
        notes.append(BEARD)
    return kept, notes
