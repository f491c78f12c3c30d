"""What tests of several files make and look at: photos of puppets, an untrained model, empty files, all that a picture
holds."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from masque import runs
from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Swapper
from masque.edits.parser import enlarged
from masque.edits.subject import Shares, Subject
from masque.faces.labels import Labels
from masque.image import Picture


def puppet_photo(seed: int, width: int = 320, height: int = 400) -> Picture:
    """A puppet as a photo with room around the head; the same seed gives the same pixels."""
    frame = render(draw_puppet(seed), 1.5).picture
    across, down = width - frame.shape[1], height - frame.shape[0]
    photo = cv2.copyMakeBorder(
        frame, max(0, down), 0, max(0, across // 2), max(0, across - across // 2), cv2.BORDER_REPLICATE
    )
    return np.ascontiguousarray(photo[:height, :width])


def tiny_session(seed: int = 0, **settings: object) -> Swapper:
    """A session over an untrained RSGAN of 32 px: everything but the pictures' quality is real."""
    plan = runs.plan("rsgan", "tiny", [f"{name}={value}" for name, value in settings.items()], {"seed": seed})
    recipe = runs.build_recipe(plan)
    return Swapper(recipe.model, "rsgan", "0" * 16)  # type: ignore[attr-defined]


class ParserOf:
    """A face parser that sees what a function says, (11,S,S) of a subject."""

    def __init__(self, shares: Callable[[Subject], Shares]) -> None:
        self.shares = shares

    def labels(self, subject: Subject) -> Labels:
        return enlarged(self.shares(subject), subject.matrix, subject.photo)


def make(root: Path, *names: str) -> Path:
    """A folder with empty files of these names, in folders of theirs."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def seen(content: bytes) -> tuple[object, ...] | None:
    """All of a picture that Pillow, which knows nothing of Masque, finds in it; None where it finds none."""
    try:
        with Image.open(BytesIO(content)) as image:
            image.load()
            said = {key for key in image.info if key not in ("xmp", "XML:com.adobe.xmp")}
            return image.mode, image.size, getattr(image, "n_frames", 1), dict(image.getexif()), said, image.tobytes()
    except Exception:
        return None
