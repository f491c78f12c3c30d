"""The photos that latents were found of, ready to be mixed."""

from __future__ import annotations

from collections.abc import Sequence

from masque.edits.found import kept
from masque.edits.latents import Latent, LatentSession
from masque.edits.mixing import GuidedMixture, ingredient, painted, size_for
from masque.edits.parser import ParserSession
from masque.edits.subject import Detail, Subject
from masque.errors import ValueRangeError
from masque.faces.head_parts import Ingredient
from masque.faces.tones import fade
from masque.image import Picture


def side_for(latents: Sequence[Latent], detail: Detail, size: int | None) -> int | None:
    """The side of pictures of the latents' own photos; None where the network's pictures are shown: where they are
    asked for, or no latent has a photo.

    size: a side that was asked for. Raises ValueRangeError for one where there is no photo."""
    subjects = [latent.subject for latent in latents if latent.subject is not None]
    if detail == "network" or not subjects:
        if size is not None:
            raise ValueRangeError(
                "None of these latents has a photo, and the network's pictures have one size: leave "
                "out size, or name photos."
            )
        return None
    return size_for(subjects, size)


def guided(session: LatentSession, latents: Sequence[Latent], size: int) -> GuidedMixture:
    """Mixtures of the latents' photos at a size; of a latent without a photo, of what the network makes of it.

    latents: of this model, one of which has a photo at least."""
    pictures = [_own_picture(session, latent) for latent in latents]
    known = next(latent.subject for latent in latents if latent.subject is not None)
    shown = [
        _shown(session, latent.subject, picture, known, size) for latent, picture in zip(latents, pictures, strict=True)
    ]
    return GuidedMixture(shown, pictures)


def _own_picture(session: LatentSession, latent: Latent) -> Picture:
    """What the network makes of a latent (S,S,3); kept with the photo that it was found of."""

    def make() -> Picture:
        (picture,) = session.pictures(session.vectors([latent])[0][None])
        return fade(picture, 0.0) if latent.grey else picture

    if latent.subject is None:
        return make()
    key = ("picture", session.weights, str(session.device), latent.z.cpu().numpy().tobytes())
    return latent.subject.found.once(key, lambda: kept(make()))


def _shown(session: LatentSession, subject: Subject | None, picture: Picture, known: Subject, size: int) -> Ingredient:
    if subject is None:
        return painted(picture, known.landmarks, session.parser, size)
    parser = session.parser
    key = ("ingredient", size, parser.key if isinstance(parser, ParserSession) else None)
    return subject.found.once(key, lambda: ingredient(subject, parser, size))
