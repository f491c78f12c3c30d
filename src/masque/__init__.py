"""Masque: face images edited by five GAN papers. `masque.load().swap(face, hair)` is the whole of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, overload

from masque.version import __version__

if TYPE_CHECKING:
    import torch

    from masque.edits.loaded import (
        AttributeEdit,
        AttributeEditor,
        LatentEdit,
        LatentEditor,
        LoadedModel,
        OwnEdit,
        Parser,
        ParserEdit,
        PhotoEditor,
        PortraitEdit,
        PortraitEditor,
        Swapper,
        SwapperEdit,
        Synthesizer,
        SynthesizerEdit,
    )

    Name = str | os.PathLike[str]
    Device = str | torch.device | None

__all__ = ["__version__", "load"]

# By a family's name the class is known; by a path, what the model must serve tells it.


@overload
def load(  # type: ignore[overload-overlap]  # a path that is called "own" is written ./own
    model: Literal["own"] = "own", serving: OwnEdit | None = None, device: Device = None
) -> PhotoEditor: ...
@overload
def load(
    model: Literal["rsgan"], serving: SwapperEdit | Literal["edit"] | None = None, device: Device = None
) -> Swapper: ...
@overload
def load(
    model: Literal["ccagan"], serving: AttributeEdit | Literal["edit"] | None = None, device: Device = None
) -> AttributeEditor: ...
@overload
def load(model: Literal["parser"], serving: ParserEdit | None = None, device: Device = None) -> Parser: ...
@overload
def load(model: Literal["portrait"], serving: PortraitEdit | None = None, device: Device = None) -> PortraitEditor: ...
@overload
def load(
    model: Literal["progan", "dcgan"], serving: LatentEdit | None = None, device: Device = None
) -> LatentEditor: ...
@overload
def load(model: Literal["facefeat"], serving: SynthesizerEdit | None = None, device: Device = None) -> Synthesizer: ...
@overload
def load(model: Name, serving: SwapperEdit, device: Device = None) -> Swapper: ...
@overload
def load(model: Name, serving: AttributeEdit, device: Device = None) -> AttributeEditor: ...
@overload
def load(model: Name, serving: Literal["edit"], device: Device = None) -> Swapper | AttributeEditor: ...
@overload
def load(model: Name, serving: ParserEdit, device: Device = None) -> Parser: ...
@overload
def load(model: Name, serving: PortraitEdit, device: Device = None) -> PortraitEditor: ...
@overload
def load(model: Name, serving: LatentEdit, device: Device = None) -> LatentEditor: ...
@overload
def load(model: Name, serving: SynthesizerEdit, device: Device = None) -> Synthesizer: ...
@overload
def load(model: Name, serving: str | None = None, device: Device = None) -> LoadedModel | PhotoEditor: ...
def load(model: Name = "own", serving: str | None = None, device: Device = None) -> LoadedModel | PhotoEditor:
    """A model that is ready to edit photos, with the edits of its family as methods.

    model: "own" for what moves and tints the photo's own pixels; a family's name
    (rsgan, ccagan, parser, portrait, progan, dcgan, facefeat) for its installed weights, or the path of a run or model
    folder. Installed are the weights that come with Masque and, found before them, the model
    folders in the folders that the environment variable MASQUE_WEIGHTS names (several with os.pathsep between).
    serving: what the model must be able to do: swap, edit, random, blend, sheet, turn, parse, repaint, transfer,
    faces-for, sample, invert, combine, morph, synthesize, frontalize, mix-identity or augment; None asks for nothing.
    device: where it computes: "cpu", "cuda", "cuda:1", … or "mps"; None takes the environment variable MASQUE_DEVICE's,
    or the CPU.

    Raises CheckpointError when there is no such model or it does not serve that, SettingError when there is no such
    device."""
    from masque.loading import OWN, load_own, load_session

    return load_own(serving, device) if model == OWN else load_session(model, serving, device)
