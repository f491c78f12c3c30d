"""From a model folder to networks, and to the object that edits photos with them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

from masque.catalog import CATALOG, Family, installed, model_folder
from masque.device import choose_device
from masque.errors import CheckpointError, SettingError, printable
from masque.quiet import quieten_torch

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from masque.edits.ccagan import Classify
    from masque.edits.loaded import LoadedModel, Parser, PhotoEditor, Swapper, Synthesizer
    from masque.faces.labels import Labels
    from masque.image import Picture
    from masque.modelfile import ModelFile
    from masque.models.ageing import Ageing, Prototypes
    from masque.models.expression import ExpressionModel, Motion

OWN = "own"
"""What `masque.load` calls the editor of the photo's own pixels, which is no family and spans them."""
OWN_EDITS = ("swap", "edit", "sheet", "turn")
"""What it serves."""

MOST_WEIGHTS = 2 * 10**9
"""The most that all networks of a model may have together: ten times as many as the largest of the papers has."""


def load_session(
    name: str | os.PathLike[str], serving: str | None = None, device: str | torch.device | None = None
) -> LoadedModel:
    """A model by its family's name or its folder, ready to edit photos on a device.

    serving: an edit it must be able to do; any if None. device: as `choose_device` takes it. Raises CheckpointError
    when there is no such model, or its family does not serve that, SettingError when there is no such device."""
    from masque import modelfile

    place = choose_device(device)
    stored = modelfile.read(model_folder(name))
    entry = CATALOG.get(stored.family)
    if entry is None or not entry.serves(serving):
        what = "edits no photos" if serving is None else f"cannot {serving}"
        able = _listed([name for name, family in CATALOG.items() if family.serves(serving)])
        raise CheckpointError(
            f"{stored.folder} holds a model of the family {printable(stored.family)}, which {what}: "
            f"name a model of {able}."
        )
    return _on_device(stored, place)


def load_own(
    serving: str | None = None,
    device: str | torch.device | None = None,
    synthesizer: str | os.PathLike[str] = "facefeat",
) -> PhotoEditor:
    """The editor of the photo's own pixels, on a device. Networks are loaded when an edit needs them.

    serving: an edit it must be able to do; any if None. synthesizer: the model, by its name or folder, that paints
    heads which are turned farther than own pixels bear. Raises CheckpointError where it does not serve that,
    SettingError when there is no such device."""
    from masque.edits.loaded import PhotoEditor

    if serving is not None and serving not in OWN_EDITS:
        able = _listed([name for name, family in CATALOG.items() if family.serves(serving)])
        raise CheckpointError(f"Own pixels cannot {printable(serving)}: name a model of {able}.")
    place = choose_device(device)

    def prototypes() -> tuple[Prototypes, str]:
        model, stored = load_model("ageing", "ageing")
        found = cast("Ageing", model).prototypes
        _check_sound(found.sound, stored)
        return found, stored.hash

    def motion() -> tuple[Motion, str]:
        model, stored = load_model("expression", "expression")
        found = cast("ExpressionModel", model).motion
        _check_sound(found.sound, stored)
        return found, stored.hash

    def painter() -> Synthesizer:
        return cast("Synthesizer", load_session(synthesizer, "synthesize", place))

    def swapper() -> Swapper | None:
        folder = installed("rsgan")
        return cast("Swapper", load_session(folder, "swap", place)) if folder is not None else None

    return PhotoEditor(installed_parser(place), cache(prototypes), cache(motion), place, cache(painter), cache(swapper))


def _check_sound(sound: bool, stored: ModelFile) -> None:
    """Raise CheckpointError for a model whose numbers are those of no face."""
    if not sound:
        raise CheckpointError(
            f"The numbers in {stored.folder} are damaged, or were never learnt: fetch or train the model again."
        )


def _on_device(stored: ModelFile, device: torch.device) -> LoadedModel:
    """The object of a family's own class that edits photos with a model on a device."""
    started = time.monotonic()
    entry = CATALOG[stored.family]
    kind = entry.load("session")
    helpers = {name: HELPERS[name](device) for name in kind.helpers}
    made = kind(filled(entry, stored), stored.family, stored.hash, device, **helpers)
    logging.getLogger(__name__).info(
        "Loaded %s from %s (weights %s) to %s in %.1f s.",
        *(stored.family, stored.folder, stored.hash, device, time.monotonic() - started),
    )
    return made


def _listed(names: list[str]) -> str:
    *others, last = names or ["another family"]
    return f"{', '.join(others)} or {last}" if others else last


def installed_parser(device: str | torch.device | None = None) -> Parser | None:
    """The face parser whose weights are installed; None where there are none. Raises CheckpointError for damaged ones,
    SettingError as `choose_device` does."""
    from masque import modelfile
    from masque.edits.loaded import Parser

    folder = installed("parser")
    if folder is None:
        return None
    parser = _on_device(modelfile.read(folder, "parser"), choose_device(device))
    return parser if isinstance(parser, Parser) else None


def installed_classifier(device: str | torch.device | None = None) -> Classify | None:
    """The classifier of attributes whose weights are installed, as a function of face frames; None where there are
    none. Raises CheckpointError for damaged ones, SettingError as `choose_device` does."""
    from masque.edits.estimate import attribute_estimator

    folder = installed("attributes")
    return attribute_estimator(folder, choose_device(device)) if folder is not None else None


def installed_features(device: str | torch.device | None = None) -> Callable[[Tensor], Tensor] | None:
    """The face features whose weights are installed, as a function of pictures (B,3,S,S); None where there are none.
    Raises CheckpointError for damaged ones, SettingError as `choose_device` does."""
    from masque.edits.estimate import picture_features

    folder = installed("identity")
    return picture_features(folder, choose_device(device)) if folder is not None else None


def installed_part_estimator(
    device: str | torch.device | None = None,
) -> Callable[[list[Picture]], list[Labels]] | None:
    """The face parser whose weights are installed, as a function from face frames to their label maps; None where there
    are none. Raises CheckpointError for damaged ones, SettingError as `choose_device` does."""
    from masque.edits.estimate import part_estimator

    parser = installed_parser(device)
    return part_estimator(parser) if parser is not None else None


def installed_own(device: str | torch.device | None = None) -> PhotoEditor | None:
    """The editor of photos' own pixels, as far as the weights by which heads turn and faces move are installed; None
    where there are none. Raises SettingError as `choose_device` does."""
    return load_own(device=device) if installed("expression") is not None else None


HELPERS: Mapping[str, Callable[[torch.device], object]] = {
    "parser": installed_parser,
    "classify": installed_classifier,
    "features": installed_features,
    "own": installed_own,
}
"""What a session may ask for in its `helpers`."""


def load_model(name: str | os.PathLike[str], family: str | None = None) -> tuple[nn.Module, ModelFile]:
    """The networks of a model by family name or folder, though its family edit nothing, ready to be used, and its file.

    family: which it has to be; any if None. Raises CheckpointError."""
    from masque import modelfile

    stored = modelfile.read(model_folder(name), family)
    if stored.family not in CATALOG:
        found = printable(stored.family)
        raise CheckpointError(
            f"{stored.folder} holds a model of the family {found}, which this version of Masque does not know."
        )
    return filled(CATALOG[stored.family], stored).eval(), stored


def shapes_of(entry: Family, config: object) -> dict[str, torch.Size]:
    """Name -> shape of all tensors of a family's networks, found without making them.

    Raises SettingError for sizes that do not fit together, or that make networks too large for any machine.
    """
    import torch

    quieten_torch()
    if entry.needs_attributes and not getattr(config, "attributes", ()):
        raise SettingError("attributes lists no name, and these networks are for nothing else: name one at least.")
    try:
        with torch.device("meta"):
            model: nn.Module = entry.load("model")(config)
    except (SettingError, RuntimeError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        reason = printable(str(error).splitlines()[0].rstrip(".")) if str(error) else type(error).__name__
        raise SettingError(
            f"These sizes do not fit together ({reason}): choose a size of 32, 64, 128 or 256."
        ) from None
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    count = sum(map(torch.Size.numel, shapes.values()))
    if count > MOST_WEIGHTS:
        raise SettingError(
            f"These sizes make networks of {count / 1e9:.0f} billion weights, "
            f"and {MOST_WEIGHTS / 1e9:.0f} are the most."
        )
    return shapes


def filled(entry: Family, stored: ModelFile) -> nn.Module:
    """A family's networks with stored weights. Raises CheckpointError where they do not fit."""
    from masque.config import from_dict
    from masque.layers.randomness import OwnRandomness

    try:
        config = from_dict(entry.load("config"), stored.config)
        shapes = shapes_of(entry, config)
    except SettingError as error:
        raise CheckpointError(
            f"{stored.folder} does not fit this version of Masque ({str(error).rstrip('.')}): train it again."
        ) from None
    served = entry.load("model_parts")
    # A network that is a family's only one is stored under the name that its recipe has for it.
    alone = f"{served[0]}." if len(served) == 1 and not any(name.startswith(f"{served[0]}.") for name in shapes) else ""
    weights = {name.removeprefix(alone): tensor for name, tensor in stored.weights.items()}
    lacking = sum(bool(alone) or name.split(".")[0] in served for name in shapes.keys() - weights.keys())
    unknown = len(weights.keys() - shapes.keys())
    misshapen = sum(tensor.shape != shapes.get(name, tensor.shape) for name, tensor in weights.items())
    if lacking or unknown or misshapen:
        raise CheckpointError(
            f"{stored.folder} does not fit its config ({lacking} tensors missing, {unknown} unknown, "
            f"{misshapen} of another shape): fetch it again."
        )
    with OwnRandomness():
        model: nn.Module = entry.load("model")(config)
    model.load_state_dict(weights, strict=False)
    return model
