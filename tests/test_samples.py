"""Pictures to begin with: portraits in the public domain, and heads that Masque's own renderer made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.subject import find_subject
from masque.image import read_picture
from masque.samples import sample_photos

PUPPETS = sorted((Path(masque.__file__).parent / "studio" / "static" / "examples").glob("puppet-*.jpg"))


def test_the_portraits_are_the_two_in_the_public_domain() -> None:
    photos = sample_photos()
    assert list(photos) == ["astronaut", "grace_hopper"]
    assert all(photo.dtype == np.uint8 and photo.ndim == 3 for photo in photos.values())


@pytest.mark.parametrize("path", PUPPETS, ids=lambda path: path.stem)
def test_a_puppet_is_what_the_renderer_makes_of_the_seed_in_its_name(path: Path) -> None:
    assert path.stat().st_size < 40_000
    made = render(draw_puppet(int(path.stem.removeprefix("puppet-"))), 3.0)
    stored = read_picture(path)
    assert stored.shape == made.picture.shape
    assert np.abs(stored.astype(int) - made.picture).mean() < 3
    found = find_subject(path, 128).face.landmarks
    assert np.linalg.norm(found - made.landmarks, axis=1).mean() < 0.1 * np.ptp(made.landmarks[:, 0])


def test_there_are_puppets() -> None:
    assert len(PUPPETS) == 3
