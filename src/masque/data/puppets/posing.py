"""One puppet's points, turned, lit, seen by the camera and placed in the face frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from masque.data.puppets.curves import Floats, column, mix, smooth_step, unit
from masque.data.puppets.model import LANDMARKS, ON_SURFACES, coefficients, model, vertices
from masque.data.puppets.raster import DEPTH, NORMAL, UV, VALUES, X, Y
from masque.data.puppets.world import PIGMENTS, Hair, Light, Pose, Puppet
from masque.faces.detect import Landmarks
from masque.faces.frame import align, scale_of, transform

CAMERA_DISTANCE = 1000
"""mm from the point between the eyes."""

NECK_PIVOT = (0, -75, -25)
"""Where the head turns on the neck, mm."""

SHOULDERS_TURN = 0.35
"""Shoulders turn by this share of the head's yaw, and neither nod nor tilt."""


@dataclass(frozen=True)
class PosedPuppet:
    """A puppet as it stands before the camera, and what its painters need. Arrays are float32."""

    puppet: Puppet
    """The puppet itself."""
    alpha: Floats
    """(30,): its coefficients of the model of points, as `masque.data.puppets.model.coefficients` gives them."""
    bare_above: float
    """mm: above this height of the head no hair grows."""
    values: Floats
    """(8,V), of each vertex what `raster` names: place in the picture, in samples; depth; normal; uv."""
    samples_per_mm: float
    """Samples of the picture per mm of a head, at the depth of the eyes."""
    rotation: Floats
    """(3,3): from directions in the head to directions in the picture."""
    to_light: Floats
    """(3,): the direction of the key light."""
    highlight: Floats
    """(3,): the normal of the surface that mirrors the key light into the camera."""
    pigment: Floats
    """(3,1): colour of the hair, in linear light."""
    landmarks: Landmarks
    """(68,2): the 68 landmarks, in pixels of the face frame."""


def pose(puppet: Puppet, scale: float, samples: int) -> PosedPuppet:
    """The puppet, placed by the similarity that aligns its true landmarks, as `prepare` places the face of a photo.

    scale: of the face frame. samples: per pixel, along a line."""
    shared, alpha = model(), coefficients(puppet.face)
    bare_above = bare_height(puppet.hair)
    points = _with_hair(vertices(alpha), puppet.hair, bare_above)
    rotation = _rotation(puppet.pose)
    points = _turn(points, rotation, puppet.pose)
    flat = (np.stack([points[0], -points[1]]) * (CAMERA_DISTANCE / (CAMERA_DISTANCE - points[2]))).T
    to_frame = align(flat[LANDMARKS], scale)
    frame = transform(flat, to_frame)
    # The similarity also turns the picture about the camera's axis. Its y axis points down and the points' up.
    frame_roll = np.eye(3, dtype=np.float32)
    frame_roll[:2, :2] = to_frame[:, :2] / scale_of(to_frame) * [[1, -1], [-1, 1]]
    points = frame_roll @ points
    values = np.zeros((VALUES, points.shape[1]), np.float32)
    values[[X, Y]] = (frame.T + 0.5) * samples - 0.5
    values[DEPTH] = points[2]
    values[UV, ON_SURFACES] = shared.uv
    for patch in shared.patches.values():
        values[NORMAL, patch.vertices] = _normals(points[:, patch.vertices], patch.grid)
    to_light = _direction(puppet.light)
    return PosedPuppet(
        puppet=puppet,
        alpha=alpha,
        bare_above=bare_above,
        values=values,
        samples_per_mm=scale_of(to_frame) * samples,
        rotation=frame_roll @ rotation,
        to_light=to_light,
        highlight=unit(np.array([*to_light[:2], to_light[2] + 1])),
        pigment=_pigment(puppet.hair),
        landmarks=frame[LANDMARKS],
    )


def bare_height(hair: Hair) -> float:
    """mm: above this height of the head no hair grows; above the vertex where nothing is bald."""
    return 130 - 200 * hair.bald


def _with_hair(points: Floats, hair: Hair, bare_above: float) -> Floats:
    """Points (3,V) with the cap raised to its thickness and the curtain cut to its length, with a ragged edge."""
    shared = model()
    cap, curtain = shared.patches["cap"], shared.patches["curtain"]
    grows = smooth_step(bare_above - shared.mean[1, cap.vertices], 0, 10)
    points[:, cap.vertices] += grows * (hair.volume * shared.short_hair + hair.bangs * shared.bangs)
    heights = points[1, curtain.vertices].reshape(curtain.grid)
    ragged = 0.95 + 0.05 * np.sin(2.4 * np.arange(curtain.grid[1]))
    shortened = mix(heights[0], heights, (0.4 + 0.6 * hair.length) * ragged)
    points[1, curtain.vertices] = shortened.ravel()
    return points


def _turn(points: Floats, rotation: Floats, head: Pose) -> Floats:
    """Points (3,V) turned on the neck: the head by its pose, the shoulders along with it only a little."""
    pivot = column(NECK_PIVOT)
    shoulders = _rotation(Pose(SHOULDERS_TURN * head.yaw, 0, 0))
    return pivot + mix(shoulders @ (points - pivot), rotation @ (points - pivot), model().turning)


def _rotation(head: Pose) -> Floats:
    """(3,3): yaw first, then pitch, then roll, each about an axis of the picture."""
    axes = ((0, head.yaw, 0), (-head.pitch, 0, 0), (0, 0, head.roll))
    yaw, pitch, roll = (cv2.Rodrigues(np.array(axis, dtype=float))[0] for axis in axes)
    return (roll @ pitch @ yaw).astype(np.float32)


def _normals(points: Floats, grid: tuple[int, int]) -> Floats:
    """(3,·): the unit vectors that stand on a surface at its points, (3,·), outwards."""
    surface = points.reshape(3, *grid)
    down, across = np.gradient(surface, axis=1), np.gradient(surface, axis=2)
    return unit(np.cross(down, across, axis=0)).reshape(3, -1)


def _direction(light: Light) -> Floats:
    """(3,): the unit vector towards the light."""
    right, up = light.right, light.up
    return np.array([np.sin(right) * np.cos(up), np.sin(up), np.cos(right) * np.cos(up)], np.float32)


def _pigment(hair: Hair) -> Floats:
    """(3,1): the colour of the hair, mixed of its pigments."""
    auburn = max(0.0, 1 - sum(hair.pigments))
    return column([*hair.pigments, auburn] @ PIGMENTS)
