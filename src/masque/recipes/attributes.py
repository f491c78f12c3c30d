"""Training of the attribute classifier: cross entropy over the attributes that each picture knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masque.config import Presets
from masque.data.batches import Batch
from masque.image import Picture, to_pictures
from masque.losses.attributes import known_bce
from masque.models.attributes import SERVED, AttributeClassifier, AttributesConfig
from masque.train.phase import Phase
from masque.train.rates import Schedule


@dataclass(frozen=True)
class AttributesTraining:
    """How the classifier is trained."""

    lr: float = 1e-3
    """Learning rate of the classifier, before it falls by `schedule`."""
    weight_decay: float = 0.05
    """Weight decay of AdamW, the share of each weight that is taken off per step and unit of `lr`; 0 is plain Adam."""
    schedule: Schedule = Schedule("cosine", decay_to=3000)
    """How `lr` falls: along half a cosine, to 0 at `decay_to`."""


class AttributesRecipe:
    """The classifier learns, in a single phase."""

    served = SERVED

    def __init__(self, config: AttributesConfig, training: AttributesTraining) -> None:
        self.config, self.training = config, training
        self.classifier = AttributeClassifier(config)
        self.nets: Mapping[str, nn.Module] = {"classifier": self.classifier}

    def phases(self) -> Sequence[Phase]:
        """Cross entropy of attributes, in every step."""
        return [Phase("classify", ("classifier",), self.classify_terms, {"bce": 1.0})]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """AdamW."""
        return torch.optim.AdamW(parameters, lr=self.training.lr, weight_decay=self.training.weight_decay)

    def learning_rate(self, name: str, step: int) -> float:  # noqa: ARG002
        """Half a cosine from lr to 0, unless another schedule is asked for."""
        return self.training.schedule.at(self.training.lr, step)

    def classify_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy; unknown attributes count for nothing."""
        return {"bce": known_bce(self.classifier(batch["face_crop"], batch["seed"]), batch["attributes"])}

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """The pictures, the surest Male first."""
        first = torch.as_tensor(nets["classifier"](batch["face_crop"]))[:, 0].argsort(descending=True)
        return list(to_pictures(batch["face_crop"][first])), len(first)


PRESETS: Presets = {
    "small": {
        "model": {},
        "training": {},
        "run": {"steps": 3000, "batch_size": 64, "shift": 5.0, "turn": 8.0, "zoom": 0.08, "colour": 0.3, "ema": 0.99},
    },
    "tiny": {
        "model": {"size": 32, "channels": 8},
        "training": {"decay_to": 60},
        "run": {"steps": 60, "batch_size": 16, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
