"""Training of the face features: tell people apart, and read the attributes that each picture knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masque.config import Presets
from masque.data.batches import Batch
from masque.data.frames import FrameSet
from masque.errors import SettingError
from masque.image import Picture, to_pictures
from masque.losses.attributes import known_bce
from masque.losses.identity import known_people, with_margin
from masque.models.identity import SERVED, FaceFeatures, IdentityConfig, Softmax
from masque.train.phase import Needs, Phase
from masque.train.rates import Schedule


@dataclass(frozen=True)
class IdentityTraining:
    """How E_id is trained."""

    attribute_weight: float = 0.5
    """Weight of the attributes' cross entropy beside the people's, which weighs 1; 0 leaves them out."""
    softmax: Softmax = "angles"
    """How people are told apart: angles by cosines times a learnt scale (NormFace), linear by Eq. 5 of FaceFeat-GAN,
    margin by CosFace."""
    margin: float = 0.35
    """m of softmax=margin: by how much the cosine to the own person must be the larger. This one and s are
    CosFace's."""
    scale: float = 64.0
    """s of softmax=margin, by which the cosines are multiplied."""
    lr: float = 1e-3
    """Learning rate of E_id and its heads, before it falls by `schedule`."""
    weight_decay: float = 0.05
    """Weight decay of AdamW, the share of each weight that is taken off per step and unit of `lr`; 0 is plain Adam."""
    schedule: Schedule = Schedule("cosine", decay_to=3000)
    """How `lr` falls: along half a cosine, to 0 at `decay_to`."""

    def __post_init__(self) -> None:
        if not 0 <= self.margin < 1:
            raise SettingError(f"margin is {self.margin} and must be at least 0 and below 1.")
        if not 0 < self.scale < float("inf"):
            raise SettingError(f"scale is {self.scale} and must be above 0.")


class IdentityRecipe:
    """E_id and its heads learn together, in a single phase."""

    served = SERVED
    needs: Mapping[str, Needs] = {"people": Needs("people"), "bce": Needs("attributes", "attribute_weight")}

    def __init__(self, config: IdentityConfig, training: IdentityTraining) -> None:
        self.config, self.training = config, training
        self.model = FaceFeatures(config, training.softmax)
        self.nets: Mapping[str, nn.Module] = {"features": self.model.features, "heads": self.model.heads}

    def begin(self, frames: FrameSet) -> None:
        """Raise SettingError for more people than `people`."""
        most = int(frames.people().max())
        if most >= self.config.people:
            raise SettingError(
                f"The data has more than people={self.config.people} people: set it higher, to {most + 1} or more."
            )

    def phases(self) -> Sequence[Phase]:
        """Cross entropies of people and of attributes, in every step."""
        return [
            Phase(
                "tell", ("features", "heads"), self.tell_terms, {"people": 1.0, "bce": self.training.attribute_weight}
            )
        ]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """AdamW: Adam where weight_decay is 0."""
        return torch.optim.AdamW(parameters, lr=self.training.lr, weight_decay=self.training.weight_decay)

    def learning_rate(self, name: str, step: int) -> float:  # noqa: ARG002
        """Half a cosine from lr to 0, or the two rates of Section 4 of FaceFeat-GAN."""
        return self.training.schedule.at(self.training.lr, step)

    def tell_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropies; unknown people and attributes count for nothing."""
        people, attributes = self.model.heads(self.model.features(batch["image"], batch["seed"]))
        if self.training.softmax == "margin":
            people = with_margin(people, batch["identity"], self.training.margin, self.training.scale)
        return {"people": known_people(people, batch["identity"]), "bce": known_bce(attributes, batch["attributes"])}

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """The pictures, and below each the one among the others that looks most like it."""
        features = torch.as_tensor(nets["features"](batch["image"]))
        alike = features @ features.T - 2 * torch.eye(len(features), device=features.device)
        pictures = to_pictures(batch["image"])
        return [*pictures, *(pictures[int(i)] for i in alike.argmax(dim=1))], len(pictures)


PRESETS: Presets = {
    # E_id of FaceFeat-GAN, Section 4; how pictures are moved, it does not say
    "paper": {
        "model": {
            "size": 128,
            "view": "face",
            "network": "resnet50",
            "features": 256,
            "people": 10_575,
            "dropout": 0.0,
        },
        "training": {
            "softmax": "linear",
            "attribute_weight": 0.0,
            "lr": 8e-5,
            "weight_decay": 0.0,
            "decay_shape": "stairs",
            "decay_from": 100_000,
            "decay_to": 100_000,
            "decay_factor": 0.625,
        },
        "run": {"steps": 200_000, "batch_size": 96, "shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0},
    },
    # The same for two processor cores, with a softmax that needs fewer people
    "facefeat": {
        "model": {"view": "face", "network": "resnet18", "width": 32, "features": 256},
        "training": {"softmax": "margin", "margin": 0.2, "scale": 32.0, "attribute_weight": 0.0, "decay_to": 8000},
        "run": {"steps": 8000, "batch_size": 64, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.2, "ema": 0.998},
    },
    # The same at 128 px, for an accelerator
    "facefeat-128": {
        "model": {"size": 128, "view": "face", "network": "resnet18", "width": 48, "features": 256},
        "training": {"softmax": "margin", "margin": 0.2, "scale": 32.0, "attribute_weight": 0.0, "decay_to": 6000},
        "run": {"steps": 6000, "batch_size": 64, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.2, "ema": 0.998},
    },
    "small": {
        "model": {},
        "training": {},
        "run": {"steps": 3000, "batch_size": 64, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.2, "ema": 0.99},
    },
    "tiny": {
        "model": {"size": 32, "channels": 8, "features": 32, "people": 64},
        "training": {"decay_to": 60},
        "run": {"steps": 60, "batch_size": 16, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
