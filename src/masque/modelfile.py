"""A model folder: weights.safetensors, config.json and card.md. What users get, pass on and load; no code and no pickle in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masque.errors import CheckpointError
from masque.image import write_atomically
from masque.lock import only_writer

if TYPE_CHECKING:
    from torch import Tensor, nn

VERSION = 1


@dataclass(frozen=True)
class ModelFile:
    """A model folder, read."""

    folder: Path
    family: str
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    """Name -> tensor, fp32 whatever they were stored in."""
    hash: str
    """First 16 hex digits of the SHA-256 of weights.safetensors."""

    def fill(self, net: nn.Module, name: str = "") -> None:
        """Give `net` the weights of the network `name`; all that are stored if empty. Raises CheckpointError where they do not fit."""
        prefix = f"{name}." if name else ""
        try:
            net.load_state_dict({key.removeprefix(prefix): tensor for key, tensor in self.weights.items() if key.startswith(prefix)})
        except RuntimeError as error:
            reason = str(error).splitlines()[0].rstrip(".:")
            raise CheckpointError(f"{self.folder} does not fit this version of Masque ({reason}): train it again.") from None


def write(folder: Path, family: str, config: Mapping[str, Any], weights: Mapping[str, Tensor], card: str) -> None:
    """Write a model folder, each file whole or not at all. Raises OutputError."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_atomically(folder / "weights.safetensors", lambda part: part.write_bytes(save(plain, metadata={"family": family})))
    about = json.dumps({"masque": VERSION, "family": family, "config": config}, indent=1) + "\n"
    write_atomically(folder / "config.json", lambda part: part.write_text(about))
    write_atomically(folder / "card.md", lambda part: part.write_text(card, encoding="utf-8"))


def pack(source: Path, target: Path, card: str | None = None, whole: Collection[str] = ()) -> ModelFile:
    """Copy the model in `source` (a run or model folder) to `target` with its weights in half precision, to pass on; return it as read.

    card: the text of card.md; the source's own if None. whole: networks that stay in full precision. Raises CheckpointError, OutputError.
    """
    stored = read(source)
    try:
        card = (stored.folder / "card.md").read_text(encoding="utf-8") if card is None else card
    except (OSError, UnicodeDecodeError):
        raise CheckpointError(f"{stored.folder} has no readable card.md: give a text about the weights with --card.") from None
    weights = {name: tensor if name.split(".")[0] in whole else _halved(tensor) for name, tensor in stored.weights.items()}
    with only_writer(target):
        write(target, stored.family, stored.config, weights, card)
        return read(target)


def _halved(tensor: Tensor) -> Tensor:
    half = tensor.half()
    # A running variance may lie beyond what half precision can hold.
    return half if bool(half.isfinite().all()) else tensor


def read(folder: Path, family: str | None = None) -> ModelFile:
    """Read a model folder (or a run folder, whose model/ is taken).

    Raises CheckpointError when it is missing, foreign, damaged, written by a newer Masque, or of another family than the one asked for.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    folder = folder / "model" if (folder / "model" / "config.json").is_file() else folder
    config, weights = folder / "config.json", folder / "weights.safetensors"
    if not config.is_file() or not weights.is_file():
        raise CheckpointError(f"There is no model in {folder}: name a run folder of `masque train`, or a model's name.")
    try:
        about = json.loads(config.read_text(encoding="utf-8"))
        version, found, settings = about["masque"], about["family"], about["config"]
        if not (isinstance(version, int) and isinstance(found, str) and isinstance(settings, dict)):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise CheckpointError(f"{config} was not written by Masque, or is damaged: name another model.") from None
    if family not in (None, found):
        raise CheckpointError(f"{folder} holds a model of the family {found}: name one of {family}.")
    if version > VERSION:
        raise CheckpointError(f"{folder} was written by a newer Masque (model version {version}, known is {VERSION}): update Masque.")
    try:
        stored = weights.read_bytes()
        tensors = {name: tensor.float() for name, tensor in load(stored).items()}
    except (SafetensorError, OSError, ValueError, KeyError) as error:  # KeyError for a kind of number that torch lacks
        raise CheckpointError(f"{weights} is damaged ({error}): fetch or train it again.") from None
    return ModelFile(folder, found, settings, tensors, hashlib.sha256(stored).hexdigest()[:16])
