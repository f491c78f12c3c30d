"""The style of a part of another portrait, given to a photo's own pixels: hair dyed along its strands, skin with lids
and lips shifted smoothly, iris apart from white, lips and teeth; and how strong the skin's texture is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.found import kept
from masque.edits.mattes import SHARES_ACROSS, Mattes
from masque.edits.subject import Subject
from masque.faces.added import Added
from masque.faces.change import Change, Grey, Layer, Shift
from masque.faces.dye import dye, tones_of
from masque.faces.eyes import EYES, Eye, drawn_opening, find_eye
from masque.faces.labels import LABELS
from masque.faces.matte import refine_along_edges, resized
from masque.faces.restyle import Style, logarithmic, shift_to, style_of, texture_change
from masque.image import Picture

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

SKIN = [LABELS.index("skin"), LABELS.index("nose")]
BROWS = [LABELS.index("left brow"), LABELS.index("right brow")]
EYE_LABELS = [LABELS.index("left eye"), LABELS.index("right eye")]
LIPS = [LABELS.index("upper lip"), LABELS.index("lower lip")]
TEETH = LABELS.index("mouth")

SURE = 0.85
"""Share of a label from which a pixel counts as surely of it."""

FEWEST = 40
"""Pixels, at 256 across the face, that a part must have for a colour to be taken of it."""

BROWS_FOLLOW = 0.7
"""How far brows, which are hair on skin, become lighter or darker with it."""

LIPS_LIGHTER = (-0.6, 0.35)
"""By how much in ln(L + 8) lips and teeth become darker or lighter at most."""

LID = 0.008
"""How far from the rim of what a parser calls an eye, in face widths, there is lid and lash."""

LIT = 0.6
"""How far lips are as light beside the skin as the other's are, and not in themselves."""

IRIS_LIGHTER, MOST_LIGHTER, LEAST_COLOUR = 0.6, 0.35, 0.4
"""How far an iris becomes as light as the other's, by how much in ln(L + 8) at most; and the least share of the other's
colour that it takes where it stays darker."""

WHITE_FOLLOWS = 0.5
"""How far the white of an eye takes the other's colour: most of it is light and not style."""

BELOW, NARROWER = 0.75, 0.08
"""How far below the chin a neck goes on, and by how much it is narrower than the jaw on each side, in face widths."""

ALIKE = 2.4
"""Standard deviations from the skin's colour up to which a neck counts as skin."""


@dataclass
class Portrayed:
    """A face with its parts, small: at up to 256 pixels across."""

    subject: Subject
    mattes: Mattes
    coloured: bool = True
    """Whether colour may change, and not lightness alone."""
    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def part(self) -> Picture:
        """The photo within the box of the mattes."""
        left, top, right, bottom = self.mattes.box
        return self.subject.photo[top:bottom, left:right]

    @cached_property
    def scale(self) -> float:
        """Pixels of the small picture per pixel of the photo."""
        return self.mattes.shares.shape[2] / self.part.shape[1]

    @property
    def face_width(self) -> float:
        """Of the small picture."""
        return min(self.mattes.face_width * self.scale, SHARES_ACROSS * 1.0)

    @property
    def lab(self) -> Floats:
        """(h,w,3), small."""

        def find() -> Floats:
            size = self.mattes.shares.shape[2], self.mattes.shares.shape[1]
            small = resized(self.part.astype(np.float32) / np.float32(255), size)
            return kept(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), dtype=np.float32))

        return self.mattes.found.once("lab", find)

    @cached_property
    def landmarks(self) -> NDArray[np.float32]:
        """(68,2) in pixels of the small picture."""
        moved = (self.subject.face.landmarks - np.array(self.mattes.box[:2]) + 0.5) * self.scale - 0.5
        return np.asarray(moved, dtype=np.float32)

    def share(self, labels: list[int]) -> Floats:
        """(h,w): how sure some labels are together."""
        return np.asarray(self.mattes.shares[labels].sum(axis=0), dtype=np.float32)

    @property
    def bare(self) -> Mask:
        """(h,w): plain skin, without a rim along hair, eyes and lips."""

        def find() -> Mask:
            sure = (self.share(SKIN) > SURE).astype(np.uint8)
            side = 2 * max(1, round(0.02 * self.face_width)) + 1
            eroded = cv2.erode(sure, np.ones((side, side), np.uint8)) > 0
            return kept(np.asarray(eroded if eroded.sum() >= FEWEST else sure > 0))

        return self.mattes.found.once("bare skin", find)

    @property
    def skin_style(self) -> Style:
        """Of its bare skin."""
        return self.mattes.found.once("skin style", lambda: style_of(self.lab, self.bare, self.face_width))

    @property
    def neck(self) -> Floats:
        """How much of each pixel is neck, at the size of the mattes."""
        return self.mattes.found.once("neck", lambda: kept(self.fine(_neck(self))))

    @cached_property
    def lightness(self) -> float:
        """ln(L + 8) of the skin."""
        seen = logarithmic(self.lab)[self.bare, 0]
        return float(np.median(seen)) if len(seen) else 0.0

    @property
    def eyes(self) -> list[Eye | None]:
        """The eye on the picture's left, and that on its right."""
        return self.mattes.found.once(
            "eyes", lambda: [find_eye(self.lab[..., 0], self.landmarks, which) for which in EYES]
        )

    @cached_property
    def openings(self) -> Floats:
        """(h,w): between the lids of both eyes."""
        drawn = [drawn_opening(self.lab.shape, self.landmarks[which]) for which in EYES]
        return np.maximum(*drawn)

    def fine(self, share: Floats) -> Floats:
        """A share (h,w) with the photo's own edges, at the size of the mattes."""
        size = (self.mattes.hair.shape[1], self.mattes.hair.shape[0])
        light = resized(cv2.cvtColor(self.part, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255), size)
        return refine_along_edges(light, share, self.mattes.face_width * self.mattes.scale)

    def at_size(self, share: Floats) -> Floats:
        """A share (h,w) at the size of the mattes, as smooth as it is."""
        size = (self.mattes.hair.shape[1], self.mattes.hair.shape[0])
        return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32).clip(0, 1)

    def shift(self, name: str, matte: Floats, shift: Floats) -> None:
        """Add a layer that shifts colours. matte: at the size of the mattes. shift: (h,w,3), small."""
        if not self.coloured:
            shift = shift * np.array([1, 0, 0], np.float32)
        levels = np.rint(255 * matte.clip(0, 1)).astype(np.uint8)
        self.layers.append(Shift(name, self.mattes.box, levels, shift.astype(np.float32)))


def restyle_own(one: Portrayed, other: Portrayed, parts: tuple[str, ...]) -> Change:
    """The change that gives parts of a face the style of another's, in layers; what could not be done is in its notes.

    parts: of "hair", "skin", "mouth" and "eyes"."""
    one.coloured = not (one.subject.grey and other.subject.grey)
    steps: dict[str, Callable[[], None]] = {
        "hair": lambda: _hair(one, other),
        "skin": lambda: _skin(one, other, lips="mouth" not in parts),
        "mouth": lambda: _mouth(one, other, skin="skin" in parts),
        "eyes": lambda: _eyes(one, other),
    }
    for part in steps:
        if part in parts:
            steps[part]()
    photo = one.subject.photo
    return Change((photo.shape[1], photo.shape[0]), tuple(one.layers))


def _hair(one: Portrayed, other: Portrayed) -> None:
    """The tones of the other's hair, along one's own strands."""
    size = other.lab.shape[1::-1]
    inside = resized(other.mattes.hair.astype(np.float32), size) > 0.9 * 255
    if inside.sum() < FEWEST:
        one.notes.append("Too little hair is seen in the other portrait: this photo's is left as it is.")
        return
    small = [
        cv2.resize(p.part, p.lab.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.uint8) for p in (one, other)
    ]
    layer = dye(
        "hair",
        small[0],
        one.mattes.box,
        one.mattes.hair,
        one.mattes.face_width,
        tones_of(small[1], inside),
        one.coloured,
    )
    if layer is None:
        one.notes.append("Too little hair is seen in this photo to take on another colour.")
        return
    one.layers += [layer] if one.coloured else [layer, Grey("black and white", one.mattes.box)]


def _skin(one: Portrayed, other: Portrayed, lips: bool) -> None:
    """The other's colour of skin and how strong its texture is; lids, and lips if they are not done by themselves,
    follow, and brows become lighter or darker. The inside of eyes and mouth stays."""
    if min(int(one.bare.sum()), int(other.bare.sum())) < FEWEST:
        one.notes.append("Too little bare skin is seen to take on another's colour.")
        return
    wanted = other.skin_style
    shift = shift_to(one.lab, one.bare, wanted, one.face_width)
    follows = one.share([*SKIN, *EYE_LABELS, *(LIPS if lips else [])]) + BROWS_FOLLOW * one.share(BROWS)
    side = 2 * max(1, round(LID * one.face_width)) + 1
    eyes = np.asarray(cv2.erode(one.share(EYE_LABELS), np.ones((side, side), np.uint8)))
    inner = one.at_size(np.maximum.reduce([one.openings, eyes, one.mattes.shares[TEETH]]).astype(np.float32))
    matte = np.maximum(one.fine(follows), one.neck) * (1 - inner)
    matte = np.minimum(matte, 1 - one.mattes.hair.astype(np.float32) / 255)
    one.shift("skin", matte, shift)
    _texture(one, wanted)


def _texture(one: Portrayed, wanted: Style) -> None:
    """Make the skin's texture as strong as the other's: on plain skin alone, or it would draw lines around features."""
    change = texture_change(one.lab, one.bare, wanted, one.face_width)
    weight = cv2.GaussianBlur(one.bare.astype(np.float32), (0, 0), max(1.0, 0.01 * one.face_width))
    difference = np.rint(2.55 * weight * one.bare * change)
    if not difference.any():
        return
    levels = np.repeat(difference.astype(np.int16)[..., None], 3, axis=2)
    one.layers.append(Added("texture", one.mattes.box, 1.0, levels))


def _neck(one: Portrayed) -> Floats:
    """How far each pixel (h,w) below the jaw is skin by its colour, as far as that hangs together with the face: a
    parser of faces knows no neck."""
    width, marks = one.face_width, one.landmarks
    sure = one.bare
    seen = logarithmic(one.lab)
    mean = seen[sure].mean(axis=0)
    spread = np.maximum(seen[sure].std(axis=0), (0.12, 2.5, 3.0))
    distance = np.sqrt(np.square((seen - mean) / spread / np.array([1.6, 1, 1])).sum(axis=2))
    y, x = np.mgrid[0 : one.lab.shape[0], 0 : one.lab.shape[1]]
    left, right = marks[:17, 0].min() + NARROWER * width, marks[:17, 0].max() - NARROWER * width
    jaw = np.interp(np.arange(one.lab.shape[1]), *marks[np.argsort(marks[:17, 0])].T)
    near = (x > left) & (x < right) & (y > jaw) & (y < marks[:17, 1].max() + BELOW * width)
    share = np.clip((ALIKE - distance) / (0.4 * ALIKE), 0, 1) * near * (1 - one.share([LABELS.index("hair")]))
    face = one.share(list(range(1, 10))) > 0.5
    _, pieces = cv2.connectedComponents(((share > 0.5) | face).astype(np.uint8))
    linked = np.isin(pieces, np.unique(pieces[face]))
    soft = cv2.GaussianBlur((share * linked * ~face).astype(np.float32), (0, 0), max(0.7, 0.008 * width))
    return np.asarray(soft, dtype=np.float32)


def _mouth(one: Portrayed, other: Portrayed, skin: bool) -> None:
    """The other's colour of lips, and of teeth where both show some: as light beside the skin as theirs are.

    skin: whether the skin becomes as light as the other's."""
    for name, labels in (("lips", LIPS), ("teeth", [TEETH])):
        mine, theirs = (p.share(labels) > 0.7 for p in (one, other))
        if min(int(mine.sum()), int(theirs.sum())) < FEWEST:
            continue
        wanted = style_of(other.lab, theirs, other.face_width)
        if not skin:
            lighter = one.lightness - other.lightness
            wanted = replace(wanted, mean=wanted.mean + np.array([LIT * lighter, 0, 0], np.float32))
        shift = shift_to(one.lab, mine, wanted, one.face_width)
        # A beard's shadow counts as lip to a parser, and must not make its gloss white.
        shift[..., 0] = np.clip(shift[..., 0], *LIPS_LIGHTER)
        one.shift(name, one.fine(one.share(labels)), shift)


def _eyes(one: Portrayed, other: Portrayed) -> None:
    """The other's colour of iris in one's own irises, and half of that of the white in the whites. In an eye that lies
    in the dark a light iris is darker, and has less colour."""
    theirs = [eye for eye in other.eyes if eye is not None]
    mine = [eye for eye in one.eyes if eye is not None]
    if not theirs or not mine:
        one.notes.append("An iris cannot be told from its white: the eyes' colour is left as it is.")
        return
    for name, how in (("iris", 1.0), ("white", WHITE_FOLLOWS)):
        found = [colour for eye in theirs if (colour := _colour(other.lab, getattr(eye, name))) is not None]
        for mask in (eye.iris if name == "iris" else eye.white for eye in mine):
            own = _colour(one.lab, mask)
            if own is None or not found:
                continue
            wanted = np.mean(found, axis=0)
            lighter = np.clip(how * IRIS_LIGHTER * (wanted[0] - own[0]), -MOST_LIGHTER, MOST_LIGHTER)
            darker = np.clip(np.exp(own[0] + lighter - wanted[0]), LEAST_COLOUR, 1)
            shift = np.array([lighter, *(how * (darker * wanted[1:] - own[1:]))], np.float32)
            one.shift(name, one.at_size(mask), np.broadcast_to(shift, (2, 2, 3)))


def _colour(lab: Floats, mask: Floats) -> Floats | None:
    """Mean of ln(L + 8), a and b where a mask (h,w) is sure, but for reflections and lashes; None of a few pixels."""
    inside = mask > 0.6
    if inside.sum() < 5:
        return None
    seen = logarithmic(lab)[inside]
    low, high = np.percentile(seen[:, 0], (10, 85))
    middle = seen[(seen[:, 0] >= low) & (seen[:, 0] <= high)]
    return np.asarray((middle if len(middle) else seen).mean(axis=0), dtype=np.float32)
