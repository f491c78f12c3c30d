"""Every family in one literal table: its networks, its recipe, its presets, the edits it serves. The only room that sees them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masque.errors import CheckpointError, SettingError, nearest

if TYPE_CHECKING:
    from masque.edits.session import Session

SHIPPED = Path(__file__).parent / "weights"
"""Where the weights that come with Masque are, a model folder per family."""


@dataclass(frozen=True)
class Family:
    """Where a family's parts are; named, not imported, so that looking one up costs nothing."""

    model: str
    """module:class of the network"""
    model_parts: str
    """module:tuple of the sub-networks that edits need"""
    config: str
    """module:class of its config dataclass"""
    recipe: str
    """module:class of its recipe"""
    training: str
    """module:class of the recipe's config dataclass"""
    presets: str
    """module:table of presets"""
    edits: tuple[str, ...]
    """What users do with it"""

    def load(self, part: str) -> Any:
        """The object that the field `part` names."""
        import importlib

        module, name = getattr(self, part).split(":")
        return getattr(importlib.import_module(module), name)


CATALOG: Mapping[str, Family] = {
    "rsgan": Family(
        model="masque.models.rsgan:RSGAN",
        model_parts="masque.models.rsgan:SERVED",
        config="masque.models.rsgan:RSGANConfig",
        recipe="masque.recipes.rsgan:RSGANRecipe",
        training="masque.recipes.rsgan:RSGANTraining",
        presets="masque.recipes.rsgan:PRESETS",
        edits=("swap", "edit", "random", "blend"),
    ),
    "attributes": Family(
        model="masque.models.attributes:AttributeClassifier",
        model_parts="masque.models.attributes:SERVED",
        config="masque.models.attributes:AttributesConfig",
        recipe="masque.recipes.attributes:AttributesRecipe",
        training="masque.recipes.attributes:AttributesTraining",
        presets="masque.recipes.attributes:PRESETS",
        edits=(),
    ),
}


def family(name: str) -> Family:
    """The family of this name. Raises SettingError with the nearest name."""
    if name not in CATALOG:
        raise SettingError(f"There is no model family {name}; {nearest(name, CATALOG)}.")
    return CATALOG[name]


def model_folder(name: str) -> Path:
    """The folder of a model: shipped weights by the family's name, else a run or model folder by its path.

    Raises CheckpointError when it is neither.
    """
    shipped = SHIPPED / name
    if name in CATALOG and (shipped / "config.json").is_file():
        return shipped
    if Path(name).is_dir():
        return Path(name)
    if name in CATALOG:
        raise CheckpointError(
            f"No weights of {name} come with this installation: train some with `masque train {name}` and name the run's folder."
        )
    shipping = " or ".join(("a run folder", *(n for n in CATALOG if (SHIPPED / n / "config.json").is_file())))
    raise CheckpointError(f"There is no model {name}: name {shipping}.")


def load_session(name: str) -> Session:
    """The session of a model by family name or folder. Raises CheckpointError."""
    from masque import modelfile
    from masque.config import from_dict
    from masque.edits.session import Session

    stored = modelfile.read(model_folder(name))
    entry = CATALOG.get(stored.family)
    if entry is None or "swap" not in entry.edits:
        raise CheckpointError(
            f"{stored.folder} holds a model of the family {stored.family}, which swaps and edits no faces: name an rsgan model."
        )
    try:
        model = entry.load("model")(from_dict(entry.load("config"), stored.config))
    except (SettingError, RuntimeError, TypeError, ValueError, ArithmeticError) as error:
        raise CheckpointError(
            f"{stored.folder} does not fit this version of Masque ({str(error).splitlines()[0].rstrip('.')}): train it again."
        ) from None
    expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
    served = entry.load("model_parts")
    lacking = sum(name.split(".")[0] in served for name in expected.keys() - stored.weights.keys())
    unknown = len(stored.weights.keys() - expected.keys())
    misshapen = sum(tensor.shape != expected.get(name, tensor.shape) for name, tensor in stored.weights.items())
    if lacking or unknown or misshapen:
        raise CheckpointError(
            f"{stored.folder} does not fit its config ({lacking} tensors missing, {unknown} unknown, {misshapen} of another shape): "
            "fetch it again."
        )
    model.load_state_dict(stored.weights, strict=False)
    return Session(model, stored.family, stored.hash)
