"""Face swapping by the photos' own pixels: the face is posed as the other one, bent onto it, and gets its skin's colour
and light. Texture stays that of the face, and hair, glasses and all around it the photo's."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

from masque.edits.grey import grey_note
from masque.edits.measures import described, inputs
from masque.edits.own import SIZE, OwnSession, Value, checked_values, edit
from masque.edits.result import Result
from masque.edits.subject import Photo, Subject, cut_again, find_subject
from masque.edits.swap import swap_found
from masque.edits.swap_change import Expression, Swapped, find_swap
from masque.edits.warp import warp_found
from masque.given import check_choice
from masque.jsonfile import JSON
from masque.version import __version__


def swap(
    session: OwnSession,
    face: Photo,
    hair: Photo,
    *,
    attributes: Mapping[str, Value] = {},
    expression: Expression = "source",
    pick_face: int | None = None,
    pick_hair: int | None = None,
    measured: bool = True,
) -> Result:
    """Put the face of one photo into another by moving and tinting its own pixels.

    face: the photo whose face is taken: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of
        any size.
    hair: the photo that it is put into, in any of these ways.
    attributes: what is edited after the swap, as `edit` has it; nothing if empty.
    expression: `source` keeps the face's own, `target` gives it that of the face which it replaces.
    pick_face, pick_hair: which of several faces in each photo, from 1 on as `masque faces` lists them; the largest if
        None.
    measured: whether the record says how near the result is to the photos and which layer made how much of it. A
        preview is quicker without; its pixels are the same.

    Returns the whole `hair` photo with the new face, its change, and its record. Where the heads are turned too far
    apart or too little of a face is seen, the network swaps them, or without its weights the landmarks alone do, and
    the record's `method` and `notes` say so. Raises PictureError for a photo that cannot be read, NoFaceError,
    UnknownAttributeError, ValueRangeError for a value outside its range or a choice that does not exist, and
    CheckpointError where weights that it takes are missing."""
    check_choice("expression", expression, get_args(Expression))
    values = checked_values(attributes)
    with ThreadPoolExecutor(2) as pool:  # both photos at once, and what the record says of them besides
        asked = ((face, pick_face), (hair, pick_hair))
        subjects = [pool.submit(find_subject, photo, SIZE, pick, session.device) for photo, pick in asked]
        source, target = (subject.result() for subject in subjects)
        embeddings = [pool.submit(getattr, subject, "embedding") for subject in (source, target) if measured]
        found = find_swap(session, source, target, expression)
        for embedding in embeddings:
            embedding.result()
    if found.change is None:
        result = _by_next_method(session, source, target, found)
    else:
        result = _finished(session, source, target, found, measured and not values)
    return _edited(session, result, values, source, target, measured) if values else result


def _finished(session: OwnSession, source: Subject, target: Subject, found: Swapped, measured: bool) -> Result:
    assert found.change is not None
    picture, whole = target.changed(found.change)
    record: dict[str, JSON] = {
        "edit": "swap",
        "model": session.family,
        "masque": __version__,
        "method": "own",
        **found.values,
        "inputs": inputs(face=source, hair=target),
        **grey_note(target),
        **described(picture, whole, target, {"face": source, "hair": target}, measured),
    }
    return Result(picture, record, whole, target.original)


def _by_next_method(session: OwnSession, source: Subject, target: Subject, found: Swapped) -> Result:
    """The swap by RSGAN, or without its weights by the landmarks alone, and why."""
    network = session.swapper()
    if network is not None:
        face, hair = (cut_again(one, network.size, network.device) for one in (source, target))
        result, method = swap_found(network, face, hair), "network"
    else:
        result, method = warp_found(source, target), "warp"
    note = f"{found.reason}, so the faces were swapped by --method {method}."
    apart = {"turned_apart": found.values["turned_apart"]}
    record = {**result.record, "method": method, **apart, "notes": [note, *result.texts("notes")]}
    return Result(result.picture, record, result.change, result.original)


def _edited(
    session: OwnSession,
    swapped: Result,
    values: Mapping[str, Value],
    source: Subject,
    target: Subject,
    measured: bool,
) -> Result:
    """A swap that is edited afterwards; both are one change of the photo."""
    result = edit(session, swapped, values, measured=False)
    assert result.change is not None
    own = ("edit", "model", "masque", "weights", "inputs", "notes")
    record = {
        **swapped.record,
        **{name: value for name, value in result.record.items() if name not in own},
        "notes": [*swapped.texts("notes"), *result.texts("notes")],
        **described(result.picture, result.change, target, {"face": source, "hair": target}, measured),
    }
    return Result(result.picture, record, result.change, result.original)
