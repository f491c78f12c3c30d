"""What does not edit: looking for faces, reading what a face has, and giving pictures and label maps as files."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import get_args

import cv2
import numpy as np
from PIL import Image

from masque.edits.ageing_values import AGE
from masque.edits.hair_colour import NAMED, shown_as
from masque.edits.own import ATTRIBUTES, HAIR
from masque.edits.portrait import Part
from masque.edits.turn import head_of
from masque.errors import NoFaceError
from masque.faces.detect import SMALLEST_FACE, Face, choose_face, main_face
from masque.faces.labels import COLOURS, LABELS, encode_labels
from masque.image import Picture, encoded
from masque.jsonfile import JSON
from masque.models.ageing import OLDEST, YOUNGEST
from masque.provenance import recorded
from masque.studio.call import Call
from masque.studio.messages import Made, NotHeldError
from masque.studio.packed import pack_faces

PREVIEW = 1600
"""Longer side of a preview in pixels, at most."""

KINDS = {"png": ".png", "jpg": ".jpg", "webp": ".webp"}
"""How a picture may be asked for, and the ending of its file."""


def look(call: Call) -> Made:
    """The faces in a photo, and a preview of it."""
    key = call.key("photo")
    one, faces = call.desk.take(key), call.desk.faces(key)
    note = None
    try:
        choose_face(faces, name=one.name)
        call.desk.later.append(lambda: call.desk.prepare(key))
    except NoFaceError as error:
        note = str(error)
    about: dict[str, JSON] = {"faces": faces_of(faces), "note": note}
    return Made(about, preview=preview_of(one.picture), faces=pack_faces(faces))


def faces_of(faces: Sequence[Face], taken: Face | None = None) -> list[JSON]:
    """What is said of the faces in a photo. taken: the one that is edited unless another is picked; the largest if
    None."""
    main = taken or (main_face(faces) if faces else None)
    return [
        {
            "number": number,
            **dict(zip(("left", "top", "width", "height"), face.box, strict=True)),
            "usable": face.size >= SMALLEST_FACE,
            "taken": main is not None and face.box == main.box,
        }
        for number, face in enumerate(faces, 1)
    ]


def choices(_: Call) -> Made:
    """All that edits can be asked for."""
    attributes: list[JSON] = []
    for name in ATTRIBUTES:
        kind = "colour" if name == HAIR else "years" if name == AGE else "share"
        low, high = {"share": (0.0, 1.0), "years": (YOUNGEST, OLDEST)}.get(kind, (None, None))
        attributes.append({"name": name, "kind": kind, "low": low, "high": high})
    about: dict[str, JSON] = {
        "attributes": attributes,
        "hair_colours": {name: shown_as(colour) for name, colour in NAMED.items() if name not in DOUBLES},
        "labels": list(LABELS),
        "label_colours": [[int(level) for level in colour] for colour in COLOURS],
        "parts": list(get_args(Part)),
    }
    return Made(about)


DOUBLES = ("blonde", "gray", "brunette")
"""Other names of colours that are there already."""


def read(call: Call) -> Made:
    """What a face has, and how its head is turned: what sliders begin at."""
    own, subject = call.desk.own(), call.subject()
    turned: dict[str, JSON] = {"yaw": round(head_of(own.motion()[0], subject).yaw, 1)}
    return Made(own.read(subject).as_json() | turned)


def picture(call: Call) -> Made:
    """The file of a photo or a result: at full size, a result with its record inside; or a smaller JPEG of it."""
    one, longest, cell = call.desk.take(call.key("photo")), call.whole("longest"), call.whole("cell")
    shown, kind = one.picture, KINDS[call.text("format", "png")]
    if cell is not None:
        cells = one.held.cells if one.held is not None else ()
        if not 0 <= cell < len(cells):
            raise NotHeldError(f"There is no picture {cell} on this sheet of {len(cells)}.")
        shown = cells[cell]
    if longest is not None:
        return Made({"type": "image/jpeg"}, body=preview_of(shown, longest))
    if one.held is None:
        return Made({"type": "image/png"}, body=encoded(Image.fromarray(shown), "PNG", compress_level=1))
    if one.held.labels is not None and kind == ".png" and cell is None:
        return Made({"type": "image/png"}, body=encode_labels(one.held.labels, one.held.result.record))
    return Made(
        {"type": {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}[kind]},
        body=recorded(shown, one.held.result.record, kind),
    )


def labels(call: Call) -> Made:
    """The label numbers of a photo that was parsed, row by row, packed by zlib."""
    held = call.desk.take(call.key("photo")).held
    if held is None or held.labels is None:
        raise NotHeldError("This is no label map: parse a photo first.")
    return Made({}, body=zlib.compress(np.ascontiguousarray(held.labels, np.uint8).tobytes(), 1))


def preview_of(shown: Picture, longest: int = PREVIEW) -> bytes:
    """A picture as JPEG, its longer side `longest` pixels at most."""
    height, width = shown.shape[:2]
    scale = longest / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        shown = cv2.resize(shown, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    done, content = cv2.imencode(".jpg", cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert done
    return content.tobytes()
