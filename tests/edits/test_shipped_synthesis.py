"""The FaceFeat-GAN weights that come with Masque, on real photos."""

from __future__ import annotations

import numpy as np

import masque
from masque.image import to_pictures
from masque.tables.facefeat import embedding_of_crop


def test_new_pictures_are_of_the_photo_s_person(photos):
    """By a recogniser that had no part in training: the astronaut's new pictures are hers rather than the admiral's."""
    session = masque.load("facefeat", "synthesize")
    hers, the_admirals = (
        embedding_of_crop(to_pictures(session.subject(photos[name]).image)[0]) for name in ("astronaut", "grace_hopper")
    )
    drawn = np.stack([embedding_of_crop(picture) for picture in session.synthesize_pictures(photos["astronaut"], 8)])
    nearer = np.square(drawn - hers).sum(axis=1) < np.square(drawn - the_admirals).sum(axis=1)
    assert nearer.mean() > 0.7
    assert np.ptp(drawn, axis=0).max() > 0.05  # and not one picture eight times
