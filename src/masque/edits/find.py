"""The latent of a photo's face (ProGAN paper, Section 2)."""

from __future__ import annotations

from collections.abc import Sequence

from masque.edits.invert import Options, Watch
from masque.edits.latents import Latent, LatentSession
from masque.edits.subject import Photo


def find(
    session: LatentSession,
    photo: Photo,
    options: Options | None = None,
    pick: int | None = None,
    watch: Watch | None = None,
) -> Latent:
    """The latent of a face in a photo: from which the generator makes it (ProGAN paper, Section 2).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    options: how the search goes; the defaults of `masque.edits.invert.Options` if None.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    watch: called after each iteration with its number, the best latent so far (1,Z) and its mean squared error (1,). An
        exception that it raises ends the search, and goes on to the caller.

    Raises PictureError for a photo that cannot be read, NoFaceError, CheckpointError where the options ask for an
    encoder or for face features that there are none of."""
    subject = session.subject(photo, pick)
    z = session.search([subject], options or Options(), watch).z[0]
    return session.latent(z, subject.name, subject.grey, subject)


def find_all(
    session: LatentSession, photos: Sequence[Photo], options: Options | None = None, watch: Watch | None = None
) -> list[Latent]:
    """The latents of faces in several photos, sought in one batch, which takes far less time than one after the other.

    photos: each a path, an open file or its bytes, a Pillow picture, RGB uint8 (H,W,3) of any size, or a face that was
        found already; of a photo with several faces the largest is taken.
    options: how the search goes; the defaults of `masque.edits.invert.Options` if None.
    watch: called after each iteration with its number, the best latents so far (N,Z) and their mean squared errors
        (N,). An exception that it raises ends the search, and goes on to the caller.

    Returns the latents in the photos' order; none of none. Raises PictureError for a photo that cannot be read,
    NoFaceError, CheckpointError where the options ask for an encoder or for face features that there are none of, and
    KeyboardInterrupt where Ctrl-C has ended the search: faces that are half found are no answer."""
    subjects = [session.subject(photo) for photo in photos]
    if not subjects:
        return []
    found = session.search(subjects, options or Options(), watch)
    if found.interrupted:
        raise KeyboardInterrupt
    return [
        session.latent(z, subject.name, subject.grey, subject) for z, subject in zip(found.z, subjects, strict=True)
    ]
