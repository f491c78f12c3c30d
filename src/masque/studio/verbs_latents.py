"""What edits through latents do in Studio, each as its command does it: finding them takes a while, and what was found
of a photo is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from torch import Tensor

import masque
from masque.edits.combine import check_combination
from masque.edits.grey import grey_note, keep_cells_grey
from masque.edits.invert import Options
from masque.edits.latents import Latent
from masque.edits.morph import MorphPath
from masque.edits.morph_warp import warp_morph
from masque.edits.result import Result
from masque.edits.subject import Subject
from masque.errors import ValueRangeError
from masque.film import encode_film
from masque.image import Picture
from masque.jsonfile import JSON
from masque.provenance import note
from masque.studio.call import Call, Outcome, blamed_on

MOST_FACES = 8
"""Faces that go into one picture or film at most."""

MOST_FRAMES = 480
"""Pictures of a film at most."""

COARSE = Options(iterations=40, detail=0)
"""How latents are sought whose low frequencies alone are wanted, since pixels are the photos' own."""

FINE = Options(detail=150, tolerance=4e-3)
"""How latents are sought whose pictures are shown."""


def invert(call: Call) -> Outcome:
    """The picture that the generator makes of a photo's face, by the latent that was found of it."""
    generator, subject = call.desk.latents(), call.subject()
    (latent,) = find(call, [call.key("photo")], [subject], FINE)
    (picture,) = keep_cells_grey(subject, list(generator.pictures(latent.z[None])))
    record = generator.record("invert", {"photo": subject.name, "method": FINE.method, **grey_note(subject)})
    return Outcome(Result(picture, record), subject.name, latent=True)


def combine(call: Call) -> Outcome:
    """One face of several."""
    formula, weight = call.text("formula", "") or None, call.number("weight")
    weights = _shares(call.numbers("weights"))
    half = 0.5 if weight is None else weight
    with blamed_on("formula" if formula else "weights", ValueRangeError):
        check_combination(len(call.keys("photos")), formula, half, weights)  # before a search, which takes a while
    latents = _of_photos(call)
    call.progress("Combining")
    result = call.desk.latents().combine(latents, formula, half, weights=weights, size=call.whole("size"))
    return Outcome(result, latents[0].name, latent=True)


def _shares(weights: Sequence[float] | None) -> list[float] | None:
    """Weights as shares of their sum: nobody who moves sliders has them sum to 1."""
    total = sum(weights or ())
    return [weight / total for weight in weights] if weights and total > 0 else None if weights is None else [*weights]


def morph(call: Call) -> Outcome:
    """A film in which one face turns into the next."""
    frames, seconds = call.whole("frames") or 60, call.number("seconds") or 4.0
    path, loop = call.text("path", "spherical"), call.flag("loop")
    if not 2 <= frames <= MOST_FRAMES:
        raise ValueRangeError(f"frames is {frames} and must be from 2 to {MOST_FRAMES}.")
    if path == "warp":
        subjects = _faces(call)
        pictures: Iterator[Picture] = iter(warp_morph(subjects, frames, "smooth", loop))
        names = [subject.name for subject in subjects]
        record: dict[str, JSON] = {"edit": "morph", "model": "none", "masque": masque.__version__}
    else:
        latents, generator = _of_photos(call), call.desk.latents()
        pictures = generator.morph(latents, frames, cast(MorphPath, path), "smooth", loop, size=call.whole("size"))
        names, record = [latent.name for latent in latents], generator.record("morph", {})
    record |= {"faces": list(names), "frames": frames, "path": path}
    watched = _Watched(call, pictures, frames)
    film = encode_film(watched, frames, seconds, ".mp4", note(record))
    assert watched.first is not None
    return Outcome(Result(watched.first, record), names[0], film=film)


class _Watched:
    """The frames of a film as they are made, with progress, and the first of them kept."""

    def __init__(self, call: Call, frames: Iterator[Picture], count: int) -> None:
        self.call, self.frames, self.count = call, frames, count
        self.first: Picture | None = None

    def __iter__(self) -> Iterator[Picture]:
        for number, frame in enumerate(self.frames):
            self.first = frame if self.first is None else self.first
            self.call.progress("Making the film", number, self.count)
            yield frame


def _faces(call: Call) -> list[Subject]:
    """The faces of the photos that were given. Raises ValueRangeError for too few or too many."""
    count = len(call.keys("photos"))
    if not 2 <= count <= MOST_FACES:
        raise ValueRangeError(f"From 2 to {MOST_FACES} faces can be taken, not {count}.")
    return call.subjects("photos", "picks")


def _of_photos(call: Call) -> list[Latent]:
    """The latents of the photos that were given."""
    return find(call, call.keys("photos"), _faces(call), COARSE)


def find(call: Call, keys: Sequence[str], subjects: Sequence[Subject], options: Options) -> list[Latent]:
    """The latents of faces: those that were found before, and the others sought in one batch.

    keys: of their photos. subjects: the faces."""
    places = [
        (call.desk.take(key), (subject.face.box, options is FINE)) for key, subject in zip(keys, subjects, strict=True)
    ]
    # A face that is given twice is sought once.
    lacking = {
        (key, name): subject
        for key, subject, (lying, name) in zip(keys, subjects, places, strict=True)
        if name not in lying.latents
    }

    def watch(step: int, _best: Tensor, _error: Tensor) -> None:
        call.progress("Finding latents", step, max(step, options.all_steps))

    found = call.desk.latents().find_all(list(lacking.values()), options, watch)
    for (key, name), latent in zip(lacking, found, strict=True):
        call.desk.take(key).latents[name] = latent
    return [lying.latents[name] for lying, name in places]
