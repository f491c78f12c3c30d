"""All that a worker can do, by name, and how what comes of it is told to the server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeGuard

from masque.faces.detect import Face
from masque.jsonfile import JSON
from masque.studio import verbs_edits, verbs_latents, verbs_looks, verbs_sheets
from masque.studio.call import Call, Outcome
from masque.studio.desk import Lying
from masque.studio.messages import Made
from masque.studio.packed import Held, pack
from masque.studio.said import in_words
from masque.studio.verbs_looks import faces_of

EDITS: Mapping[str, Callable[[Call], Outcome]] = {
    "swap": verbs_edits.swap,
    "edit": verbs_edits.edit,
    "turn": verbs_edits.turn,
    "frontalize": verbs_edits.frontalize,
    "parse": verbs_edits.parse,
    "read-labels": verbs_edits.read_labels_of,
    "repaint": verbs_edits.repaint,
    "transfer": verbs_edits.transfer,
    "heatmap": verbs_edits.heatmap,
    "synthesize": verbs_sheets.synthesize,
    "mix-identity": verbs_sheets.mix_identity,
    "blend": verbs_sheets.blend,
    "random": verbs_sheets.random,
    "faces-for": verbs_sheets.faces_for,
    "invert": verbs_latents.invert,
    "combine": verbs_latents.combine,
    "morph": verbs_latents.morph,
}
"""What comes to a result that is held."""

LOOKS: Mapping[str, Callable[[Call], Made]] = {
    "choices": verbs_looks.choices,
    "look": verbs_looks.look,
    "read": verbs_looks.read,
    "picture": verbs_looks.picture,
    "labels": verbs_looks.labels,
}
"""What comes to an answer alone."""

MOST_STEPS = 20
"""Earlier edits of each photo that a record tells of, at most: the last ones. A JPEG has no room for many more."""


def do(call: Call) -> Made:
    """Do a task. Raises whatever its verb does: MasqueError, Cancelled, MemoryError."""
    verb = call.task.verb
    if verb in LOOKS:
        return LOOKS[verb](call)
    outcome = EDITS[verb](call)
    call.progress("Writing the record")
    return made(call, outcome)


def made(call: Call, outcome: Outcome) -> Made:
    """An outcome as the server holds it; it stays before the worker as well, since the next edit may go on from it."""
    key, short = secrets.token_urlsafe(12), call.preview
    before = earlier(call)
    result = replace(outcome.result, record={**outcome.result.record, **({"earlier": before} if before else {})})
    faces = None if short else _faces(call, outcome)
    held = Held(result, outcome.name, outcome.cells, outcome.labels, faces)
    lying = Lying(key, outcome.name, result.picture, held, faces)
    body, needs = (b"", ()) if short else pack(held, call.desk.photos())
    if not short:
        call.desk.add(lying)
    height, width = result.picture.shape[:2]
    kind = "film" if outcome.film else "labels" if outcome.labels is not None else "picture"
    about: dict[str, JSON] = {
        "id": key,
        "name": outcome.name,
        "verb": call.task.verb,
        "width": width,
        "height": height,
        "record": dict(result.record),
        "words": list(in_words(result.record)),
        "notes": list(result.texts("notes")),
        "photo": outcome.of,
        "kind": kind,
        "labels": outcome.labels is not None,
        "latent": outcome.latent,
        "cells": len(outcome.cells) or None,
        "faces": faces_of(faces, result.original.face) if faces and result.original is not None else [],
    }
    return Made(about, body, verbs_looks.preview_of(result.picture), outcome.film, needs=needs)


def earlier(call: Call) -> dict[str, JSON]:
    """Field -> the records of the edits that its photo had come from, the first one first: a picture says all that was
    made of it, however many edits that took."""
    found: dict[str, JSON] = {}
    for field, keys in call.task.inputs.items():
        records: list[JSON] = []
        for key in keys:
            held = call.desk.take(key).held
            if held is not None:
                records += _steps(held.result.record)
        if records:
            found[field] = records[-MOST_STEPS:]
    return found


def _steps(record: Mapping[str, JSON]) -> list[JSON]:
    """The records of the edits that a record's own came from, and itself."""
    before = record.get("earlier")
    steps = [one for many in before.values() if isinstance(many, list) for one in many] if _named(before) else []
    return [*steps, {name: value for name, value in record.items() if name != "earlier"}]


def _named(value: JSON) -> TypeGuard[Mapping[str, JSON]]:
    return isinstance(value, Mapping)


def _faces(call: Call, outcome: Outcome) -> tuple[Face, ...] | None:
    """The faces in a result, where those of the photo that it is an edit of still stand where they stood; None where
    they have to be looked for."""
    result, of = outcome.result, outcome.of
    if of is None or result.change is None or result.original is None:
        return None
    return call.desk.faces(of)
