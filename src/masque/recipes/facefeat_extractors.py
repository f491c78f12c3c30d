"""E_id and E_1 of FaceFeat-GAN (Shen et al. 2018, Section 3.1, Eq. 5 and 7): trained models that are taken over, or
networks that learn in a run's first steps and then stay as they are.

paper          here                 who it updates, in the phase
W_id, b_id     W_id
Eq. 5          people               E_id, W_id    tell
Eq. 7          shape                E_1           see
f_id, f_1      f_id, f_1            nobody: frozen features of a picture
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from masque import modelfile
from masque.config import from_dict
from masque.data.batches import Batch
from masque.data.frames import FrameSet
from masque.errors import DataError, SettingError
from masque.faces.shape3d import fit
from masque.faces.shape_learning import learn_shapes
from masque.losses.identity import known_people, with_margin
from masque.models.facefeat import FaceFeatConfig, sphere
from masque.models.identity import Features, Heads, IdentityConfig, Softmax
from masque.models.shape import Fits, ShapeConfig, ShapeEncoder
from masque.train.phase import Phase

EXTRACTING = ("E_id", "W_id", "E_1")
"""Networks that learn before all others, at a rate of their own."""

SIZES_OF_E_ID = ("size", "view", "network", "width", "features")
SIZES_OF_E_1 = ("size", "width", "identity", "expression")
"""In what a model that is taken over has to be as the configuration says."""


@dataclass(frozen=True)
class Extractors:
    """Where E_id and E_1 come from: trained models, or the first steps of the run (Section 3.1)."""

    identity: str = ""
    """A trained model of the family identity that is E_id: `identity`, which ships, or a folder; without one E_id is
    trained until `warm`."""
    shape: str = ""
    """A trained model of the family shape that is E_1: a folder, since none ships; without one E_1 is trained until
    `warm`."""
    warm: int = 20_000
    """Steps in which E_id and E_1 are trained before the others, where either is not named."""
    softmax: Softmax = "linear"
    """By what E_id is trained to tell people; see the family identity."""
    margin: float = 0.35
    """m of softmax=margin: by how much the cosine to the own person must be the larger."""
    scale: float = 64.0
    """s of softmax=margin, by which the cosines are multiplied."""
    id_lr: float = 8e-5
    """Learning rate of E_id and E_1."""


class Extraction:
    """E_id and E_1: how they come about, and what they see."""

    def __init__(
        self, config: FaceFeatConfig, settings: Extractors, E_id: Features, E_1: ShapeEncoder, W_id: Heads
    ) -> None:
        self.config, self.settings = config, settings
        self.E_id, self.E_1, self.W_id = E_id, E_1, W_id
        self.warm = 0 if settings.identity and settings.shape else settings.warm
        """The step from which both stay as they are."""
        self.fits = Fits(E_1)
        self._extractions: tuple[Tensor, dict[str, Tensor]] | None = None

    def begin(self, frames: FrameSet) -> None:
        """Take over trained extractors, and learn the 3D model where none is named. Raises DataError, CheckpointError,
        SettingError."""
        taken, chosen = self.settings, frames.indices("train")
        landmarks, people = np.asarray(frames.landmarks)[chosen], frames.people()[chosen]
        known = people[people >= 0]
        if len(np.unique(known)) < 2 or len(known) == len(np.unique(known)):
            raise DataError(
                "FaceFeat-GAN learns from people of whom there are several pictures: "
                "prepare a set that says who is who."
            )
        if not taken.identity and int(known.max()) >= self.config.id_people:
            most, needed = self.config.id_people, int(known.max()) + 1
            raise SettingError(f"The data has more than id_people={most} people: set it to {needed} or more.")
        if taken.identity:
            _take(self.E_id, taken.identity, "identity", "features", self.config.identity, SIZES_OF_E_ID)
        if taken.shape:
            _take(self.E_1, taken.shape, "shape", "E_1", self.config.shape, SIZES_OF_E_1)
        else:
            shapes = learn_shapes(landmarks, people, self.config.shape_identity, self.config.shape_expression)
            self.E_1.take_model(shapes, fit(shapes, landmarks))

    def phases(self) -> list[Phase]:
        """Eq. 5 and 7, of the extractors that are not taken over."""
        taken, until = self.settings, self.warm
        tell = Phase("tell", ("E_id", "W_id"), self.tell_terms, {"people": 1.0}, until=until)
        see = Phase("see", ("E_1",), self.see_terms, {"shape": 1.0}, until=until)
        return [phase for phase, folder in ((tell, taken.identity), (see, taken.shape)) if until and not folder]

    def tell_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 5; unknown people count for nothing."""
        self.E_id.train()
        taken = self.settings
        people, _ = self.W_id(self.E_id(batch["image"], batch["seed"]))
        if taken.softmax == "margin":
            people = with_margin(people, batch["identity"], taken.margin, taken.scale)
        return {"people": known_people(people, batch["identity"])}

    def see_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 7."""
        return {"shape": self.E_1.train().error(batch["image"], self.fits(batch))}

    def f_id(self, batch: Batch) -> Tensor:
        """The identity features (B,F) of the batch's pictures, which get no gradient."""
        return self._extracted(batch, "f_id")

    def f_1(self, batch: Batch) -> Tensor:
        """The shape features (B,E+1) of the batch's pictures, which get no gradient."""
        return self._extracted(batch, "f_1")

    def _extracted(self, batch: Batch, name: str) -> Tensor:
        # Four phases of a step ask for the same.
        x = batch["image"]
        if self._extractions is None or self._extractions[0] is not x:
            self._extractions = x, {}
        found = self._extractions[1]
        if name not in found:
            with torch.no_grad():
                found[name] = sphere(self.E_id.eval()(x)) if name == "f_id" else self.E_1.eval()(x)
        return found[name]


def _take(
    net: nn.Module, folder: str, family: str, name: str, config: IdentityConfig | ShapeConfig, alike: Sequence[str]
) -> None:
    """The weights of another family's network `name`, which has to be of the sizes `alike`. Raises CheckpointError,
    SettingError."""
    stored = modelfile.read(Path(folder), family)
    found = from_dict(type(config), stored.config)  # which knows settings that are younger than the file
    for size in alike:
        if (its := getattr(found, size)) != (own := getattr(config, size)):
            raise SettingError(
                f"The model of {family} in {folder} has {size} {its}, and here it is {own}: they have to be the same."
            )
    stored.fill(net, name)
