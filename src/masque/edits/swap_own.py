"""Face swapping by the photos' own pixels: the face is posed as the other one, bent onto it, and gets its skin's colour
and light. Nothing is painted; texture stays that of the face, and hair, glasses and all around it the photo's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from masque.edits.grey import grey_note
from masque.edits.layers import layer_shares
from masque.edits.measures import inputs, measure
from masque.edits.own import SIZE, OwnSession, Value, checked_values, edit
from masque.edits.result import Result
from masque.edits.subject import Photo, Subject, find_subject
from masque.edits.swap import swap as swap_by_network
from masque.edits.swap_colours import match_side, paint_face
from masque.edits.swap_mask import SKIN, opacity, swap_mask
from masque.edits.swap_sides import (
    carried_both_ways,
    hair_on,
    look_once,
    make_side,
    mirrored_share,
    needs_mirroring,
    shares_at,
    shares_of,
)
from masque.edits.warp import swap_by_warping
from masque.faces.beard import beard_outline, has_beard
from masque.faces.carried import Canvas, Carried, canvas_around, face_width, forehead
from masque.faces.change import Change, Pixels
from masque.faces.glasses import WORN, glasses_zone, wears_glasses
from masque.faces.outlines import filled, hull_of
from masque.faces.shape3d import Floats
from masque.faces.skin_match import Maps, to_lab
from masque.faces.tones import fade
from masque.given import check_choice
from masque.jsonfile import JSON
from masque.models.expression import Motion
from masque.version import __version__

Expression = Literal["source", "target"]
"""Whose expression the face has: its own, or that of the one which it replaces."""

MOST_TURNED = 20.0
"""By how many degrees two heads may be turned apart: farther, the face shows too little of what is to be seen."""

LEAST_SHOWN = 0.7
"""What share of the face between brows and chin has to be seen in both photos, without what stays."""

GLASSES = "The photo's glasses stay, and with them the eyes and brows behind."
BEARD = "The photo's beard stays, and with it the mouth."


@dataclass(frozen=True)
class _Found:
    """What of a swap has been found."""

    change: Change | None
    """None where it cannot be done."""
    values: dict[str, JSON]
    """What the record says of it."""
    reason: str = ""
    """Why it cannot be done."""


def swap(
    session: OwnSession,
    face: Photo,
    hair: Photo,
    *,
    attributes: Mapping[str, Value] = {},
    expression: Expression = "source",
    pick_face: int | None = None,
    pick_hair: int | None = None,
) -> Result:
    """Put the face of one photo into another by moving and tinting its own pixels.

    face: the photo whose face is taken: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of
        any size.
    hair: the photo that it is put into, in any of these ways.
    attributes: what is edited after the swap, as `edit` has it; nothing if empty.
    expression: `source` keeps the face's own, `target` gives it that of the face which it replaces.
    pick_face, pick_hair: which of several faces in each photo, from 1 on as `masque faces` lists them; the largest if
        None.

    Returns the whole `hair` photo with the new face, its change, and its record. Where the heads are turned too far
    apart or too little of a face is seen, the network swaps them, or without its weights the landmarks alone do, and
    the record's `method` and `notes` say so. Raises PictureError for a photo that cannot be read, NoFaceError,
    UnknownAttributeError, ValueRangeError for a value outside its range or a choice that does not exist, and
    CheckpointError where weights that it takes are missing."""
    check_choice("expression", expression, get_args(Expression))
    values = checked_values(attributes)
    source = find_subject(face, SIZE, pick_face, session.device)
    target = find_subject(hair, SIZE, pick_hair, session.device)
    found = _find(session, source, target, expression)
    if found.change is None:
        result = _by_next_method(session, face, hair, (pick_face, pick_hair), found)
    else:
        result = _finished(session, source, target, found.change, found.values)
    return _edited(session, result, values, source, target) if values else result


def _finished(
    session: OwnSession, source: Subject, target: Subject, change: Change, values: Mapping[str, JSON]
) -> Result:
    picture, whole = target.changed(change)
    record: dict[str, JSON] = {
        "edit": "swap",
        "model": session.family,
        "masque": __version__,
        "method": "own",
        **values,
        "layers": layer_shares(whole, target.original.photo),
        "inputs": inputs(face=source, hair=target),
        **grey_note(target),
        **measure(picture, target, {"face": source, "hair": target}),
    }
    return Result(picture, record, whole, target.original)


def _by_next_method(
    session: OwnSession, face: Photo, hair: Photo, picks: tuple[int | None, int | None], found: _Found
) -> Result:
    """The swap by RSGAN, or without its weights by the landmarks alone, and why."""
    network = session.swapper()
    if network is not None:
        result, method = swap_by_network(network, face, hair, pick_face=picks[0], pick_hair=picks[1]), "network"
    else:
        result, method = swap_by_warping(face, hair, pick_face=picks[0], pick_hair=picks[1]), "warp"
    note = f"{found.reason}, so the faces were swapped by --method {method}."
    apart = {"turned_apart": found.values["turned_apart"]}
    record = {**result.record, "method": method, **apart, "notes": [note, *result.texts("notes")]}
    return Result(result.picture, record, result.change, result.original)


def _edited(
    session: OwnSession, swapped: Result, values: Mapping[str, Value], source: Subject, target: Subject
) -> Result:
    """A swap that is edited afterwards; both are one change of the photo."""
    result = edit(session, swapped, values)
    own = ("edit", "model", "masque", "weights", "inputs", "notes")
    record = {
        **swapped.record,
        **{name: value for name, value in result.record.items() if name not in own},
        "notes": [*swapped.texts("notes"), *result.texts("notes")],
        **measure(result.picture, target, {"face": source, "hair": target}),
    }
    return Result(result.picture, record, result.change, result.original)


def _find(session: OwnSession, source: Subject, target: Subject, expression: Expression) -> _Found:
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
        return _Found(None, values, f"The heads are turned {carried.turned:.0f}° apart")
    canvas = _canvas(carried, target)
    ratio = face_width(carried.own) / face_width(carried.other)  # pixels of the source per pixel of the target
    mattes = session.mattes(target)
    looked = look_once(session.require_parser(), source, session.require_parser().size)
    others, photo = shares_at(shares_of(mattes), *canvas.positions()), to_lab(canvas.cut(target.photo))
    side = make_side(carried, canvas, source, looked, ratio)
    mirrored, seen, sides = np.zeros(canvas.size[::-1], np.float32), side.seen, [side]
    if needs_mirroring(side, canvas):
        back = make_side(opposite, canvas, source, looked, ratio)
        mirrored = mirrored_share(side, back, canvas)
        seen, sides = np.maximum(seen, mirrored * back.seen), [side, back]
    kept, notes = _kept(target, canvas, carried, (to_lab(side.picture), side.shares), (photo, others))
    shown = swap_mask(carried, canvas, others, seen, hair_on(mattes, canvas), kept)
    needed = (hull_of(canvas.points(carried.other[17:]), canvas.size) > 0) & (kept == 0)
    share = float(shown[needed].mean()) if needed.any() else 0.0
    if share < LEAST_SHOWN:
        return _Found(None, values, "Too little of a face is seen")
    if float(mirrored[shown > 0].max(initial=0)) < 0.5:
        sides = sides[:1]
    matches = [match_side(one, photo, others, canvas, shown) for one in sides]
    picture = paint_face(source, target, canvas, sides, matches, mirrored, ratio)
    alpha = canvas.enlarged(opacity(shown, carried, canvas))
    matte = np.rint(255 * np.clip(alpha, 0, 1)).astype(np.uint8)
    layer = Pixels("face", canvas.box, fade(picture, 0.0) if target.grey else picture, matte)
    values |= {"shown": round(share, 3), **({"notes": list[JSON](notes)} if notes else {})}
    return _Found(Change((target.photo.shape[1], target.photo.shape[0]), (layer,)), values)


def _canvas(carried: Carried, target: Subject) -> Canvas:
    points = np.concatenate([carried.onto, carried.other, forehead((carried.onto + carried.other) / 2)])
    return canvas_around(points, face_width(carried.other), target.photo)


MOST_MOVED = 0.8
"""How much of an attribute an expression is moved at most."""


def expressed(motion: Motion, source: Subject, target: Subject) -> Floats:
    """The source's landmarks (68,2) with the target's expression, in its own photo."""
    landmarks = np.stack([source.face.landmarks, target.face.landmarks]).astype(np.float64)
    fits = [motion.fitted(one[None]) for one in landmarks]
    own, other = (motion.shown(one)[0] for one in fits)
    amounts = np.clip(np.clip(other, 0, 1) - np.clip(own, 0, 1), -MOST_MOVED, MOST_MOVED)
    moved: Floats = landmarks[0] + motion.displacements(fits[0], amounts)[0]
    return moved


def _kept(
    target: Subject, canvas: Canvas, carried: Carried, own: tuple[Maps, Maps], other: tuple[Maps, Maps]
) -> tuple[Maps, list[str]]:
    """What the photo keeps whole, 1 there, (h,w), and why: glasses, and a beard that the face has not.

    own, other: CIELAB (h,w,3) and label shares (11,h,w) of both faces."""
    kept, notes = np.zeros(canvas.size[::-1], np.float32), []
    points = canvas.points(carried.other)
    if wears_glasses(target.photo, target.face.landmarks) > WORN:
        kept = np.maximum(kept, filled(glasses_zone(points), canvas.size))
        notes.append(GLASSES)
    bearded = [
        has_beard(lab, shares[SKIN].sum(axis=0) > 0.5, canvas.points(landmarks), canvas.width)
        for (lab, shares), landmarks in ((own, carried.onto), (other, carried.other))
    ]
    if bearded == [False, True]:
        kept = np.maximum(kept, filled(beard_outline(points), canvas.size))
        notes.append(BEARD)
    return kept, notes
