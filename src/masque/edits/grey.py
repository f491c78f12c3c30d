"""A black-and-white photo stays black and white: the networks have learnt from coloured ones and would give it pink
lips and blue eyes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.frame import invert, warp
from masque.faces.labels import LABELS
from masque.image import Picture

if TYPE_CHECKING:
    from masque.edits.subject import Shares, Subject

LEVELS, TINT, SHARE, AREA = 4, 0.04, 0.99, 9
"""Grey is a picture of which this share of places differ by so few of 255 levels, or by this share of their light,
between the means of their channels over so many pixels a side. Noise of 8 levels in each channel differs by 4 then, a
photo of 6 % of the light by 9."""

COLOURED_HAIR = ("Blond_Hair", "Brown_Hair")
"""Attributes that ask for a colour where hair is: black and grey hair need none."""

COLOURED_SKIN = ("Rosy_Cheeks", "Wearing_Lipstick", "Heavy_Makeup")
"""Attributes that ask for a colour where hair is not."""

KEPT, COLOURED = {"black_and_white": "kept"}, {"black_and_white": "coloured as asked"}
"""What the record of an edit of a black-and-white photo says of its tones."""

Colour = float | NDArray[np.float32]
"""How much colour a grey photo is given: from 0, none, to 1, all that the network paints; everywhere alike, or at each
pixel of x (S,S)."""


def is_grey(picture: Picture) -> bool:
    """Whether a picture (H,W,3) is black and white, small differences between its channels aside."""
    means = cv2.blur(picture, (AREA, AREA)).astype(np.float32)
    most = means.max(axis=2)
    return bool((most - means.min(axis=2) <= np.maximum(LEVELS, TINT * most)).mean() >= SHARE)


def faded(picture: Picture, colour: Colour) -> Picture:
    """A picture (H,W,3) with so much of its colour: 0 leaves its light, 1 all of it."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    if isinstance(colour, np.ndarray):
        size = (picture.shape[1], picture.shape[0])
        share = colour if colour.shape == size[::-1] else cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.rint(light + share[..., None].clip(0, 1) * (picture - light)), dtype=np.uint8)
    return np.asarray(np.rint(light + np.float32(colour) * (picture - light)), dtype=np.uint8)


def in_tones(subject: Subject, made: Picture, colour: Colour = 0.0) -> Picture:
    """A subject's whole photo as an edit made it, black and white where the photo is and no colour was asked for.

    Where nothing was changed the photo's own pixels stay, bit for bit.
    """
    if not subject.grey:
        return made
    if isinstance(colour, np.ndarray):
        colour = warp(colour, invert(subject.matrix), made.shape[1::-1], border=cv2.BORDER_CONSTANT).astype(np.float32)
    changed = (made != subject.photo).any(axis=2, keepdims=True)
    return np.where(changed, faded(made, colour), made)


def cells_in_tones(subject: Subject, cells: list[Picture], colour: Colour = 0.0) -> list[Picture]:
    """The same of pictures of x, of any size."""
    return [faded(cell, colour) for cell in cells] if subject.grey else cells


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
