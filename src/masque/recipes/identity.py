"""Training of the face features: tell people apart, and read the attributes that each picture knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from masque.data.batches import Batch
from masque.errors import SettingError
from masque.image import Picture, to_pictures
from masque.losses.attributes import known_bce
from masque.losses.identity import known_people
from masque.models.identity import SERVED, FaceFeatures, IdentityConfig
from masque.train.phase import Phase
from masque.train.rates import half_cosine


@dataclass(frozen=True)
class IdentityTraining:
    """Two losses, one optimizer."""

    attribute_weight: float = 0.5
    """Of the attributes' cross entropy beside the people's."""
    lr: float = 1e-3
    weight_decay: float = 0.05
    decay_to: int = 3000
    """Step at which the learning rate, falling along a cosine, reaches 0."""


class IdentityRecipe:
    """One phase."""

    served = SERVED

    def __init__(self, config: IdentityConfig, training: IdentityTraining) -> None:
        self.config, self.training = config, training
        self.model = FaceFeatures(config)
        self.nets: Mapping[str, nn.Module] = {"features": self.model.features, "heads": self.model.heads}

    def phases(self) -> Sequence[Phase]:
        """The only line of the algorithm."""
        return [Phase("tell", ("features", "heads"), self.tell_terms, {"people": 1.0, "bce": self.training.attribute_weight})]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """AdamW."""
        return torch.optim.AdamW(parameters, lr=self.training.lr, weight_decay=self.training.weight_decay)

    def learning_rate(self, name: str, step: int) -> float:  # noqa: ARG002
        """Half a cosine from lr to 0."""
        return half_cosine(self.training.lr, step, self.training.decay_to)

    def tell_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropies; unknown people and attributes count for nothing. Raises SettingError for more people than `people`."""
        most = int(batch["identity"].max())
        if most >= self.config.people:
            raise SettingError(f"The data has more than people={self.config.people} people: set it higher, to {most + 1} or more.")
        people, attributes = self.model.heads(self.model.features(batch["image"], batch["seed"]))
        return {"people": known_people(people, batch["identity"]), "bce": known_bce(attributes, batch["attributes"])}

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """The pictures, and below each the one among the others that looks most like it."""
        features = torch.as_tensor(nets["features"](batch["image"]))
        alike = features @ features.T - 2 * torch.eye(len(features), device=features.device)
        pictures = to_pictures(batch["image"])
        return [*pictures, *(pictures[int(i)] for i in alike.argmax(dim=1))], len(pictures)


PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "small": {
        "model": {}, "training": {},
        "run": {"steps": 3000, "batch_size": 64, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.2, "ema": 0.99},
    },
    "tiny": {
        "model": {"size": 32, "channels": 8, "features": 32, "people": 64}, "training": {"decay_to": 60},
        "run": {"steps": 60, "batch_size": 16, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}  # fmt: skip
