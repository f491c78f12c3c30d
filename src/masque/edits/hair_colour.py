"""Hair in any colour, in the photo's own strands."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping

import cv2
import numpy as np
from PIL import ImageColor

from masque.edits.mattes import HAIR, SHARES_ACROSS, Mattes
from masque.edits.subject import Shares, Subject
from masque.errors import ValueRangeError, printable
from masque.faces.change import Change, Grey
from masque.faces.dye import SURE, HairColour, dye, of_tones, tones_of
from masque.faces.matte import resized
from masque.image import Picture
from masque.jsonfile import JSON

COLOURS: Mapping[str, HairColour] = {
    "Black_Hair": HairColour(6, 0.7, 1.6, (1.3, 0, 0.7), (29, 4, 7)),
    "Blond_Hair": HairColour(60, 5.5, 24, (27, 9, 18), (83, 2, 20)),
    "Brown_Hair": HairColour(28, 9.5, 16, (7, 4.5, 5), (60, 8, 21)),
    "Gray_Hair": HairColour(59, 0.5, 1.5, (23, 0.5, 1.5), (81, 0.5, 1.5)),
}
"""The hair colours of CelebA's attributes, with their darkest and lightest tones, as measured: see docs/edits.md."""

NAMED: Mapping[str, HairColour] = {
    "black": COLOURS["Black_Hair"],
    "blond": COLOURS["Blond_Hair"],
    "blonde": COLOURS["Blond_Hair"],
    "brown": COLOURS["Brown_Hair"],
    "brunette": HairColour(22, 7, 11),
    "gray": COLOURS["Gray_Hair"],
    "grey": COLOURS["Gray_Hair"],
    "auburn": HairColour(28, 20, 20),
    "chestnut": HairColour(28, 14, 18),
    "copper": HairColour(42, 26, 34),
    "ginger": HairColour(48, 24, 38),
    "platinum": HairColour(76, 1, 10),
    "red": HairColour(34, 32, 26),
    "strawberry": HairColour(58, 15, 28),
    "white": HairColour(82, 0, 2),
}
"""Colours by the names that hair has; they go before colours of the same name that paint has."""

TOO_LITTLE = 0.06
"""Hair, in squares of the face's width, below which a head counts as shaved."""

FEWEST = 40
"""Pixels that are surely hair by which its colour can be told."""

PAINTED = 4.0
"""CIELAB distance from which a network is said to have painted the hair in another colour."""

ALIKE, SAME_SHARE = 2.0, 0.011
"""CIELAB distance, and difference of shares of colours, up to which hair is as it is asked to be: what was read of it,
rounded, then changes nothing."""

MOST_SHARE = 0.98
"""The share of the nearest colour of CelebA's in any hair, at most: all of a colour is more than any hair has."""

NO_HAIR = "No hair is seen that could be dyed: its colour is left as it is."
ALREADY = "The hair has this colour already: it is left as it is."


def hair_colour(text: str) -> HairColour:
    """The colour that a text names: a colour of hair, one of CSS, or #rrggbb. Raises ValueRangeError naming the
    nearest."""
    name = text.strip().lower()
    if name in NAMED:
        return NAMED[name]
    try:
        rgb = ImageColor.getrgb(name)[:3]
    except ValueError:
        close = difflib.get_close_matches(name[:40], [*NAMED, *ImageColor.colormap], n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}? Name" if close else "name"
        raise ValueRangeError(
            f"There is no colour {printable(text, 40) or repr(text)}: {hint} a colour of hair ({', '.join(NAMED)}), "
            "one of CSS, or write it as #rrggbb."
        ) from None
    pixel = np.array([[rgb]], dtype=np.float32) / np.float32(255)
    light, a, b = (float(v) for v in cv2.cvtColor(pixel, cv2.COLOR_RGB2LAB)[0, 0])
    return HairColour(light, a, b)


def colour_hair(subject: Subject, mattes: Mattes, colour: HairColour) -> tuple[Change, dict[str, JSON]]:
    """The change that gives a subject's hair a colour, and what the record says of it.

    mattes: where the hair is. A black-and-white photo is changed in lightness alone. Where no hair is seen the change
    is empty, and the record says so under `note`."""
    size = (subject.photo.shape[1], subject.photo.shape[0])
    seen = round(mattes.hair_seen, 3)
    if seen < TOO_LITTLE:
        return Change(size), {"hair_seen": seen, "note": NO_HAIR}
    if colour.dark is None and _is_alike(own_colour(subject, mattes), colour):
        return Change(size), {"hair_seen": seen, "note": ALREADY}
    layer = dye("hair", _small(subject, mattes), mattes.box, mattes.hair, mattes.face_width, colour, not subject.grey)
    if layer is None:
        return Change(size), {"hair_seen": seen, "note": NO_HAIR}
    layers = (layer, Grey("black and white", mattes.box)) if subject.grey else (layer,)
    return Change(size, layers), {"hair_seen": seen, "colour": [colour.light, colour.a, colour.b]}


def own_colour(subject: Subject, mattes: Mattes) -> HairColour | None:
    """The colour of a subject's hair, with its shadows and its shine; None where too little is seen to tell it."""

    def find() -> HairColour | None:
        small = _small(subject, mattes)
        inside = resized(mattes.hair.astype(np.float32) / np.float32(255), small.shape[1::-1]) > SURE
        if mattes.hair_seen < TOO_LITTLE or inside.sum() < FEWEST:
            return None
        return tones_of(small, inside)

    return mattes.found.once("hair's colour", find)


def _small(subject: Subject, mattes: Mattes) -> Picture:
    """The part of the photo that the mattes cover, small enough for colours to be measured on."""
    left, top, right, bottom = mattes.box
    part = subject.photo[top:bottom, left:right]
    scale = min(1.0, SHARES_ACROSS / mattes.face_width)
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else part
    return np.asarray(small, dtype=np.uint8)


def shown_as(colour: HairColour) -> str:
    """A colour of hair as #rrggbb: that of its middle tones."""
    lab = np.array([[(colour.light, colour.a, colour.b)]], np.float32)
    red, green, blue = np.clip(np.rint(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[0, 0]), 0, 255).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def colour_shares(colour: HairColour) -> dict[str, float]:
    """How much a colour is each of `COLOURS`, summing to about 1, by how near it is to them in CIELAB."""
    distances = {name: _distance(colour, other) for name, other in COLOURS.items()}
    near = {name: 1 / max(1.0, distance) ** 2 for name, distance in distances.items()}
    total = sum(near.values())
    return {name: round(min(MOST_SHARE, value / total), 3) for name, value in near.items()}


def has_shares(colour: HairColour | None, shares: Mapping[str, float]) -> bool:
    """Whether hair of a colour has shares, of some of `COLOURS`, already."""
    if colour is None:
        return False
    own = colour_shares(colour)
    return all(abs(own[name] - share) <= SAME_SHARE for name, share in shares.items())


def _is_alike(own: HairColour | None, asked: HairColour) -> bool:
    """Whether hair of a colour, if it is known, is as asked: as what it is shown as would be."""
    return own is not None and _distance(hair_colour(shown_as(own)), asked) <= ALIKE


def _distance(one: HairColour, other: HairColour) -> float:
    """Of two colours' middle tones in CIELAB."""
    return math.dist((one.light, one.a, one.b), (other.light, other.a, other.b))


def colour_painted(before: Picture, after: Picture, shares: Shares) -> HairColour | None:
    """The hair colour that a network decided on, with its shadows and its shine; None where it painted no other one
    than there was, or no hair is seen.

    before, after: (S,S,3), what the network makes of a face as it is and as it is asked for. shares: (11,S,S), the
    parser's, of the same crop. A network blurs, so the tones are at least as far apart as in other hair as light."""
    inside = shares[HAIR] > 0.9
    if inside.sum() < max(20, 0.002 * inside.size):
        return None
    painted, own = (tones_of(picture, inside).tones for picture in (after, before))
    if np.linalg.norm(painted[1] - own[1]) < PAINTED:
        return None
    usual = HairColour(float(painted[1, 0]), float(painted[1, 1]), float(painted[1, 2])).tones
    painted[0, 0] = min(painted[0, 0], usual[0, 0])
    painted[2, 0] = max(painted[2, 0], usual[2, 0])
    return of_tones(painted)
