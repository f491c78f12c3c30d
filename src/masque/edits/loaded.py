"""What every loaded model has in common: its place, its size, the way to a face in a photo, and what records say of
it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from masque.edits.subject import Parse, Photo, Shares, Subject, find_subject


class Loaded:
    """A model that is ready for photos. Made by `masque.load`."""

    def __init__(
        self,
        model: nn.Module,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        parse: Parse | None = None,
    ) -> None:
        """weights: the hash that records name the model by. parse: finds the parts of a face, to which edits are then
        kept."""
        self.device = torch.device(device)
        self.network = model.to(self.device).eval().requires_grad_(False)
        self.family, self.weights, self.find_parts = family, weights, parse

    @property
    def config(self) -> Any:
        """The config dataclass of the network."""
        return self.network.config

    @property
    def size(self) -> int:
        """Side of the network's pictures in pixels."""
        size: int = self.config.size
        return size

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names that an edit may use."""
        names: tuple[str, ...] = self.config.attributes
        return names

    @contextmanager
    def inference(self) -> Iterator[None]:
        """No gradients; fp32, since one small picture gains nothing from less."""
        with torch.inference_mode():
            yield

    def subject(self, photo: Photo, pick: int | None = None) -> Subject:
        """Find and cut the face to work on. Raises PictureError, NoFaceError."""
        return find_subject(photo, self.size, pick, self.device)

    def shares(self, subject: Subject) -> Shares | None:
        """What the parser sees of a subject; None without one."""
        return self.find_parts(subject) if self.find_parts else None

    def record(self, edit: str, **more: Any) -> dict[str, Any]:
        """What every record says."""
        from masque import __version__

        return {
            "edit": edit,
            "model": self.family,
            "size": self.size,
            "weights": self.weights,
            "masque": __version__,
            **more,
        }
