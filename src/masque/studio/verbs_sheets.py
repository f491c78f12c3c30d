"""What edits that give several pictures side by side do in Studio, each as its command does it."""

from __future__ import annotations

import math
from typing import Literal, cast

from masque.edits.random_parts import COLUMNS
from masque.edits.result import Result
from masque.errors import ValueRangeError
from masque.faces.labels import Labels
from masque.image import GAP, Picture
from masque.studio.call import Call, Outcome, blamed_on
from masque.studio.verbs_edits import read_map

MOST = 64
"""Pictures of one sheet at most: more are for the command line."""


def synthesize(call: Call) -> Outcome:
    """New pictures of a person; or the person with another pose, expression or light."""
    subject, session = call.subject(), call.desk.synthesizer()
    pose, expression, light = (call.optional(f"{name}_from") for name in ("pose", "expression", "light"))
    yaws = _yaws(call)
    call.progress("Drawing")
    if yaws is None and pose is None and expression is None and light is None:
        count = _within("count", call.whole("count") or 16, 1)
        result = session.synthesize(subject, count, call.whole("seed") or 0)
        columns = math.ceil(math.sqrt(count))
    else:
        count = columns = len(yaws or [0])
        result = session.modify(subject, yaws, expression, light, pose_from=pose)
    return _sheet(result, columns, count, subject.name)


def _yaws(call: Call) -> list[float] | None:
    """The degrees that a head is turned to, evenly spaced; None where no turn is asked for."""
    first, last = call.number("yaw_from"), call.number("yaw_to")
    if first is None or last is None:
        return None if first is None and last is None else [first if first is not None else last or 0.0]
    steps = _within("steps", call.whole("steps") or 9, 2)
    return [first + (last - first) * i / (steps - 1) for i in range(steps)]


def mix_identity(call: Call) -> Outcome:
    """People between two."""
    a, b = call.subject("a", "pick_a"), call.subject("b", "pick_b")
    steps = _within("steps", call.whole("steps") or 8, 2)
    call.progress("Drawing")
    result = call.desk.synthesizer().mix(a, b, steps, size=call.whole("size"))
    return _sheet(result, steps, steps, a.name)


def blend(call: Call) -> Outcome:
    """Face, hair or both on the way from one photo's to another's."""
    a, b = call.subject("a", "pick_a"), call.subject("b", "pick_b")
    steps = _within("steps", call.whole("steps") or 8, 2)
    part = cast(Literal["face", "hair", "both"], call.text("part", "both"))
    call.progress("Blending")
    result = call.desk.swapper().blend(a, b, part=part, steps=steps, size=call.whole("size"))
    return _sheet(result, steps, steps, a.name)


def random(call: Call) -> Outcome:
    """Random hair for a face, or random faces for a hair."""
    subject, count = call.subject(), _within("count", call.whole("count") or 8, 1)
    part = cast(Literal["face", "hair"], call.text("part", "hair"))
    call.progress("Drawing")
    result = call.desk.swapper().random(subject, part, count=count, seed=call.whole("seed") or 0)
    return _sheet(result, min(COLUMNS, count + 1), count + 1, subject.name)


def faces_for(call: Call) -> Outcome:
    """Faces for one label map, each in the style of another portrait."""
    styles = call.subjects("styles", "picks")
    if not 1 <= len(styles) <= MOST:
        raise ValueRangeError(f"{len(styles)} styles were given: give from 1 to {MOST} portraits.")
    call.progress("Painting")
    result = call.desk.portrait().faces_for(_map_of(call), styles)
    columns = len(styles) + 1
    return _sheet(result, columns, 2 * columns, "faces")


def _map_of(call: Call) -> Labels:
    """The label map that was sent, or that of the photo that was sent in its place."""
    content = call.task.files.get("labels")
    if content is not None:
        with blamed_on("labels"):
            return read_map(content, (0, 0))[0]
    if not call.keys("photo"):
        raise ValueRangeError("Faces are painted for a label map: give one, or a photo whose own is taken.")
    return call.desk.parser().parse(call.subject()).labels


def _within(name: str, value: int, least: int) -> int:
    if not least <= value <= MOST:
        raise ValueRangeError(f"{name} is {value} and must be from {least} to {MOST}.")
    return value


def cells_of(sheet: Picture, columns: int, count: int) -> tuple[Picture, ...]:
    """The single pictures of a sheet that `masque.image.grid` laid out, in reading order."""
    rows = math.ceil(count / columns)
    height, width = ((side + GAP) // many for side, many in zip(sheet.shape, (rows, columns), strict=False))
    places = [divmod(place, columns) for place in range(count)]
    return tuple(
        sheet[row * height : (row + 1) * height - GAP, column * width : (column + 1) * width - GAP]
        for row, column in places
    )


def _sheet(result: Result, columns: int, count: int, name: str) -> Outcome:
    """A sheet with its single pictures."""
    return Outcome(result, name, cells=cells_of(result.picture, columns, count))
