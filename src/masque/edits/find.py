"""The latent of a photo's face (ProGAN paper, Section 2)."""

from __future__ import annotations

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
    """The latent of a face in a photo. Raises PictureError, NoFaceError."""
    subject = session.subject(photo, pick)
    return session.latent(session.search([subject], options or Options(), watch).z[0], subject.name, subject.grey)
