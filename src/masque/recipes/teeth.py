"""Teeth for faces whose lips are parted: those of one person of the training pictures who shows them well."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.data.frames import FrameSet
from masque.faces.bend import turned
from masque.faces.lips import TEXTURE, shown_gap
from masque.image import Picture

Floats = NDArray[np.float64]

NARROWEST = 50
"""Pixels that a mouth must be wide in its frame to show its teeth well enough to be shown in other pictures."""
PARTED = (0.09, 0.22)
"""How far the lips may be parted, in widths of the mouth: fewer teeth are seen, or the tongue."""
MOST_TURNED = 0.24
"""How far the head may be turned, as `masque.faces.bend.turned` says."""
BRIGHTEST = 65.0
"""The least lightness of front teeth: others are in the shade."""
PALEST = 12.0
"""The most colour, in CIELAB, of front teeth: others are lips or tongue."""
FRONT = (slice(8, 34), slice(48, 144))
"""Where the front teeth are in a texture."""
ALL_TEETH = (slice(4, 40), slice(30, 162))
"""Where there are teeth if they are seen well."""


def find_teeth(frames: FrameSet) -> tuple[NDArray[np.float32], str]:
    """The lightness (48,192) of somebody's teeth from corner to corner of the mouth and from lip to lip, 1 for the
    front teeth, and the source of the picture; zeros and an empty text where no picture shows any well.

    Chosen is who shows bright and pale teeth from one side to the other, the same on both sides, and each apart."""
    best, chosen, source = 0.0, np.zeros(TEXTURE, dtype=np.float32), ""
    for index in frames.indices("train"):
        landmarks = np.asarray(frames.landmarks[index], dtype=np.float64)
        mouth = float(np.linalg.norm(landmarks[54] - landmarks[48]))
        if mouth < NARROWEST or turned(landmarks) > MOST_TURNED or not PARTED[0] <= shown_gap(landmarks) <= PARTED[1]:
            continue
        lab = inner_mouth(np.ascontiguousarray(frames.frames[index]), landmarks)
        if (worth := showing(lab)) > best:
            front = float(np.median(lab[FRONT][..., 0]))
            best, chosen, source = worth, (lab[..., 0] / front).astype(np.float32), frames.sources[index]
    return chosen, source


def showing(lab: Floats) -> float:
    """How well a picture (48,192,3) of an inner mouth in CIELAB shows its teeth, from 0 to 1; 0 for no teeth."""
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    front = float(np.median(light[FRONT]))
    if front < BRIGHTEST or np.median(chroma[FRONT]) > PALEST:
        return 0.0
    centred = light - light.mean()
    alike = max(0.0, float((centred * centred[:, ::-1]).sum() / np.square(centred).sum()))
    edges = float(np.abs(np.diff(cv2.GaussianBlur(light[FRONT], (0, 0), 1).mean(axis=0))).mean()) / front
    bright, pale = float((light[ALL_TEETH] > 0.8 * front).mean()), float((chroma[ALL_TEETH] < 16).mean())
    return alike**2 * bright * pale * min(1.0, edges / 0.015)


def inner_mouth(picture: Picture, landmarks: Floats) -> Floats:
    """What is between the lips of a face, made straight: CIELAB (48,192,3) from corner to corner, from the upper lip's
    edge to the lower one's.

    picture: (H,W,3). landmarks: (68,2) in its pixels."""
    origin = landmarks[60]
    width = float(np.linalg.norm(landmarks[64] - origin))
    across = (landmarks[64] - origin) / width
    down = np.array([-across[1], across[0]])
    along = (np.arange(TEXTURE[1]) + 0.5) / TEXTURE[1]
    edges = []
    for lip in ((60, 61, 62, 63, 64), (60, 67, 66, 65, 64)):
        points = landmarks[list(lip)] - origin
        curve = np.polyfit(points @ across / width, points @ down, 3, w=[3, 1, 1, 1, 3])
        edges.append(np.polyval(curve, along))
    rows = ((np.arange(TEXTURE[0]) + 0.5) / TEXTURE[0])[:, None]
    at = (
        origin + along[None, :, None] * width * across + (edges[0] + (edges[1] - edges[0]) * rows)[..., None] * down
    ).astype(np.float32)
    seen = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    lab: Floats = cv2.cvtColor(seen.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB).astype(np.float64)
    return lab
