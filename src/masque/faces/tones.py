"""Colours of parts of a picture: black-and-white pictures told from coloured ones, mean colours, colours smoothed.
Colours are compared in CIELAB (CIE 1976)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.labels import Labels
from masque.image import Picture

GREY_LEVELS = 4
"""By how many of 255 levels the means of a grey picture's channels may differ. Noise of 8 levels in each channel makes
the means over GREY_BLUR pixels differ by 4."""
GREY_TINT = 0.04
"""By what share of the lightest one they may differ where that is more: a photo with a tint of 6 % differs by 9
levels."""
GREY_SHARE = 0.99
"""The share of its pixels at which the channels of a grey picture have to differ by no more."""
GREY_BLUR = 9
"""Side in pixels of the squares over which channels are averaged before they are compared."""

Colour = float | NDArray[np.float32]
"""How much colour a grey photo is given: from 0, none, to 1, all that the network paints; everywhere alike, or at each
pixel of x (S,S)."""


def is_grey(picture: Picture) -> bool:
    """Whether a picture (H,W,3) is black and white, small differences between its channels aside."""
    means = cv2.blur(picture, (GREY_BLUR, GREY_BLUR)).astype(np.float32)
    most = means.max(axis=2)
    differing = most - means.min(axis=2)
    return bool((differing <= np.maximum(GREY_LEVELS, GREY_TINT * most)).mean() >= GREY_SHARE)


def fade(picture: Picture, colour: Colour) -> Picture:
    """A picture (H,W,3) with so much of its colour: 0 leaves its light, 1 all of it."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    if isinstance(colour, np.ndarray):
        size = (picture.shape[1], picture.shape[0])
        share = colour if colour.shape == size[::-1] else cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.rint(light + share[..., None].clip(0, 1) * (picture - light)), dtype=np.uint8)
    return np.asarray(np.rint(light + np.float32(colour) * (picture - light)), dtype=np.uint8)


def mean_lab(picture: NDArray[np.float32] | NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Mean CIELAB colour (3,) of a picture (H,W,3) in [0,1] where a mask (H,W) is true."""
    lab = cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2LAB)
    return np.asarray(lab[inside].mean(axis=0), dtype=np.float32)


def smooth_colours(picture: Picture, labels: Labels) -> Picture:
    """A network's picture (S,S,3) with the colour of each part of `labels` (S,S) smoothed within the part; its light,
    which has the texture, stays.

    What an adversarial network makes of too few pictures has specks of colour, not of light."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    colour = np.array(lab[..., 1:], dtype=np.float32)
    for label in np.unique(labels[labels > 0]):
        inside = labels == label
        lab[..., 1:][inside] = _mean_around(colour, inside, len(labels) / 32)[inside]
    return np.asarray(np.rint(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1)), dtype=np.uint8)


def correct_tones(after: Picture, before: Picture, photo: Picture, changed: NDArray[np.bool_]) -> Picture:
    """A network's picture (S,S,3) in the photo's tones: lighter where it paints what did not change too dark.

    before: what the network makes of the photo as it is. changed: (S,S), where the picture is meant to differ from the
    photo; the error around it is taken to go on, smoothly, within it."""
    wrong = _mean_around(photo.astype(np.float32) - before, ~changed, len(changed) / 16)
    return np.asarray(np.clip(np.rint(after + wrong), 0, 255), dtype=np.uint8)


def _mean_around(values: NDArray[np.float32], inside: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    """The mean of values (S,S,C) around each pixel, weighted by a Gaussian of `sigma` pixels, over those inside a mask
    (S,S) alone."""
    weight = inside.astype(np.float32)
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)[..., None], dtype=np.float32)
