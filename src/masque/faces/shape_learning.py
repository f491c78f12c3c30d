"""Learning a 3D model of the landmarks from flat landmarks alone: structure from motion of what is not rigid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masque.errors import DataError
from masque.faces.frame import MIRRORED
from masque.faces.shape3d import (
    LANDMARKS,
    Floats,
    ShapeModel,
    between_eyes,
    centred,
    coefficients,
    improve_pose,
    in_eye_distances,
    nearest_rotations,
    nose_depth,
    solve,
)

DEFORMATIONS = 32
"""In how many ways shapes differ while a model is learnt; the bases are made of these."""
LEARNING_ROUNDS = 40
"""Rounds of expectation and maximisation in which a model is learnt."""
LEAST_LEARNT_NOISE = 0.01
"""In distances between the eyes: landmarks are no more exact than that, and no camera is weak perspective; deformations
would be found that explain the rest."""
FEWEST_FACES = 16
"""From how many faces a model can be learnt at least."""
MOST_FACES = 3000
"""Of more faces than that, evenly chosen ones give the deformations."""


def learn_shapes(
    landmarks: NDArray[np.floating], people: NDArray[np.int64], identity: int = 20, expression: int = 29
) -> ShapeModel:
    """A model from landmarks alone: structure from motion of what is not rigid, by EM over probabilistic principal
    components (Torresani et al. 2008), whose deformations are then parted into those between people and those within
    one.

    landmarks: (N,68,2) pixels, y down. people: (N,) numbers; -1 is unknown and counts for the mean and the deformations
    alone. identity, expression: how many bases. Raises DataError with too few pictures, or too few people of whom there
    are several."""
    _check_enough(landmarks)
    several = [p for p in np.unique(people[people >= 0]) if (people == p).sum() > 1]
    if len(several) < 2:
        raise DataError(
            "A 3D model is learnt from several pictures of several people: prepare a set that says who is who."
        )
    points, mean, bases, noise = _learnt(landmarks)
    _, _, alpha, covariance = solve(mean, bases, noise, points, 20)
    within, between = _covariances(alpha, covariance, people, several)
    return in_eye_distances(mean, _principal(between, bases, identity), _principal(within, bases, expression), noise)


def learn_ways(landmarks: NDArray[np.floating], count: int) -> ShapeModel:
    """A model from landmarks alone in which what differs between people and what differs within one is not parted, so
    that nobody has to be known: its `identity` are the `count` largest ways in which faces differ at all, and it has no
    `expression`.

    landmarks: (N,68,2) pixels, y down. Raises DataError with too few pictures."""
    _check_enough(landmarks)
    points, mean, bases, noise = _learnt(landmarks)
    _, _, alpha, covariance = solve(mean, bases, noise, points, 20)
    ways = _principal(np.cov(alpha.T) + covariance, bases, count)
    return in_eye_distances(mean, ways, np.zeros((0, LANDMARKS, 3)), noise)


def _check_enough(landmarks: NDArray[np.floating]) -> None:
    if len(landmarks) < FEWEST_FACES:
        raise DataError(
            f"{len(landmarks)} faces are too few to learn a 3D model of faces from: prepare {FEWEST_FACES} at least."
        )


def _learnt(landmarks: NDArray[np.floating]) -> tuple[Floats, Floats, Floats, float]:
    """Points (N,68,2), y up, about their middles, and the mean, bases and noise that explain them."""
    points = np.asarray(landmarks, dtype=float) * [1, -1]
    points = points - points.mean(axis=1, keepdims=True)
    # A face in a mirror is a face as well: without the mirrored ones the mean would lean to a side.
    some = points[:: -(-len(points) // MOST_FACES)]
    return points, *_deformations(np.concatenate([some, some[:, MIRRORED] * [-1, 1]]))


def _deformations(points: Floats) -> tuple[Floats, Floats, float]:
    """Mean (68,3), bases (K,68,3) and noise that explain points (N,68,2), y up, about their middles: by EM."""
    mean, rotation, scale = _rigid(points)
    rest = points - scale[:, None, None] * (mean @ rotation[:, :2].swapaxes(1, 2))
    noise = float(np.sqrt(np.square(rest / scale[:, None, None]).mean()))
    bases = noise * np.random.default_rng(0).standard_normal((DEFORMATIONS, LANDMARKS, 3)) / np.sqrt(DEFORMATIONS)
    for _ in range(LEARNING_ROUNDS):
        mean, bases = centred(mean), centred(bases)
        gram = np.einsum("kja,ljb->abkl", bases, bases)
        scaled = points / scale[:, None, None]
        alpha, covariance = coefficients(mean, bases, gram, scaled, rotation, noise)
        shapes = mean + np.einsum("nk,kja->nja", alpha, bases)
        rotation, scale = improve_pose(shapes, points, rotation, scale, rounds=1)
        rows, scaled = rotation[:, :2], points / scale[:, None, None]
        # Every landmark's rows of mean and bases are one least squares problem, with the same left side for all.
        terms = np.concatenate([np.ones((len(alpha), 1)), alpha], axis=1)
        second = terms[:, :, None] * terms[:, None]
        second[:, 1:, 1:] += covariance
        square = rows.swapaxes(1, 2) @ rows
        left = np.einsum("nab,nkl->akbl", square, second).reshape(3 * terms.shape[1], -1)
        right = np.einsum("nja,nk->akj", scaled @ rows, terms).reshape(len(left), LANDMARKS)
        solved = np.linalg.solve(left + 1e-6 * np.trace(left) / len(left) * np.eye(len(left)), right).reshape(
            3, -1, LANDMARKS
        )
        mean, bases = solved[:, 0].T, solved[:, 1:].transpose(1, 2, 0)
        made = np.einsum("njb,nab->nja", mean + np.einsum("nk,kja->nja", alpha, bases), rows)
        unsure = np.einsum("nab,akbl,nkl->", square, np.einsum("kja,ljb->akbl", bases, bases), covariance)
        noise = max(
            LEAST_LEARNT_NOISE * between_eyes(mean),
            float(np.sqrt((np.square(scaled - made).sum() + unsure) / scaled.size)),
        )
    return centred(mean), centred(bases), noise


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
    front = nearest_rotations(flat.mean(axis=0)[None])[0]
    mean, flat = mean @ front.T, flat @ front.T
    if nose_depth(mean) < 0:  # a hollow mask seen in a mirror gives the same pictures
        mean, flat = mean * [1, 1, -1], flat * [1, 1, -1]
    return mean, nearest_rotations(flat), np.linalg.svd(flat, compute_uv=False).mean(axis=1)


def _covariances(
    alpha: Floats, covariance: Floats, people: NDArray[np.int64], several: list[np.int64]
) -> tuple[Floats, Floats]:
    """Covariances (K,K) of the coefficients (N,K) of one person's pictures, and of people."""
    within, centres, count = np.zeros_like(covariance), [], 0
    for person in several:
        own = alpha[people == person]
        centres.append(own.mean(axis=0))
        within += (own - centres[-1]).T @ (own - centres[-1])
        count += len(own) - 1
    return within / count + covariance, np.cov(np.array(centres).T)


def _principal(covariance: Floats, bases: Floats, count: int) -> Floats:
    """The `count` largest ways (count,68,3) in which shapes of coefficients of this covariance differ, each by one
    standard deviation."""
    flat = bases.reshape(len(bases), -1)
    values, vectors = np.linalg.eigh(flat.T @ covariance @ flat)
    order = np.argsort(values)[::-1][:count]
    ways: Floats = (vectors[:, order] * np.sqrt(np.maximum(values[order], 0))).T.reshape(-1, LANDMARKS, 3)
    return ways
