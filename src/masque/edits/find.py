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
    """The latent of a face in a photo: from which the generator makes it (ProGAN paper, Section 2).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    options: how the search goes; the defaults of `masque.edits.invert.Options` if None.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    watch: called after each iteration with its number, the best latent so far (1,Z) and its mean squared error (1,).

    Raises PictureError for a photo that cannot be read, NoFaceError, CheckpointError where the options ask for an
    encoder or for face features that there are none of."""
    subject = session.subject(photo, pick)
    z = session.search([subject], options or Options(), watch).z[0]
    return session.latent(z, subject.name, subject.grey, subject)
