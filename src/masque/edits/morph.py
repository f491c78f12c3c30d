"""A way through faces (ProGAN paper, Section 3.4 and Fig. 6)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from masque.edits.latents import Latent, LatentSession
from masque.edits.mixing import checked_size, towards
from masque.edits.photos_of import guided, side_for
from masque.edits.subject import Detail
from masque.errors import ValueRangeError
from masque.faces.tones import fade
from masque.given import check_choice, whole
from masque.image import Picture

Ease = Literal["linear", "smooth"]
"""How a morph passes its faces: at one speed, or slowing down at each."""

MorphPath = Literal["linear", "spherical"]
"""Straight from latent to latent, or along the sphere on which they lie."""


def interpolate(
    session: LatentSession,
    latents: Sequence[Latent],
    frames: int,
    path: MorphPath = "spherical",
    ease: Ease = "smooth",
    loop: bool = False,
) -> Tensor:
    """Latents (frames,Z+detail) on the way through faces, the first and the last of them included.

    latents: of this model, two at least, in the order in which they are passed.
    frames: how many, at least 2.
    path: `spherical` goes along the sphere on which latents lie, `linear` straight from one to the next.
    ease: `smooth` slows down at each face, `linear` does not.
    loop: whether it goes back to the first face at the end.

    Raises ValueRangeError, CheckpointError for latents of another model."""
    check_choice("path", path, get_args(MorphPath))
    z = session.vectors(latents)
    stops, width = [*z, z[0]] if loop else z, session.model.config.z
    positions = frame_positions(len(stops), frames, ease)
    return session.model.settle(torch.stack([point_between(stops, at, path, width) for at in positions]))


def morph(
    session: LatentSession,
    latents: Sequence[Latent],
    frames: int,
    path: MorphPath = "spherical",
    ease: Ease = "smooth",
    loop: bool = False,
    *,
    detail: Detail = "keep",
    size: int | None = None,
) -> Iterator[Picture]:
    """The pictures of a morph through faces (ProGAN paper, Fig. 6), made one after the other as they are asked for.
    Colour comes and goes with the faces that have it.

    latents: of this model, two at least, in the order in which they are passed.
    frames: how many, at least 2.
    path: `spherical` goes along the sphere on which latents lie, `linear` straight from one to the next.
    ease: `smooth` slows down at each face, `linear` does not.
    loop: whether it goes back to the first face at the end.
    detail: `keep` passes the photos that latents were found of, bends and mixes their own pixels, and takes from the
        network what no pixels show, coarsely; a latent without a photo, read from a file, is passed as the network
        paints it. `network` shows the network's pictures (S,S,3), and so does a morph without any photo.
    size: side of each picture in pixels, from 64 to 2,048, where there are photos; as large as the largest face is in
        its photo if None, 512 at most.

    Raises ValueRangeError, CheckpointError for latents of another model."""
    check_choice("detail", detail, get_args(Detail))
    stops = [float(not session.check_latent(latent).grey) for latent in (*latents, *latents[:1])]
    side = side_for(latents, detail, checked_size(size, detail))
    colours = np.interp(frame_positions(len(latents) + bool(loop), frames, ease), range(len(stops)), stops)
    pictures = (
        picture if colour == 1 else fade(picture, float(colour))
        for picture, colour in zip(
            session.pictures(interpolate(session, latents, frames, path, ease, loop)), colours, strict=True
        )
    )
    if side is None:
        return pictures
    passed = [*latents, latents[0]] if loop else list(latents)
    return _of_own_pixels(session, passed, frame_positions(len(passed), frames, ease), pictures, side)


def _of_own_pixels(
    session: LatentSession, latents: Sequence[Latent], places: Sequence[float], guides: Iterator[Picture], size: int
) -> Iterator[Picture]:
    """Pictures (size,size,3) of the photos' own pixels at places on the way through latents.

    guides: the network's pictures (S,S,3) there."""
    leg, mixture = -1, None
    for at, guide in zip(places, guides, strict=True):
        if mixture is None or min(int(at), len(latents) - 2) != leg:
            leg = min(int(at), len(latents) - 2)
            pair = latents[leg : leg + 2]
            mixture, grey = guided(session, pair, size), all(latent.grey for latent in pair)
        picture = mixture.mixed(towards("both", at - leg), guide)
        yield fade(picture, 0.0) if grey and 0 < at - leg < 1 else picture


def frame_positions(stops: int, frames: int, ease: Ease) -> list[float]:
    """Where each frame of a morph is, from 0, its first face, to stops − 1, its last.

    stops: how many faces, at least 2. frames: how many pictures, at least 2. ease: `smooth` slows down at each face.
    Raises ValueRangeError."""
    frames = whole("frames", frames)
    check_choice("ease", ease, get_args(Ease))
    if stops < 2:
        raise ValueRangeError("A morph needs two faces at least: name another photo.")
    if frames < 2:
        raise ValueRangeError(f"A morph of {frames} frames cannot be made: ask for two at least.")
    places = [i * (stops - 1) / (frames - 1) for i in range(frames)]
    if ease == "linear":
        return places
    starts = [min(int(at), stops - 2) for at in places]
    return [start + _smoothstep(at - start) for start, at in zip(starts, places, strict=True)]


def _smoothstep(share: float) -> float:
    return share * share * (3 - 2 * share)


def point_between(stops: Sequence[Tensor], at: float, path: MorphPath, width: int | None = None) -> Tensor:
    """The latent at a place on the way through others: at 0.25 it is a quarter of the way from the first to the second.

    stops: (Z,), or (Z+detail,). at: from 0 to len(stops) − 1. path: as `morph` has it. width: Z, where details follow,
    which go straight on any path."""
    k = min(int(at), len(stops) - 2)
    a, b, share = stops[k], stops[k + 1], at - k
    latent = torch.lerp(a, b, share)
    if path == "spherical":
        a, b = a[:width], b[:width]
        angle = torch.arccos((torch.dot(a, b) / (a.norm() * b.norm())).clamp(-1, 1))
        if 1e-4 < float(angle) < math.pi - 1e-4:  # else no direction, or every direction, leads there
            latent[: len(a)] = (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    return latent
