"""A black-and-white photo stays black and white: the networks have learnt from coloured ones and would give it pink
lips and blue eyes."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from masque.edits.subject import Shares, Subject
from masque.faces.frame import invert, warp
from masque.faces.labels import LABELS
from masque.faces.tones import Colour, fade
from masque.image import Picture

COLOURED_HAIR = ("Blond_Hair", "Brown_Hair")
"""Attributes that ask for a colour where hair is: black and grey hair need none."""

COLOURED_SKIN = ("Rosy_Cheeks", "Wearing_Lipstick", "Heavy_Makeup")
"""Attributes that ask for a colour where hair is not."""

KEPT = {"black_and_white": "kept"}
COLOURED = {"black_and_white": "coloured as asked"}
"""What the record of an edit of a black-and-white photo says of its tones."""


def keep_grey(subject: Subject, edited: Picture, colour: Colour = 0.0) -> Picture:
    """An edited photo (H,W,3), black and white where the subject's photo is and no colour was asked for.

    colour: how much of the edit's colour is kept. Where nothing was changed the photo's own pixels stay, bit for
    bit."""
    if not subject.grey:
        return edited
    if isinstance(colour, np.ndarray):
        size = edited.shape[1::-1]
        colour = warp(colour, invert(subject.matrix), size, border=cv2.BORDER_CONSTANT).astype(np.float32)
    changed = (edited != subject.photo).any(axis=2, keepdims=True)
    return np.where(changed, fade(edited, colour), edited)


def keep_cells_grey(subject: Subject, cells: list[Picture], colour: Colour = 0.0) -> list[Picture]:
    """Pictures of the subject's crop, of any size, black and white where its photo is.

    colour: how much of their colour is kept."""
    return [fade(cell, colour) for cell in cells] if subject.grey else cells


def requested_colour(attributes: Mapping[str, float], shares: Shares | None) -> Colour:
    """How much colour attributes ask for: 1 where they name a colour of hair or of skin, else 0.

    shares: a face parser's label shares (11,S,S), which tell hair from skin; without, a colour that is asked for shows
    everywhere."""
    hair = any(attributes.get(name, 0) > 0 for name in COLOURED_HAIR)
    skin = any(attributes.get(name, 0) > 0 for name in COLOURED_SKIN)
    if hair == skin or shares is None:
        return float(hair or skin)
    is_hair = np.asarray(shares[LABELS.index("hair")], dtype=np.float32)
    return is_hair if hair else 1 - is_hair


def grey_note(subject: Subject, colour: Colour = 0.0) -> dict[str, str]:
    """What the record of an edit says of a black-and-white photo's tones; nothing of a coloured photo.

    colour: how much colour the edit gave it."""
    if not subject.grey:
        return {}
    return dict(COLOURED if np.any(colour) else KEPT)
