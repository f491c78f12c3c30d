"""A model folder, which users are given, load and pass on: weights.safetensors, config.json and card.md.

It holds neither code nor pickles, so that loading a stranger's model runs nothing of the stranger's."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masque.errors import CheckpointError, OutputError, printable
from masque.jsonfile import JSON
from masque.lock import only_writer
from masque.output import LONGEST_PATH, make_folder, write_atomically

if TYPE_CHECKING:
    from torch import Tensor, nn

VERSION = 1
"""The version of this format, which config.json names: a folder of a later one is refused."""

CARD = "card"
"""The entry of config.json that holds the checksum of card.md as it was written."""

LARGEST_CONFIG = 1 << 20
"""Bytes of config.json, at most: a thousand times what is written there."""


@dataclass(frozen=True)
class ModelFile:
    """A model folder, read."""

    folder: Path
    """The folder that it was read from: of a run, its model/."""
    family: str
    """Name of the model's family in `masque.catalog`."""
    config: Mapping[str, JSON]
    """The fields of the networks' config dataclass."""
    weights: Mapping[str, Tensor]
    """Name -> tensor, fp32 whatever they were stored in."""
    hash: str
    """First 16 hex digits of the SHA-256 of weights.safetensors, by which records name the model."""

    def fill(self, net: nn.Module, name: str = "") -> None:
        """Load the stored weights into `net`, in place.

        name: the network whose weights are taken, a prefix of their names; if empty, all that are stored. Raises
        CheckpointError where they do not fit `net`."""
        prefix = f"{name}." if name else ""
        try:
            net.load_state_dict(
                {key.removeprefix(prefix): tensor for key, tensor in self.weights.items() if key.startswith(prefix)}
            )
        except RuntimeError as error:
            reason = printable(str(error).splitlines()[0].rstrip(".:"))
            raise CheckpointError(
                f"{self.folder} does not fit this version of Masque ({reason}): train it again."
            ) from None


def write(folder: Path, family: str, config: Mapping[str, JSON], weights: Mapping[str, Tensor], card: str) -> None:
    """Write a model folder, each file whole or not at all.

    family: its name in the catalog. config: the fields of the networks' config dataclass. weights: tensors by name,
    moved to the CPU. card: the text of card.md, whose checksum goes into config.json. Raises OutputError."""
    from safetensors.torch import save

    make_folder(folder)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_atomically(
        folder / "weights.safetensors", lambda part: part.write_bytes(save(plain, metadata={"family": family}))
    )
    text = card.encode("utf-8")
    values = {"masque": VERSION, "family": family, "config": config, CARD: card_checksum(text)}
    about = json.dumps(values, indent=1) + "\n"
    write_atomically(folder / "card.md", lambda part: part.write_bytes(text))
    write_atomically(folder / "config.json", lambda part: part.write_text(about))


def card_checksum(text: bytes) -> str:
    """The checksum of card.md, by which it is seen whether somebody has changed it; its line endings do not count.

    text: the content of the file. Returns 16 hex digits of a SHA-256."""
    return hashlib.sha256(b"\n".join(text.splitlines())).hexdigest()[:16]


def pack(source: Path, target: Path, card: str | None = None, whole: Collection[str] = ()) -> ModelFile:
    """Copy the model in `source` (a run or model folder) to `target` with its weights in half precision, to pass on;
    return it as read.

    card: the text of card.md; the source's own if None. whole: networks that stay in full precision. Raises
    CheckpointError, and OutputError where `target` is the model itself or a run's folder, which would lose precision or
    hold two models."""
    stored = read(source)
    if _is_file(target / "model" / "config.json") or os.path.realpath(target) == os.path.realpath(stored.folder):
        raise OutputError(f"{printable(target, LONGEST_PATH)} holds what was trained: name another folder to write.")
    try:
        card = (stored.folder / "card.md").read_text(encoding="utf-8") if card is None else card
    except (OSError, UnicodeDecodeError):
        raise CheckpointError(
            f"{stored.folder} has no readable card.md: give a text about the weights with --card."
        ) from None
    weights = {
        name: tensor if name.split(".")[0] in whole else _halved(tensor) for name, tensor in stored.weights.items()
    }
    with only_writer(target):
        write(target, stored.family, stored.config, weights, card)
        return read(target)


def _halved(tensor: Tensor) -> Tensor:
    """The tensor in half precision; as it is where a number of it would become infinite."""
    half = tensor.half()
    # A running variance may lie beyond what half precision can hold.
    return half if bool(half.isfinite().all()) else tensor


def read(folder: Path, family: str | None = None) -> ModelFile:
    """Read a model folder (or a run folder, whose model/ is taken).

    family: the family that the model has to be of; any if None. Raises CheckpointError when the model is missing,
    foreign, damaged, written by a newer Masque, or of another family."""
    folder = folder / "model" if _is_file(folder / "model" / "config.json") else folder
    config, weights = folder / "config.json", folder / "weights.safetensors"
    if not _is_file(config) or not _is_file(weights):
        raise CheckpointError(f"There is no model in {folder}: name a run folder of `masque train`, or a model's name.")
    try:
        with config.open("rb") as opened:
            text = opened.read(LARGEST_CONFIG + 1)
        if len(text) > LARGEST_CONFIG:
            raise ValueError
        about = json.loads(text.decode("utf-8"))
        version, found, settings = about["masque"], about["family"], about["config"]
        if not (isinstance(version, int) and isinstance(found, str) and isinstance(settings, dict)):
            raise ValueError
    except OSError as error:
        raise CheckpointError(_unreadable(config, error)) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckpointError(f"{config} was not written by Masque, or is damaged: name another model.") from None
    if family not in (None, found):
        raise CheckpointError(f"{folder} holds a model of the family {printable(found)}: name one of {family}.")
    if version > VERSION:
        raise CheckpointError(
            f"{folder} was written by a newer Masque (model version {printable(version)}, known is {VERSION}): "
            "update Masque."
        )
    try:
        stored = weights.read_bytes()
        tensors, _ = tensors_in(stored)
    except OSError as error:
        raise CheckpointError(_unreadable(weights, error)) from None
    except ValueError as error:
        raise CheckpointError(f"{weights} is damaged ({printable(error)}): fetch or train it again.") from None
    return ModelFile(folder, found, settings, tensors, hashlib.sha256(stored).hexdigest()[:16])


def _unreadable(path: Path, error: OSError) -> str:
    return f"{path} cannot be read ({error.strerror}): check its permissions and its disk."


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that may not be entered
        return False


def read_tensors(path: Path, largest: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: its tensors by name, fp32 whatever they were stored in, and its notes.

    largest: bytes that it may have. Raises ValueError where it is empty, larger or damaged, or holds numbers that
    `tensors_in` refuses, and OSError where it is missing or may not be read."""
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as opened:
        stored = opened.read(largest + 1) if path.stat().st_size <= largest else b""
    if not 0 < len(stored) <= largest:
        raise ValueError("it is empty or too large")
    return tensors_in(stored)


def tensors_in(stored: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file by name, fp32 whatever they were stored in, and its notes.

    stored: the content of the file.
    Raises ValueError with what is wrong: damage, a kind of number that torch lacks, complex numbers, and numbers that
    are not finite."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        raw = load(stored)
        notes = json.loads(stored[8 : 8 + int.from_bytes(stored[:8], "little")]).get("__metadata__") or {}
    except KeyError as error:
        raise ValueError(f"numbers of the unknown kind {error}") from None
    except (SafetensorError, RuntimeError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(printable(error)) from None
    tensors = {}
    for name, tensor in raw.items():
        if tensor.is_complex():
            raise ValueError(f"{printable(name)} holds complex numbers")
        tensors[name] = tensor.float()
        if not bool(tensors[name].isfinite().all()):
            raise ValueError(f"{printable(name)} holds numbers that are not finite")
    return tensors, notes
