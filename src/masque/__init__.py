"""Masque: face images edited by five GAN papers. `masque.load("rsgan").swap(face, hair)` is the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masque.edits.session import Session

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(model: str = "rsgan") -> Session:
    """A loaded model: a family's name for the weights that come with Masque, or a run or model folder's path.

    Raises CheckpointError when there is no such model.
    """
    from masque.catalog import load_session

    return load_session(model)
