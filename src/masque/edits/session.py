"""What every loaded model has in common: its device, its size, the way to a face in a photo, and what records say of
it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import nn

from masque.edits.subject import Photo, Shares, Subject, SubjectParser, find_subject
from masque.jsonfile import JSON
from masque.version import __version__


class Session:
    """A model on a device, ready for photos: the base of every class that `masque.load` returns."""

    helpers: ClassVar[tuple[str, ...]] = ()
    """Other models that are handed to the constructor when a model is loaded, by the names of its parameters: "parser"
    finds the parts of a face, "classify" its attributes, "features" compares faces, "own" edits photos' own pixels.
    Each is None where no weights of it are installed."""

    def __init__(
        self,
        network: nn.Module,
        size: int,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        parser: SubjectParser | None = None,
    ) -> None:
        """network: all networks of the model; moved to `device`, frozen, in evaluation mode. size: side of its pictures
        in pixels. family: its name in the catalog. weights: the hash that records name it by. parser: finds the parts
        of a face, to which edits are then kept."""
        self.device = torch.device(device)
        network.to(self.device).eval().requires_grad_(False)
        self.size = size
        self.family = family
        self.weights = weights
        self.parser = parser

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that an edit may name; none for a family that edits by something else."""
        return ()

    @contextmanager
    def inference(self) -> Iterator[None]:
        """No gradients; fp32, since one small picture gains nothing from less."""
        with torch.inference_mode():
            yield

    def subject(self, photo: Photo, pick: int | None = None) -> Subject:
        """Find a face in a photo and cut it out as the network takes it.

        photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size; or a face that was
            found already, which is cut anew where it was cut for another size.
        pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

        Raises PictureError for a photo that cannot be read, NoFaceError where there is no such face."""
        return find_subject(photo, self.size, pick, self.device)

    def shares(self, subject: Subject) -> Shares | None:
        """How sure the parser is of each label at each pixel of a face's crop, (11,S,S) summing to 1; None without a
        parser.

        subject: the face."""
        return self.parser.shares(subject) if self.parser else None

    def record(self, edit: str, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """The record of an edit: what model made it, by which version of Masque, and how.

        edit: its name. values: what else the record says, by name."""
        return {
            "edit": edit,
            "model": self.family,
            "size": self.size,
            "weights": self.weights,
            "masque": __version__,
            **values,
        }
