"""A record in words: who is shown, how near, what changed where, and by which method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from string import ascii_lowercase

from masque.errors import escaped, printable
from masque.jsonfile import JSON

BY = {
    "own": "The photo's own pixels were moved and tinted; no network painted the face.",
    "network": "A network painted the face.",
    "warp": "The face was bent by its landmarks alone.",
}
"""What is said of a record's method."""

SAME_PERSON, OTHER_PERSON = 0.30, 0.45
"""Squared distances of dlib's embeddings below which two pictures look like one person, and above which they do not:
its authors take 0.36 (0.6 squared) for the border."""

MOST_NAMED = 9
"""Photos whose names are said, at most."""


def in_words(record: Mapping[str, JSON]) -> Iterator[str]:
    """Sentences on what a record says, for somebody who reads no JSON.

    record: of an edit, as `Result.record` has it. What it does not say is left out."""
    yield from _before(record)
    yield from _who(record)
    yield from _what(record)
    yield from _how(record)
    yield from _likeness(record)
    yield from _where(record)


def _before(record: Mapping[str, JSON]) -> Iterator[str]:
    """What its photos had come from, where they were edits."""
    earlier = record.get("earlier")
    for steps in earlier.values() if isinstance(earlier, Mapping) else ():
        told = [_step(step) for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []
        if told:
            yield f"Before that: {'; then '.join(told[-MOST_NAMED:])}."


def _step(record: Mapping[str, JSON]) -> str:
    """An earlier edit in a few words."""
    names = ", ".join(name for _, name in islice(_named(record), MOST_NAMED))
    method = record.get("method")
    by = {"network": ", by a network", "warp": ", by landmarks alone"}.get(
        method if isinstance(method, str) else "", ""
    )
    return f"{printable(record.get('edit', 'an edit'))}{f' (of {names})' if names else ''}{by}"


def _who(record: Mapping[str, JSON]) -> Iterator[str]:
    named = list(islice(_named(record), MOST_NAMED))
    if named:
        yield f"From {', '.join(name if role == 'photo' else f'{name} ({role})' for role, name in named)}."


def _named(record: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """What each photo was taken for, and its name."""
    inputs, faces, photo = record.get("inputs"), record.get("faces"), record.get("photo")
    given: Iterable[tuple[str, JSON]] = ()
    if isinstance(inputs, Mapping):
        given = ((role, one.get("photo") if isinstance(one, Mapping) else one) for role, one in inputs.items())
    elif isinstance(faces, list):
        given = zip(ascii_lowercase, faces, strict=False)
    elif isinstance(photo, str):
        given = [("photo", photo)]
    for role, name in given:
        if isinstance(name, str) and name:
            yield printable(role), printable(name)


def _what(record: Mapping[str, JSON]) -> Iterator[str]:
    attributes = record.get("attributes")
    if isinstance(attributes, Mapping) and attributes:
        yield f"Changed: {', '.join(f'{printable(name)} = {_value(value)}' for name, value in attributes.items())}."
    ageing = record.get("ageing")
    if isinstance(ageing, Mapping) and "age" in ageing:
        yield f"The face reads {_value(ageing['age'])} years old and was taken to {_value(ageing.get('target'))}."
    yaw = record.get("yaw")
    if isinstance(yaw, Mapping):
        yield f"The head was turned from {_degrees(yaw.get('before'))} to {_degrees(yaw.get('after'))}."
    if record.get("part"):
        yield f"Part: {printable(record['part'])}."
    if record.get("formula"):
        yield f"Combined as {printable(record['formula'])}."
    frames = record.get("frames")
    if isinstance(frames, int) and record.get("edit") == "morph":
        warped = " by bending and fading the photos" if record.get("path") == "warp" else ""
        yield f"Each face turns into the next{warped}, in {frames} pictures."


def _how(record: Mapping[str, JSON]) -> Iterator[str]:
    method, by = record.get("method"), record.get("by")
    if isinstance(method, list):
        network = [str(place) for place, one in enumerate(method, 1) if one == "network"]
        own = "All pictures are made of the photo's own pixels"
        yield f"{own}, but for number {', '.join(network)}, which a network painted." if network else f"{own}."
    elif isinstance(method, str) and method in BY:
        yield BY[method]
    elif isinstance(by, Mapping) and set(by.values()) == {"own pixels"}:
        yield BY["own"]
    model = record.get("model")
    if isinstance(model, str) and model not in ("own", "none", "no model"):
        weights = record.get("weights")
        yield f"Model: {printable(model)}" + (f", weights {printable(weights)}." if weights else ".")


def _likeness(record: Mapping[str, JSON]) -> Iterator[str]:
    distances = record.get("identity_distance")
    if not isinstance(distances, Mapping):
        return
    for name, value in distances.items():
        if not isinstance(value, int | float):
            continue
        to = "the person before" if name == "photo" else f"the person of the {printable(name)} photo"
        likeness = (
            "very near" if value < SAME_PERSON else "at the border to" if value < OTHER_PERSON else "another than"
        )
        yield f"To a face recogniser the result is {likeness} {to} (squared distance {value:.2f})."


def _where(record: Mapping[str, JSON]) -> Iterator[str]:
    layers = record.get("layers")
    if isinstance(layers, Mapping):
        shares = {
            str(name): value for name, value in layers.items() if isinstance(value, int | float) and value >= 0.01
        }
        if shares:
            listed = ", ".join(f"{printable(name)} {value:.0%}" for name, value in shares.items())
            yield f"What changed: {listed}."
    outside = record.get("changed_outside_face_percent")
    if isinstance(outside, int | float):
        yield f"{outside:.1f} % of the pixels outside the face changed."


def _value(value: JSON) -> str:
    return f"{value:g}" if isinstance(value, int | float) else printable(value)


def _degrees(value: JSON) -> str:
    return f"{value:.0f}°" if isinstance(value, int | float) else escaped(str(value))
