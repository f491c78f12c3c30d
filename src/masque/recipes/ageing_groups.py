"""What age and sex add to the mean face: regressions of shape, colour and texture over many faces, each warped into the
frame of the mean face (Rowland and Perrett 1995; texture as in Tiddeman et al. 2001, by the energy of its bands).

A least-squares fit with the pose, an open mouth and the skin's tone of each face among its terms is used in place of
plain averages of groups: old people of a data set are photographed in other ways than young ones, and that must not
count as age."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.detect import Landmarks
from masque.faces.mean_face import (
    HEIGHT,
    JAW,
    MIDDLE,
    WIDTH,
    Floats,
    Maps,
    Plates,
    aligned,
    bare_skin,
    cheeks,
    hull,
    mean_shape,
    mirrored_shapes,
    with_forehead,
)
from masque.image import Picture
from masque.models.ageing import OLDEST, TERMS, YOUNGEST, age_terms

TURNED = 0.3
"""How one-sided a face may be seen, as the difference of its halves over its width."""
GLASSES = 14.0
"""Mean vertical slope of lightness across the bridge of the nose from which a face is taken to wear glasses, which
would be learnt as a part of age."""
RIDGE_SHAPE, RIDGE_COLOUR = 1.0, 5.0
"""What is added to the diagonal of the normal equations, but for the constant's."""
BANDS = (1.0, 2.0, 4.0, 8.0)
"""Sigmas, in pixels of the frame, between which texture is told apart."""


@dataclass(frozen=True)
class Person:
    """One face to learn from, but for its pixels."""

    landmarks: Landmarks
    """(68,2) in pixels of its frame."""
    age: float
    """Years."""
    male: float
    """1 for a man, 0 for a woman."""
    tone: NDArray[np.float32]
    """(3,): CIELAB of the cheeks."""


@dataclass(frozen=True)
class Averages:
    """What was learnt, as buffers of `masque.models.ageing.Prototypes`."""

    points: Floats
    shape: Floats
    colour: Maps
    texture: Maps
    used: int
    """How many faces colour and texture are from: those of glasses are left out."""


def learn_averages(people: list[Person], picture: Callable[[int], Picture]) -> Averages:
    """Prototypes of N people.

    picture: gives the frame, RGB uint8, of the person at a position. Faces that are turned, or of ages beyond what
    prototypes know, are left out."""
    faces = np.array([person.landmarks for person in people], dtype=np.float64)
    shape = mean_shape(faces)
    placed = aligned(faces, shape)
    ages = np.array([person.age for person in people])
    pose = _pose(placed)
    good = np.flatnonzero((np.abs(pose[:, 0]) < TURNED) & (ages >= YOUNGEST) & (ages <= OLDEST + 5))
    terms = _terms(people, pose - pose[good].mean(axis=0))
    solved = solve(terms[good].T @ terms[good], terms[good].T @ placed[good].reshape(len(good), -1), RIDGE_SHAPE)
    displacements = solved[:TERMS].reshape(TERMS, 68, 2)
    displacements[0] -= shape
    by_term = 0.5 * (displacements + mirrored_shapes(displacements))
    points: Floats = with_forehead(shape)
    landmarks = [people[i].landmarks for i in good]
    colour, texture, used = _surfaces(points, landmarks, terms[good], lambda i: picture(good[i]))
    return Averages(points, by_term, colour, texture, used)


def solve(gram: Floats, right: Floats, ridge: float) -> Floats:
    """Coefficients (K,M) of a least-squares fit, from XᵀX (K,K) and Xᵀy (K,M)."""
    diagonal = np.full(len(gram), ridge)
    diagonal[0] = 0
    return np.asarray(np.linalg.solve(gram + np.diag(diagonal), right), dtype=np.float64)


def _pose(placed: Floats) -> Floats:
    """Yaw, its square and how open the mouth is (N,3) of aligned faces (N,68,2)."""
    yaw = (2 * placed[:, 30, 0] - placed[:, 0, 0] - placed[:, 16, 0]) / JAW
    mouth = np.linalg.norm(placed[:, 66] - placed[:, 62], axis=1) / JAW
    return np.stack([yaw, np.square(yaw), mouth], axis=1)


def _terms(people: list[Person], pose: Floats) -> Floats:
    """(N,K): the prototypes' own terms first, then what else faces differ by."""
    own = age_terms(np.array([p.age for p in people]), np.array([p.male for p in people]))
    tone = np.array([p.tone for p in people], dtype=np.float64) / 10
    return np.concatenate([own, tone - tone.mean(axis=0), pose], axis=1)


def _surfaces(
    points: Floats, landmarks: list[Landmarks], terms: Floats, picture: Callable[[int], Picture]
) -> tuple[Maps, Maps, int]:
    """Colour and texture by term, and of how many faces."""
    count = terms.shape[1] + 1
    gram, colours = np.zeros((count, count)), np.zeros((count, HEIGHT // 2 * (WIDTH // 2) * 3))
    textures, used = np.zeros((count, HEIGHT // 4 * (WIDTH // 4) * 3)), 0
    for position, seen, energy, sharp in _warped(points, landmarks, picture):
        x = np.append(terms[position], sharp)
        gram += np.outer(x, x)
        colours += np.outer(x, seen.ravel())
        textures += np.outer(x, energy.ravel())
        used += 1
    solved = (
        solve(gram, colours, RIDGE_COLOUR)[:TERMS].reshape(TERMS, HEIGHT // 2, WIDTH // 2, 3),
        solve(gram, textures, RIDGE_COLOUR)[:TERMS].reshape(TERMS, HEIGHT // 4, WIDTH // 4, 3),
    )
    colour, texture = (((maps + maps[:, :, ::-1]) / 2).astype(np.float32) for maps in solved)
    return colour, texture, used


def _warped(
    points: Floats, landmarks: list[Landmarks], picture: Callable[[int], Picture]
) -> Iterator[tuple[int, Maps, Maps, float]]:
    """Of each face without glasses: its position, colour less the cheeks' mean, band energies, and sharpness."""
    plates = Plates(points, (WIDTH, HEIGHT), 4)
    cheek, skin, face = cheeks(points), bare_skin(points), hull(points)
    features = (skin < 0.5) & (face > 0.5)
    rows = slice(int(points[27, 1]) - 4, int(points[28, 1]) + 6)
    bridge = (rows, slice(int(MIDDLE) - 7, int(MIDDLE) + 9))
    for position, marks in enumerate(landmarks):
        lab = warped_lab(plates.map(with_forehead(marks)), picture(position))
        if np.abs(cv2.Sobel(lab[..., 0], cv2.CV_32F, 0, 1))[bridge].mean() > GLASSES:
            continue
        lab[..., 0] = np.log(lab[..., 0] + 8)
        light = np.ascontiguousarray(lab[..., 0])
        colour = cv2.resize(lab - lab[cheek].mean(axis=0), (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
        finest = light - cv2.GaussianBlur(light, (0, 0), BANDS[0])
        # Eyes, brows and lips tell how sharp the picture is; skin has less detail where it is younger.
        sharp = float(np.log(np.square(finest[features]).mean() + 1e-5)) + 6
        yield position, np.asarray(colour, np.float32), band_energy(light), sharp


def cheek_tone(picture: Picture, landmarks: Landmarks) -> NDArray[np.float32]:
    """The mean CIELAB (3,) of both cheeks of a picture (H,W,3)."""
    reach = max(1, round(0.05 * float(np.linalg.norm(landmarks[16] - landmarks[0]))))
    found = []
    for jaw, nose in ((2, 31), (14, 35)):
        x, y = np.clip(np.rint(0.45 * landmarks[jaw] + 0.55 * landmarks[nose]).astype(int), reach, None)
        patch = picture[y - reach : y + reach + 1, x - reach : x + reach + 1]
        if patch.size:
            found.append(patch.reshape(-1, 3).mean(axis=0))
    mean = np.array([[np.mean(found, axis=0) if found else (128, 128, 128)]], dtype=np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(mean, cv2.COLOR_RGB2LAB)[0, 0], dtype=np.float32)


def warped_lab(where: NDArray[np.float32], picture: Picture) -> Maps:
    """CIELAB (H,W,3) of a picture in the frame. where: (H,W,2) picture coordinates of each pixel of the frame."""
    seen = cv2.remap(picture, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(seen.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), dtype=np.float32)


def band_energy(light: Maps) -> Maps:
    """(HEIGHT/4, WIDTH/4, 3): the logarithm of the local energy of three bands of light (H,W)."""
    blurred = [cv2.GaussianBlur(light, (0, 0), sigma) for sigma in BANDS]
    energy = [np.square(finer - coarser) for finer, coarser in pairwise(blurred)]
    logs = [np.log(cv2.GaussianBlur(one, (0, 0), 4) + 1e-5) for one in energy]
    small = cv2.resize(np.stack(logs, axis=-1), (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)
