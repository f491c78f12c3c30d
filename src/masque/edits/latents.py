"""A loaded generator of faces and its latents: faces as points (ProGAN paper, Section 2)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from masque.edits.formula import LARGEST
from masque.edits.invert import Features, Generative, Options, Recovery, Watch, invert
from masque.edits.session import Session
from masque.edits.subject import Subject, SubjectParser
from masque.errors import CheckpointError, ValueRangeError, printable
from masque.folders import LONGEST_NAME
from masque.image import Picture, to_pictures, write_atomically
from masque.modelfile import read_tensors

AT_ONCE = 16
"""Pictures made in one pass."""


@dataclass(frozen=True)
class Latent:
    """A face as the generator knows it."""

    z: Tensor
    """(Z,) within the model's domain, or (Z+detail,) with what was found beside it."""
    name: str
    """Whose face it is, for records and messages."""
    weights: str
    """The hash of the model that it belongs to."""
    grey: bool = False
    """Whether its photo is black and white: no generator of coloured pictures keeps to that, so what it paints of the
    latent is made so."""
    subject: Subject | None = field(default=None, compare=False, repr=False)
    """The face that it was found of, whose own pixels `combine` and `morph` take; no file holds it."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as safetensors, and return the path.

        path: where. Raises OutputError."""
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


class LatentSession(Session):
    """A loaded ProGAN or DCGAN: what its verbs (sample, find, average, combine, morph) are made of."""

    helpers = ("features", "parser")

    def __init__(
        self,
        model: Generative,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        features: Features | None = None,
        parser: SubjectParser | None = None,
    ) -> None:
        """features: face features that a search may compare. All else as `Session` has it."""
        super().__init__(model, model.config.size, family, weights, device, parser)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model, self.features = model, features

    def pictures(self, z: Tensor, truncation: float = 1.0) -> Iterator[Picture]:
        """The pictures (S,S,3) of latents, made sixteen at a time.

        z: (N,Z), or (N,Z+detail). truncation: in [0,1], as the model's `generate` has it; 1 is none."""
        for start in range(0, len(z), AT_ONCE):
            with self.inference():  # not around the yield: the caller must not find itself in inference mode
                made = self.model.generate(z[start : start + AT_ONCE].to(self.device), truncation).clamp(-1, 1)
                pictures = to_pictures(made)
            yield from pictures

    def search(self, subjects: Sequence[Subject], options: Options, watch: Watch | None = None) -> Recovery:
        """The latents of several faces, sought in one batch.

        subjects: the faces. options: how the search goes. watch: called after each iteration with its number, the best
        latents so far and their mean squared errors. Raises CheckpointError where face features are asked for and not
        installed."""
        if options.likeness and self.features is None:
            raise CheckpointError(
                "No face features come with this installation, and likeness needs them: leave likeness at 0."
            )
        x = torch.cat([subject.image for subject in subjects]).to(self.device)
        return invert(self.model, x, options, self.features, watch)

    def latent(self, z: Tensor, name: str, grey: bool = False, subject: Subject | None = None) -> Latent:
        """A latent of this model.

        z: (Z,), or (Z+detail,). name: whose; what of it is no text is escaped, since a name of a file need not be any.
        grey: whether its photo is black and white. subject: the face that it was found of."""
        settled = self.model.settle(z[None])[0].cpu()
        return Latent(settled, printable(name, LONGEST_NAME), self.weights, grey, subject)

    def check_latent(self, latent: Latent) -> Latent:
        """The latent itself, if it is of this model.

        latent: what `find` or `read_latent` returned. Raises CheckpointError for one of another model, ValueRangeError
        for what is no latent."""
        if not isinstance(latent, Latent):
            raise ValueRangeError(f"{printable(repr(latent))} is no latent: give what `find` or `read_latent` returns.")
        if latent.weights != self.weights or len(latent.z) not in self.model.widths:
            raise CheckpointError(
                f"The latent of {printable(latent.name)} belongs to the model {printable(latent.weights)}, "
                f"not {self.weights}: find it anew by `masque invert`."
            )
        return latent

    def vectors(self, latents: Sequence[Latent]) -> list[Tensor]:
        """The vectors (Z+detail,) of latents, with a detail of 0 where none was sought.

        latents: of this model. Raises CheckpointError for those of another."""
        return [self.model.widened(self.check_latent(latent).z[None])[0] for latent in latents]
