"""Every family in one literal table: its networks, its recipe, its presets, the edits it serves. The only room that
sees them all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, overload

from masque.errors import LONGEST_QUOTE, CheckpointError, SettingError, nearest, printable

if TYPE_CHECKING:
    import torch
    from _typeshed import DataclassInstance
    from torch import nn

    from masque.config import ModelConfig
    from masque.data.frames import LabelMaps
    from masque.edits.loaded import LoadedModel
    from masque.train.phase import Fit, Recipe

SHIPPED = Path(__file__).parent / "weights"
"""Where the weights that come with Masque are, a model folder per family."""

VARIABLE = "MASQUE_WEIGHTS"
"""The environment variable that names folders of models, with the system's separator of paths between them, which are
looked through before SHIPPED."""


class SessionClass(Protocol):
    """A class of `masque.edits.loaded`, before its family is known."""

    helpers: tuple[str, ...]
    """What it takes beside the model, by the names of its parameters: keys of `masque.loading.HELPERS`."""

    def __call__(
        self, model: nn.Module, family: str, weights: str, device: torch.device, **helpers: object
    ) -> LoadedModel: ...


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
    session: str = ""
    """module:class of what edits with a loaded model; empty where nothing does"""
    fitted: bool = False
    """Whether its model is computed from the data at once, without gradients: its recipe is then a
    `masque.train.phase.Fit`, and its runs have no steps"""
    whole: tuple[str, ...] = ()
    """Networks that half precision would spoil, so that packing leaves them as they are"""
    needs_attributes: bool = False
    """Whether it learns nothing from data in which an attribute is unknown or always the same"""
    reads_people: bool = False
    """Whether it learns who is who, so that a run goes on with the numbers of people that it began with alone"""
    teachers: tuple[str, ...] = ()
    """Settings of its training that name models, by a family's name or a folder, which the recipe reads whenever it is
    made and leaves as they are. A run keeps copies of them."""
    begins_with: tuple[str, ...] = ()
    """Settings of its training that name models in the same way, from which the recipe takes networks before a new
    run's first step, and never again"""
    reads_labels: LabelMaps = "none"
    """Whether it is trained on label maps, so that only pictures that have one can be used, and whether a parser's own
    will do"""

    def serves(self, edit: str | None) -> bool:
        """Whether its models can do an edit; with None, whether they can do any."""
        return bool(self.edits) if edit is None else edit in self.edits

    @overload
    def load(self, part: Literal["model"]) -> Callable[[object], nn.Module]: ...
    @overload
    def load(self, part: Literal["model_parts"]) -> tuple[str, ...]: ...
    @overload
    def load(self, part: Literal["config"]) -> type[ModelConfig]: ...
    @overload
    def load(self, part: Literal["training"]) -> type[DataclassInstance]: ...
    @overload
    def load(self, part: Literal["recipe"]) -> Callable[[object, object], Recipe | Fit]: ...
    @overload
    def load(self, part: Literal["presets"]) -> Mapping[str, Mapping[str, Mapping[str, object]]]: ...
    @overload
    def load(self, part: Literal["session"]) -> SessionClass: ...
    @overload
    def load(self, part: str) -> object: ...
    def load(self, part: str) -> object:
        """The object that the field of this name names, its module imported.

        part: model, model_parts, config, recipe, training, presets or session."""
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
        session="masque.edits.loaded:Swapper",
        whole=("prior",),  # moments, whose differences are what counts
        teachers=("identity",),
    ),
    "ccagan": Family(
        model="masque.models.ccagan:CCAGAN",
        model_parts="masque.models.ccagan:SERVED",
        config="masque.models.ccagan:CCAGANConfig",
        recipe="masque.recipes.ccagan:CCAGANRecipe",
        training="masque.recipes.ccagan:CCAGANTraining",
        presets="masque.recipes.ccagan:PRESETS",
        edits=("edit", "sheet"),
        session="masque.edits.loaded:AttributeEditor",
        needs_attributes=True,
    ),
    "attributes": Family(
        model="masque.models.attributes:AttributeClassifier",
        model_parts="masque.models.attributes:SERVED",
        config="masque.models.attributes:AttributesConfig",
        recipe="masque.recipes.attributes:AttributesRecipe",
        training="masque.recipes.attributes:AttributesTraining",
        presets="masque.recipes.attributes:PRESETS",
        edits=(),
        needs_attributes=True,
    ),
    "identity": Family(
        model="masque.models.identity:FaceFeatures",
        model_parts="masque.models.identity:SERVED",
        config="masque.models.identity:IdentityConfig",
        recipe="masque.recipes.identity:IdentityRecipe",
        training="masque.recipes.identity:IdentityTraining",
        presets="masque.recipes.identity:PRESETS",
        edits=(),
        reads_people=True,
    ),
    "shape": Family(
        model="masque.models.shape:FaceShape",
        model_parts="masque.models.shape:SERVED",
        config="masque.models.shape:ShapeConfig",
        recipe="masque.recipes.shape:ShapeRecipe",
        training="masque.recipes.shape:ShapeTraining",
        presets="masque.recipes.shape:PRESETS",
        edits=(),
        whole=("E_1",),  # the 3D model, and a ResNet's running variances
    ),
    "facefeat": Family(
        model="masque.models.facefeat:FaceFeat",
        model_parts="masque.models.facefeat:SERVED",
        config="masque.models.facefeat:FaceFeatConfig",
        recipe="masque.recipes.facefeat:FaceFeatRecipe",
        training="masque.recipes.facefeat:FaceFeatTraining",
        presets="masque.recipes.facefeat:PRESETS",
        edits=("synthesize", "frontalize", "mix-identity", "augment"),
        session="masque.edits.loaded:Synthesizer",
        reads_people=True,
        whole=("E_1",),
        teachers=("parser",),
        begins_with=("identity", "shape"),
    ),
    "expression": Family(
        model="masque.models.expression:ExpressionModel",
        model_parts="masque.models.expression:SERVED",
        config="masque.models.expression:ExpressionConfig",
        recipe="masque.recipes.expression:ExpressionFit",
        training="masque.recipes.expression:ExpressionTraining",
        presets="masque.recipes.expression:PRESETS",
        edits=(),
        fitted=True,
        whole=("motion",),  # small, and landmarks are fitted with it
        needs_attributes=True,
    ),
    "ageing": Family(
        model="masque.models.ageing:Ageing",
        model_parts="masque.models.ageing:SERVED",
        config="masque.models.ageing:AgeingConfig",
        recipe="masque.recipes.ageing:AgeingFit",
        training="masque.recipes.ageing:AgeingTraining",
        presets="masque.recipes.ageing:PRESETS",
        edits=(),
        fitted=True,
    ),
    "parser": Family(
        model="masque.models.parser:FaceParser",
        model_parts="masque.models.parser:SERVED",
        config="masque.models.parser:ParserConfig",
        recipe="masque.recipes.parser:ParserRecipe",
        training="masque.recipes.parser:ParserTraining",
        presets="masque.recipes.parser:PRESETS",
        edits=("parse",),
        session="masque.edits.loaded:Parser",
        reads_labels="some known",
    ),
    "portrait": Family(
        model="masque.models.portrait:Portrait",
        model_parts="masque.models.portrait:SERVED",
        config="masque.models.portrait:PortraitConfig",
        recipe="masque.recipes.portrait:PortraitRecipe",
        training="masque.recipes.portrait:PortraitTraining",
        presets="masque.recipes.portrait:PRESETS",
        edits=("repaint", "transfer", "faces-for"),
        session="masque.edits.loaded:PortraitEditor",
        reads_labels="any",
        teachers=("parser",),
    ),
    "progan": Family(
        model="masque.models.progan:ProGAN",
        model_parts="masque.models.progan:SERVED",
        config="masque.models.progan:ProGANConfig",
        recipe="masque.recipes.progan:ProGANRecipe",
        training="masque.recipes.progan:ProGANTraining",
        presets="masque.recipes.progan:PRESETS",
        edits=("sample", "invert", "combine", "morph"),
        session="masque.edits.loaded:LatentEditor",
        teachers=("parser",),
    ),
    "dcgan": Family(
        model="masque.models.dcgan:DCGAN",
        model_parts="masque.models.dcgan:SERVED",
        config="masque.models.dcgan:DCGANConfig",
        recipe="masque.recipes.dcgan:DCGANRecipe",
        training="masque.recipes.dcgan:DCGANTraining",
        presets="masque.recipes.dcgan:PRESETS",
        edits=("sample", "invert", "combine", "morph"),
        session="masque.edits.loaded:LatentEditor",
    ),
    "vaegan": Family(
        model="masque.models.autoencoders:Autoencoder",
        model_parts="masque.models.autoencoders:SERVED",
        config="masque.models.autoencoders:AutoencoderConfig",
        recipe="masque.recipes.vaegan:VAEGANRecipe",
        training="masque.recipes.vaegan:VAEGANTraining",
        presets="masque.recipes.vaegan:PRESETS",
        edits=(),
    ),
    "ali": Family(
        model="masque.models.autoencoders:Autoencoder",
        model_parts="masque.models.autoencoders:SERVED",
        config="masque.models.autoencoders:AutoencoderConfig",
        recipe="masque.recipes.ali:ALIRecipe",
        training="masque.recipes.ali:ALITraining",
        presets="masque.recipes.ali:PRESETS",
        edits=(),
    ),
    "alphagan": Family(
        model="masque.models.autoencoders:Autoencoder",
        model_parts="masque.models.autoencoders:SERVED",
        config="masque.models.autoencoders:AutoencoderConfig",
        recipe="masque.recipes.alphagan:AlphaGANRecipe",
        training="masque.recipes.alphagan:AlphaGANTraining",
        presets="masque.recipes.alphagan:PRESETS",
        edits=(),
    ),
}


def family(name: str) -> Family:
    """The family of this name. Raises SettingError with the nearest name."""
    if name not in CATALOG:
        raise SettingError(f"There is no model family {printable(name)}; {nearest(name[:LONGEST_QUOTE], CATALOG)}.")
    return CATALOG[name]


def weights_folders() -> list[Path]:
    """The folders in which models are looked for by their names: those of MASQUE_WEIGHTS in their order, then the one
    that comes with Masque. Raises CheckpointError where MASQUE_WEIGHTS names a folder that does not exist, or a model
    itself."""
    named = [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    for folder in named:
        if not folder.is_dir():
            raise CheckpointError(
                f"{VARIABLE} names {printable(folder, 300)}, which is no folder: correct or unset it."
            )
        if _is_model(folder):
            raise CheckpointError(
                f"{VARIABLE} names {printable(folder, 300)}, which is a model itself: name the folder that it lies in."
            )
    return [*named, SHIPPED]


def installed(name: str) -> Path | None:
    """The model folder (or run folder) of this name in `weights_folders`; None where there is none.

    name: a family's, or that of any folder in those of MASQUE_WEIGHTS; a path is none."""
    if Path(name).name != name:
        return None
    for folder in weights_folders():
        with suppress(OSError):  # a name that is too long for one
            if _is_model(folder / name) and (folder != SHIPPED or name in CATALOG):
                return folder / name
    return None


def _is_model(folder: Path) -> bool:
    """Whether a folder is a model folder, or a run's, with a model folder in it."""
    return any((folder / within / "config.json").is_file() for within in ("", "model"))


def model_folder(name: str | os.PathLike[str]) -> Path:
    """The folder of a model: by its name as `installed` finds it, else a run or model folder by its path.

    Raises CheckpointError when it is neither.
    """
    if not isinstance(name, str):
        name = _as_text(name)
    found = installed(name)
    if found is not None:
        return found
    with suppress(OSError):  # a name that is too long for one
        if Path(name).is_dir():
            return Path(name)
    if name in CATALOG:
        raise CheckpointError(
            f"No weights of {name} come with this installation: train some with `masque train {name}` "
            f"and name the run's folder, or name a folder of models in {VARIABLE}."
        )
    *names, last = ["a run folder", *(n for n in CATALOG if installed(n) is not None)]
    choices = f"{', '.join(names)} or {last}" if names else last
    raise CheckpointError(f"There is no model {printable(name)}: name {choices}.")


def _as_text(name: object) -> str:
    try:
        return os.fsdecode(name)  # type: ignore[arg-type]
    except TypeError:
        raise CheckpointError(
            f"{printable(repr(name))} names no model: give a family's name, such as 'rsgan', or a folder."
        ) from None


def has_model(name: str) -> bool:
    """Whether `model_folder` finds a model of this name. Raises CheckpointError as `weights_folders` does: a wrong
    MASQUE_WEIGHTS is no reason to do without the model."""
    if installed(name) is not None:
        return True
    with suppress(OSError):  # a name that is too long for one
        return Path(name).is_dir()
    return False
