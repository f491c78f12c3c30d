"""Every family in one literal table: its networks, its recipe, its presets, the edits it serves. The only room that
sees them all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from masque.errors import LONGEST_QUOTE, CheckpointError, SettingError, nearest, printable
from masque.quiet import quieten_torch

if TYPE_CHECKING:
    import torch
    from torch import nn

    from masque.data.frames import LabelMaps
    from masque.edits.latents import Latents
    from masque.edits.parse import Parser
    from masque.edits.repaint import Painter
    from masque.edits.session import Session
    from masque.edits.synthesize import Synthesizer
    from masque.edits.translate import Classify, Translator
    from masque.faces.labels import Labels
    from masque.image import Picture
    from masque.modelfile import ModelFile

    AnySession: TypeAlias = Session | Translator | Parser | Painter | Latents | Synthesizer

MOST_WEIGHTS = 2 * 10**9
"""Of all networks of a model: ten times as many as the largest of the papers has."""

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
    session: str = ""
    """module:class of what edits with a loaded model; empty where nothing does"""
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
    reads_attributes: bool = False
    """Whether its session is given the classifier of attributes that comes with Masque"""
    reads_parts: bool = False
    """Whether its session is given the face parser that comes with Masque"""
    reads_features: bool = False
    """Whether its session is given the face features that come with Masque"""

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
        session="masque.edits.session:Session",
        reads_parts=True,
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
        session="masque.edits.translate:Translator",
        needs_attributes=True,
        reads_attributes=True,
        reads_parts=True,
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
        session="masque.edits.synthesize:Synthesizer",
        reads_people=True,
        whole=("E_1",),
        teachers=("parser",),
        begins_with=("identity", "shape"),
    ),
    "parser": Family(
        model="masque.models.parser:FaceParser",
        model_parts="masque.models.parser:SERVED",
        config="masque.models.parser:ParserConfig",
        recipe="masque.recipes.parser:ParserRecipe",
        training="masque.recipes.parser:ParserTraining",
        presets="masque.recipes.parser:PRESETS",
        edits=("parse",),
        session="masque.edits.parse:Parser",
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
        session="masque.edits.repaint:Painter",
        reads_parts=True,
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
        session="masque.edits.latents:Latents",
        reads_features=True,
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
        session="masque.edits.latents:Latents",
        reads_features=True,
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


def model_folder(name: str | os.PathLike[str]) -> Path:
    """The folder of a model: shipped weights by the family's name, else a run or model folder by its path.

    Raises CheckpointError when it is neither.
    """
    if not isinstance(name, str):
        name = _as_text(name)
    shipped = SHIPPED / name
    if name in CATALOG and (shipped / "config.json").is_file():
        return shipped
    with suppress(OSError):  # a name that is too long for one
        if Path(name).is_dir():
            return Path(name)
    if name in CATALOG:
        raise CheckpointError(
            f"No weights of {name} come with this installation: train some with `masque train {name}` and name the run's folder."
        )
    *names, last = ["a run folder", *(n for n in CATALOG if (SHIPPED / n / "config.json").is_file())]
    shipping = f"{', '.join(names)} or {last}" if names else last
    raise CheckpointError(f"There is no model {printable(name)}: name {shipping}.")


def _as_text(name: Any) -> str:
    try:
        return os.fsdecode(name)
    except TypeError:
        raise CheckpointError(
            f"{printable(repr(name))} names no model: give a family's name, such as 'rsgan', or a folder."
        ) from None


def has_model(name: str) -> bool:
    """Whether `model_folder` finds a model of this name."""
    try:
        model_folder(name)
    except CheckpointError:
        return False
    return True


def shipped_classifier() -> Classify | None:
    """The classifier of attributes that comes with Masque, as a function of face frames; None where it was left out."""
    from masque.edits.estimate import attribute_estimator

    folder = SHIPPED / "attributes"
    return attribute_estimator(folder) if (folder / "config.json").is_file() else None


def shipped_parser() -> Parser | None:
    """The face parser that comes with Masque; None where it was left out."""
    if not (SHIPPED / "parser" / "config.json").is_file():
        return None
    from masque.edits.parse import Parser

    parser = load_session("parser", "parse")
    assert isinstance(parser, Parser)
    return parser


def shipped_parts() -> Callable[[list[Picture]], list[Labels]] | None:
    """The same as a function of face frames."""
    from masque.edits.estimate import part_estimator

    parser = shipped_parser()
    return part_estimator(parser) if parser is not None else None


def load_session(name: str | os.PathLike[str], serving: str | None = None) -> AnySession:
    """The session of a model by family name or folder.

    serving: an edit it must serve; any if None. Raises CheckpointError when there is no such model, or its family does
    not serve that."""
    from masque import modelfile

    stored = modelfile.read(model_folder(name))
    entry = CATALOG.get(stored.family)
    if entry is None or not (entry.edits if serving is None else serving in entry.edits):
        *names, last = [n for n, f in CATALOG.items() if (f.edits if serving is None else serving in f.edits)] or [
            "another family"
        ]
        able = f"{', '.join(names)} or {last}" if names else last
        what = "edits no photos" if serving is None else f"cannot {serving}"
        found = printable(stored.family)
        raise CheckpointError(
            f"{stored.folder} holds a model of the family {found}, which {what}: name a model of {able}."
        )
    model = _filled(entry, stored)
    more: dict[str, Any] = {"classify": shipped_classifier()} if entry.reads_attributes else {}
    if entry.reads_parts:
        parser = shipped_parser()
        more["parse"] = parser.shares if parser is not None else None
        if "repaint" in entry.edits:
            more["label"] = parser.labels if parser is not None else None
    if entry.reads_features and (SHIPPED / "identity" / "config.json").is_file():
        from masque.edits.estimate import picture_features

        more["features"] = picture_features(SHIPPED / "identity")
    session: AnySession = entry.load("session")(model, stored.family, stored.hash, **more)
    return session


def load_model(name: str | os.PathLike[str]) -> tuple[nn.Module, ModelFile]:
    """The networks of a model by family name or folder, though its family edit nothing, ready to be used, and its file.

    Raises CheckpointError.
    """
    from masque import modelfile

    stored = modelfile.read(model_folder(name))
    if stored.family not in CATALOG:
        found = printable(stored.family)
        raise CheckpointError(
            f"{stored.folder} holds a model of the family {found}, which this version of Masque does not know."
        )
    return _filled(CATALOG[stored.family], stored).eval(), stored


def shapes_of(entry: Family, config: Any) -> dict[str, torch.Size]:
    """Name -> shape of all tensors of a family's networks, found without making them.

    Raises SettingError for sizes that do not fit together, or that make networks too large for any machine.
    """
    import torch

    quieten_torch()
    if entry.needs_attributes and not config.attributes:
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
            f"These sizes make networks of {count / 1e9:.0f} billion weights, and {MOST_WEIGHTS / 1e9:.0f} are the most."
        )
    return shapes


def _filled(entry: Family, stored: ModelFile) -> nn.Module:
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
            f"{stored.folder} does not fit its config ({lacking} tensors missing, {unknown} unknown, {misshapen} of another shape): "
            "fetch it again."
        )
    with OwnRandomness():
        model: nn.Module = entry.load("model")(config)
    model.load_state_dict(weights, strict=False)
    return model
