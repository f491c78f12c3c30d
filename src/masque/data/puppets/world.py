"""What a puppet is: every number that its picture depends on, and how these are drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from masque.data.puppets.curves import Floats, mix
from masque.data.puppets.movements import EXPRESSION, IDENTITY

RGB = tuple[float, float, float]
"""Red, green and blue in [0,1], in linear light: twice the number is twice the light."""

HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
"""CelebA's four attributes of hair colour, in the order of `Hair.pigments`."""


class Gaze(NamedTuple):
    """How far the eyes are turned in the head, in radians; 0: they look where the nose points."""

    right: float
    """Towards the picture's right."""
    up: float
    """Upwards."""


@dataclass(frozen=True)
class Face:
    """The person and what the face does: what a swap of faces takes along."""

    identity: int
    """The person's number; who has the same one has the same shape, colours, hair and beard."""
    shape: tuple[float, ...]
    """alpha_id: a coefficient of each movement of IDENTITY, in its order, about N(0,1)."""
    expression: tuple[float, ...]
    """alpha_exp: a coefficient of each movement of EXPRESSION, in its order: 0 at rest, 1 full."""
    gaze: Gaze
    """Where the eyes look."""
    male: float
    """[0,1]: from a woman's features to a man's."""
    young: float
    """[0,1]: from old, with lines and a blotched skin, to young."""
    beard: float
    """[0,1]: 0 is shaven, 1 a full beard."""
    glasses: float
    """[0,1]: glasses are worn from 0.5 on."""
    skin: RGB
    """Colour of the skin of face, ears and neck."""
    lips: RGB
    """Colour of the lips."""
    iris: RGB
    """Colour of both irises."""
    brows: RGB
    """Colour of eyebrows and beard."""


@dataclass(frozen=True)
class Hair:
    """The hair on the head."""

    pigments: tuple[float, float, float, float]
    """Shares of HAIR_COLOURS, in their order, which sum to at most 1; what is missing to 1 is auburn."""
    bald: float
    """[0,1]: 0 has all hair, 1 none; between, the crown is bare, the farther down the balder."""
    bangs: float
    """[0,1]: how far hair falls over the forehead."""
    length: float
    """[0,1]: 0 is cut short, 1 falls below the shoulders."""
    volume: float
    """Thickness of the hair on top of the head, about 1."""
    sweep: float
    """[-1,1]: how far strands lean to the side; it also picks their pattern."""


class Pose(NamedTuple):
    """How the head is turned, in radians; all 0: it looks straight into the camera."""

    yaw: float
    """To the picture's right."""
    pitch: float
    """Upwards."""
    roll: float
    """Counter-clockwise in the picture."""


@dataclass(frozen=True)
class Light:
    """The key light: the one strong light, from one direction."""

    right: float
    """Angle of its direction to the right of the camera, in radians."""
    up: float
    """Angle of its direction above the camera, in radians."""
    colour: RGB
    """Colour times strength: about 1, and may be above it."""


@dataclass(frozen=True)
class Backdrop:
    """What is behind the puppet: a blend from one colour to another with soft blobs on it."""

    top: RGB
    """Colour at the picture's upper edge."""
    bottom: RGB
    """Colour at the picture's lower edge."""
    pattern: int
    """Seed of the random blobs."""


@dataclass(frozen=True)
class Puppet:
    """All that one picture depends on: equal puppets have pictures that are equal bit for bit."""

    face: Face
    """Who it is and what the face does."""
    hair: Hair
    """Colour and cut of the hair."""
    pose: Pose
    """How the head is turned."""
    light: Light
    """The key light."""
    clothes: RGB
    """Colour of the clothes."""
    backdrop: Backdrop
    """What is behind the puppet."""


SKINS = np.array([
    [1, 0.84, 0.75], [0.94, 0.75, 0.64], [0.88, 0.67, 0.54], [0.77, 0.53, 0.39], [0.57, 0.36, 0.25], [0.38, 0.24, 0.17],
])  # fmt: skip
"""Tones of skin from light to dark, as they are displayed (gamma-encoded); a person's lies between two of them."""

IRISES = np.array([[0.27, 0.17, 0.1], [0.38, 0.26, 0.14], [0.36, 0.42, 0.27], [0.33, 0.47, 0.59], [0.42, 0.5, 0.55]])
"""Dark brown, light brown, green, blue and grey, as they are displayed; people with dark skin have the first two."""

PIGMENTS = np.array(
    [[0.012, 0.01, 0.009], [0.55, 0.36, 0.16], [0.085, 0.042, 0.02], [0.4, 0.39, 0.38], [0.25, 0.07, 0.02]]
)
"""Hair of each of HAIR_COLOURS, and auburn, in linear light."""

AUBURN = 4
"""Row of PIGMENTS: what `Hair.pigments` leave."""


def draw_puppet(seed: int, identity: int | None = None) -> Puppet:
    """A random puppet.

    seed, identity: whole numbers from 0; without an identity the seed is one. The identity fixes the person: shape,
    sex, age, colours, hair and beard. The seed varies the moment: expression, gaze, pose, light, clothes, backdrop and
    whether glasses are worn.

    The order of the draws is part of what a seed means: in another order every seed gives another puppet."""
    identity = seed if identity is None else identity
    person = np.random.default_rng([1, identity])  # 1 and 2 keep the two apart where seed and identity are equal
    moment = np.random.default_rng([2, identity, seed])
    looks = _draw_looks(person)
    expression = _draw_expression(moment)
    pose = _draw_pose(moment)
    light_colour = _draw_light_colour(moment)
    return Puppet(
        face=_draw_face(identity, looks, expression, person, moment),
        hair=_draw_hair(looks, person),
        pose=pose,
        light=Light(right=moment.uniform(-1.1, 1.1), up=moment.uniform(0.1, 0.9), colour=light_colour),
        clothes=_linear_light(moment.uniform(size=3), saturation=0.55),
        backdrop=Backdrop(
            top=_linear_light(moment.uniform(0.15, 0.9, 3), saturation=0.5),
            bottom=_linear_light(moment.uniform(0.15, 0.9, 3), saturation=0.5),
            pattern=int(moment.integers(1 << 30)),
        ),
    )


class _Looks(NamedTuple):
    """What of a person decides about more than one field of a puppet."""

    male: float
    """0 or 1."""
    young: float
    """[0.25,1]."""
    dark: bool
    """The skin's tone is among the darker ones: so are hair, brows and eyes."""
    skin: Floats
    """(3,) as displayed."""
    pigments: Floats
    """(4,) shares of HAIR_COLOURS."""
    long_hair: bool
    """Whether the hair falls below the ears."""
    balding: bool
    """Whether the crown is bald, at least in part."""
    glasses_chance: float
    """How likely the person wears glasses in a picture."""


def _draw_looks(person: np.random.Generator) -> _Looks:
    male = float(person.uniform() < 0.5)
    age = person.uniform()
    tone = person.uniform(0, len(SKINS) - 1)
    young = min(1.35 - 1.1 * age, 1.0)  # a third of all people are fully young
    dark = tone > 2.6
    # Nobody is born with gray hair; it comes with age.
    chances = [0.85, 0, 0.15, 0] if dark else [0.25, 0.3, 0.45, 0]
    pigments = np.eye(len(HAIR_COLOURS))[person.choice(len(HAIR_COLOURS), p=chances)] * person.uniform(0.75, 1.0)
    all_gray = np.array([0, 0, 0, 0.95])
    return _Looks(
        male=male,
        young=young,
        dark=dark,
        skin=np.array([np.interp(tone, range(len(SKINS)), channel) for channel in SKINS.T]),
        pigments=mix(pigments, all_gray, min(max(1.9 - 3.6 * young, 0.0), 1.0)),
        long_hair=person.uniform() < (0.07 if male else 0.85),
        balding=bool(male) and person.uniform() < 0.12 + 0.3 * age,
        glasses_chance=0.75 if person.uniform() < 0.18 else 0.05,
    )


def _draw_expression(moment: np.random.Generator) -> tuple[float, ...]:
    """Half of all puppets smile, and who smiles shows the teeth more often; all else stays small."""
    smile = moment.uniform(0.5, 1) if moment.uniform() < 0.5 else moment.uniform(0, 0.15)
    mouth_open = moment.uniform(0.2, 0.8) if moment.uniform() < (0.55 if smile > 0.4 else 0.15) else 0.0
    brows_up, *others = moment.normal(size=len(EXPRESSION) - 2) * (0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    return (smile, mouth_open, float(brows_up), *np.abs(others).tolist())  # brows alone also go the other way: down


def _draw_pose(moment: np.random.Generator) -> Pose:
    """Yaw within 44°, pitch within 14° and roll within 11°."""
    return Pose(*(moment.normal(size=3).clip(-2.4, 2.4) * (0.32, 0.1, 0.08)).tolist())


def _draw_light_colour(moment: np.random.Generator) -> RGB:
    strength, warmth = moment.uniform(0.7, 1), moment.uniform(-0.13, 0.13)
    return strength * (1 + warmth), strength, strength * (1 - warmth)


def _draw_face(
    identity: int,
    looks: _Looks,
    expression: tuple[float, ...],
    person: np.random.Generator,
    moment: np.random.Generator,
) -> Face:
    # Lips are darker and redder than the skin around them, a woman's more so.
    lip_tint = (0.86, 0.56, 0.56) if looks.male else (0.9, 0.46, 0.48)
    # Brows are darker than the hair, and never quite black.
    brows = PIGMENTS[0] if looks.dark else 0.55 * looks.pigments @ PIGMENTS[:AUBURN] + 0.004
    return Face(
        identity=identity,
        shape=tuple(person.normal(size=len(IDENTITY)).clip(-2, 2).tolist()),
        expression=expression,
        gaze=Gaze(right=moment.uniform(-0.2, 0.2), up=moment.uniform(-0.1, 0.1)),
        male=looks.male,
        young=looks.young,
        beard=person.uniform(0.4, 1) if looks.male and person.uniform() < 0.45 else 0.0,
        glasses=float(moment.uniform() < looks.glasses_chance),
        skin=_linear_light(looks.skin),
        lips=_linear_light(looks.skin * lip_tint),
        iris=_linear_light(IRISES[person.integers(2 if looks.dark else len(IRISES))]),
        brows=_rgb(brows),
    )


def _draw_hair(looks: _Looks, person: np.random.Generator) -> Hair:
    """Who is balding has neither bangs nor long hair; long hair lies close to the head."""
    black, blond, brown, gray = looks.pigments.tolist()
    return Hair(
        pigments=(black, blond, brown, gray),
        bald=person.uniform(0.3, 1) if looks.balding else 0.0,
        bangs=person.uniform(0.6, 1) if not looks.balding and person.uniform() < 0.22 else 0.0,
        length=person.uniform(0.3, 1) if looks.long_hair and not looks.balding else 0.0,
        volume=1.0 if looks.long_hair else person.uniform(0.75, 1.3),
        sweep=person.uniform(-0.7, 0.7),
    )


def _linear_light(displayed: Floats, saturation: float = 1.0) -> RGB:
    """A colour in linear light.

    displayed: (3,) red, green and blue as a screen shows them, gamma 2.2. saturation: 0 leaves their mean, 1 all."""
    return _rgb(mix(float(np.mean(displayed)), displayed, saturation).clip(0, 1) ** 2.2)


def _rgb(colour: Floats) -> RGB:
    red, green, blue = colour.tolist()
    return red, green, blue
