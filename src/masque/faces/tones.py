"""Colours of parts of a picture: black-and-white pictures told from coloured ones, mean colours matched, changes of
colour smoothed. Colours are compared in CIELAB (CIE 1976)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.faces.labels import Labels
from masque.faces.masks import widened_mask
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

GAIN = (0.4, 2.5)
"""How much darker or lighter a part may become in proportion; what is farther is reached by a shift, or noise would be
amplified."""

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


def match_mean_colour(
    picture: NDArray[np.float32],
    inside: NDArray[np.bool_],
    weight: NDArray[np.float32],
    like: NDArray[np.float32],
    like_inside: NDArray[np.bool_],
    glossy: bool = False,
) -> NDArray[np.float32]:
    """A picture (S,S,3) in [0,1] that has, where `inside` (S,S) is true, the mean CIELAB colour that `like` (S,S,3) has
    where `like_inside` is.

    weight: (S,S) in [0,1], how far the change may show. Most of the way is a gain, so that shadows stay shadows: in
    each channel, or where a part is glossy in all alike, since gloss has the light's hue and not the part's. What is
    missing then is a shift."""
    shown = weight[..., None]
    gain = np.clip(like[like_inside].mean(axis=0) / picture[inside].mean(axis=0).clip(min=0.02), *GAIN)
    if glossy:
        gain = np.clip(like[like_inside].mean() / picture[inside].mean().clip(min=0.02), *GAIN)
    picture = np.clip(picture * (1 + shown * (gain - 1)), 0, 1, dtype=np.float32)
    wanted = mean_lab(like, like_inside)
    for _ in range(4):  # what is cut off at black and white is made up for
        lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
        lab += shown * (wanted - lab[inside].mean(axis=0)) / max(0.2, float(shown[inside].mean()))
        # CIELAB and back is not quite the same colour: pixels that are not to change keep their own.
        picture = np.where(shown > 0, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1), picture).astype(np.float32)
    return picture


def smooth_change(before: Picture, after: Picture, regions: Sequence[NDArray[np.bool_]]) -> Picture:
    """`before` (S,S,3) with what `after` changes in each region, smoothly: colour and shade, not texture.

    regions: masks (S,S). Each region is averaged by itself, so that the hair's change does not run into the skin's, and
    widely: where two heads differ in shape the network paints blotches."""
    change = after.astype(np.float32) - before
    smooth = np.zeros_like(change)
    taken = np.any(regions, axis=0)
    for region in regions:
        # A little beyond its border too, where no other region has a say: the mask's soft edge falls there.
        where = region | ((widened_mask(region) > 0) & ~taken)
        smooth[where] = _mean_around(change, region, len(region) / 8)[where]
    return np.asarray(np.clip(np.rint(before + smooth), 0, 255), dtype=np.uint8)


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
