"""Attributes measured in a face frame, from its 68 landmarks and the colour of the hair.

What cannot be measured in a picture is absent from the answer, never guessed as 0. How often each is right on pictures
that played no part in choosing the numbers below is in docs/prepare.md."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.data.prepared import BACKGROUND, BEYOND, PERSON
from masque.faces.detect import Landmarks, eye_distance
from masque.faces.frame import Frame
from masque.faces.regions import background_mask
from masque.image import Picture

MEASURED = ("Smiling", "Mouth_Slightly_Open", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
"""Attributes of CelebA that are measured."""

SMILE_WEIGHTS = (12.4, 1.0, 5.9, 3.9)
SMILE_OFFSET = -10.2
"""Logistic regression on the mouth's width, the lower lip's depth, the nose's height and the gap between the lips,
fitted on faces captioned as smiling, grim, sad and angry; the offset makes 48 % of faces smile, as CelebA's annotators
found."""

OPEN_AT = 0.07
"""Gap between the lips, in distances between the eyes, from which a mouth counts as open; chosen against label maps
with an inner mouth."""
OPEN_WIDTH = 0.025
"""How much wider or narrower than OPEN_AT the gap has to be for the answer to be 0.73 sure, in the same unit."""

HAIR_SAMPLES = 300
"""Pixels of scale 1 that a hair colour is read from at least."""

SKIN_DISTANCE = 14.0
"""Colours nearer to the cheeks' than this (CIELAB, lightness counted 0.6) are skin, not hair."""


def measure_attributes(frame: Picture, landmarks: Landmarks, mask: NDArray[np.uint8]) -> dict[str, float]:
    """The measurable attributes of a face frame, each in [0,1].

    frame: RGB uint8 (218s,178s,3). landmarks: (68,2) frame pixels. mask: PERSON, BACKGROUND or BEYOND for each pixel.
    Hair colours are absent when too little hair is in sight.
    """
    values = {"Smiling": smiling(landmarks), "Mouth_Slightly_Open": mouth_open(landmarks)}
    colour = hair_colour(frame, landmarks, mask)
    if colour is not None:
        values |= hair_names(colour)
    return values


def read_attributes(
    frame: Frame, classify: Callable[[list[Picture]], list[dict[str, float]]] | None = None
) -> dict[str, float]:
    """Every attribute in [0,1] that can be read off a face frame: measured ones, and those that `classify` knows
    besides.

    What can be read neither way is absent. It is what a prepared set says of a picture whose attributes nobody has
    written down."""
    estimated = classify([frame.picture])[0] if classify is not None else {}
    return {**estimated, **measure_attributes(frame.picture, frame.landmarks, frame_mask(frame))}


def frame_mask(frame: Frame) -> NDArray[np.uint8]:
    """PERSON, BACKGROUND or BEYOND for each pixel of a face frame, uint8 (218s,178s)."""
    mask = np.full(frame.valid.shape, PERSON, np.uint8)
    mask[background_mask(frame.picture, frame.landmarks, frame.valid) > 127] = BACKGROUND
    mask[~frame.valid] = BEYOND
    return mask


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, x))))


def smiling(landmarks: Landmarks) -> float:
    """How much the mouth smiles, in [0,1]: wide, its lower lip hanging below the line through its corners, the corners
    drawn towards the nose."""
    left, right = landmarks[48], landmarks[54]
    along = (right - left) / max(1e-6, float(np.linalg.norm(right - left)))
    down = np.array([-along[1], along[0]])

    def below(point: int) -> float:
        return float((landmarks[point] - (left + right) / 2) @ down)

    lengths = np.array([np.linalg.norm(right - left), below(66), below(33), landmarks[66, 1] - landmarks[62, 1]])
    return _sigmoid(float(lengths / eye_distance(landmarks) @ np.array(SMILE_WEIGHTS)) + SMILE_OFFSET)


def mouth_open(landmarks: Landmarks) -> float:
    """How surely the lips are apart, in [0,1]."""
    gap = float(np.linalg.norm(landmarks[66] - landmarks[62])) / eye_distance(landmarks)
    return _sigmoid((gap - OPEN_AT) / OPEN_WIDTH)


def _hair_arch(height: int, width: int) -> NDArray[np.bool_]:
    """Where hair lies in most aligned portraits: an arch over the forehead and down to the temples."""
    scale = width / 178
    y, x = np.mgrid[:height, :width] / scale
    inner = ((x - 88.5) / 44) ** 2 + ((y - 112) / 56) ** 2
    outer = ((x - 88.5) / 56) ** 2 + ((y - 112) / 78) ** 2
    arch: NDArray[np.bool_] = (inner > 1) & (outer < 1) & (y < 102)
    return arch


def hair_colour(frame: Picture, landmarks: Landmarks, mask: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The median hair colour in CIELAB (L in [0,100]), or None where the arch shows too little that differs from the
    skin."""
    height, width = mask.shape
    lab = np.asarray(cv2.cvtColor(frame.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), dtype=np.float32)
    arch = _hair_arch(height, width)
    needed = HAIR_SAMPLES * (width / 178) ** 2
    pixels = lab[arch & (mask == PERSON)]
    if len(pixels) < needed:  # black hair before a dark background is easily taken for background
        pixels = lab[arch & (mask != BEYOND)]
    if len(pixels) < needed:
        return None
    distance = np.linalg.norm((pixels - _skin_colour(lab, landmarks)) * (0.6, 1.0, 1.0), axis=1)
    hair = distance > SKIN_DISTANCE
    if hair.mean() < 0.25:
        return None
    median: NDArray[np.float32] = np.median(pixels[hair], axis=0).astype(np.float32)
    return median


def _skin_colour(lab: NDArray[np.float32], landmarks: Landmarks) -> NDArray[np.float32]:
    """The median colour of both cheeks."""
    reach = max(1, round(4 * lab.shape[1] / 178))
    patches = []
    for jaw, nose in ((2, 31), (14, 35)):
        x, y = np.clip((0.4 * landmarks[jaw] + 0.6 * landmarks[nose]).astype(int), 0, np.array(lab.shape[1::-1]) - 1)
        patches.append(lab[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].reshape(-1, 3))
    median: NDArray[np.float32] = np.median(np.concatenate(patches), axis=0).astype(np.float32)
    return median


def hair_names(colour: NDArray[np.float32]) -> dict[str, float]:
    """How well each of CelebA's hair colours describes a CIELAB colour; one that none describes (red, green) gets low
    values for all."""
    lightness, a, b = (float(v) for v in colour)
    chroma = math.hypot(a, b)
    coloured = _sigmoid((chroma - 9.0) / 2.0)
    light = _sigmoid((lightness - 42.0) / 4.0)
    not_green = _sigmoid((a + 12.0) / 2.0)
    black = _sigmoid((18.0 - lightness) / 3.0) * _sigmoid((16.0 - chroma) / 3.0)
    return {
        "Black_Hair": black,
        "Blond_Hair": light * not_green * _sigmoid((b - 11.0) / 2.5) * _sigmoid((18.0 - a) / 3.0),
        "Brown_Hair": (1 - light)
        * (1 - black)
        * coloured
        * not_green
        * _sigmoid((22.0 - a) / 3.0)
        * _sigmoid((b - 2.0) / 2.0),
        "Gray_Hair": _sigmoid((lightness - 42.0) / 4.0) * (1 - coloured),
    }
