"""From a puppet to its picture and its truth.

The puppet is drawn on a grid of samples that is k times as fine as the picture, k × k samples in each pixel: at each
sample the nearest surface is found, painted and lit. Then a pixel takes the mean of its samples, which is all that is
done against jagged edges: an edge pixel shows each side of the edge in proportion. The backdrop, which has no edges, is
laid behind with what the puppet leaves uncovered of a pixel. All this is in linear light, as light adds up; at the very
end the picture is encoded as a camera does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.data.puppets.curves import Floats, column, mix, unit
from masque.data.puppets.model import model
from masque.data.puppets.paint import PAINTERS, Paint, Samples
from masque.data.puppets.posing import PosedPuppet, pose
from masque.data.puppets.raster import NORMAL, Nearest, rasterise
from masque.data.puppets.truth import Rendered, attributes_of, background_mask, label_map
from masque.data.puppets.world import Backdrop, Puppet, draw_puppet
from masque.faces.frame import frame_size
from masque.image import Picture


def puppets(count: int, seed: int = 0, scale: float = 1.0, per_identity: int = 4) -> Iterator[Rendered]:
    """`count` rendered puppets, `per_identity` pictures of each person in a row; another seed gives other people, as
    long as no seed makes more than a million."""
    first = seed * 1_000_000
    for number in range(count):
        yield render(draw_puppet(first + number, identity=first + number // per_identity), scale)


def render(puppet: Puppet, scale: float = 1.0) -> Rendered:
    """The picture of a puppet as a face frame of 178s × 218s pixels at scale s > 0, with its exact truth."""
    samples = samples_per_pixel(scale)
    posed, size = pose(puppet, scale, samples), frame_size(scale)
    canvas = _draw(posed, (samples * size[0], samples * size[1]))
    # Averaging areas: every pixel is the mean of its samples.
    red, green, blue, cover = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (*canvas.light, canvas.cover))
    light = np.dstack([red, green, blue]) + (1 - cover[..., None]) * _backdrop(puppet.backdrop, size)
    return Rendered(
        picture=_encode(light),
        labels=label_map(canvas.labels, samples),
        background=background_mask(cover),
        landmarks=posed.landmarks,
        attributes=attributes_of(puppet),
        identity=puppet.face.identity,
        shape=posed.alpha,
        pose=np.array(puppet.pose, np.float32),
        puppet=puppet,
    )


def samples_per_pixel(scale: float) -> int:
    """k, how many samples a pixel has along a line: small pictures need more for edges as smooth."""
    return 2 if scale >= 0.75 else 4


@dataclass(frozen=True)
class Canvas:
    """The puppet on the grid of samples, (H,W) of them."""

    light: NDArray[np.float32]
    """(3,H,W): red, green and blue that reach the camera, in linear light; 0 where no puppet is."""
    cover: NDArray[np.float32]
    """(H,W): 1 where the puppet is, 0 beside it."""
    labels: NDArray[np.uint8]
    """(H,W): the part at each sample, an index into LABELS."""


def surfaces_of(puppet: Puppet) -> list[str]:
    """The surfaces that this puppet has: hair may be too thin or too short to be one, and glasses may be off."""
    hair = puppet.hair
    absent = {
        "cap": hair.bald > 0.98,
        "curtain": hair.length < 0.02 or hair.bald > 0.7,
        "glasses": puppet.face.glasses < 0.5,
    }
    return [name for name in PAINTERS if not absent.get(name, False)]


def _draw(posed: PosedPuppet, size: tuple[int, int]) -> Canvas:
    """The puppet on a grid of `size` (width, height) samples."""
    width, height = size
    patches = {name: model().patches[name] for name in surfaces_of(posed.puppet)}
    nearest = rasterise(posed.values, np.concatenate([p.triangles for p in patches.values()]), width, height)
    surface_of_triangle = np.repeat(np.arange(len(patches)), [len(p.triangles) for p in patches.values()])
    surface = surface_of_triangle[nearest.triangles]
    light = np.zeros((3, width * height), np.float32)
    cover = np.zeros(width * height, np.float32)
    labels = np.zeros(width * height, np.uint8)
    for number, name in enumerate(patches):
        at = np.nonzero(surface == number)[0]
        where = nearest.samples[at]
        paint = PAINTERS[name](_samples(nearest, at), posed)
        light[:, where] = _light_from(paint, posed)
        cover[where] = 1
        labels[where] = paint.label
    return Canvas(light.reshape(3, height, width), cover.reshape(height, width), labels.reshape(height, width))


def _samples(nearest: Nearest, at: NDArray[np.int64]) -> Samples:
    """The samples numbered `at`, with normals 1 long."""
    values = nearest.values.take(at, axis=1)
    values[NORMAL] = unit(values[NORMAL])
    return Samples(values)


WRAP = column([0.32, 0.2, 0.14])
"""How far light reaches round an edge: red the farthest, as it does under skin."""

FILL = 0.27
"""Strength of the light from all around."""


def _light_from(paint: Paint, posed: PosedPuppet) -> Floats:
    """Light that reaches the camera, (3,N): the key light, a fill light from the other side and above, and shine."""
    key, normal = column(posed.puppet.light.colour), paint.normal
    direct = np.clip((posed.to_light @ normal + WRAP) / (1 + WRAP), 0, None) * (0.35 + 0.65 * paint.openness)
    other_side = unit(np.array([-posed.to_light[0], 0.1, 0.9], np.float32))
    fill = 0.75 + 0.25 * normal[1] + 0.35 * np.clip(other_side @ normal, 0, None)
    return np.asarray(paint.colour * (key * direct + FILL * fill * paint.openness**2) + key * paint.shine)


def _backdrop(backdrop: Backdrop, size: tuple[int, int]) -> Floats:
    """(H,W,3) in linear light: one blend from top to bottom, with blobs of brightness and, weaker, of colour."""
    noise = np.random.default_rng(backdrop.pattern).normal(size=(7, 6, 4))
    blobs = cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    blend = mix(np.array(backdrop.top), np.array(backdrop.bottom), np.linspace(0, 1, size[1])[:, None, None])
    return blend * np.exp(0.13 * blobs[..., :1] + 0.05 * blobs[..., 1:])


def _encode(light: Floats) -> Picture:
    """Light (H,W,3) as a camera's picture: highlights roll off, as on film, then gamma 2.2."""
    displayed = np.clip(1.12 * light / (1 + 0.22 * light), 0, 1) ** (1 / 2.2)
    return (displayed * 255 + 0.5).astype(np.uint8)
