"""Training of the face parser P_F (portrait Eq. 3.7): cross entropy of every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from masque.config import Presets
from masque.data.batches import Batch
from masque.faces.labels import overlay
from masque.image import Picture, to_pictures
from masque.losses.parsing import dice, label_cross_entropy
from masque.models.parser import SERVED, FaceParser, ParserConfig
from masque.train.phase import Needs, Phase
from masque.train.rates import Schedule


@dataclass(frozen=True)
class ParserTraining:
    """Eq. 3.7, and what helps small parts."""

    dice: float = 0.0
    """Weight of the Dice loss beside the cross entropy; 0 is the thesis."""
    lr: float = 2e-4
    """Learning rate of P_F, before it falls by `schedule`."""
    weight_decay: float = 0.0
    """Weight decay of AdamW, the share of each weight that is taken off per step and unit of `lr`; 0 is plain Adam."""
    schedule: Schedule = Schedule("cosine")
    """How `lr` falls: constant unless `decay_to` is set."""


class ParserRecipe:
    """P_F learns, in a single phase."""

    served = SERVED
    needs: Mapping[str, Needs] = {"parse": Needs("labels")}

    def __init__(self, config: ParserConfig, training: ParserTraining) -> None:
        self.config, self.training = config, training
        self.model = FaceParser(config)
        self.nets: Mapping[str, nn.Module] = {"P_F": self.model.P_F}

    def phases(self) -> Sequence[Phase]:
        """Eq. 3.7, in every step."""
        weights = {"parse": 1.0} | ({"dice": self.training.dice} if self.training.dice else {})
        return [Phase("parse", ("P_F",), self.parse_terms, weights)]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """AdamW, which without weight decay is Adam."""
        return torch.optim.AdamW(parameters, lr=self.training.lr, weight_decay=self.training.weight_decay, fused=True)

    def learning_rate(self, name: str, step: int) -> float:  # noqa: ARG002
        """Constant, or half a cosine from lr to 0."""
        return self.training.schedule.at(self.training.lr, step)

    def parse_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 3.7, L_P."""
        logits, labels = self.model.P_F(batch["image"]), batch["labels"]
        terms = {"parse": label_cross_entropy(logits, labels)}
        if self.training.dice:
            terms["dice"] = dice(logits, labels)
        return terms

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: pictures, their true parts, the parts that P_F sees."""
        pictures = list(to_pictures(batch["image"]))
        seen = nets["P_F"](batch["image"]).argmax(dim=1).byte().cpu().numpy()
        true = batch["labels"].cpu().numpy()
        true = np.where(true < 11, true, 0).astype(np.uint8)
        return [*pictures, *map(overlay, pictures, true), *map(overlay, pictures, seen)], len(pictures)


PRESETS: Presets = {
    # Fig. 2.8 and Section 4.3.1
    "paper": {
        "model": {},
        "training": {},
        "run": {"steps": 130_000, "batch_size": 12, "shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0},
    },
    # 128 px, narrower, with two layers at full size, for two processor cores
    "small": {
        "model": {"size": 128, "channels": 24, "fine": 16},
        "training": {"dice": 1.0, "lr": 2e-3, "weight_decay": 0.01, "decay_to": 3000},
        "run": {"steps": 3000, "batch_size": 16, "shift": 8.0, "turn": 15.0, "zoom": 0.15, "colour": 0.3, "ema": 0.99},
    },
    # What the shipped weights are: 256 px, wider, a halving more
    "best": {
        "model": {"size": 256, "channels": 32, "halvings": 6, "fine": 24},
        "training": {"dice": 1.0, "lr": 1.5e-3, "weight_decay": 0.01, "decay_to": 4500},
        "run": {"steps": 4500, "batch_size": 8, "shift": 8.0, "turn": 15.0, "zoom": 0.15, "colour": 0.3, "ema": 0.995},
    },
    "tiny": {
        "model": {"size": 32, "channels": 8, "halvings": 3, "fine": 8},
        "training": {"dice": 1.0, "lr": 2e-3},
        "run": {"steps": 60, "batch_size": 8, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
