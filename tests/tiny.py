"""A puppet as somebody's photo and an untrained model, for tests that need several of them."""

from __future__ import annotations

import cv2
import numpy as np

from masque import runs
from masque.data.puppets import draw_puppet, render
from masque.edits.session import Session
from masque.image import Picture


def puppet_photo(seed: int, width: int = 320, height: int = 400) -> Picture:
    """A puppet as a photo with room around the head; the same seed gives the same pixels."""
    frame = render(draw_puppet(seed), 1.5).picture
    across, down = width - frame.shape[1], height - frame.shape[0]
    photo = cv2.copyMakeBorder(frame, max(0, down), 0, max(0, across // 2), max(0, across - across // 2), cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(photo[:height, :width])


def tiny_session(seed: int = 0, **settings: object) -> Session:
    """A session over an untrained RSGAN of 32 px: everything but the pictures' quality is real."""
    plan = runs.plan("rsgan", "tiny", [f"{name}={value}" for name, value in settings.items()], {"seed": seed})
    recipe = runs.build_recipe(plan)
    return Session(recipe.model, "rsgan", "0" * 16)  # type: ignore[attr-defined]
