"""What edits of one whole photo do in Studio, each as its command does it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import cast

import numpy as np

from masque.edits.heatmap import heatmap as show_heat
from masque.edits.portrait import Part
from masque.edits.result import Result
from masque.edits.swap_change import Expression
from masque.edits.warp import swap_by_warping
from masque.errors import PictureError, ValueRangeError
from masque.faces.label_edits import edited_labels
from masque.faces.labels import COLOURS, Labels, read_labels
from masque.given import check_choice, values_by_name
from masque.jsonfile import JSON
from masque.studio.call import Call, Outcome, blamed_on
from masque.studio.messages import PACKED
from masque.version import __version__


def swap(call: Call) -> Outcome:
    """The face of one photo in another."""
    face, hair = call.subject("face", "pick_face"), call.subject("hair", "pick_hair")
    attributes, method = call.values("attributes"), call.text("method", "own")
    check_choice("method", method, ("own", "network", "warp"))
    call.progress("Swapping")
    if method == "own":
        expression = cast(Expression, call.text("expression", "source"))
        result = call.desk.own().swap(face, hair, attributes=attributes, expression=expression)
    elif method == "network":
        result = call.desk.swapper().swap(face, hair, attributes=values_by_name(attributes))
    elif attributes:
        raise ValueRangeError("The method warp bends pixels and does nothing else: leave out the attributes.")
    else:
        result = swap_by_warping(face, hair)
    return Outcome(result, hair.name, call.key("hair"))


def edit(call: Call) -> Outcome:
    """Attributes of a face, changed; of a small copy of the photo for a preview."""
    subject, whole = call.subject(longest=call.whole("longest")), not call.preview
    call.progress("Editing")
    values, age = call.values("attributes"), call.number("age")
    result = call.desk.own().edit(subject, values, age=age, measured=whole)
    return Outcome(result, subject.name, call.key("photo") if whole else None)


def turn(call: Call) -> Outcome:
    """The head, turned; of a small copy of the photo for a preview."""
    subject, whole = call.subject(longest=call.whole("longest")), not call.preview
    call.progress("Turning")
    result = call.desk.own().turn(subject, call.number("yaw"), call.number("pitch") or 0.0, measured=whole)
    return Outcome(result, subject.name, call.key("photo") if whole and result.change is not None else None)


def frontalize(call: Call) -> Outcome:
    """The head, looking straight ahead."""
    subject = call.subject()
    call.progress("Turning")
    return Outcome(call.desk.synthesizer().frontalize(subject), subject.name, call.key("photo"))


def parse(call: Call) -> Outcome:
    """Which part of the face each pixel is."""
    subject = call.subject()
    call.progress("Finding the parts of the face")
    parsed = call.desk.parser().parse(subject)
    picture = COLOURS[parsed.labels].astype(np.uint8)
    return Outcome(Result(picture, parsed.record), subject.name, call.key("photo"), labels=parsed.labels)


def read_labels_of(call: Call) -> Outcome:
    """A label map that was saved, at the photo's own size, to be painted on."""
    subject = call.subject()
    own = call.desk.parser().parse(subject)
    with blamed_on("labels"):
        labels, notes = read_map(call.task.files["labels"], subject.photo.shape[:2])
        more: Sequence[str] = ()
        if labels.shape != own.labels.shape:  # one of the photo's size is taken as it is, pixel by pixel
            labels, more = edited_labels(labels, own.labels)
    picture = COLOURS[labels].astype(np.uint8)
    record = {**own.record, "edit": "read-labels", "notes": [*notes, *more]}
    return Outcome(Result(picture, record), subject.name, call.key("photo"), labels=labels)


def repaint(call: Call) -> Outcome:
    """The face in a painted shape, or in that of another portrait."""
    subject, other = call.subject(), call.optional("shape_from")
    painted = call.task.files.get("labels")
    with blamed_on("labels"):
        labels = None if painted is None else read_map(painted, subject.photo.shape[:2])[0]
    call.progress("Repainting")
    part = cast(Part, call.text("part", "all"))
    result = call.desk.portrait().repaint(subject, labels=labels, shape_from=other, part=part)
    return Outcome(result, subject.name, call.key("photo"))


def transfer(call: Call) -> Outcome:
    """A part of the face in the style of another portrait's."""
    subject, other = call.subject(), call.subject("style_from", "pick_style_from")
    call.progress("Transferring")
    part = cast(Part, call.text("part", "all"))
    return Outcome(call.desk.portrait().transfer(subject, other, part=part), subject.name, call.key("photo"))


def heatmap(call: Call) -> Outcome:
    """Where an edit changed colours."""
    before, after = (call.desk.take(call.key(field)) for field in ("photo", "edited"))
    with blamed_on("edited"):
        picture, change = show_heat(before.picture, after.picture)
    names = {"photo": before.name, "edited": after.name}
    record: dict[str, JSON] = {"edit": "heatmap", "model": "no model", "masque": __version__, "inputs": names, **change}
    return Outcome(Result(picture, record), before.name, call.key("photo"))


def read_map(content: bytes, size: tuple[int, int]) -> tuple[Labels, Sequence[str]]:
    """The label map (H,W) in what was sent, a picture's file, or `PACKED` and zlib's packing of the numbers; and a
    sentence for each thing that had to be put right.

    size: height and width of the photo. Raises PictureError."""
    if not content.startswith(PACKED):
        from io import BytesIO

        from masque.image import decoded

        with decoded(BytesIO(content)) as image:
            return read_labels(image)
    count = size[0] * size[1]
    unpacking = zlib.decompressobj()
    try:
        numbers = unpacking.decompress(content[len(PACKED) :], count + 1)
    except zlib.error:
        numbers = b""
    if len(numbers) != count:
        raise PictureError(f"The label map has not the photo's {size[1]}×{size[0]} pixels: parse the photo again.")
    return read_labels(np.frombuffer(numbers, np.uint8).reshape(size))
