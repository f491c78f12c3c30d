"""The linear 3D model of the 68 landmarks (FaceFeat-GAN, Eq. 6): read from a file or learnt from landmarks alone, and
fitted to a face.

S = S̄ + A_id α_id + A_exp α_exp          mean, identity and expression bases
s = f·R(yaw, pitch, roll)·S + t          weak perspective: depth is left out

Model axes: x to the picture's right, y up, z towards the viewer, as the Basel and FaceWarehouse models have them; the
unit is the distance between the mean shape's eyes. Bases are multiplied by their standard deviations, so that
coefficients are N(0,1). Pictures have y down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masque.arrays import ArrayError, Shape, read_npz
from masque.errors import DataError
from masque.faces.frame import MIRRORED
from masque.image import write_atomically

Floats = NDArray[np.float64]

LANDMARKS = 68
NOSE_TIP, RIGHT_EYE, LEFT_EYE = 30, slice(36, 42), slice(42, 48)
MODES, ROUNDS = 32, 40
"""Of learning: ways in which shapes differ, and rounds of expectation and maximisation."""
FLOOR = 0.01
"""Least noise: landmarks are not that exact, and the camera is no weak perspective, which deformations would else be
found for."""
FEWEST, ENOUGH = 16, 3000
"""Pictures from which a model can be learnt; of more, evenly chosen ones give the deformations."""

FARTHEST, LEAST_NOISE = 100.0, 1e-4
"""What a model that is read may hold, in units of the distance between the eyes: beyond that, fitting is no longer
exact."""
SHAPES: Mapping[str, Shape] = {
    "mean": (LANDMARKS, 3), "identity": ("I", LANDMARKS, 3), "expression": ("E", LANDMARKS, 3), "identity_deviation": ("I",),
    "expression_deviation": ("E",), "noise": (),
}  # fmt: skip
"""The arrays of a morphable model's file."""
LARGEST = 1 << 26
"""Bytes of such a file and of each array in it: thousands of bases."""


@dataclass(frozen=True)
class ShapeModel:
    """Mean and bases."""

    mean: Floats
    """(68,3)"""
    identity: Floats
    """(I,68,3)"""
    expression: Floats
    """(E,68,3)"""
    noise: float
    """Standard deviation of a landmark about the model, along each axis of the picture."""

    @property
    def bases(self) -> Floats:
        """(I+E,68,3)"""
        return np.concatenate([self.identity, self.expression])

    def save(self, path: Path) -> None:
        """Write it as .npz, as `read_shape_model` reads it. Raises OutputError."""
        values = {
            "mean": self.mean,
            "identity": self.identity,
            "expression": self.expression,
            "noise": np.array(self.noise),
        }

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez_compressed(file, **{name: value.astype(np.float32) for name, value in values.items()})  # type: ignore[arg-type]

        write_atomically(path, write)


@dataclass(frozen=True)
class Fit:
    """What N faces are in a model's terms."""

    identity: Floats
    """(N,I)"""
    expression: Floats
    """(N,E)"""
    scale: Floats
    """(N,) f: pixels per unit"""
    angles: Floats
    """(N,3) radians: yaw to the picture's right, pitch up, roll counter-clockwise"""
    offset: Floats
    """(N,2) t in pixels, y down"""

    def shapes(self, model: ShapeModel) -> Floats:
        """(N,68,3) before the pose."""
        made: Floats = model.mean + np.einsum(
            "nk,kja->nja", np.concatenate([self.identity, self.expression], axis=1), model.bases
        )
        return made

    def posed(self, model: ShapeModel) -> Floats:
        """(N,68,3) turned, in the model's unit."""
        made: Floats = self.shapes(model) @ rotations(self.angles).swapaxes(1, 2)
        return made

    def projected(self, model: ShapeModel) -> Floats:
        """(N,68,2) landmarks in pixels, y down."""
        flat = self.posed(model)[:, :, :2] * [1, -1]
        made: Floats = self.scale[:, None, None] * flat + self.offset[:, None]
        return made


def rotations(angles: Floats) -> Floats:
    """(N,3) yaw, pitch and roll -> (N,3,3): first the yaw about y, then the pitch about x, then the roll about z."""
    yaw, pitch, roll = np.moveaxis(np.asarray(angles, dtype=float), -1, 0)
    o, e = np.zeros_like(yaw), np.ones_like(yaw)

    def rows(*values: Any) -> Floats:
        return np.stack(values, axis=-1).reshape(*yaw.shape, 3, 3)

    about_y = rows(np.cos(yaw), o, np.sin(yaw), o, e, o, -np.sin(yaw), o, np.cos(yaw))
    about_x = rows(e, o, o, o, np.cos(pitch), np.sin(pitch), o, -np.sin(pitch), np.cos(pitch))
    about_z = rows(np.cos(roll), -np.sin(roll), o, np.sin(roll), np.cos(roll), o, o, o, e)
    turned: Floats = about_z @ about_x @ about_y
    return turned


def angles_of(turned: Floats) -> Floats:
    """The inverse of `rotations`, for pitches within a right angle."""
    yaw = np.arctan2(-turned[..., 2, 0], turned[..., 2, 2])
    pitch = np.arcsin(np.clip(-turned[..., 2, 1], -1, 1))
    roll = np.arctan2(-turned[..., 0, 1], turned[..., 1, 1])
    return np.stack([yaw, pitch, roll], axis=-1)


def fit(model: ShapeModel, landmarks: NDArray[np.floating[Any]], rounds: int = 20) -> Fit:
    """The most likely pose and coefficients of faces.

    landmarks: (N,68,2) pixels, y down. Pose and coefficients take turns (Zhu et al. 2015 likewise), each of them with
    the other held."""
    points = np.asarray(landmarks, dtype=float) * [1, -1]
    middle = points.mean(axis=1)
    bases, mean = _centred(model.bases), _centred(model.mean)
    turned, scale, known, _ = _solve(mean, bases, model.noise, points - middle[:, None], rounds)
    # The bases' own middles are left out there: where the model has them, they move the picture of its origin.
    rest = (model.mean - mean)[0] + np.einsum("nk,ka->na", known, (model.bases - bases)[:, 0])
    offset = middle - scale[:, None] * np.einsum("nab,nb->na", turned[:, :2], rest)
    split = len(model.identity)
    return Fit(known[:, :split], known[:, split:], scale, angles_of(turned), offset * [1, -1])


def learn_shapes(
    landmarks: NDArray[np.floating[Any]], people: NDArray[np.int64], identity: int = 20, expression: int = 29
) -> ShapeModel:
    """A model from landmarks alone: structure from motion of what is not rigid, by EM over probabilistic principal
    components (Torresani et al. 2008), whose deformations are then parted into those between people and those within
    one.

    landmarks: (N,68,2) pixels, y down. people: (N,) numbers; -1 is unknown and counts for the mean and the deformations
    alone. identity, expression: how many bases. Raises DataError with too few pictures, or too few people of whom there
    are several."""
    if len(landmarks) < FEWEST:
        raise DataError(
            f"{len(landmarks)} faces are too few to learn a 3D model of faces from: prepare {FEWEST} at least."
        )
    several = [p for p in np.unique(people[people >= 0]) if (people == p).sum() > 1]
    if len(several) < 2:
        raise DataError(
            "A 3D model is learnt from several pictures of several people: prepare a set that says who is who."
        )
    points = np.asarray(landmarks, dtype=float) * [1, -1]
    points = points - points.mean(axis=1, keepdims=True)
    # A face in a mirror is a face as well: without the mirrored ones the mean would lean to a side.
    some = points[:: -(-len(points) // ENOUGH)]
    mean, bases, noise = _deformations(np.concatenate([some, some[:, MIRRORED] * [-1, 1]]))
    _, _, known, spread = _solve(mean, bases, noise, points, 20)
    within, between = _spreads(known, spread, people, several)
    return _in_units(mean, _principal(between, bases, identity), _principal(within, bases, expression), noise)


def read_shape_model(path: Path) -> ShapeModel:
    """A morphable model's landmark rows: .npz with mean (68,3), identity (I,68,3) and expression (E,68,3), in iBUG's
    order and the axes above, in any unit.

    Optional: identity_deviation (I,) and expression_deviation (E,), by which the bases are multiplied; noise, in the
    file's unit. Other arrays in the file are not looked at. Raises DataError when it is missing, damaged or of another
    shape, and for a mean that is no face."""
    try:
        values = read_npz(path, SHAPES, np.float64, LARGEST)
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
                f"{path} has {len(values[name])} bases of {name} and {len(deviation)} deviations: write one at least, and as many of both."
            )
        with np.errstate(over="ignore"):  # refused below
            values[name] *= deviation[:, None, None]
    if not _depth(values["mean"]) > 0:
        raise DataError(
            f"In {path} the nose points away from the viewer: z is to grow towards the viewer, and y upwards."
        )
    with np.errstate(all="ignore"):
        noise = float(values.get("noise", 0.02 * _between_eyes(values["mean"])))
        model = _in_units(values["mean"], values["identity"], values["expression"], noise)
    farthest = max(float(np.abs(shapes).max()) for shapes in (model.mean, model.bases))
    if not farthest <= FARTHEST or not LEAST_NOISE <= model.noise <= FARTHEST:
        raise DataError(
            f"{path} is no model of a face: in units of the distance between the eyes, all is to be at most {FARTHEST:g} and its noise "
            f"at least {LEAST_NOISE:g}."
        )
    return model


def _centred(shapes: Floats) -> Floats:
    return shapes - shapes.mean(axis=-2, keepdims=True)


def _between_eyes(mean: Floats) -> float:
    return float(np.linalg.norm(mean[LEFT_EYE].mean(axis=0) - mean[RIGHT_EYE].mean(axis=0)))


def _depth(mean: Floats) -> float:
    """How far the tip of the nose stands out from the eyes."""
    return float(mean[NOSE_TIP, 2] - (mean[RIGHT_EYE, 2].mean() + mean[LEFT_EYE, 2].mean()) / 2)


def _in_units(mean: Floats, identity: Floats, expression: Floats, noise: float) -> ShapeModel:
    unit = _between_eyes(mean)
    return ShapeModel(mean / unit, identity / unit, expression / unit, noise / unit)


def _complete(flat: Floats) -> Floats:
    """Two rows (N,2,3) of scaled rotations -> the nearest rotations (N,3,3)."""
    u, _, v = np.linalg.svd(flat, full_matrices=False)
    rows = u @ v
    return np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)


def _first_pose(mean: Floats, points: Floats) -> tuple[Floats, Floats]:
    """The nearest rotations to the affine maps that take the mean (68,3) to points (N,68,2), and their scales."""
    flat = points.swapaxes(1, 2) @ np.linalg.pinv(mean).T
    return _complete(flat), np.linalg.svd(flat, compute_uv=False).mean(axis=1)


def _pose(shapes: Floats, points: Floats, turned: Floats, scale: Floats, rounds: int = 3) -> tuple[Floats, Floats]:
    """Better rotations and scales: the depth that the picture lacks is taken from the last ones, and then it is two
    solid shapes (Umeyama 1991) that are brought to each other."""
    for _ in range(rounds):
        depth = scale[:, None] * np.einsum("na,nja->nj", turned[:, 2], shapes)
        target = np.concatenate([points, (depth - depth.mean(axis=1, keepdims=True))[:, :, None]], axis=2)
        cross = target.swapaxes(1, 2) @ shapes
        u, size, v = np.linalg.svd(cross)
        size[:, 2] *= np.sign(np.linalg.det(u @ v))
        u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
        turned = u @ v
        scale = size.sum(axis=1) / np.square(shapes).sum(axis=(1, 2))
    return turned, scale


def _coefficients(
    mean: Floats, bases: Floats, gram: Floats, points: Floats, turned: Floats, noise: float
) -> tuple[Floats, Floats]:
    """Mean (N,K) and covariance (N,K,K) of the coefficients, N(0,1) before they are seen. points: in the model's
    unit."""
    rows = turned[:, :2]
    back = (points - mean @ rows.swapaxes(1, 2)) @ rows
    seen = np.einsum("nab,abkl->nkl", rows.swapaxes(1, 2) @ rows, gram)
    spread = np.linalg.inv(seen / noise**2 + np.eye(len(bases)))
    right = back.reshape(len(back), -1) @ bases.reshape(len(bases), -1).T
    return np.einsum("nkl,nl->nk", spread, right) / noise**2, spread


def _rigid(points: Floats) -> tuple[Floats, Floats, Floats]:
    """The one solid shape (68,3) that explains points (N,68,2) best, and its rotations and scales (Tomasi and Kanade
    1992, whose metric is found from the two rows of each picture being as long as each other and at right angles)."""
    stacked = points.swapaxes(1, 2).reshape(-1, LANDMARKS)
    motion, values, shape = np.linalg.svd(stacked, full_matrices=False)
    motion, shape = motion[:, :3] * values[:3], shape[:3]
    first, second = motion[::2], motion[1::2]
    at = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]

    def products(a: Floats, b: Floats) -> Floats:
        return np.stack([a[:, i] * b[:, j] + (a[:, j] * b[:, i] if i != j else 0) for i, j in at], axis=1)

    equations = np.concatenate([products(first, second), products(first, first) - products(second, second)])
    # Of all metrics that fulfil them, the one by which pictures are of mean size 1.
    size = (products(first, first) + products(second, second)).mean(axis=0) / 2
    system = equations.T @ equations / len(equations)
    solved = np.linalg.solve(system + 1e-9 * np.trace(system) * np.eye(6), size)
    metric = np.zeros((3, 3))
    for (i, j), value in zip(at, solved / (size @ solved), strict=True):
        metric[i, j] = metric[j, i] = value
    sizes, axes = np.linalg.eigh(metric)
    upgrade = axes * np.sqrt(np.maximum(sizes, 1e-6 * sizes.max()))
    mean = np.linalg.solve(upgrade, shape).T
    flat = (motion @ upgrade).reshape(-1, 2, 3)
    # Which way the first picture is turned is anybody's choice: the mean pose looks at the viewer.
    front = _complete(flat.mean(axis=0)[None])[0]
    mean, flat = mean @ front.T, flat @ front.T
    if _depth(mean) < 0:  # a hollow mask seen in a mirror gives the same pictures
        mean, flat = mean * [1, 1, -1], flat * [1, 1, -1]
    return mean, _complete(flat), np.linalg.svd(flat, compute_uv=False).mean(axis=1)


def _solve(
    mean: Floats, bases: Floats, noise: float, points: Floats, rounds: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Rotations, scales, coefficients (N,K) and their mean covariance (K,K), all of them about the middle of points
    (N,68,2), y up."""
    gram = np.einsum("kja,ljb->abkl", bases, bases)
    turned, scale = _first_pose(mean, points)
    known, spread = np.zeros((len(points), len(bases))), np.zeros((len(bases), len(bases)))
    for _ in range(rounds):
        turned, scale = _pose(mean + np.einsum("nk,kja->nja", known, bases), points, turned, scale)
        known, each = _coefficients(mean, bases, gram, points / scale[:, None, None], turned, noise)
        spread = each.mean(axis=0)
    turned, scale = _pose(mean + np.einsum("nk,kja->nja", known, bases), points, turned, scale)
    return turned, scale, known, spread


def _deformations(points: Floats) -> tuple[Floats, Floats, float]:
    """Mean (68,3), bases (K,68,3) and noise that explain points (N,68,2), y up, about their middles: by EM."""
    mean, turned, scale = _rigid(points)
    rest = points - scale[:, None, None] * (mean @ turned[:, :2].swapaxes(1, 2))
    noise = float(np.sqrt(np.square(rest / scale[:, None, None]).mean()))
    bases = noise * np.random.default_rng(0).standard_normal((MODES, LANDMARKS, 3)) / np.sqrt(MODES)
    for _ in range(ROUNDS):
        mean, bases = _centred(mean), _centred(bases)
        gram = np.einsum("kja,ljb->abkl", bases, bases)
        scaled = points / scale[:, None, None]
        known, spread = _coefficients(mean, bases, gram, scaled, turned, noise)
        shapes = mean + np.einsum("nk,kja->nja", known, bases)
        turned, scale = _pose(shapes, points, turned, scale, rounds=1)
        rows, scaled = turned[:, :2], points / scale[:, None, None]
        # Every landmark's rows of mean and bases are one least squares problem, with the same left side for all.
        wide = np.concatenate([np.ones((len(known), 1)), known], axis=1)
        second = wide[:, :, None] * wide[:, None]
        second[:, 1:, 1:] += spread
        square = rows.swapaxes(1, 2) @ rows
        left = np.einsum("nab,nkl->akbl", square, second).reshape(3 * wide.shape[1], -1)
        right = np.einsum("nja,nk->akj", scaled @ rows, wide).reshape(len(left), LANDMARKS)
        solved = np.linalg.solve(left + 1e-6 * np.trace(left) / len(left) * np.eye(len(left)), right).reshape(
            3, -1, LANDMARKS
        )
        mean, bases = solved[:, 0].T, solved[:, 1:].transpose(1, 2, 0)
        made = np.einsum("njb,nab->nja", mean + np.einsum("nk,kja->nja", known, bases), rows)
        unsure = np.einsum("nab,akbl,nkl->", square, np.einsum("kja,ljb->akbl", bases, bases), spread)
        noise = max(
            FLOOR * _between_eyes(mean), float(np.sqrt((np.square(scaled - made).sum() + unsure) / scaled.size))
        )
    return _centred(mean), _centred(bases), noise


def _spreads(
    known: Floats, spread: Floats, people: NDArray[np.int64], several: list[np.int64]
) -> tuple[Floats, Floats]:
    """Covariances (K,K) of the coefficients (N,K) of one person's pictures, and of people."""
    within, centres, count = np.zeros_like(spread), [], 0
    for person in several:
        own = known[people == person]
        centres.append(own.mean(axis=0))
        within += (own - centres[-1]).T @ (own - centres[-1])
        count += len(own) - 1
    return within / count + spread, np.cov(np.array(centres).T)


def _principal(covariance: Floats, bases: Floats, count: int) -> Floats:
    """The `count` largest ways (count,68,3) in which shapes of coefficients of this covariance differ, each by one
    standard deviation."""
    flat = bases.reshape(len(bases), -1)
    values, vectors = np.linalg.eigh(flat.T @ covariance @ flat)
    order = np.argsort(values)[::-1][:count]
    ways: Floats = (vectors[:, order] * np.sqrt(np.maximum(values[order], 0))).T.reshape(-1, LANDMARKS, 3)
    return ways
