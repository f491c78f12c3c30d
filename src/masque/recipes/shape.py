"""Training of E_1 (FaceFeat-GAN, Eq. 7): expression and yaw of a face as the linear 3D model has them, from its
picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from masque.config import Presets
from masque.data.batches import Batch
from masque.data.frames import FrameSet
from masque.errors import SettingError
from masque.faces.shape3d import fit, read_shape_model
from masque.faces.shape_learning import learn_shapes
from masque.image import Picture, to_pictures
from masque.models.shape import SERVED, FaceShape, Fits, ShapeConfig
from masque.train.phase import Phase
from masque.train.rates import Schedule


@dataclass(frozen=True)
class ShapeTraining:
    """How E_1 is trained."""

    bases: str = ""
    """File of a morphable model's landmark rows (docs/train.md says how it is laid out); without one, bases are learnt
    from the landmarks of the set that is trained on."""
    lr: float = 1e-3
    """Learning rate of E_1, before it falls by `schedule`."""
    weight_decay: float = 0.05
    """Weight decay of AdamW, the share of each weight that is taken off per step and unit of `lr`; 0 is plain Adam."""
    schedule: Schedule = Schedule("cosine", decay_to=3000)
    """How `lr` falls: along half a cosine, to 0 at `decay_to`."""


class ShapeRecipe:
    """E_1 learns, in a single phase."""

    served = SERVED

    def __init__(self, config: ShapeConfig, training: ShapeTraining) -> None:
        self.config, self.training = config, training
        self.model = FaceShape(config)
        self.nets: Mapping[str, nn.Module] = {"E_1": self.model.E_1}
        self.fits = Fits(self.model.E_1)

    def begin(self, frames: FrameSet) -> None:
        """Read or learn the 3D model. Raises DataError, and SettingError for bases other than the configuration has."""
        chosen = frames.indices("train")
        landmarks, people = np.asarray(frames.landmarks)[chosen], frames.people()[chosen]
        shapes = (
            read_shape_model(Path(self.training.bases))
            if self.training.bases
            else learn_shapes(landmarks, people, self.config.identity, self.config.expression)
        )
        for name in ("identity", "expression"):
            if (count := len(getattr(shapes, name))) != getattr(self.config, name):
                raise SettingError(
                    f"{self.training.bases} has {count} bases of {name}: give --set {name}={count} as well."
                )
        self.model.E_1.take_model(shapes, fit(shapes, landmarks))

    def phases(self) -> Sequence[Phase]:
        """Eq. 7, in every step."""
        return [Phase("see", ("E_1",), self.see_terms, {"shape": 1.0})]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """AdamW."""
        return torch.optim.AdamW(parameters, lr=self.training.lr, weight_decay=self.training.weight_decay)

    def learning_rate(self, name: str, step: int) -> float:  # noqa: ARG002
        """Half a cosine from lr to 0, unless another schedule is asked for."""
        return self.training.schedule.at(self.training.lr, step)

    def see_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 7. What is true is fitted to the landmarks of the picture, mirrored as it is."""
        return {"shape": self.model.E_1.error(batch["image"], self.fits(batch))}

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """The pictures, from the one that is turned farthest to the picture's left to the farthest to its right."""
        order = torch.as_tensor(nets["E_1"](batch["image"]))[:, -1].argsort()
        return list(to_pictures(batch["image"][order])), len(order)


PRESETS: Presets = {
    "paper": {
        "model": {},
        "training": {"decay_to": 30_000},
        "run": {"steps": 30_000, "batch_size": 96, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.2},
    },
    # 64 px and narrow, for two processor cores
    "small": {
        "model": {"size": 64, "width": 24},
        "training": {},
        "run": {"steps": 3000, "batch_size": 64, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.2, "ema": 0.99},
    },
    # 128 px, for an accelerator
    "128": {
        "model": {"size": 128, "width": 32},
        "training": {},
        "run": {"steps": 3000, "batch_size": 64, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.2, "ema": 0.99},
    },
    "tiny": {
        "model": {"size": 32, "width": 4, "identity": 3, "expression": 4},
        "training": {"decay_to": 60},
        "run": {"steps": 60, "batch_size": 16, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
