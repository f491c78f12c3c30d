"""Masque: face images edited by five GAN papers. `masque.load("rsgan").swap(face, hair)` is the whole of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, overload

if TYPE_CHECKING:
    from masque.edits.latents import Latents
    from masque.edits.parse import Parser
    from masque.edits.repaint import Painter
    from masque.edits.session import Session
    from masque.edits.synthesize import Synthesizer
    from masque.edits.translate import Translator

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


@overload
def load(
    model: str | os.PathLike[str] = "rsgan", serving: Literal["swap", "random", "blend"] | None = None
) -> Session: ...
@overload
def load(model: str | os.PathLike[str], serving: Literal["edit"]) -> Session | Translator: ...
@overload
def load(model: str | os.PathLike[str], serving: Literal["sheet"]) -> Translator: ...
@overload
def load(model: str | os.PathLike[str], serving: Literal["parse"]) -> Parser: ...
@overload
def load(model: str | os.PathLike[str], serving: Literal["repaint", "transfer", "faces-for"]) -> Painter: ...
@overload
def load(model: str | os.PathLike[str], serving: Literal["sample", "invert", "combine", "morph"]) -> Latents: ...
@overload
def load(
    model: str | os.PathLike[str], serving: Literal["synthesize", "frontalize", "mix-identity", "augment"]
) -> Synthesizer: ...
def load(
    model: str | os.PathLike[str] = "rsgan", serving: str | None = None
) -> Session | Translator | Parser | Painter | Latents | Synthesizer:
    """A loaded model: a family's name for the weights that come with Masque, or a run or model folder's path.

    serving: what it must be able to do: swap, edit, random, blend, sheet, parse, repaint, transfer, faces-for, sample,
    invert, combine, morph, synthesize, frontalize, mix-identity or augment; anything if not given. Raises
    CheckpointError when there is no such model."""
    from masque.catalog import load_session

    return load_session(model, serving)
