"""Every family in one literal table: its networks, its recipe, its presets, the edits it serves. The only room that sees them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masque.errors import SettingError, nearest


@dataclass(frozen=True)
class Family:
    """Where a family's parts are; named, not imported, so that looking one up costs nothing."""

    model: str
    """module:class of the network"""
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
        config="masque.models.rsgan:RSGANConfig",
        recipe="masque.recipes.rsgan:RSGANRecipe",
        training="masque.recipes.rsgan:RSGANTraining",
        presets="masque.recipes.rsgan:PRESETS",
        edits=("swap", "edit", "random", "blend"),
    ),
    "attributes": Family(
        model="masque.models.attributes:AttributeClassifier",
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
