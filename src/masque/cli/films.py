"""Films that commands write: a run of frames as .mp4 or .gif, or all of them on a sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from masque.image import Picture
    from masque.jsonfile import JSON

FRAMES_OF_SEARCH = 60
"""Frames of the film of a search, at most."""
SECONDS_OF_SEARCH = 4.0
"""How long the film of a search lasts."""


class SearchFilm:
    """The latents from which the film of a search is made: the best so far, at equal distances."""

    def __init__(self, steps: int) -> None:
        """steps: how many the search takes."""
        self.every = max(1, steps // (FRAMES_OF_SEARCH - 1))
        self.latents: dict[int, Tensor] = {}

    def wants(self, step: int) -> bool:
        """Whether the latent after this step becomes a frame."""
        return step % self.every == 0 and len(self.latents) < FRAMES_OF_SEARCH - 1

    def with_last(self, latent: Tensor) -> Tensor:
        """All frames' latents (N,Z), the one that was found last."""
        import torch

        return torch.cat([*self.latents.values(), latent])


def check_frames(path: Path, count: int, size: int) -> None:
    """Raise OutputError where `count` frames of `size` pixels are to become a sheet that its format cannot hold."""
    from masque.film import SHEETS
    from masque.image import check_sheet

    if path.suffix.lower() in SHEETS:
        check_sheet(path, count, math.ceil(math.sqrt(count)), size)


def save_film(path: Path, pictures: Iterable[Picture], count: int, seconds: float, record: Mapping[str, JSON]) -> None:
    """Write a film with its record in the comment, or a sheet with the record that pictures have. Raises
    OutputError."""
    from masque.edits.result import Result
    from masque.film import FILMS, write_film
    from masque.image import grid
    from masque.provenance import note

    if path.suffix.lower() in FILMS:
        write_film(path, pictures, count, seconds, note=note(record))
    else:
        Result(grid(list(pictures), math.ceil(math.sqrt(count))), record).save(path)
