"""The linear 3D model of the 68 landmarks (FaceFeat-GAN, Eq. 6): read from a file, and fitted to a face.

S = S̄ + A_id α_id + A_exp α_exp          mean, identity and expression bases
s = f·R(yaw, pitch, roll)·S + t          weak perspective: depth is left out

Model axes: x to the picture's right, y up, z towards the viewer, as the Basel and FaceWarehouse models have them; the
unit is the distance between the mean shape's eyes. Bases are multiplied by their standard deviations, so that
coefficients are N(0,1). Pictures have y down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masque.arrays import ArrayError, Shape, read_npz
from masque.errors import DataError
from masque.image import write_atomically

Floats = NDArray[np.float64]

LANDMARKS = 68
"""How many landmarks a face has."""
NOSE_TIP = 30
RIGHT_EYE = slice(36, 42)
"""The person's right one, which is to the picture's left."""
LEFT_EYE = slice(42, 48)

MAX_COORDINATE = 100.0
"""The largest coordinate, and noise, of a model that is read, in distances between the eyes: beyond it, fitting is no
longer exact."""
MIN_NOISE = 1e-4
"""The least noise of a model that is read, in the same unit."""
SHAPES: Mapping[str, Shape] = {
    "mean": (LANDMARKS, 3),
    "identity": ("I", LANDMARKS, 3),
    "expression": ("E", LANDMARKS, 3),
    "identity_deviation": ("I",),
    "expression_deviation": ("E",),
    "noise": (),
}
"""The arrays of a morphable model's file."""
MAX_BYTES = 1 << 26
"""How large such a file, and each array in it, may be: it holds thousands of bases."""


@dataclass(frozen=True)
class ShapeModel:
    """Mean and bases, in distances between the mean shape's eyes."""

    mean: Floats
    """S̄ (68,3): the mean face."""
    identity: Floats
    """(I,68,3): A_id, what each coefficient of 1 adds."""
    expression: Floats
    """(E,68,3): A_exp, what each coefficient of 1 adds."""
    noise: float
    """Standard deviation of a landmark about the model, along each axis of the picture."""

    @property
    def bases(self) -> Floats:
        """(I+E,68,3): those of identity, then those of expression."""
        return np.concatenate([self.identity, self.expression])

    def save(self, path: Path) -> None:
        """Write it as .npz, as `read_shape_model` reads it. Raises OutputError."""
        values = {
            "mean": self.mean,
            "identity": self.identity,
            "expression": self.expression,
            "noise": np.array(self.noise),
        }

        arrays = {name: value.astype(np.float32) for name, value in values.items()}

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

        write_atomically(path, write)


@dataclass(frozen=True)
class Fit:
    """What N faces are in a model's terms."""

    identity: Floats
    """(N,I): the coefficients α_id."""
    expression: Floats
    """(N,E): the coefficients α_exp."""
    scale: Floats
    """(N,): f, pixels per unit of the model."""
    angles: Floats
    """(N,3): yaw to the picture's right, pitch up and roll counter-clockwise, in radians."""
    offset: Floats
    """(N,2): t in pixels, y down."""

    def shapes(self, model: ShapeModel) -> Floats:
        """The faces before they are turned, (N,68,3), in the model's unit."""
        made: Floats = model.mean + np.einsum(
            "nk,kja->nja", np.concatenate([self.identity, self.expression], axis=1), model.bases
        )
        return made

    def posed(self, model: ShapeModel) -> Floats:
        """The faces turned as they are seen, (N,68,3), in the model's unit."""
        made: Floats = self.shapes(model) @ rotations(self.angles).swapaxes(1, 2)
        return made

    def projected(self, model: ShapeModel) -> Floats:
        """Their landmarks in the picture, (N,68,2) pixels, y down."""
        flat = self.posed(model)[:, :, :2] * [1, -1]
        made: Floats = self.scale[:, None, None] * flat + self.offset[:, None]
        return made


def rotations(angles: Floats) -> Floats:
    """Rotation matrices (N,3,3) of angles (N,3): first the yaw about y, then the pitch about x, then the roll about
    z."""
    yaw, pitch, roll = np.moveaxis(np.asarray(angles, dtype=float), -1, 0)
    o, e = np.zeros_like(yaw), np.ones_like(yaw)

    def rows(*values: Floats) -> Floats:
        return np.stack(values, axis=-1).reshape(*yaw.shape, 3, 3)

    about_y = rows(np.cos(yaw), o, np.sin(yaw), o, e, o, -np.sin(yaw), o, np.cos(yaw))
    about_x = rows(e, o, o, o, np.cos(pitch), np.sin(pitch), o, -np.sin(pitch), np.cos(pitch))
    about_z = rows(np.cos(roll), -np.sin(roll), o, np.sin(roll), np.cos(roll), o, o, o, e)
    rotation: Floats = about_z @ about_x @ about_y
    return rotation


def angles_of(rotation: Floats) -> Floats:
    """Yaw, pitch and roll (N,3) of rotation matrices (N,3,3): the inverse of `rotations`, for pitches within a right
    angle."""
    yaw = np.arctan2(-rotation[..., 2, 0], rotation[..., 2, 2])
    pitch = np.arcsin(np.clip(-rotation[..., 2, 1], -1, 1))
    roll = np.arctan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    return np.stack([yaw, pitch, roll], axis=-1)


def fit(model: ShapeModel, landmarks: NDArray[np.floating], rounds: int = 20) -> Fit:
    """The most likely pose and coefficients of faces.

    landmarks: (N,68,2) pixels, y down. Pose and coefficients take turns (Zhu et al. 2015 likewise), each of them with
    the other held."""
    points = np.asarray(landmarks, dtype=float) * [1, -1]
    middle = points.mean(axis=1)
    bases, mean = centred(model.bases), centred(model.mean)
    rotation, scale, alpha, _ = solve(mean, bases, model.noise, points - middle[:, None], rounds)
    # The bases' own middles are left out there: where the model has them, they move the picture of its origin.
    rest = (model.mean - mean)[0] + np.einsum("nk,ka->na", alpha, (model.bases - bases)[:, 0])
    offset = middle - scale[:, None] * np.einsum("nab,nb->na", rotation[:, :2], rest)
    split = len(model.identity)
    return Fit(alpha[:, :split], alpha[:, split:], scale, angles_of(rotation), offset * [1, -1])


def read_shape_model(path: Path) -> ShapeModel:
    """A morphable model's landmark rows: .npz with mean (68,3), identity (I,68,3) and expression (E,68,3), in iBUG's
    order and the axes above, in any unit.

    Optional: identity_deviation (I,) and expression_deviation (E,), by which the bases are multiplied; noise, in the
    file's unit. Other arrays in the file are not looked at. Raises DataError when it is missing, damaged or of another
    shape, and for a mean that is no face."""
    try:
        values = read_npz(path, SHAPES, np.float64, MAX_BYTES)
    except ArrayError as error:
        raise DataError(
            f"{path} is no morphable model ({error}): write the landmarks' rows of one with numpy.savez."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name the file of a morphable model.") from None
    for name in ("mean", "identity", "expression"):
        if name not in values:
            raise DataError(f"{path} holds no {name}: write the landmarks' rows of a morphable model with numpy.savez.")
    for name in ("identity", "expression"):
        deviation = values.get(f"{name}_deviation", np.ones(len(values[name])))
        if not 0 < len(values[name]) == len(deviation):
            raise DataError(
                f"{path} has {len(values[name])} bases of {name} and {len(deviation)} deviations: write one at least, "
                "and as many of both."
            )
        with np.errstate(over="ignore"):  # refused below
            values[name] *= deviation[:, None, None]
    if not nose_depth(values["mean"]) > 0:
        raise DataError(
            f"In {path} the nose points away from the viewer: z is to grow towards the viewer, and y upwards."
        )
    with np.errstate(all="ignore"):
        noise = float(values.get("noise", 0.02 * between_eyes(values["mean"])))
        model = in_eye_distances(values["mean"], values["identity"], values["expression"], noise)
    farthest = max(float(np.abs(shapes).max()) for shapes in (model.mean, model.bases))
    if not farthest <= MAX_COORDINATE or not MIN_NOISE <= model.noise <= MAX_COORDINATE:
        raise DataError(
            f"{path} is no model of a face: in units of the distance between the eyes, all is to be at most "
            f"{MAX_COORDINATE:g} and its noise at least {MIN_NOISE:g}."
        )
    return model


def centred(shapes: Floats) -> Floats:
    """Shapes (…,68,3) about the middle of their landmarks."""
    return shapes - shapes.mean(axis=-2, keepdims=True)


def between_eyes(mean: Floats) -> float:
    """The distance between the eyes of a shape (68,3)."""
    return float(np.linalg.norm(mean[LEFT_EYE].mean(axis=0) - mean[RIGHT_EYE].mean(axis=0)))


def nose_depth(mean: Floats) -> float:
    """How far the tip of the nose of a shape (68,3) stands out from the eyes; below 0 it is a hollow mask."""
    return float(mean[NOSE_TIP, 2] - (mean[RIGHT_EYE, 2].mean() + mean[LEFT_EYE, 2].mean()) / 2)


def in_eye_distances(mean: Floats, identity: Floats, expression: Floats, noise: float) -> ShapeModel:
    """A model in distances between its mean's eyes, from one in any unit."""
    unit = between_eyes(mean)
    return ShapeModel(mean / unit, identity / unit, expression / unit, noise / unit)


def nearest_rotations(flat: Floats) -> Floats:
    """The nearest rotations (N,3,3) to matrices whose first two rows, scaled, are given (N,2,3)."""
    u, _, v = np.linalg.svd(flat, full_matrices=False)
    rows = u @ v
    return np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)


def _first_pose(mean: Floats, points: Floats) -> tuple[Floats, Floats]:
    """The nearest rotations to the affine maps that take the mean (68,3) to points (N,68,2), and their scales."""
    flat = points.swapaxes(1, 2) @ np.linalg.pinv(mean).T
    return nearest_rotations(flat), np.linalg.svd(flat, compute_uv=False).mean(axis=1)


def improve_pose(
    shapes: Floats, points: Floats, rotation: Floats, scale: Floats, rounds: int = 3
) -> tuple[Floats, Floats]:
    """Better rotations (N,3,3) and scales (N,), by which shapes (N,68,3) or one (68,3) lie on points (N,68,2).

    The depth that the picture lacks is taken from the last ones, and then two solid shapes are brought to each other
    (Umeyama 1991)."""
    for _ in range(rounds):
        depth = scale[:, None] * np.einsum("na,nja->nj", rotation[:, 2], shapes)
        target = np.concatenate([points, (depth - depth.mean(axis=1, keepdims=True))[:, :, None]], axis=2)
        cross = target.swapaxes(1, 2) @ shapes
        u, size, v = np.linalg.svd(cross)
        size[:, 2] *= np.sign(np.linalg.det(u @ v))
        u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
        rotation = u @ v
        scale = size.sum(axis=1) / np.square(shapes).sum(axis=(1, 2))
    return rotation, scale


def coefficients(
    mean: Floats, bases: Floats, gram: Floats, points: Floats, rotation: Floats, noise: float
) -> tuple[Floats, Floats]:
    """Mean (N,K) and covariance (N,K,K) of the coefficients, whose prior is N(0,1). points: (N,68,2) in the model's
    unit."""
    rows = rotation[:, :2]
    back = (points - mean @ rows.swapaxes(1, 2)) @ rows
    information = np.einsum("nab,abkl->nkl", rows.swapaxes(1, 2) @ rows, gram)
    covariance = np.linalg.inv(information / noise**2 + np.eye(len(bases)))
    right = back.reshape(len(back), -1) @ bases.reshape(len(bases), -1).T
    return np.einsum("nkl,nl->nk", covariance, right) / noise**2, covariance


def solve(
    mean: Floats, bases: Floats, noise: float, points: Floats, rounds: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Rotations, scales, coefficients (N,K) and their mean covariance (K,K), all of them about the middle of points
    (N,68,2), y up."""
    gram = np.einsum("kja,ljb->abkl", bases, bases)
    rotation, scale = _first_pose(mean, points)
    alpha, covariance = np.zeros((len(points), len(bases))), np.zeros((len(bases), len(bases)))
    for _ in range(rounds):
        rotation, scale = improve_pose(mean + np.einsum("nk,kja->nja", alpha, bases), points, rotation, scale)
        alpha, each = coefficients(mean, bases, gram, points / scale[:, None, None], rotation, noise)
        covariance = each.mean(axis=0)
    rotation, scale = improve_pose(mean + np.einsum("nk,kja->nja", alpha, bases), points, rotation, scale)
    return rotation, scale, alpha, covariance
