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

KEPT, COLOURED = {"black_and_white": "kept"}, {"black_and_white": "coloured as asked"}
"""What the record of an edit of a black-and-white photo says of its tones."""


def in_tones(subject: Subject, made: Picture, colour: Colour = 0.0) -> Picture:
    """A subject's whole photo as an edit made it, black and white where the photo is and no colour was asked for.

    Where nothing was changed the photo's own pixels stay, bit for bit.
    """
    if not subject.grey:
        return made
    if isinstance(colour, np.ndarray):
        colour = warp(colour, invert(subject.matrix), made.shape[1::-1], border=cv2.BORDER_CONSTANT).astype(np.float32)
    changed = (made != subject.photo).any(axis=2, keepdims=True)
    return np.where(changed, fade(made, colour), made)


def cells_in_tones(subject: Subject, cells: list[Picture], colour: Colour = 0.0) -> list[Picture]:
    """The same of pictures of x, of any size."""
    return [fade(cell, colour) for cell in cells] if subject.grey else cells


def asked_colour(attributes: Mapping[str, float], shares: Shares | None) -> Colour:
    """Where attributes ask for a colour. shares: what a face parser sees (11,S,S); without, a colour asked for shows
    everywhere."""
    hair, skin = (any(attributes.get(name, 0) > 0 for name in names) for names in (COLOURED_HAIR, COLOURED_SKIN))
    if hair == skin or shares is None:
        return float(hair or skin)
    is_hair = np.asarray(shares[LABELS.index("hair")], dtype=np.float32)
    return is_hair if hair else 1 - is_hair


def said(subject: Subject, colour: Colour = 0.0) -> dict[str, str]:
    """What the record says of it: nothing of a coloured photo."""
    if not subject.grey:
        return {}
    return dict(COLOURED if np.any(colour) else KEPT)
