"""Faces as points: draw them, find a photo's, combine several, go from one to another (paper, Sections 2 and 3)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from masque.edits.formula import LARGEST, compute
from masque.edits.grey import KEPT, faded
from masque.edits.invert import Features, Generative, Options, Recovery, Watch, invert
from masque.edits.loaded import Loaded
from masque.edits.morph_warp import WarpMorph
from masque.edits.result import Result
from masque.edits.subject import Photo, Subject, find_subject
from masque.errors import CheckpointError, PictureError, ValueRangeError, printable
from masque.folders import LONGEST_NAME
from masque.given import check_choice, number, seed_of, whole
from masque.image import Picture, grid, to_pictures, write_atomically
from masque.modelfile import read_tensors

AT_ONCE = 16
"""Pictures made in one pass."""

TRUNCATION = 0.7
"""Of faces drawn to be looked at. What is measured of a generator has none."""

Ease = Literal["linear", "smooth"]
Path_ = Literal["linear", "spherical"]


@dataclass(frozen=True)
class Latent:
    """A face as the generator knows it."""

    z: Tensor
    """(Z,) within the model's domain, or (Z+detail,)."""
    name: str
    weights: str
    """The hash of the model that it belongs to."""
    grey: bool = False
    """Whether its photo is black and white: no generator of coloured pictures keeps to that, so what it paints of the
    latent is made so."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as safetensors. Raises OutputError."""
        from safetensors.torch import save

        about = {
            "masque": "latent",
            "name": self.name,
            "weights": self.weights,
            **({"grey": "true"} if self.grey else {}),
        }
        data = save({"z": self.z.detach().cpu().contiguous()}, metadata=about)
        target = Path(path)
        write_atomically(target, lambda part: part.write_bytes(data))
        return target


LARGEST_FILE = 1 << 26
"""Bytes: a latent with the finest detail of a picture of 1024 pixels is far smaller."""


def read_latent(path: str | os.PathLike[str]) -> Latent:
    """The latent in a file. Raises CheckpointError when it is missing, damaged or not one."""
    try:
        tensors, about = read_tensors(Path(path), LARGEST_FILE)
        z = tensors["z"]
        if about.get("masque") != "latent" or z.dim() != 1 or not bool((z.abs() <= LARGEST).all()):
            raise ValueError
        return Latent(z, about["name"], about["weights"], about.get("grey") == "true")
    except (OSError, ValueError, KeyError):
        raise CheckpointError(f"{path} holds no latent: make one with `masque invert`.") from None


class Latents(Loaded):
    """A generator that is ready to draw. Made by `masque.load`."""

    def __init__(
        self,
        model: Generative,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        features: Features | None = None,
    ) -> None:
        """weights: the hash that records and latents name the model by. features: face features that a search may
        compare."""
        super().__init__(model, family, weights, device)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model, self.features = model, features

    def pictures(self, z: Tensor, truncation: float = 1.0) -> Iterator[Picture]:
        """The pictures (S,S,3) of latents (N,Z), made sixteen at a time. truncation: as the model's `generate` has
        it."""
        for start in range(0, len(z), AT_ONCE):
            with self.inference():  # not around the yield: the caller must not find itself in inference mode
                made = to_pictures(
                    self.model.generate(z[start : start + AT_ONCE].to(self.device), truncation).clamp(-1, 1)
                )
            yield from made

    def sample(
        self, count: int = 16, seed: int = 0, columns: int | None = None, truncation: float | None = None
    ) -> Result:
        """`count` drawn faces as a sheet. truncation in [0,1], TRUNCATION if it is not said: 1 has all the variety,
        less has fewer spoilt.

        Raises ValueRangeError.
        """
        count, seed = whole("count", count), seed_of(seed)
        columns = None if columns is None else whole("columns", columns)
        if columns is not None and columns < 1:
            raise ValueRangeError(f"A sheet of {columns} columns cannot be made: ask for at least 1.")
        if count < 1:
            raise ValueRangeError(f"{count} faces cannot be drawn: ask for one at least.")
        truncation = TRUNCATION if truncation is None else number("truncation", truncation)
        if not 0 <= truncation <= 1:
            raise ValueRangeError(f"truncation is {truncation} and must be from 0 to 1.")
        z = self.model.draw(torch.arange(count) + 1_000_003 * seed, "sample")
        sheet = grid(list(self.pictures(z, truncation)), columns or math.ceil(math.sqrt(count)))
        return Result(sheet, self.record("sample", count=count, seed=seed, truncation=truncation))

    def search(self, subjects: Sequence[Subject], options: Options, watch: Watch | None = None) -> Recovery:
        """The latents of several faces, in one batch. Raises CheckpointError where face features are asked for and not
        at hand."""
        if options.likeness and self.features is None:
            raise CheckpointError(
                "No face features come with this installation, and likeness needs them: leave likeness at 0."
            )
        x = torch.cat([subject.image for subject in subjects]).to(self.device)
        return invert(self.model, x, options, self.features, watch)

    def find(
        self, photo: Photo, options: Options | None = None, pick: int | None = None, watch: Watch | None = None
    ) -> Latent:
        """The latent of a face in a photo. Raises PictureError, NoFaceError."""
        subject = self.subject(photo, pick)
        return self.latent(self.search([subject], options or Options(), watch).z[0], subject.name, subject.grey)

    def latent(self, z: Tensor, name: str, grey: bool = False) -> Latent:
        """A latent of this model. name: whose; what of it is no text is escaped, since a name of a file need not be
        any.

        grey: whether its photo is black and white.
        """
        return Latent(self.model.settle(z[None])[0].cpu(), printable(name, LONGEST_NAME), self.weights, grey)

    def average(self, latents: Sequence[Latent], name: str) -> Latent:
        """The mean of several faces: one operand of several examples (Radford et al. 2015). Raises PictureError without
        any."""
        if not latents:
            raise PictureError(f"{name} holds no photos: an operand needs one at least.")
        return self.latent(torch.stack(self.wide(latents)).mean(dim=0), name, all(latent.grey for latent in latents))

    def own(self, latent: Latent) -> Latent:
        """The latent, if it is of this model. Raises CheckpointError, and ValueRangeError for what is none."""
        if not isinstance(latent, Latent):
            raise ValueRangeError(f"{printable(repr(latent))} is no latent: give what `find` or `read_latent` returns.")
        if latent.weights != self.weights or len(latent.z) not in self.model.widths:
            raise CheckpointError(
                f"The latent of {printable(latent.name)} belongs to the model {printable(latent.weights)}, not {self.weights}: find it "
                "anew by `masque invert`."
            )
        return latent

    def wide(self, latents: Sequence[Latent]) -> list[Tensor]:
        """Their vectors, all with a detail, which is 0 where none was sought. Raises CheckpointError for latents of
        another model."""
        return [self.model.widened(self.own(latent).z[None])[0] for latent in latents]

    def combine(self, latents: Sequence[Latent], formula: str | None = None, weight: float = 0.5) -> Result:
        """One face of several (Fig. 4 and 5).

        formula: arithmetic on a, b, c …, the latents in their order, such as "a - b + c" or "(a + b + c) / 3"; without
        one, two latents are combined as (1 − weight)·a + weight·b. Raises ValueRangeError for a formula that cannot be
        computed, CheckpointError for latents of another model."""
        check_combination(len(latents), formula, weight)
        z = self.wide(latents)
        if formula is None:
            weight = number("weight", weight)
            made, formula = torch.lerp(z[0], z[1], weight), f"{1 - weight:g}*a + {weight:g}*b"
        else:
            made = compute(formula, dict(zip(ascii_lowercase, z, strict=False))).clone()  # it may be a face's own
            # A z that sums have made long will be shortened: its detail as much, or 2*a would have twice that of a.
            longer = made[: self.config.z].square().mean().sqrt().clamp_min(1.0)
            made[self.config.z :] /= longer
        if float(made[: self.config.z].square().mean()) < 1e-6:
            raise ValueRangeError(f"The formula {printable(formula)!r} leaves no face: its faces cancel each other.")
        (picture,) = self.pictures(self.model.settle(made[None]))
        record = self.record("combine", formula=formula, faces=[latent.name for latent in latents])
        if all(latent.grey for latent in latents):
            return Result(faded(picture, 0.0), {**record, **KEPT})
        return Result(picture, record)

    def along(
        self,
        latents: Sequence[Latent],
        frames: int,
        path: Path_ = "spherical",
        ease: Ease = "smooth",
        loop: bool = False,
    ) -> Tensor:
        """Latents (frames,Z) on the way through faces, the first and the last of them included.

        loop: back to the first face. Raises ValueRangeError, CheckpointError.
        """
        check_choice("path", path, get_args(Path_))
        z = self.wide(latents)
        stops, places = [*z, z[0]] if loop else z, times(len(latents) + bool(loop), frames, ease)
        return self.model.settle(torch.stack([between(stops, at, path, self.config.z) for at in places]))

    def morph(
        self,
        latents: Sequence[Latent],
        frames: int,
        path: Path_ = "spherical",
        ease: Ease = "smooth",
        loop: bool = False,
    ) -> Iterator[Picture]:
        """The pictures of `along` (Fig. 6). Colour comes and goes with the faces that have it."""
        stops = [float(not self.own(latent).grey) for latent in (*latents, *latents[:1])]
        colours = np.interp(times(len(latents) + bool(loop), frames, ease), range(len(stops)), stops)
        made = self.pictures(self.along(latents, frames, path, ease, loop))
        return (
            picture if colour == 1 else faded(picture, float(colour))
            for picture, colour in zip(made, colours, strict=True)
        )


def check_combination(count: int, formula: str | None = None, weight: float = 0.5) -> None:
    """Raise ValueRangeError for what `Latents.combine` could not make of any `count` faces; before they are sought,
    which takes a while."""
    if formula is not None:
        compute(formula, dict.fromkeys(ascii_lowercase[:count], torch.ones(1)))
        return
    weight = number("weight", weight)
    if count != 2:
        raise ValueRangeError(
            f"Without a formula two faces are combined, not {count}: give a formula such as 'a - b + c'."
        )
    if not 0.0 <= weight <= 1.0:
        raise ValueRangeError(f"The weight {weight:g} is outside [0, 1]: 0 is the first face, 1 the second.")


def times(stops: int, frames: int, ease: Ease) -> list[float]:
    """Where each frame is, from 0 to stops − 1. smooth: slow at each stop. Raises ValueRangeError."""
    frames = whole("frames", frames)
    check_choice("ease", ease, get_args(Ease))
    if stops < 2:
        raise ValueRangeError("A morph needs two faces at least: name another photo.")
    if frames < 2:
        raise ValueRangeError(f"A morph of {frames} frames cannot be made: ask for two at least.")
    places = [i * (stops - 1) / (frames - 1) for i in range(frames)]
    if ease == "linear":
        return places
    legs = [min(int(at), stops - 2) for at in places]
    return [k + _smooth(at - k) for k, at in zip(legs, places, strict=True)]


WARP_SIZE = 256
"""Side of the pictures that the classical morph bends."""


def warp_morph(photos: Sequence[Photo], frames: int, ease: Ease = "smooth", loop: bool = False) -> Iterator[Picture]:
    """The classical morph of photos, which needs no generator, as `frames` pictures (256,256,3). Raises PictureError,
    NoFaceError, ValueRangeError."""
    places = times(len(photos) + bool(loop), frames, ease)
    subjects = [find_subject(photo, WARP_SIZE) for photo in photos]
    pictures, landmarks = [to_pictures(s.image)[0] for s in subjects], [s.landmarks for s in subjects]
    if loop:
        pictures, landmarks = [*pictures, pictures[0]], [*landmarks, landmarks[0]]
    morph = WarpMorph(pictures, landmarks)
    return (morph.frame(at) for at in places)


def _smooth(share: float) -> float:
    return share * share * (3 - 2 * share)


def between(stops: Sequence[Tensor], at: float, path: Path_, width: int | None = None) -> Tensor:
    """The latent at a place on the way through stops (Z,) or (Z+detail,): 0.25 is a quarter of the way from the first
    to the second.

    width: Z, where details follow, which go straight on any path.
    """
    k = min(int(at), len(stops) - 2)
    a, b, share = stops[k], stops[k + 1], at - k
    made = torch.lerp(a, b, share)
    if path == "spherical":
        a, b = a[:width], b[:width]
        angle = torch.arccos((torch.dot(a, b) / (a.norm() * b.norm())).clamp(-1, 1))
        if 1e-4 < float(angle) < math.pi - 1e-4:  # else no direction, or every direction, leads there
            made[: len(a)] = (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    return made
