"""What is there at each sample before light falls on it: one painter for each kind of surface.

A painter lays one paint over another, each by its share in [0,1]. The shares, the sharpness of highlights and the
widths of soft edges, in mm, were chosen by eye; colours are in linear light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masque.data.puppets.curves import Floats, column, gaussian, mix, smooth_step, unit
from masque.data.puppets.head import EYEBALL_RADIUS
from masque.data.puppets.model import LEFT_EYEBALL, RIGHT_EYEBALL, UPPER_TEETH, model
from masque.data.puppets.movements import EXPRESSION
from masque.data.puppets.posing import PosedPuppet
from masque.data.puppets.raster import NORMAL, UV, X, Y
from masque.data.puppets.textures import HeadLayers
from masque.faces.labels import LABELS

BACKGROUND, SKIN, LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, NOSE, UPPER_LIP, MOUTH, LOWER_LIP, HAIR = range(
    len(LABELS)
)

SMILE = list(EXPRESSION).index("smile")
"""Which coefficient of `Face.expression` deepens the folds beside the mouth."""


@dataclass(frozen=True)
class Samples:
    """The N samples at which one surface is seen."""

    values: Floats
    """(8,N) float32, what `raster` names; normals are 1 long."""

    @property
    def x(self) -> Floats:
        """(N,): place in the picture, in samples to the right."""
        return np.asarray(self.values[X])

    @property
    def y(self) -> Floats:
        """(N,): place in the picture, in samples downwards."""
        return np.asarray(self.values[Y])

    @property
    def normal(self) -> Floats:
        """(3,N): the unit vector that stands on the surface."""
        return self.values[NORMAL]

    @property
    def uv(self) -> Floats:
        """(2,N): place in the surface's own paint, see `Surface.uv`."""
        return self.values[UV]


@dataclass(frozen=True)
class Paint:
    """What is there at N samples; a field that is one number is the same at all of them."""

    colour: Floats
    """(3,N) or (3,1): share of the light that comes back, in linear light."""
    openness: Floats | float
    """(N,) in [0,1]: how much of the light from all around arrives."""
    shine: Floats | float
    """(N,): strength of the key light's mirror image."""
    label: NDArray[np.uint8] | int
    """(N,): part of the face, an index into LABELS."""
    normal: Floats
    """(3,N): the side of the surface that is seen."""


Painter = Callable[[Samples, PosedPuppet], Paint]
"""Says what is there at the samples of one surface of a puppet."""


def paint_head(samples: Samples, posed: PosedPuppet) -> Paint:
    """Skin with its creases, beard, lips, brows, stubble under the hair and lashes, one over the other; then the eyes
    and the inside of the mouth in their openings."""
    layers, in_left_half = _layers_at(samples)
    layers = layers._replace(brow=layers.brow + 1.5 * (posed.puppet.face.male - 0.75))  # a man's brows are thicker
    hair = np.clip((posed.bare_above - layers.scalp) / 8, 0, 1)  # its edge is 8 mm soft
    label = _head_labels(layers, hair, in_left_half)
    lip = np.clip(np.maximum(layers.upper_lip, layers.lower_lip) / 1.2 + 0.5, 0, 1)
    colour = _skin_colour(layers, lip, hair, posed)
    facing = np.clip(posed.highlight @ samples.normal, 0, 1)
    female = 1 - posed.puppet.face.male
    shine = (0.06 * layers.openness * facing**14 + 0.16 * lip * (0.4 + female) * facing**45) * (1 - hair)
    openness = layers.openness
    for eye, eyeball in ((LEFT_EYE, LEFT_EYEBALL), (RIGHT_EYE, RIGHT_EYEBALL)):
        at = np.nonzero(label == eye)[0]
        centre = posed.values[:, eyeball]
        colour[:, at], shine[at] = _eye(samples.x[at] - centre[X], centre[Y] - samples.y[at], posed)
        openness[at] = 0.55 + 0.45 * np.clip(layers.eye[at] / 2.6, 0, 1)  # the lids shade it
    at = np.nonzero(label == MOUTH)[0]
    colour[:, at] = _mouth_inside(samples, at, posed)
    openness[at] = 0.5 + 0.5 * np.clip(layers.mouth_opening[at] / 1.5, 0, 1)
    shine[at] = 0
    return Paint(colour, openness, shine, label, samples.normal)


def paint_hair(samples: Samples, posed: PosedPuppet) -> Paint:
    """Strands, brighter and darker, with a band of gloss across them; dark on the inside, where no light falls."""
    across, down = samples.uv
    inside = samples.normal[2] < 0  # the surface is seen from behind
    # Strands lean about a point 250 mm above the hair, so that `sweep` shifts the whole pattern, too.
    sideways = across + posed.puppet.hair.sweep * (250 + down)
    rows, columns = model().strands.shape
    streak = np.clip(model().strands[down.astype(np.int32) % rows, sideways.astype(np.int32) % columns], -2, 2)
    normal = samples.normal * np.where(inside, -1, 1).astype(np.float32)
    lifted = unit(normal + column([0, 0.22, 0]) * streak)  # each strand mirrors light from a little higher or lower
    gloss = np.clip(posed.highlight @ lifted, 0, 1) ** 16 * (0.02 + 0.25 * posed.pigment.mean())
    colour = posed.pigment * np.exp(0.33 * streak) * np.where(inside, 0.2, 1.0)
    return Paint(colour, 0.85, gloss * ~inside, HAIR, normal)


def paint_shoulders(samples: Samples, posed: PosedPuppet) -> Paint:
    """Skin down to the neckline, and clothes below it, whose hem casts a little shadow."""
    x, y = samples.uv
    below_neckline = -147 - 20 * gaussian(x, 24) + 0.06 * np.abs(x) - y  # mm
    clothed = below_neckline > 0
    hem = 0.45 * np.exp(np.minimum(below_neckline, 0) / 3)
    openness = (0.45 + 0.55 * smooth_step(-y, 105, 150)) * np.where(clothed, 1, 1 - hem)  # dark under the chin
    seam = 1 - 0.25 * gaussian(below_neckline - 5, 1)
    colour = np.where(clothed, column(posed.puppet.clothes) * seam, column(posed.puppet.face.skin))
    return Paint(colour, openness, 0, np.where(clothed, BACKGROUND, SKIN).astype(np.uint8), samples.normal)


def paint_glasses(samples: Samples, posed: PosedPuppet) -> Paint:
    """Black, glossy frames. None of the eleven parts is glasses: they count as skin, as in CelebAMask-HQ's masks."""
    shine = 0.4 * np.clip(posed.highlight @ samples.normal, 0, 1) ** 20
    return Paint(column([0.03, 0.03, 0.03]), 1, shine, SKIN, samples.normal)


PAINTERS: dict[str, Painter] = {
    "head": paint_head,
    "right ear": paint_head,
    "left ear": paint_head,
    "shoulders": paint_shoulders,
    "cap": paint_hair,
    "curtain": paint_hair,
    "glasses": paint_glasses,
}
"""The painter of each surface."""


def _layers_at(samples: Samples) -> tuple[HeadLayers, NDArray[np.bool_]]:
    """The textures at the samples, each (N,), and where they are in the left half of the head."""
    textures = model().textures
    rows, columns = textures.shape[:2]
    across, down = np.clip(samples.uv.T, 0, (columns - 1, rows - 1)).T.astype(np.int32)
    return HeadLayers(*np.ascontiguousarray(textures[down, across].T)), across < columns // 2


def _head_labels(layers: HeadLayers, hair: Floats, in_left_half: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The part at each sample; a part lies over those before it. Where Table 3.1 of the portrait thesis is silent, ears
    are skin."""
    label = np.full(len(hair), SKIN, np.uint8)
    label[layers.nose > 0] = NOSE
    label[layers.brow + 0.3 > 0] = RIGHT_BROW
    label[hair - 0.5 > 0] = HAIR
    label[layers.upper_lip > 0] = UPPER_LIP
    label[layers.lower_lip > 0] = LOWER_LIP
    label[layers.mouth_opening - 0.9 > 0] = MOUTH  # 0.9 mm: closed lips leave no opening
    label[layers.eye > 0] = RIGHT_EYE
    label[(label == RIGHT_BROW) & in_left_half] = LEFT_BROW
    label[(label == RIGHT_EYE) & in_left_half] = LEFT_EYE
    return label


def _skin_colour(layers: HeadLayers, lip: Floats, hair: Floats, posed: PosedPuppet) -> Floats:
    """Colour of the skin and of all that is on it, (3,N). lip, hair: how much there is of each, in
    [0,1]."""
    face = posed.puppet.face
    old, female = 1 - face.young, 1 - face.male
    folds = (0.12 + 0.35 * old + 0.25 * max(face.expression[SMILE], 0)) * layers.smile_fold
    crease = 0.4 * old * layers.lines + (0.2 + 0.35 * old) * layers.eye_bag + folds
    blush = 1 + column([0.05, -0.13, -0.1]) * layers.blush
    colour = column(face.skin) * (1 + 0.05 * layers.mottle - 0.55 * np.minimum(crease, 1)) * blush
    beard = np.clip(face.beard * 1.15 * layers.beard * (0.8 + 0.3 * layers.grain), 0, 0.94)
    colour = mix(colour, column(face.brows), beard)
    colour = mix(colour, column(face.lips), lip * (0.75 + 0.15 * female))
    brow = np.clip(layers.brow / 2.6 + 0.35, 0, 1) * (0.62 + 0.28 * face.male)  # a man's are denser, too
    colour = mix(colour, column(face.brows), brow)
    colour = mix(colour, 0.8 * posed.pigment, hair * 0.9)
    return colour * (1 - (0.6 + 0.25 * female) * np.clip(layers.lashes, 0, 1))


def _eye(x: Floats, y: Floats, posed: PosedPuppet) -> tuple[Floats, Floats]:
    """Colour (3,N) and catchlight (N,) of the eyeball, a true sphere behind the opening of the lids.

    x, y: samples to the right of its middle and above it."""
    radius = posed.samples_per_mm * EYEBALL_RADIUS
    across, up = x / radius, y / radius
    ball = unit(np.stack([across, up, np.sqrt(np.clip(1 - across**2 - up**2, 0.02, 1))]))
    right, above = posed.puppet.face.gaze
    ahead = np.array([np.sin(right), np.sin(above), np.cos(right) * np.cos(above)], np.float32)
    # Distance from the middle of the pupil, in radii of the eyeball.
    away = np.sqrt(np.clip(2 - 2 * (posed.rotation @ ahead @ ball), 0, None))
    ring, rim = 0.75 + 0.9 * gaussian(away - 0.26, 0.07), 1 - 0.8 * smooth_step(away, 0.4, 0.47)
    iris = column(posed.puppet.face.iris) * ring * rim
    pupil_and_iris = iris * smooth_step(away, 0.17, 0.215) + 0.004
    colour = mix(pupil_and_iris, column([0.66, 0.62, 0.59]), smooth_step(away, 0.46, 0.5))  # the white of the eye
    return colour, 0.9 * np.exp((posed.highlight @ ball - 1) / 0.0085)


def _mouth_inside(samples: Samples, at: NDArray[np.int64], posed: PosedPuppet) -> Floats:
    """Colour (3,·) of the upper teeth and of the dark below them, at the samples numbered `at`."""
    teeth_x, teeth_y = posed.values[[X, Y], UPPER_TEETH]
    across = (samples.x[at] - teeth_x) / posed.samples_per_mm
    down = (samples.y[at] - teeth_y) / posed.samples_per_mm
    teeth = column([0.72, 0.67, 0.58]) * (1 - 0.9 * smooth_step(np.abs(across), 8, 22))  # darker towards the back
    dark = column([0.09, 0.012, 0.01])
    return mix(dark, teeth, smooth_step(down + 0.006 * across**2, 6.3, 5.3))
