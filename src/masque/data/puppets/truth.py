"""What is known exactly about a puppet's picture, and the puppets that a perfect swap, edit or change of style shows.

Parts are those of Table 3.1 of the portrait thesis. Where it is silent, ears, neck and glasses are skin, and clothes
are background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from masque.data.puppets.curves import Floats
from masque.data.puppets.movements import EXPRESSION
from masque.data.puppets.world import HAIR_COLOURS, Puppet
from masque.errors import UnknownAttributeError, ValueRangeError, nearest
from masque.faces.detect import Landmarks
from masque.image import Picture


@dataclass(frozen=True)
class Rendered:
    """A puppet's picture at scale s of the face frame, and its exact truth."""

    picture: Picture
    """The rendered face frame, RGB uint8 (218s,178s,3)."""
    labels: NDArray[np.uint8]
    """(218s,178s): indices into masque.faces.labels.LABELS."""
    background: NDArray[np.uint8]
    """(218s,178s): 255 where neither person nor clothes are, 0 on them, between at their edge."""
    landmarks: Landmarks
    """float32 (68,2) frame pixels, in iBUG's order; hidden ones where they would be seen through the head."""
    attributes: dict[str, float]
    """Value in [0,1] of each of ATTRIBUTES, by its name."""
    identity: int
    """The number of the person, as `Face.identity` has it."""
    shape: Floats
    """float32 (30,): alpha of the model of points, see `coefficients`."""
    pose: Floats
    """float32 (3,): yaw, pitch and roll in radians."""
    puppet: Puppet
    """The puppet that was rendered."""


def label_map(labels: NDArray[np.uint8], samples: int) -> NDArray[np.uint8]:
    """The label map (H,W) of labels at samples (kH,kW), k × k in each pixel: a pixel has the label of the sample in its
    middle (of an even number of them, below and to the right of it), since labels have no mean."""
    return labels[samples // 2 :: samples, samples // 2 :: samples].copy()


def background_mask(cover: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The mask (H,W) of what is covered, in [0,1]: 255 where nothing is."""
    return np.rint(255 - 255 * cover).astype(np.uint8)


def attributes_of(puppet: Puppet) -> dict[str, float]:
    """ATTRIBUTES, each in [0,1]."""
    values = np.clip([attribute.read(puppet) for attribute in _ATTRIBUTES.values()], 0, 1)
    return dict(zip(_ATTRIBUTES, values.tolist(), strict=True))


def true_swap(face: Puppet, hair: Puppet) -> Puppet:
    """The one puppet's face and person in the other's picture: identity, shape, expression, gaze, age, sex, beard,
    glasses and the colours of skin, lips, irises and brows of `face`; hair, pose, light, clothes and backdrop of
    `hair`."""
    return replace(hair, face=face.face)


def true_style(shape: Puppet, style: Puppet) -> Puppet:
    """The one puppet in the other's colours: of skin, lips, irises, brows and hair. All else is `shape`'s, so all
    outlines are, too."""
    colours = style.face
    face = replace(shape.face, skin=colours.skin, lips=colours.lips, iris=colours.iris, brows=colours.brows)
    return replace(shape, face=face, hair=replace(shape.hair, pigments=style.hair.pigments))


def true_edit(puppet: Puppet, attribute: str, value: float) -> Puppet:
    """The puppet with one attribute set to a value, and nothing else changed; but of the hair colours the others are
    lowered so that they sum to at most 1.

    attribute: one of ATTRIBUTES. value: [0,1]. Raises UnknownAttributeError for another name and ValueRangeError for
    another value."""
    if attribute not in _ATTRIBUTES:
        raise UnknownAttributeError(f"Puppets have no attribute {attribute}: {nearest(attribute, ATTRIBUTES)}.")
    if not 0.0 <= value <= 1.0:
        raise ValueRangeError(f"{attribute} takes values from 0 to 1, not {value:g}.")
    return _ATTRIBUTES[attribute].edit(puppet, value)


class _Attribute(NamedTuple):
    """Where a puppet has an attribute of CelebA."""

    read: Callable[[Puppet], float]
    """The value that a puppet has of it."""
    edit: Callable[[Puppet, float], Puppet]
    """The puppet with another value in [0,1]."""


def _movement(name: str) -> _Attribute:
    """An attribute that is a coefficient of EXPRESSION."""
    number = list(EXPRESSION).index(name)

    def edit(puppet: Puppet, value: float) -> Puppet:
        expression = puppet.face.expression
        changed = (*expression[:number], value, *expression[number + 1 :])
        return replace(puppet, face=replace(puppet.face, expression=changed))

    return _Attribute(lambda puppet: puppet.face.expression[number], edit)


def _hair_colour(name: str) -> _Attribute:
    """An attribute that is a share of the hair's pigments."""
    number = HAIR_COLOURS.index(name)

    def edit(puppet: Puppet, value: float) -> Puppet:
        pigments = puppet.hair.pigments
        others = sum(pigments) - pigments[number]
        kept = min(1.0, (1.0 - value) / max(others, 1e-9))
        black, blond, brown, gray = (value if i == number else kept * v for i, v in enumerate(pigments))
        return replace(puppet, hair=replace(puppet.hair, pigments=(black, blond, brown, gray)))

    return _Attribute(lambda puppet: puppet.hair.pigments[number], edit)


_ATTRIBUTES = {
    "Smiling": _movement("smile"),
    "Mouth_Slightly_Open": _movement("mouth open"),
    **{name: _hair_colour(name) for name in HAIR_COLOURS},
    "Male": _Attribute(lambda p: p.face.male, lambda p, value: replace(p, face=replace(p.face, male=value))),
    "Young": _Attribute(lambda p: p.face.young, lambda p, value: replace(p, face=replace(p.face, young=value))),
    "Eyeglasses": _Attribute(
        lambda p: p.face.glasses, lambda p, value: replace(p, face=replace(p.face, glasses=value))
    ),
    "Bald": _Attribute(lambda p: p.hair.bald, lambda p, value: replace(p, hair=replace(p.hair, bald=value))),
    "Bangs": _Attribute(lambda p: p.hair.bangs, lambda p, value: replace(p, hair=replace(p.hair, bangs=value))),
    "No_Beard": _Attribute(
        lambda p: 1 - p.face.beard, lambda p, value: replace(p, face=replace(p.face, beard=1.0 - value))
    ),
}

ATTRIBUTES = tuple(_ATTRIBUTES)
"""CelebA's attributes that a puppet has."""
